package scanner

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/b10lint/b10lint/scanner/source"
	"github.com/b10lint/b10lint/scanner/source/target"
)

// BenchmarkHistory scans each repository named in B10LINT_TEST_REPOS, a list in the
// form of PATH, with the detector on.
func BenchmarkHistory(b *testing.B) {
	list := filepath.SplitList(os.Getenv("B10LINT_TEST_REPOS"))
	if len(list) == 0 {
		b.Skip("B10LINT_TEST_REPOS is not set")
	}
	for _, dir := range list {
		b.Run(filepath.Base(filepath.Dir(dir)), func(b *testing.B) {
			for b.Loop() {
				r, _, err := Scan(context.Background(), source.Target{Source: target.Of(dir, target.Options{NoFiles: true})}, Options{})
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(r.Summary.Bytes)
				b.ReportMetric(float64(r.Summary.Findings), "keys")
			}
		})
	}
}
