package workstation

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/scanner/source"
	"github.com/b10lint/b10lint/scanner/source/disk"
)

// Home returns a Source of the places on a workstation where keys are known to be.
// Nothing outside the table that Places returns is read. A place that is not there
// is not a problem; one that is there and cannot be read is. A file that git tracks, as
// in a repository of dotfiles, is located as Committed.
func Home(o Options) source.Source {
	return source.Source{
		Walk: o.walk,
		// The exposure of the hits in files is worked out; all of them are at home.
		Locate: func(ctx context.Context, hits []source.Hit) ([][]finding.Location, error) {
			out := make([][]finding.Location, len(hits))
			var files []finding.Location
			var at []int
			for i, hit := range hits {
				out[i] = []finding.Location{hit.At}
				if !strings.HasPrefix(hit.At.Path, source.EnvironmentPath) {
					files, at = append(files, hit.At), append(at, i)
				}
			}
			found, err := locate(ctx, o, files, func(string) (Place, bool) { return Place{}, true })
			for i, f := range found {
				out[at[i]][0] = f
			}
			return out, err
		},
	}
}

// walk hands over the files in the order of the table, then the environment.
func (o Options) walk(ctx context.Context, to source.Sink) error {
	info, err := os.Stat(o.Dir)
	if err == nil && !info.IsDir() {
		err = errors.New("is not a folder")
	}
	if err != nil {
		return fmt.Errorf("cannot scan the home: %w", err)
	}
	files, problems := Files(o)
	for _, p := range problems {
		if err := to.Problem(p); err != nil {
			return err
		}
	}
	r := disk.NewFiles(to)
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		at := finding.Location{Path: f.Path, Exposure: finding.Home, Context: string(f.Place.Kind)}
		if err := r.Send(ctx, at, filepath.FromSlash(f.Path)); err != nil {
			return err
		}
	}
	for _, variable := range o.Environ {
		name, _, _ := strings.Cut(variable, "=")
		at := finding.Location{Path: source.EnvironmentPath + name, Exposure: finding.Home, Context: string(KindEnvironment)}
		if _, err := to.Blob(&source.Blob{At: at, Data: []byte(variable)}); err != nil {
			return err
		}
	}
	return nil
}
