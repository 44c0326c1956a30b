package pack

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

func benchRepos(tb testing.TB) []string {
	list := filepath.SplitList(os.Getenv("B10LINT_TEST_REPOS"))
	if len(list) == 0 {
		tb.Skip("B10LINT_TEST_REPOS is not set")
	}
	return list
}

func BenchmarkSweep(b *testing.B) {
	for _, dir := range benchRepos(b) {
		b.Run(filepath.Base(filepath.Dir(dir)), func(b *testing.B) {
			for b.Loop() {
				s, err := Open(dir, Options{Problem: func(p Problem) { b.Error(p) }})
				if err != nil {
					b.Fatal(err)
				}
				st, err := s.Sweep(context.Background(), func(o *Object) (int, error) { return 0, nil }, SweepOptions{})
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(st.Bytes)
				b.ReportMetric(float64(st.Fresh)/float64(st.Bytes), "fresh")
				s.Close()
			}
		})
	}
}
