package revoke

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/b10lint/b10lint/internal/shell"
)

// A Pending is a journal whose run did not come to its end.
type Pending struct {
	Path  string
	Begun time.Time
	// Resume is the command that finishes it.
	Resume string
}

// Unfinished returns the journals of a folder that are not finished, the oldest
// first. A folder that is not there has none; what is not a journal is passed over,
// as is one in which nothing was begun.
func Unfinished(dir string) (list []Pending, err error) {
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return nil, nil
	}
	for _, e := range entries {
		command, _, ok := strings.Cut(e.Name(), "-")
		if !ok || command != "revoke" && command != "rotate" || filepath.Ext(e.Name()) != ".jsonl" || !e.Type().IsRegular() {
			continue
		}
		path := filepath.Join(dir, e.Name())
		info, infoErr := e.Info()
		if infoErr != nil || info.Size() > maxJournal {
			continue
		}
		data, readErr := os.ReadFile(path)
		if readErr != nil {
			continue
		}
		records, _, parseErr := parseJournal(data)
		if parseErr != nil || len(records) == 0 || slices.ContainsFunc(records, func(r record) bool { return r.Step == stepEnd }) {
			continue
		}
		list = append(list, Pending{path, records[0].At, "b10lint " + command + " --resume " + shell.Quote(path)})
	}
	slices.SortStableFunc(list, func(a, b Pending) int { return a.Begun.Compare(b.Begun) })
	return list, err
}
