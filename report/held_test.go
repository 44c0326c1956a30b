package report

import (
	"fmt"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/finding"
)

// A file with hundreds of problems gets a few lines, and one that counts the rest;
// -v lists every one.
func TestTextHoldsProblemsBack(t *testing.T) {
	for _, verbose := range []bool{false, true} {
		var r finding.Report
		for _, path := range []string{"a.zip", "b.zip", "", "c"} {
			for i := range map[string]int{"a.zip": 300, "b.zip": 6, "": 9, "c": 2}[path] {
				r.Problems = append(r.Problems, finding.Problem{Path: path, Member: fmt.Sprint(i), Error: "unexpected EOF", Warning: path == "b.zip"})
			}
		}
		out := string(written(t, r, "text", Options{Verbose: verbose}))
		want := 300 + 6 + 9 + 2
		if !verbose {
			want = 5 + 5 + 9 + 2
			for _, line := range []string{"problem: a.zip: 295 more like these; -v lists them\nwarning: b.zip!0", "warning: b.zip: 1 more like these; -v lists them\n"} {
				if !strings.Contains(out, line) {
					t.Errorf("%q is missing in\n%s", line, out)
				}
			}
		}
		if got := strings.Count(out, "unexpected EOF"); got != want {
			t.Errorf("verbose %v: %d problems, want %d", verbose, got, want)
		}
	}
}
