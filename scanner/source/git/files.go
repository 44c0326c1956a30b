package git

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/scanner/source"
	"github.com/b10lint/b10lint/scanner/source/disk"
)

// gitFiles hands over what git keeps beside the objects: configuration, hooks,
// messages being written, logs, packed references, the state of a rebase, and
// whatever anybody else has put there. These files stay with this clone, so their
// exposure is that of files git does not have. The object folder and, as they are
// repositories of their own, those of submodules are left out.
func (h *History) gitFiles(ctx context.Context, r *repository, to source.Sink) error {
	dirs := []string{r.CommonDir()}
	rel, err := filepath.Rel(r.CommonDir(), r.GitDir())
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		dirs = append(dirs, r.GitDir()) // of a linked work tree that lies elsewhere
	}
	for _, dir := range dirs {
		skip := func(real string) bool {
			rel, err := filepath.Rel(dir, real)
			first, _, _ := strings.Cut(filepath.ToSlash(rel), "/")
			return err == nil && (first == "objects" || first == "modules")
		}
		files := disk.Dir(h.gitPath(dir), disk.Options{Jobs: h.opts.Jobs, Skip: skip, Exposure: finding.Untracked})
		if err := files.Walk(ctx, to); err != nil {
			return err
		}
	}
	return nil
}

// gitPath is the name by which a git folder is shown: below the target where it
// is, else its own.
func (h *History) gitPath(dir string) string {
	for _, name := range []string{h.path, filepath.Join(h.path, ".git")} {
		if sameFile(name, dir) {
			return name
		}
	}
	return dir
}

func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}
