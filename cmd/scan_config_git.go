package cmd

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/b10lint/b10lint/internal/config"
	"github.com/b10lint/b10lint/internal/git/ignore"
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

// provenance says where a work tree comes from and what is checked out; nil when
// its configuration does not tell.
func provenance(root string) *report.VCS {
	own, common := ignore.GitDir(root)
	if own == "" {
		return nil
	}
	v := &report.VCS{URI: remoteURL(filepath.Join(common, "config"))}
	v.Revision, _ = refs.HeadOnly(own, common)
	if head, err := os.ReadFile(filepath.Join(own, "HEAD")); err == nil {
		if branch, ok := strings.CutPrefix(strings.TrimSpace(string(head)), "ref: refs/heads/"); ok {
			v.Branch = branch
		}
	}
	return v
}

// remoteURL returns the address of origin, else of the first remote, in a git
// configuration file.
func remoteURL(name string) (url string) {
	f, err := os.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	remote := ""
	for in := bufio.NewScanner(f); in.Scan(); {
		line := strings.TrimSpace(in.Text())
		if strings.HasPrefix(line, "[") {
			remote, _ = strings.CutPrefix(line, "[remote ")
			if remote == line {
				remote = ""
			}
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if ok && remote != "" && strings.TrimSpace(key) == "url" && (url == "" || strings.HasPrefix(remote, `"origin"`)) {
			url = strings.TrimSpace(value)
		}
	}
	return url
}
