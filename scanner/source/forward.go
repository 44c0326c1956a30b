package source

import (
	"context"

	"github.com/b10lint/b10lint/finding"
)

// A rereader is a Rereader as far as the source under it is one.
type rereader struct{ src Source }

// Reread implements Rereader.
func (r rereader) Reread(ctx context.Context, places []finding.Location, fn func(int, []byte)) error {
	if src, ok := r.src.(Rereader); ok {
		return src.Reread(ctx, places, fn)
	}
	return nil
}

// forward returns s, a decorator of src, with the optional interfaces of src.
func forward(s, src Source, locate func(Locator) Locator) Source {
	locator, locates := src.(Locator)
	coverer, covers := src.(Coverer)
	switch {
	case locates && covers:
		return struct {
			Source
			Locator
			Coverer
			rereader
		}{s, locate(locator), coverer, rereader{src}}
	case locates:
		return struct {
			Source
			Locator
			rereader
		}{s, locate(locator), rereader{src}}
	case covers:
		return struct {
			Source
			Coverer
		}{s, coverer}
	}
	return s
}
