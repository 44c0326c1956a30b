package rules

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/keyformat"
)

// The shares that docs/rules.md gives are those of the tests in random.go.
func TestDocumentedShares(t *testing.T) {
	page, err := os.ReadFile("../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	for row, share := range map[string]float64{
		fmt.Sprintf("by more than 2^%.1f", maxNameScore/8.0):           nameTail(),
		fmt.Sprintf("fewer than %d different characters", minDistinct): distinctTail(secretLen, minDistinct),
		fmt.Sprintf("a run of %d or more consecutive", maxSequence+1):  2 * 28 / math.Pow(62, 6),
		fmt.Sprintf("by more than 2^%.1f, as terms", maxTermScore/8.0): termTail(),
		fmt.Sprintf("by more than 2^%.1f, in order", maxOrder/8.0):     orderTail(),
		"only decimal digits, or only hexadecimal ones of one case":    2 * math.Pow(16.0/62, secretLen),
		"only letters of one case":                                     2 * math.Pow(26.0/62, secretLen),
		"only `A` to `Z` and `2` to `7`":                               math.Pow(32.0/62, secretLen),
		"only `a` to `z` and `2` to `7`, the prefix":                   math.Pow(32.0/62, secretLen) * math.Pow(36.0/62, prefixLen),
	} {
		_, after, found := strings.Cut(string(page), row)
		line, _, _ := strings.Cut(after, "\n")
		if want := fmt.Sprintf("| %.2g", share); !found || !strings.Contains(line, want) {
			t.Errorf("docs/rules.md: the row with %q does not say %q", row, want)
		}
	}
	for _, f := range keyformat.All() {
		grammar := fmt.Sprintf("%d letters and digits + `.` + %d letters and digits |", f.Prefix, f.MinSecret)
		if f.Dashes {
			grammar = fmt.Sprintf("%d letters and digits + `.` + %d to %d letters, digits, `-`, `_` |", f.Prefix, f.MinSecret, f.MaxSecret)
		}
		if f.Mark != "" {
			grammar = "`" + f.Mark + "` + " + grammar
		}
		row := fmt.Sprintf("| %s %s | %s |", grammar, finding.Confidence(f.Alone), finding.Confidence(f.Named))
		if !strings.Contains(strings.ReplaceAll(string(page), " confidence |", " |"), row) {
			t.Errorf("docs/rules.md has no row that ends in %q", row)
		}
	}
	for _, limit := range []int{linesBefore, linesAfter} {
		if !strings.Contains(string(page), fmt.Sprint(limit)) {
			t.Errorf("docs/rules.md does not say that %d lines are asked", limit)
		}
	}
}
