package git

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/scanner/source"
)

// A hashSink checks that each object it is given is what its id says.
type hashSink struct {
	mu       sync.Mutex
	kinds    map[string]string // by id
	wrong    []string
	problems []finding.Problem
}

func (s *hashSink) Blob(b *source.Blob) (int, error) {
	if b.At.Blob == "" { // a file beside the objects
		return 0, nil
	}
	h := sha1.New()
	fmt.Fprintf(h, "%s %d\x00", b.At.Object, len(b.Data))
	h.Write(b.Data)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, twice := s.kinds[b.At.Blob]; twice || b.Window == nil && hex.EncodeToString(h.Sum(nil)) != b.At.Blob {
		s.wrong = append(s.wrong, b.At.Blob)
	}
	s.kinds[b.At.Blob] = b.At.Object
	return 0, nil
}

func (s *hashSink) Problem(p finding.Problem) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problems = append(s.problems, p)
	return nil
}

// TestHistoryHandsOverWhatGitLists compares with git cat-file over the repositories
// named in B10LINT_TEST_REPOS, a list in the form of PATH.
func TestHistoryHandsOverWhatGitLists(t *testing.T) {
	list := filepath.SplitList(os.Getenv("B10LINT_TEST_REPOS"))
	if len(list) == 0 {
		t.Skip("B10LINT_TEST_REPOS is not set")
	}
	for _, dir := range list {
		out, err := exec.Command("git", "-C", dir, "cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)").Output()
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]int{}
		s := &hashSink{kinds: map[string]string{}}
		h := New(dir, Options{})
		if err := h.Walk(context.Background(), s); err != nil {
			t.Fatal(err)
		}
		missed := 0
		for line := range strings.Lines(string(out)) {
			id, kind, _ := strings.Cut(strings.TrimSpace(line), " ")
			want[kind]++
			if kind != "tree" && s.kinds[id] != kind {
				missed++
				t.Errorf("%s: %s %s was not handed over", dir, kind, id)
			}
		}
		if n := want["blob"] + want["commit"] + want["tag"]; len(s.wrong) != 0 || len(s.kinds) != n {
			t.Errorf("%s: %d objects handed over, git lists %d; not what their ids say: %v", dir, len(s.kinds), n, s.wrong)
		}
		for kind, n := range want {
			if h.cov.Kinds[kind].Seen != n {
				t.Errorf("%s: %d of kind %s in the coverage, git lists %d", dir, h.cov.Kinds[kind].Seen, kind, n)
			}
		}
		t.Logf("%s: %v, missed %d, problems %v", dir, want, missed, s.problems)
	}
}

func TestScissors(t *testing.T) {
	mark := "------------------------ >8 ------------------------"
	for in, want := range map[string]string{
		"":                             "",
		"a\n# " + mark + "\nb":         "a\n",
		"; " + mark + "\r\nb":          "",
		"a\n# " + mark + " x\nb":       "a\n# " + mark + " x\nb",
		"a\nsee # " + mark + "\nb":     "a\nsee # " + mark + "\nb",
		"x " + mark + "y\n# " + mark:   "x " + mark + "y\n",
		"a\n# " + mark[1:] + "\n":      "a\n# " + mark[1:] + "\n",
		"a\n\n# comment\n# other\n\nb": "a\n\n# comment\n# other\n\nb",
	} {
		if got := string(cutScissors([]byte(in))); got != want {
			t.Errorf("%q gives %q, want %q", in, got, want)
		}
	}
}
