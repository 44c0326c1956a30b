package refs

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A Module is a submodule as .gitmodules names it.
type Module struct{ Name, Path string }

// ParseModules reads the content of a .gitmodules file. Modules without a path,
// and whatever else git would refuse, are left out.
func ParseModules(data []byte) (mods []Module) {
	for line := range bytes.Lines(data) {
		text := strings.TrimSpace(string(line))
		if head, ok := strings.CutPrefix(text, "[submodule "); ok {
			mods = append(mods, Module{Name: unquote(strings.TrimSuffix(strings.TrimSpace(head), "]"))})
			continue
		}
		key, value, ok := strings.Cut(text, "=")
		if ok && len(mods) > 0 && strings.EqualFold(strings.TrimSpace(key), "path") {
			mods[len(mods)-1].Path = unquote(strings.TrimSpace(value))
		}
	}
	out := mods[:0]
	for _, m := range mods {
		if m.Path != "" {
			out = append(out, m)
		}
	}
	return out
}

// unquote takes a value out of its quotes, if it is in any.
func unquote(s string) string {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}
	return strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(s[1 : len(s)-1])
}

// ModuleDirs finds the repositories of submodules below commonDir/modules, those
// of submodules of submodules included. A submodule's name may have slashes.
func ModuleDirs(commonDir string) (dirs []string, errs []error) {
	root := filepath.Join(commonDir, "modules")
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case os.IsNotExist(err) && name == root:
			return fs.SkipAll
		case err != nil:
			errs = append(errs, err)
			return nil
		case !d.IsDir() || name == root:
			return nil
		case IsGitDir(name):
			dirs = append(dirs, name)
			more, bad := ModuleDirs(name)
			dirs, errs = append(dirs, more...), append(errs, bad...)
			return fs.SkipDir
		}
		return nil
	})
	if err != nil {
		errs = append(errs, err)
	}
	return dirs, errs
}

// IsGitDir reports whether a folder looks like a repository's own: it has a HEAD,
// objects and refs, or is a linked work tree's.
func IsGitDir(dir string) bool {
	has := func(name string) bool { _, err := os.Stat(filepath.Join(dir, name)); return err == nil }
	if _, err := os.Lstat(filepath.Join(dir, "HEAD")); err != nil {
		return false
	}
	return has("objects") && has("refs") || has("commondir")
}
