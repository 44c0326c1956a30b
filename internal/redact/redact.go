// Package redact masks keys in streams: logs, the output of builds, what is about
// to be pasted somewhere. What it has passed on can never be taken back, so it
// holds on to whatever may yet turn out to be a part of a key.
package redact

import (
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/keyformat"
	"github.com/b10lint/b10lint/rules"
)

const (
	// block is how much is gathered before it is searched, while more keeps coming.
	block = 128 << 10
	// hold is what stays back when a block goes out: more than the longest key takes,
	// however encoded, wrapped or put together.
	hold = 8 << 10
	// behind is what is kept of the bytes that went out: a key may have begun in them
	// with its public part, and they tell where a token begins.
	behind = 8 << 10
	// Delay is how long a byte waits for those behind it at most, if it cannot be a
	// part of a key that has begun.
	Delay = 40 * time.Millisecond
)

// A Writer passes on what is written to it with every key masked. Keys are masked
// however the stream was cut into writes. Of an encoded key that arrives in pieces,
// with pauses within an unbroken run of its letters, nothing goes out until it
// ends; of one that is wrapped over lines or put together in code, only what
// arrives within Delay is seen together.
//
// From a place on where encodings could not be taken off (see rules.Find), nothing goes
// out but a Notice, until a later part of the stream can be searched whole again.
//
// A byte goes out after Delay at the latest, except those of an unfinished run that
// may hold a part of a secret: they wait for its end. Write and Close may be called
// from several goroutines.
type Writer struct {
	mu    sync.Mutex
	to    io.Writer
	least finding.Confidence
	// data holds bytes that went out, up to out, and those that did not.
	data  []byte
	out   int
	line  []byte // reused for output
	timer *time.Timer
	set   bool // the timer runs
	err   error
	keys  int
	// withholding reports that what went out last was a Notice.
	withholding bool
}

// Notice stands in the output in place of text that is encoded so deeply that it could
// not be searched whole. It ends the line.
const Notice = "**** [b10lint: withheld: encoded too deeply to be searched]\n"

// NewWriter returns a Writer to w for keys of at least a confidence.
func NewWriter(w io.Writer, least finding.Confidence) *Writer {
	r := &Writer{to: w, least: least}
	r.timer = time.AfterFunc(time.Hour, r.expired)
	r.timer.Stop()
	return r
}

// ErrClosed is returned by Write after Close.
var ErrClosed = errors.New("redact: the writer is closed")

// Write takes all of p, or returns the error with which writing failed, now or
// earlier.
func (r *Writer) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for rest := p; len(rest) > 0; {
		if r.err != nil {
			return 0, r.err
		}
		n := min(len(rest), block)
		r.data = append(r.data, rest[:n]...)
		rest = rest[n:]
		if len(r.data)-r.out >= block {
			r.pass(len(r.data) - hold)
		}
	}
	if !r.set && r.out < len(r.data) {
		r.set = true
		r.timer.Reset(Delay)
	}
	return len(p), r.err
}

// Close passes on what was held. It does not close the writer below.
func (r *Writer) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if errors.Is(r.err, ErrClosed) {
		return nil
	}
	r.timer.Stop()
	if r.err == nil {
		r.pass(len(r.data))
	}
	err := r.err
	r.err = ErrClosed
	return err
}

// Keys returns how many keys were masked so far; one that stands there twice
// counts twice.
func (r *Writer) Keys() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.keys
}

// expired passes on what has waited long enough.
func (r *Writer) expired() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.set = false
	if r.err == nil {
		r.pass(r.out + settled(r.data[r.out:]))
	}
}

// pass sends out data[out:until] with the keys in it masked. A key that reaches
// beyond waits, unless it begins in what went out already.
func (r *Writer) pass(until int) {
	if until <= r.out {
		return
	}
	var matches []rules.Match
	gaveUp := rules.Find("", r.data, nil, func(m rules.Match) bool {
		if m.End > r.out && m.Confidence >= r.least {
			matches = append(matches, m)
		}
		return m.Start < until
	})
	r.line = r.line[:0]
	at := r.out
	emit := func(to int) {
		if to > at {
			r.line = append(r.line, r.data[at:to]...)
			at, r.withholding = to, false
		}
	}
	for _, m := range matches {
		if m.Start >= until || gaveUp >= 0 && m.Start >= gaveUp {
			break
		}
		if m.End <= at {
			continue
		}
		if m.End > until && m.Start >= at && until < len(r.data) {
			until = m.Start
			break
		}
		fresh := m.Start >= at
		emit(m.Start)
		if fresh && len(m.Decoded) == 0 {
			r.line = append(r.line, m.Secret.Prefix()+"."...)
		}
		r.line = append(r.line, "****"...)
		at, r.withholding = m.End, false
		r.keys++
	}
	if gaveUp >= 0 && gaveUp < until {
		emit(gaveUp)
		if at < until && !r.withholding {
			r.line = append(r.line, Notice...)
			r.withholding = true
		}
	} else {
		emit(until)
	}
	r.out = max(at, until)
	if _, err := r.to.Write(r.line); err != nil {
		r.err = err
	}
	if drop := r.out - behind; drop > behind {
		r.data = r.data[:copy(r.data, r.data[drop:])]
		r.out -= drop
	}
}

// settled returns how much of b no later byte can make a part of a key that gives
// something away: all but the unfinished run at its end, if that may hold a part of
// a secret half. The part of a key before the dot is public.
func settled(b []byte) int {
	i := len(b)
	alnums, dots := 0, 0
	for i > 0 && len(b)-i < hold && runByte(b[i-1]) {
		i--
		switch {
		case alnum(b[i]):
			alnums++
		case b[i] == '.':
			dots++
		}
	}
	// The shortest beginnings that show a part of a secret: eight, a dot and one more,
	// and the same in base64, which takes twelve letters for nine.
	if dots > 0 && alnums > keyformat.Legacy.Prefix || alnums >= 12 {
		return i
	}
	return len(b)
}

// runByte reports whether c may stand in a key that is encoded in any way, or is
// half of a character in UTF-16.
func runByte(c byte) bool {
	return alnum(c) || strings.IndexByte("_-.+/%\\&#;=\x00", c) >= 0
}

func alnum(c byte) bool { return c-'0' < 10 || c|0x20-'a' < 26 }
