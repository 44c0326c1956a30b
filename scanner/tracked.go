package scanner

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-git/go-git/v5/plumbing/format/index"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/ignore"
	"github.com/b10lint/b10lint/rules"
)

// tracked reports a .trussrc that git has or would take.
func (in *inspector) tracked(path string, holds bool) {
	env := func(string) string { return "" }
	if in.opts.Lookup != nil {
		env = func(name string) string { v, _ := in.opts.Lookup(name); return v }
	}
	state, root, err := gitState(filepath.FromSlash(path), env)
	if err != nil {
		in.problem(path, fmt.Errorf("cannot tell whether git tracks it: %w", err))
		return
	}
	severity, bad := rules.TrackingSeverity(state)
	if !bad || !holds && state != rules.Tracked {
		return
	}
	message := fmt.Sprintf("%s is tracked by the git repository %s", path, filepath.ToSlash(root))
	if state == rules.Untracked {
		message = fmt.Sprintf("%s lies in the git repository %s and is not ignored", path, filepath.ToSlash(root))
	}
	in.report(rules.TrussrcTracked(), severity, path, message, finding.Location{Path: path})
}

// gitState says what git knows of a file. A symbolic link is asked for where it
// leads to: there the key is. root is the work tree that the file is in.
func gitState(name string, env func(string) string) (state rules.Tracking, root string, err error) {
	real, err := filepath.EvalSymlinks(name)
	if err != nil {
		return rules.NotInRepository, "", err
	}
	if real, err = filepath.Abs(real); err != nil {
		return rules.NotInRepository, "", err
	}
	var gitDir string
	for root = filepath.Dir(real); ; root = filepath.Dir(root) {
		if gitDir, _ = ignore.GitDir(root); gitDir != "" {
			break
		}
		if root == filepath.Dir(root) {
			return rules.NotInRepository, "", nil
		}
	}
	rel, err := filepath.Rel(root, real)
	if err != nil {
		return rules.NotInRepository, root, err
	}
	rel = filepath.ToSlash(rel)
	has, err := inIndex(filepath.Join(gitDir, "index"), rel)
	switch {
	case err != nil:
		return rules.NotInRepository, root, err
	case has:
		return rules.Tracked, root, nil
	}
	m := ignore.New(root, ignore.Discover(root, env))
	ignored := m.Ignored(rel, false)
	if err := errors.Join(m.Errors()...); err != nil {
		return rules.NotInRepository, root, err
	}
	if ignored {
		return rules.Ignored, root, nil
	}
	return rules.Untracked, root, nil
}

// inIndex reports whether a git index lists a path.
func inIndex(name, rel string) (bool, error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // nothing was ever added
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	var idx index.Index
	if err := index.NewDecoder(f).Decode(&idx); err != nil {
		return false, fmt.Errorf("git index: %w", err)
	}
	for _, e := range idx.Entries {
		if e.Name == rel {
			return true, nil
		}
	}
	return false, nil
}
