//go:build unix

package bench

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/b10lint/b10lint/internal/worstcase"
	"github.com/b10lint/b10lint/rules"
	"github.com/b10lint/b10lint/scanner"
	sources "github.com/b10lint/b10lint/scanner/source"
	"github.com/b10lint/b10lint/scanner/source/disk"
)

// BenchmarkWorst searches and scans each of the worst cases in growing sizes. It reports
// the speed at the largest, the exponent of the time by size, which is 1 when it is linear,
// and how far off that fit the times are, as a factor.
func BenchmarkWorst(b *testing.B) {
	for _, c := range worstcase.All() {
		b.Run("detector/"+c.Name, func(b *testing.B) {
			worst(b, c, func(data []byte) { rules.Find(c.Name, data, nil, func(rules.Match) bool { return true }) })
		})
		b.Run("folder/"+c.Name, func(b *testing.B) {
			dir := b.TempDir()
			worst(b, c, func(data []byte) {
				if err := os.WriteFile(filepath.Join(dir, c.Name), data, 0o600); err != nil {
					b.Fatal(err)
				}
				target := sources.Target{Source: disk.Dir(dir, disk.Options{Jobs: 1})}
				if _, _, err := scanner.Scan(context.Background(), target, scanner.Options{Comments: scanner.CommentsInFiles}); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

func worst(b *testing.B, c worstcase.Case, do func([]byte)) {
	var logSize, logTime []float64
	speed := 0.0
	for size := 16 << 10; size <= 4<<20; size *= 4 {
		data := c.Make(size)
		before, runs := cpu(), 0
		for runs == 0 || cpu()-before < 2e7 {
			do(data)
			runs++
		}
		seconds := (cpu() - before).Seconds() / float64(runs)
		speed = float64(len(data)) / 1e6 / seconds
		logSize, logTime = append(logSize, math.Log(float64(len(data)))), append(logTime, math.Log(seconds))
	}
	for b.Loop() { // what is reported was measured above
	}
	exponent, residual := fit(logSize, logTime)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(speed, "MB/cpu-s")
	b.ReportMetric(exponent, "exponent")
	b.ReportMetric(math.Exp(residual), "residual")
}

// fit returns the slope of the line through points and the root of their mean square
// distance from it.
func fit(x, y []float64) (slope, residual float64) {
	n := float64(len(x))
	var sx, sy, sxx, sxy float64
	for i := range x {
		sx, sy, sxx, sxy = sx+x[i], sy+y[i], sxx+x[i]*x[i], sxy+x[i]*y[i]
	}
	slope = (n*sxy - sx*sy) / (n*sxx - sx*sx)
	for i := range x {
		d := y[i] - (sy-slope*sx)/n - slope*x[i]
		residual += d * d
	}
	return slope, math.Sqrt(residual / n)
}
