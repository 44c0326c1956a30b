package remote

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/b10lint/b10lint/internal/atomicfile"
	"github.com/b10lint/b10lint/internal/git/pack"
	"github.com/b10lint/b10lint/internal/git/refs"
	"github.com/b10lint/b10lint/internal/regular"
	"github.com/b10lint/b10lint/scanner/source"
)

// A state is what is kept of a repository in which a whole scan found nothing at all, at
// any confidence. So whatever its references led to is known to be clean, and the next
// scan needs only what came since: an object of then that comes back, in whatever
// commit, is still clean. Of a repository in which something was found, and of a scan
// that was not complete, nothing is kept.
type state struct {
	Address string            `json:"address"`
	Options string            `json:"options"` // detector and flags; others see other things
	Scanned time.Time         `json:"scanned"`
	Head    string            `json:"head"`
	Refs    map[string]string `json:"refs"`  // names to ids
	Files   map[string]file   `json:"files"` // of the default branch, that were asked for
}

// A file is one of the settings. An ID that is empty is that of a file that was not there.
type file struct {
	ID   string `json:"id"`
	Text []byte `json:"text"`
}

// stateForm changes with the form of the files.
const stateForm = "1"

// mostState bounds a state file; a million references take 100 MB.
const mostState = 1 << 30

func (r *Repository) stateFile() string {
	sum := sha256.Sum256([]byte(stateForm + "\x00" + r.address.String()))
	return filepath.Join(r.opts.State, "repository-"+hex.EncodeToString(sum[:16]))
}

// recall reads the state of the repository; nil where there is none that holds. The error
// is of one that is damaged.
func (r *Repository) recall() (*state, error) {
	if r.opts.State == "" {
		return nil, nil
	}
	data, err := regular.ReadFile(r.stateFile(), mostState)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	sum, body, _ := bytes.Cut(data, []byte{'\n'})
	want := sha256.Sum256(body)
	var s state
	if string(sum) != hex.EncodeToString(want[:]) || json.Unmarshal(body, &s) != nil || s.Address != r.address.String() {
		return nil, errors.New(filepath.Base(r.stateFile()) + " is damaged")
	}
	if s.Options != r.opts.StateOptions {
		return nil, nil
	}
	return &s, nil
}

// Remember keeps the state of the repository for the next scan, if this one was whole and
// found nothing at all; else it drops what was kept.
func (r *Repository) Remember(clean bool) error {
	if r.opts.State == "" {
		return nil
	}
	if !clean || r.received.Incomplete || r.received.Refs == nil || r.received.Shallow != nil {
		if err := os.Remove(r.stateFile()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	s := state{Address: r.address.String(), Options: r.opts.StateOptions, Scanned: r.asked, Head: r.received.Head, Refs: map[string]string{}, Files: r.files}
	for _, ref := range r.received.Refs {
		s.Refs[ref.Name] = ref.ID
	}
	body, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(r.opts.State, 0o700); err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	return atomicfile.WriteFile(r.stateFile(), []byte(hex.EncodeToString(sum[:])+"\n"+string(body)), atomicfile.Mode{Perm: 0o600, Force: true})
}

// ids are the objects that the references led to.
func (s *state) ids() map[string]bool {
	all := map[string]bool{}
	if s != nil {
		for _, id := range s.Refs {
			all[id] = true
		}
	}
	return all
}

// suffices reports whether what came is enough, together with what is known: each
// reference leads to a commit that came or to one that was a tip before. One that was
// moved to an older commit could hide one that the server did not send; and the settings
// of the default branch must be known. Otherwise all is fetched.
func (r *Repository) suffices(ctx context.Context, old *state) bool {
	store, tips := r.received.Store, old.ids()
	if old.Head == "" && r.received.Head != "" {
		return false
	}
	if err := store.Identify(ctx, r.opts.History.Jobs, pack.KindSet(pack.Commit, pack.Tag)); err != nil {
		return false
	}
	if slices.ContainsFunc(r.received.Refs, func(ref refs.Ref) bool {
		id, err := pack.ParseID(ref.ID)
		return err != nil || !tips[ref.ID] && !store.Has(id)
	}) {
		return false
	}
	for name := range old.Files {
		if _, err := r.File(ctx, "HEAD", name, source.SmallFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false
		}
	}
	return true
}
