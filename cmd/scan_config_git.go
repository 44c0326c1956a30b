package cmd

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/b10lint/b10lint/internal/config"
	gitconfig "github.com/b10lint/b10lint/internal/git/config"
	"github.com/b10lint/b10lint/internal/git/gitdir"
	"github.com/b10lint/b10lint/internal/git/refs"
	"github.com/b10lint/b10lint/report"
	gitsource "github.com/b10lint/b10lint/scanner/source/git"
)

// maxConfig bounds what is read of the settings in a commit.
const maxConfig = 4 << 20

// configAt reads the settings as they are in a revision: REV, or REV:PATH. Without
// a file there, none hold.
func configAt(root, spec string) (*config.Config, error) {
	revision, name, found := strings.Cut(spec, ":")
	if !found || name == "" {
		name = config.Name
	}
	data, err := gitsource.FileAt(root, revision, name, maxConfig)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !found:
		return config.Default(), nil
	case err != nil:
		return nil, &config.Error{File: revision + ":" + name, Text: err.Error(), Hint: "name a commit that is here: --config-from origin/main"}
	}
	return config.Parse(revision+":"+name, data)
}

// baselineAt reads a baseline as it is in the revision that settings come from.
func baselineAt(root, spec, name string) (*config.Baseline, error) {
	revision, _, _ := strings.Cut(spec, ":")
	data, err := gitsource.FileAt(root, revision, name, maxConfig)
	if err != nil {
		return nil, &config.Error{File: revision + ":" + name, Text: err.Error(), Hint: "the settings in this commit name it as their baseline"}
	}
	return config.ParseBaseline(revision+":"+name, data)
}

// provenance says where the work tree at root comes from and what is checked out; nil
// when it is not one.
func provenance(root string) *report.VCS {
	own, common := gitdir.OfWorkTree(root)
	if own == "" {
		return nil
	}
	v := &report.VCS{}
	if vars, err := gitconfig.Read(filepath.Join(common, "config")); err == nil {
		for s := range vars { // the address of origin, else of the first remote
			if s.Section == "remote" && s.Key == "url" && (v.URI == "" || s.Subsection == "origin") {
				v.URI = s.Value
			}
		}
	}
	v.Revision, _ = refs.HeadOnly(own, common)
	if head, err := os.ReadFile(filepath.Join(own, "HEAD")); err == nil {
		if branch, ok := strings.CutPrefix(strings.TrimSpace(string(head)), "ref: refs/heads/"); ok {
			v.Branch = branch
		}
	}
	return v
}
