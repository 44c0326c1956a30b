package scanner

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/scanner/source"
	"github.com/b10lint/b10lint/scanner/source/disk"
)

// A recorder is a report with questions that tests ask.
type recorder struct{ finding.Report }

func (r *recorder) place(i, j int) finding.Location { return r.Findings[i].Locations[j] }

func scan(t *testing.T, atLeast finding.Confidence, src source.Source) *recorder {
	t.Helper()
	r, found, err := Scan(context.Background(), source.Target{Source: src}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	all := len(r.Findings)
	r.Findings = slices.DeleteFunc(r.Findings, func(f finding.Finding) bool { return found.Below(f, atLeast) })
	r.Summary.BelowConfidence = all - len(r.Findings)
	r.Count()
	return &recorder{r}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestOneFindingPerKeyWithEveryPlace(t *testing.T) {
	m, dir := fakekey.New(1), t.TempDir()
	a, b := m.B10(), m.B10()
	write(t, dir, "z.txt", a)
	write(t, dir, "sub/a.txt", "x\n  "+a+" "+a+"\n"+b)
	write(t, dir, "sub/deep/er/none.txt", "nothing")
	for _, jobs := range []int{1, 2, 7} {
		r := scan(t, finding.LowConfidence, disk.Dir(dir, disk.Options{Jobs: jobs}))
		var got []string
		for _, f := range r.Findings {
			line := f.Prefix + ":"
			for _, l := range f.Locations {
				line += fmt.Sprintf(" %s:%d:%d-%d:%d", strings.TrimPrefix(l.Path, filepath.ToSlash(dir)+"/"), l.Line, l.Column, l.EndLine, l.EndColumn)
			}
			got = append(got, line)
		}
		want := []string{
			a[:12] + ": sub/a.txt:2:3-2:48 sub/a.txt:2:49-2:94 z.txt:1:1-1:46",
			b[:12] + ": sub/a.txt:3:1-3:46",
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("jobs %d: %s", jobs, d)
		}
		if s := r.Summary; s.Files != 3 || s.Findings != 2 || !s.Complete || s.Bytes == 0 {
			t.Errorf("summary %+v", s)
		}
	}
}

func TestPlaces(t *testing.T) {
	key := fakekey.New(2).B10()
	for _, c := range []struct {
		name, text               string
		line, column, end, col16 int
	}{
		{"first", key, 1, 1, 46, 0},
		{"CRLF", "a\r\nb\r\n k=" + key + "\r\n", 3, 4, 49, 0},
		{"byte-order mark", "\ufeff" + key, 1, 1, 46, 0},
		{"two-byte characters", "éé=" + key, 1, 4, 49, 0},
		{"astral characters", "😀😀=" + key, 1, 4, 49, 6},
		{"not UTF-8", "\xff\xfe\xfd=" + key, 1, 5, 50, 0},
		{"truncated character", "\xe2\x82=" + key, 1, 4, 49, 0},
		{"NUL bytes", "\x00\x00\n\x00" + key, 2, 2, 47, 0},
		{"no newline at the end", "\n\n\n" + key, 4, 1, 46, 0},
	} {
		r := scan(t, finding.LowConfidence, disk.Reader(strings.NewReader(c.text), finding.Location{Path: "-"}))
		if len(r.Findings) != 1 {
			t.Errorf("%s: %d findings", c.name, len(r.Findings))
			continue
		}
		l := r.place(0, 0)
		if l.Line != c.line || l.Column != c.column || l.EndColumn != c.end || l.UTF16Column != c.col16 {
			t.Errorf("%s: %d:%d-%d (%d), want %d:%d-%d (%d)", c.name, l.Line, l.Column, l.EndColumn, l.UTF16Column, c.line, c.column, c.end, c.col16)
		}
	}
}

func TestSnippetHidesEveryKey(t *testing.T) {
	m := fakekey.New(3)
	long := strings.Repeat("x = 1; ", 30)
	for range 200 {
		keys := []string{m.B10(), m.Legacy(), m.B10(), m.Word(40)}
		text := long[:m.IntN(len(long))] + " " + keys[0] + " baseten=" + keys[1] + " " + long[:m.IntN(120)] + ";" + keys[2] + "'" + keys[3] + long[:m.IntN(len(long))]
		r := scan(t, finding.LowConfidence, disk.Reader(strings.NewReader(text), finding.Location{Path: "-"}))
		if len(r.Findings) != 3 {
			t.Fatalf("%d findings", len(r.Findings))
		}
		for _, f := range r.Findings {
			l := f.Locations[0]
			for i, k := range keys {
				half := k[strings.IndexByte(k, '.')+1:]
				for at := 0; at+8 <= len(half); at++ {
					if strings.Contains(l.Snippet, half[at:at+8]) {
						t.Fatalf("snippet of %s shows a part of key %d", f.Prefix, i)
					}
				}
			}
			marked := string([]rune(l.Snippet)[l.SnippetMark[0]:l.SnippetMark[1]])
			if marked != f.Prefix+".****" {
				t.Fatalf("the mark of %s covers %q", f.Prefix, marked)
			}
		}
	}
}

func TestConfidenceAndCounts(t *testing.T) {
	m := fakekey.New(4)
	text := "x=" + m.Legacy() + "\n" + strings.Repeat("\n", 4000) + "KEY=" + m.B10()
	r := scan(t, finding.HighConfidence, disk.Reader(strings.NewReader(text), finding.Location{Path: "-"}))
	if r.Summary.Findings != 1 || r.Summary.BelowConfidence != 1 {
		t.Errorf("summary %+v", r.Summary)
	}
}

func TestInterruptionReportsWhatWasFound(t *testing.T) {
	m, dir := fakekey.New(5), t.TempDir()
	for i := range 500 {
		write(t, dir, fmt.Sprintf("%03d", i), m.B10())
	}
	ctx, cancel := context.WithCancel(context.Background())
	files := disk.Dir(dir, disk.Options{Jobs: 1})
	stopAfter := source.Source{Walk: func(ctx context.Context, to source.Sink) error {
		return files.Walk(ctx, &stopSink{to, cancel})
	}}
	r, _, err := Scan(ctx, source.Target{Source: stopAfter}, Options{})
	s := r.Summary
	if err != nil || !s.Interrupted || s.Complete || len(r.Findings) == 0 || len(r.Findings) == 500 {
		t.Errorf("err %v, summary %+v, %d findings", err, s, len(r.Findings))
	}
}

// A stopSink ends the run at the first blob with a hit.
type stopSink struct {
	source.Sink
	cancel func()
}

func (s *stopSink) Blob(b *source.Blob) (int, error) {
	n, err := s.Sink.Blob(b)
	if n > 0 {
		s.cancel()
	}
	return n, err
}
