package cmd

import (
	"bytes"
	"context"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/drill"
)

// stage sets up a drill in the new folder: the stand-in for Baseten, and the repository in
// which a made-up key leaked. The organisation's own inventory is read here, once.
func (x *incident) stage(ctx context.Context) error {
	var inventory *baseten.Inventory
	name := "a sample organisation, since there is no credential"
	if account, err := x.api.open(x.env); err == nil {
		inventory, err = baseten.Gather(ctx, account.client, baseten.SourceKeys, baseten.SourceTeams, baseten.SourceUsers, baseten.SourceEvents)
		name = "the keys of your organisation, read once from " + account.options.Endpoints.Management.String()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			x.ui.warn("your organisation's keys could not be read: "+err.Error(), "a sample organisation is used")
			inventory, name = nil, "a sample organisation, since yours could not be read"
		}
	}
	stand, err := drill.New(x.file(organisationIn), name, inventory, time.Now())
	if err != nil {
		return err
	}
	x.state.Targets = []string{x.file(repositoryIn)}
	return stand.Repository(x.file(repositoryIn), time.Now())
}

// practise puts the stand-in in Baseten's place, and the mark of a drill before each line.
func (x *incident) practise() error {
	stand, err := drill.Open(x.file(organisationIn))
	if err != nil {
		return failed(err)
	}
	x.api.drill = stand
	screen := x.env
	x.env.Lookup = func(name string) (string, bool) { // neither the credential nor the home
		if name == "NO_COLOR" || name == "TERM" {
			return screen.Lookup(name)
		}
		return "", false
	}
	x.env.Stdout = &marked{w: x.env.Stdout}
	x.env.Stderr = &marked{w: x.env.Stderr}
	x.out = x.env.Stdout
	color := x.ui.colorFlag
	x.ui = NewUI(x.env)
	x.ui.colorFlag = color
	_, err = io.WriteString(x.env.Stderr, "nothing real is changed: b10lint stands in for Baseten, with "+stand.Name+"\n")
	return err
}

// marked writes DRILL before every line.
type marked struct {
	mu     sync.Mutex
	w      io.Writer
	inLine bool
}

// Write implements io.Writer.
func (m *marked) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var b bytes.Buffer
	for line := range strings.SplitAfterSeq(string(p), "\n") {
		if line == "" {
			continue
		}
		if !m.inLine {
			b.WriteString("DRILL ")
		}
		b.WriteString(line)
		m.inLine = !strings.HasSuffix(line, "\n")
	}
	if _, err := m.w.Write(b.Bytes()); err != nil {
		return 0, err
	}
	return len(p), nil
}
