package unpack

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/notebook"
	"github.com/b10lint/b10lint/scanner/source"
)

// PictureOptions bound the recognition of text. Zero fields stand for the defaults.
type PictureOptions struct {
	Program string        // path of tesseract
	Env     []string      // its whole environment
	Timeout time.Duration // for one picture; 30 s by default
	Images  int64         // how many pictures are looked at; 1000 by default
}

// Pictures returns a Source that hands on what src hands over and, after each blob that is a
// picture, and for each picture in a notebook, the text that tesseract reads off
// it, as a blob with Decoded set to Recognised and Again set. Characters may be
// misread. Pictures are decoded here, one at a time, and handed to the program as
// bare pixels on its standard input; a hostile one never reaches it. What was not
// looked at because of a limit is a Problem.
func Pictures(src source.Source, o PictureOptions) source.Source {
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	if o.Images <= 0 {
		o.Images = 1000
	}
	r := &ocr{opts: o, run: make(chan struct{}, min(4, runtime.GOMAXPROCS(0)))}
	walk := src.Walk
	src.Walk = func(ctx context.Context, to source.Sink) error {
		err := walk(ctx, &ocrSink{r, ctx, to})
		if more := r.seen.Load() - o.Images; more > 0 && err == nil {
			err = to.Problem(finding.Problem{
				Error: fmt.Sprintf("%d further pictures were not read: %d is the limit", more, o.Images),
				Hint:  "raise it with --ocr-images"})
		}
		return err
	}
	return src
}

type ocr struct {
	opts  PictureOptions
	run   chan struct{} // a place for each program that runs
	whole sync.Mutex    // held while a picture or a notebook is in memory
	seen  atomic.Int64
}

// An ocrSink stands between a source and its sink.
type ocrSink struct {
	*ocr
	ctx context.Context
	to  source.Sink
}

// Problem implements Sink.
func (s *ocrSink) Problem(p finding.Problem) error { return s.to.Problem(p) }

// Blob implements Sink. The hits are those of the blob alone.
func (s *ocrSink) Blob(b *source.Blob) (int, error) {
	hits, err := s.to.Blob(b)
	if err != nil || b.Again || b.Before > 0 { // its first window was looked at
		return hits, err
	}
	w := b.Window
	switch {
	case w == nil, w.Offset == 0 && w.Last:
		err = s.content(b.At, b.Data)
	case w.Offset == 0 && IsPicture(b.Data) && b.Open == nil:
		err = s.left(b.At, "the picture is too large to be read here")
	case w.Offset == 0 && b.Open != nil:
		err = s.reopened(b)
	}
	return hits, err
}

// content looks at a blob that is all in memory.
func (s *ocrSink) content(at finding.Location, data []byte) error {
	switch {
	case IsPicture(data):
		return s.picture(at, data)
	case notebook.LooksLike(data):
		return s.notebook(at, data)
	}
	return nil
}

// reopened looks at a file of which only a window was shown.
func (s *ocrSink) reopened(b *source.Blob) error {
	head := b.Data[:min(len(b.Data), 4<<10)]
	picture := IsPicture(head)
	if !picture && !bytes.HasPrefix(bytes.TrimLeft(head, "\xef\xbb\xbf \t\r\n"), []byte("{")) {
		return nil
	}
	c, err := b.Open()
	if err != nil {
		return s.left(b.At, "could not be opened again: "+source.Reason(err))
	}
	defer c.Close()
	if !picture {
		tail := make([]byte, 4<<10)
		n, _ := c.ReadAt(tail, max(0, c.Size()-int64(len(tail))))
		if !notebook.LooksLike(slices.Concat(head, tail[:n])) {
			return nil
		}
	}
	switch {
	case c.Size() > source.WholeLimit, picture && c.Size() > maxPictureBytes:
		return s.left(b.At, "it is too large for its pictures to be read")
	}
	s.whole.Lock()
	data, err := io.ReadAll(io.NewSectionReader(c, 0, c.Size()))
	s.whole.Unlock()
	if err != nil {
		return s.left(b.At, source.Reason(err))
	}
	return s.content(b.At, data)
}

