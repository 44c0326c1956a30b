// Package scanner is the pipeline: sources hand over bytes, the detector looks at
// them where they are, one collector makes one finding of every place a key was
// seen, and the result is a report in a fixed order.
package scanner

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/scanner/source"
	"github.com/b10lint/b10lint/secret"
)

// A Verifier says whether keys still work. The verdicts are by Secret.Digest; a
// key that is absent from them stays unchecked. What kept verification from being
// complete is a problem, never the end of the scan.
type Verifier interface {
	Verify(ctx context.Context, suspects []Suspect) (map[string]finding.Verdict, []finding.Problem)
}

// A Suspect is a key to verify. Those of low confidence may be other vendors' keys
// of the same form and must not be sent anywhere; matching them against an
// inventory is safe.
type Suspect struct {
	Key        secret.Secret
	Confidence finding.Confidence
}

// A Suppressor decides whether a finding was accepted. It is asked once for each
// finding, after verification; nil means that the finding stands. Leftover is
// called after that and gives findings about the decisions themselves, which need
// a rule, a message and places; comments are those that accept nothing.
type Suppressor interface {
	Suppress(finding.Finding) *finding.Suppression
	Leftover(comments []finding.Location) []finding.Finding
}

// Options tune a scan. The zero value lists everything that was found.
type Options struct {
	MinConfidence finding.Confidence
	Verifier      Verifier   // nil: keys stay unchecked
	Suppressor    Suppressor // nil: nothing is accepted
	// Comments says where comments that accept nothing are looked for, for the Suppressor.
	Comments Comments
	// Inspect reports problems other than leaked keys, such as readable key files: it is
	// called after the sources were read, with the .trussrc files that they met outside
	// the home, sorted. Its findings follow the keys, in its order. Nil is allowed.
	Inspect func(ctx context.Context, trussrcs []string) ([]finding.Finding, []finding.Problem)
	// Progress is read while the scan runs; nil is allowed.
	Progress *Progress
	// Keys receives the listed keys themselves, for revocation and rewriting; nil
	// is allowed.
	Keys func(finding.Finding, secret.Secret)
}

// Progress counts what was looked at so far. Its fields may be read at any time.
type Progress struct {
	Files, Objects, Bytes, Hits atomic.Int64
}

// Scan reads every source to its end and returns the report: the findings and the
// problems in a fixed order, which depends on what was found alone, not on timing.
//
// The error is of a source that could not work at all; the report then holds what was
// found until then. When ctx ends, Summary.Interrupted is set and no error is returned.
func Scan(ctx context.Context, run finding.Run, sources []source.Source, opts Options) (finding.Report, error) {
	if opts.Progress == nil {
		opts.Progress = &Progress{}
	}
	c := newCollector(opts)
	walkErr := c.collect(ctx, sources)
	c.dropPacked()
	interrupted := ctx.Err() != nil
	if interrupted {
		walkErr = nil
	}
	// After an interruption only the cheap steps run: what was found is still reported.
	if !interrupted {
		c.locate(ctx, sources)
		c.verify(ctx)
		c.inspect(ctx)
		c.unused = c.unusedComments(ctx, sources)
	}
	r := c.report(sources)
	r.Run = run
	r.Summary.Interrupted = interrupted
	r.Summary.Complete = r.Summary.Complete && !interrupted && walkErr == nil
	r.Summary.Elapsed = time.Since(run.Started)
	return r, walkErr
}

// collect walks the sources one after another, each with its own goroutines, and
// gathers what they send.
func (c *collector) collect(ctx context.Context, sources []source.Source) error {
	events := make(chan event, 64)
	gathered := make(chan struct{})
	go func() {
		defer close(gathered)
		for e := range events {
			c.add(e)
		}
	}()
	var g errgroup.Group
	g.Go(func() error {
		defer close(events)
		for i, s := range sources {
			if err := s.Walk(ctx, &sink{ctx: ctx, source: i, events: events, progress: c.opts.Progress, comments: c.opts.Comments}); err != nil {
				return fmt.Errorf("scan: %w", err)
			}
		}
		return nil
	})
	err := g.Wait()
	<-gathered
	return err
}
