package pack

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// benchRepos are the repositories named in B10LINT_TEST_REPOS, as a list in the
// form of PATH.
func benchRepos(tb testing.TB) []string {
	list := filepath.SplitList(os.Getenv("B10LINT_TEST_REPOS"))
	if len(list) == 0 {
		tb.Skip("B10LINT_TEST_REPOS is not set")
	}
	return list
}

func sweepOnce(b *testing.B, dir string, opts SweepOptions) (SweepStats, time.Duration) {
	start := time.Now()
	s, err := Open(dir, Options{Problem: func(p Problem) { b.Error(p) }})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	stats, err := s.Sweep(context.Background(), func(*Object) (int, error) { return 0, nil }, opts)
	if err != nil {
		b.Fatal(err)
	}
	return stats, time.Since(start)
}

// BenchmarkSweep opens and sweeps each repository with an empty callback. The
// metric "x-git" is the median time as a part of the median time that git takes to
// print all objects, measured by turns in the same run.
func BenchmarkSweep(b *testing.B) {
	for _, dir := range benchRepos(b) {
		b.Run(filepath.Base(filepath.Dir(dir)), func(b *testing.B) {
			var ours, gits []time.Duration
			for b.Loop() {
				stats, took := sweepOnce(b, dir, SweepOptions{})
				ours = append(ours, took)
				b.StopTimer()
				gits = append(gits, catFile(b, dir))
				b.SetBytes(stats.bytes)
				b.ReportMetric(float64(stats.fresh)/float64(stats.bytes), "fresh")
				b.StartTimer()
			}
			slices.Sort(ours)
			slices.Sort(gits)
			b.ReportMetric(float64(ours[len(ours)/2])/float64(gits[len(gits)/2]), "x-git")
		})
	}
}

func catFile(b *testing.B, dir string) time.Duration {
	cmd := exec.Command("git", "-C", dir, "cat-file", "--batch-all-objects", "--batch", "--unordered", "--buffer")
	start := time.Now()
	if err := cmd.Run(); err != nil { // without Stdout, git writes to the null device
		b.Fatal(err)
	}
	return time.Since(start)
}

// BenchmarkSweepOnly is BenchmarkSweep without git, for profiles.
func BenchmarkSweepOnly(b *testing.B) {
	for _, dir := range benchRepos(b) {
		for _, jobs := range []int{1, 2} {
			b.Run(filepath.Base(filepath.Dir(dir))+"/jobs="+string(rune('0'+jobs)), func(b *testing.B) {
				for b.Loop() {
					stats, _ := sweepOnce(b, dir, SweepOptions{Jobs: jobs})
					b.SetBytes(stats.bytes)
				}
			})
		}
	}
}
