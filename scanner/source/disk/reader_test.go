package disk

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/scanner/source"
)

// A tape records the bytes that a source owns, and its problems.
type tape struct {
	owned    bytes.Buffer
	blobs    int
	problems []finding.Problem
}

func (s *tape) Blob(b *source.Blob) (int, error) {
	s.blobs++
	own := finding.Span{End: len(b.Data)}
	if b.Window != nil {
		own = b.Window.Own
	}
	s.owned.Write(b.Data[own.Start:own.End])
	return 0, nil
}

func (s *tape) Problem(p finding.Problem) error {
	s.problems = append(s.problems, p)
	return nil
}

// What came before a stream broke is handed over, whatever its size, and then it
// is said that it broke.
func TestBrokenStream(t *testing.T) {
	for _, size := range []int{0, 1, 1000, source.WholeLimit, source.WholeLimit + 1, source.WholeLimit + source.WindowSize + source.Overlap + 7} {
		data := bytes.Repeat([]byte("0123456789abcdef\n"), size/17+1)[:size]
		broken := io.MultiReader(bytes.NewReader(data), iotest.ErrReader(errors.New("the cable was pulled")))
		var s tape
		if err := Reader(broken, finding.Location{Path: "<stdin>"}).Walk(context.Background(), &s); err != nil {
			t.Errorf("%d bytes: %v", size, err)
		}
		if !bytes.Equal(s.owned.Bytes(), data) {
			t.Errorf("%d of %d bytes were handed over", s.owned.Len(), size)
		}
		if len(s.problems) != 1 || s.problems[0].Error != "reading stopped early: the cable was pulled" || s.problems[0].Path != "<stdin>" {
			t.Errorf("%d bytes: problems %+v", size, s.problems)
		}
		if size == 0 && s.blobs != 0 {
			t.Error("a stream that could not be read at all counts as looked at")
		}
	}
}

// The end of the context is not waited for by a read that waits itself, and what
// came until then is handed over.
func TestStreamThatWaits(t *testing.T) {
	out, in := io.Pipe()
	defer in.Close()
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.WriteString(in, "what came")
		_, _ = io.WriteString(in, "") // returns when the first was taken up and the next read waits
		cancel()
	}()
	var s tape
	if err := Reader(out, finding.Location{}).Walk(ctx, &s); !errors.Is(err, context.Canceled) {
		t.Errorf("Walk returns %v", err)
	}
	if got := s.owned.String(); got != "what came" {
		t.Errorf("%q was handed over", got)
	}
	if len(s.problems) > 0 {
		t.Errorf("problems %+v", s.problems)
	}
}