// left reports a picture that was not read.
func (s *ocrSink) left(at finding.Location, why string) error {
	return s.to.Problem(finding.Problem{Path: at.Path, Member: at.Member, Object: at.Blob, Error: "text in pictures: " + why})
}

// notebook reads the pictures among the outputs and attachments of a notebook.
func (s *ocrSink) notebook(at finding.Location, data []byte) error {
	nb, _ := notebook.Parse(data)
	for _, span := range nb.Skip() {
		// A picture is base64 in a string or in a list of strings.
		var text string
		if value := data[span.Start:span.End]; json.Unmarshal(value, &text) != nil {
			var lines []string
			if json.Unmarshal(value, &lines) != nil {
				continue
			}
			text = strings.Join(lines, "")
		}
		picture, _ := base64.StdEncoding.DecodeString(text) // skips line ends; the part before an error counts
		if !IsPicture(picture) {
			continue
		}
		inside := at
		if p, ok := nb.At(span.Start); ok {
			inside.Cell = &finding.Cell{Index: p.Cell, Part: string(p.Part), Output: p.Kind}
		}
		if err := s.picture(inside, picture); err != nil {
			return err
		}
	}
	return nil
}

// picture reads one picture.
func (s *ocrSink) picture(at finding.Location, data []byte) error {
	if len(data) > maxPictureBytes {
		return s.left(at, fmt.Sprintf("a picture of more than %d MiB is not read", maxPictureBytes>>20))
	}
	if s.seen.Add(1) > s.opts.Images {
		return nil // Walk tells how many
	}
	s.whole.Lock()
	pixels, err := prepare(data)
	s.whole.Unlock()
	if err != nil {
		return s.to.Problem(finding.Problem{Path: at.Path, Member: at.Member, Object: at.Blob,
			Error: "text in pictures: " + err.Error(), Warning: !errors.Is(err, errTooLarge)})
	}
	if pixels == nil {
		return nil
	}
	text, err := s.recognise(pixels)
	if err != nil {
		if s.ctx.Err() != nil {
			return s.ctx.Err()
		}
		return s.left(at, err.Error())
	}
	at.Decoded = []string{source.Recognised}
	_, err = s.to.Blob(&source.Blob{At: at, Data: []byte(mend(text)), Again: true})
	return err
}

// recognise runs tesseract on pixels. The dictionaries are off: they turn keys
// into words.
func (s *ocrSink) recognise(pixels []byte) (string, error) {
	select {
	case s.run <- struct{}{}:
	case <-s.ctx.Done():
		return "", s.ctx.Err()
	}
	defer func() { <-s.run }()
	ctx, cancel := context.WithTimeout(s.ctx, s.opts.Timeout)
	defer cancel()
	c := exec.CommandContext(ctx, s.opts.Program, "stdin", "stdout", "--psm", "6", "-c", "load_system_dawg=0", "-c", "load_freq_dawg=0")
	c.Env = s.opts.Env
	c.Stdin = bytes.NewReader(pixels)
	var out, errs capped
	out.left, errs.left = maxRecognised, 1<<10
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	switch {
	case ctx.Err() != nil && s.ctx.Err() == nil:
		return "", fmt.Errorf("tesseract was stopped after %s", s.opts.Timeout)
	case err != nil:
		line, _, _ := strings.Cut(strings.TrimSpace(errs.String()), "\n")
		return "", errors.New(strings.TrimSuffix("tesseract: "+err.Error()+": "+line, ": "))
	}
	return out.String(), nil
}

// capped keeps the first bytes that are written to it.
type capped struct {
	bytes.Buffer
	left int
}

func (c *capped) Write(p []byte) (int, error) {
	n := min(len(p), c.left)
	c.left -= n
	c.Buffer.Write(p[:n])
	return len(p), nil
}
