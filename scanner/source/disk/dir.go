// Package disk is the source of what lies on this machine: folders, files, and
// streams such as standard input.
package disk

import (
	"context"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/scanner/source"
)

// Dir returns a Source over a folder, recursively, or over one file. Every regular file
// is read, whatever its name, kind or mode bits; symbolic links below the target
// are not followed, a target that is one is; devices, pipes and sockets are passed
// over. Paths are reported as the target was named, with slashes.
func Dir(target string, opts Options) source.Source {
	return source.Source{Walk: func(ctx context.Context, to source.Sink) error { return walk(ctx, target, opts, to) }}
}

func walk(ctx context.Context, target string, opts Options, to source.Sink) error {
	real, err := filepath.EvalSymlinks(target)
	if err != nil {
		return to.Problem(finding.Problem{Path: target, Error: source.Reason(err), Hint: "check the path's spelling, and that you may read it"})
	}
	info, err := os.Stat(real)
	if err != nil {
		return to.Problem(finding.Problem{Path: target, Error: source.Reason(err)})
	}
	if opts.Exposure != "" {
		to = marking{to, finding.Location{Exposure: opts.Exposure}}
	}
	w := &walker{to: to, opts: opts}
	w.queue.ready.L = &w.queue.mu
	root := entry{real: real, shown: filepath.ToSlash(target)}
	switch {
	case info.IsDir():
		w.queue.push(job{dir: &root})
	case info.Mode().IsRegular():
		w.queue.push(job{files: []entry{root}})
	default:
		return to.Problem(finding.Problem{Path: target, Error: "neither a folder nor a regular file", Hint: "to scan a pipe or device, feed it to standard input: b10lint scan - < " + target})
	}
	jobs := opts.Jobs
	if jobs <= 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	g, ctx := errgroup.WithContext(ctx)
	stop := context.AfterFunc(ctx, w.queue.close)
	defer stop()
	for range jobs {
		g.Go(func() error {
			r := &fileReader{walker: w, buf: make([]byte, source.WindowSize)}
			return r.work(ctx)
		})
	}
	err = g.Wait()
	for _, j := range w.queue.jobs { // that were never taken
		j.in.release()
	}
	return err
}
