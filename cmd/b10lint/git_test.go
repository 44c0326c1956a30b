//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/internal/gittest"
)

// A report is what a scan wrote as JSON.
type report struct {
	status   int
	text     string
	Findings []finding.Finding `json:"findings"`
	Problems []finding.Problem `json:"problems"`
	Summary  finding.Summary   `json:"summary"`
}

func scanJSON(t *testing.T, args ...string) (r report) {
	t.Helper()
	c, stdout, stderr := program(t, append([]string{"scan", "-f", "json"}, args...)...)
	_ = c.Run()
	r.status, r.text = c.ProcessState.ExitCode(), stdout.String()
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
		t.Fatalf("exit status %d, %v\n%s", r.status, err, stderr)
	}
	return r
}

// names reports whether a problem that makes the run incomplete is of an object, or
// its words or its path have the text.
func (r report) names(text string) bool {
	return slices.ContainsFunc(r.Problems, func(p finding.Problem) bool {
		return !p.Warning && (p.Object == text || strings.Contains(p.Error, text) || strings.HasSuffix(p.Path, text))
	})
}

func (r report) coverage(t *testing.T) finding.Coverage {
	t.Helper()
	if len(r.Summary.Coverage) != 1 {
		t.Fatalf("%d repositories", len(r.Summary.Coverage))
	}
	return r.Summary.Coverage[0]
}

// randomText does not compress away.
func randomText(m *fakekey.Maker, lines int) string {
	var b strings.Builder
	for range lines {
		b.WriteString(m.Word(31) + "\n")
	}
	return b.String()
}

var durations = regexp.MustCompile(`"(started|elapsed_ms)": *("[^"]*"|[0-9]+)`)

// TestSameForAnyJobs scans a repository whose keys are in long chains of deltas, in
// both sides of merges, and in merges alone, each with several numbers of threads.
func TestSameForAnyJobs(t *testing.T) {
	m := fakekey.New(77)
	dir := filepath.Join(t.TempDir(), "repo")
	gittest.Run(t, ".", "init", "-q", "-b", "main", dir)
	gittest.Pipe(t, dir, []byte(manyMerges(m)), "fast-import", "--quiet")
	gittest.Run(t, dir, "repack", "-q", "-a", "-d", "-f", "--depth=50", "--window=50")
	for range 5 { // objects that only exist loose, too
		gittest.Pipe(t, dir, []byte(randomText(m, 5)+m.B10()), "hash-object", "-w", "--stdin")
	}
	chains := gittest.Run(t, dir, "verify-pack", "-v", onlyPack(t, dir)+".idx")
	if !strings.Contains(chains, "chain length = 20:") {
		t.Fatal("git made no long chains of deltas")
	}
	var want string
	for _, jobs := range []string{"1", "1", "2", "3", "8", "8"} {
		r := scanJSON(t, "--jobs", jobs, "--history-only", dir)
		if r.status != 1 || len(r.Findings) < 100 || !r.Summary.Complete {
			t.Fatalf("%s threads: exit status %d, %d findings, %+v", jobs, r.status, len(r.Findings), r.Problems)
		}
		got := durations.ReplaceAllString(r.text, "")
		if want == "" {
			want = got
		}
		if got != want {
			t.Errorf("%s threads: the report is another than with one", jobs)
		}
	}
}

// A history is what git fast-import reads: commits of three files that gain and lose
// keys.
type history struct {
	strings.Builder
	m     *fakekey.Maker
	files [3][]string
	marks int
}

// commit writes the files as they are, on a branch; a parent of 0 is none.
func (h *history) commit(branch string, from, merge int) int {
	h.marks++
	fmt.Fprintf(h, "commit refs/heads/%s\nmark :%d\ncommitter c <c@example.com> %d +0000\ndata 1\nc\n", branch, h.marks, 1_700_000_000+60*h.marks)
	if from > 0 {
		fmt.Fprintf(h, "from :%d\n", from)
	}
	if merge > 0 {
		fmt.Fprintf(h, "merge :%d\n", merge)
	}
	for i, f := range h.files {
		text := strings.Join(f, "")
		fmt.Fprintf(h, "M 100644 inline d%d/f.txt\ndata %d\n%s\n", i, len(text), text)
	}
	return h.marks
}

// edit adds a key, and takes away a line, which may be a key, each second time.
func (h *history) edit(n int) {
	f := slices.Clone(h.files[n%3])
	at := n * 7 % len(f)
	f = slices.Insert(f, at, "key = "+h.m.B10()+"\n")
	if n%2 == 0 {
		f[(at+n)%len(f)] = h.m.Word(9) + "\n"
	}
	h.files[n%3] = f
}

// manyMerges is a history with merges of branches that have keys of their own; each
// second merge adds one that neither side has.
func manyMerges(m *fakekey.Maker) string {
	h := &history{m: m}
	for i := range h.files {
		h.files[i] = strings.SplitAfter(randomText(m, 120), "\n")
	}
	tip := 0
	for n := range 120 {
		h.edit(n)
		tip = h.commit("main", tip, 0)
		if n%8 != 7 {
			continue
		}
		before := h.files
		h.edit(n + 1)
		side := h.commit(fmt.Sprintf("side%d", n), tip, 0)
		h.files = before
		h.edit(n + 2)
		tip = h.commit("main", tip, 0)
		if n%16 == 15 {
			h.edit(n + 4)
		}
		tip = h.commit("main", tip, side)
	}
	return h.String()
}

// onlyPack is the one pack of a repository, without its extension.
func onlyPack(t *testing.T, dir string) string {
	t.Helper()
	packs, err := filepath.Glob(filepath.Join(dir, ".git/objects/pack/*.pack"))
	if err != nil || len(packs) != 1 {
		t.Fatalf("%d packs, %v", len(packs), err)
	}
	return strings.TrimSuffix(packs[0], ".pack")
}
