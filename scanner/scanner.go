// Package scanner is the pipeline over a target. Its stages are functions over values,
// each of what the one before returns, and the files bear their names:
//
//	gather    walks the source: the detector scans each blob where it is → hits
//	locate    asks the source, once, what the locations stand for → placed
//	judge     settles what is one place seen twice, and what paths say of weak keys → judged
//	assemble  words a finding for each key, in a fixed order → finding.Report
//
// Verify comes after, once for the reports of all targets.
package scanner

import (
	"context"
	"fmt"
	"time"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/scanner/source"
)

// Options tune a scan.
type Options struct {
	// Comments says where to search for comments that accept nothing.
	Comments Comments
	// Progress is read while the scan runs; nil is allowed.
	Progress *Progress
}

// Scan reads a target to its end and returns the report on it: every key at any
// confidence, and the problems, in an order that depends on what was found alone, not
// on timing.
//
// The error is of a source that could not work at all; the report then holds what was
// found until then. When ctx ends, Summary.Interrupted is set and no error is returned.
func Scan(ctx context.Context, target source.Target, opts Options) (finding.Report, *Found, error) {
	progress := opts.Progress
	if progress == nil {
		progress = &Progress{}
	}
	started := time.Now()
	files, objects, bytes := progress.Files.Load(), progress.Objects.Load(), progress.Bytes.Load()
	found, err := gather(ctx, target.Source, progress, opts.Comments)
	if err != nil {
		err = fmt.Errorf("scan: %w", err)
	}
	interrupted := ctx.Err() != nil
	var where placed
	if interrupted { // what was found is still reported, by cheap steps alone
		where, err = found.asFound(), nil
	} else {
		where = locate(ctx, target.Source, found)
	}
	r, aside := assemble(judge(where))
	aside.TrussFiles = found.trussFiles
	r.Summary = finding.Summary{
		Files: progress.Files.Load() - files, Objects: progress.Objects.Load() - objects, Bytes: progress.Bytes.Load() - bytes,
		Findings: len(r.Findings), Interrupted: interrupted, Elapsed: time.Since(started),
		Complete: finding.Complete(r.Problems) && !interrupted && err == nil,
	}
	maskNames(&r)
	if target.Source.Coverage != nil {
		r.Summary.Coverage = target.Source.Coverage()
	}
	return r, aside, err
}
