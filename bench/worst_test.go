//go:build unix

package bench

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/b10lint/b10lint/internal/worstcase"
)

// What every worst case must hold, by each route.
const (
	leastSpeed   = 50  // MB/s of one core, at 16 MB
	mostPeak     = 200 // MiB
	mostExponent = 1.2 // of time by size, from 1 to 16 MB; 1 is linear
)

// A route is one way for a file to reach the detector, as arguments and standard input of
// the program. make puts the text below a folder and returns them.
type route struct {
	name string
	make func(dir, name string, data []byte) (args []string, stdin string, err error)
}

var routes = []route{
	{"folder", func(dir, name string, data []byte) ([]string, string, error) {
		return []string{"--no-history", dir}, "", os.WriteFile(filepath.Join(dir, name), data, 0o600)
	}},
	{"stdin", func(dir, name string, data []byte) ([]string, string, error) {
		file := filepath.Join(dir, name)
		return []string{"-"}, file, os.WriteFile(file, data, 0o600)
	}},
	{"gzip", func(dir, name string, data []byte) ([]string, string, error) {
		var packed bytes.Buffer
		w, _ := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
		_, _ = w.Write(data)
		_ = w.Close()
		return []string{"--no-history", dir}, "", os.WriteFile(filepath.Join(dir, name+".gz"), packed.Bytes(), 0o600)
	}},
	{"history", func(dir, name string, data []byte) ([]string, string, error) {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return nil, "", err
		}
		for _, args := range [][]string{{"init", "-q"}, {"add", "-f", name}, {"-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qm", "text"}} {
			if out, err := exec.Command("git", append([]string{"-C", dir, "-c", "core.compression=1"}, args...)...).CombinedOutput(); err != nil {
				return nil, "", fmt.Errorf("git %v: %s", args, out)
			}
		}
		return []string{"--history-only", dir}, "", nil
	}},
}

// BenchmarkWorst runs the program on each of the worst cases, by each route and in growing
// sizes, on one processor. It reports processor time and memory and fails where a case is
// slower than 50 MB/s a core, takes more memory than a scan may, or where time does not grow
// in proportion to size.
//
//	go test -run - -bench 'Worst/folder/b10' -benchtime 1x ./bench
func BenchmarkWorst(b *testing.B) {
	program := build(b)
	for _, r := range routes {
		empty := measure(b, program, r, "empty", nil)
		for _, c := range worstcase.All() {
			b.Run(r.name+"/"+c.Name, func(b *testing.B) { worst(b, program, r, c, empty) })
		}
	}
}

// build builds the program.
func build(b *testing.B) string {
	program := filepath.Join(b.TempDir(), "b10lint")
	if out, err := exec.Command("go", "build", "-o", program, "../cmd/b10lint").CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	return program
}

// A cost is what one run of the program took.
type cost struct {
	cpu  time.Duration
	peak int64 // MiB
}

func worst(b *testing.B, program string, r route, c worstcase.Case, empty cost) {
	var size, seconds [3]float64
	for i, n := range []int{10_000, 1_000_000, 16_000_000} {
		data := c.Make(n)
		took := measure(b, program, r, c.Name, data)
		size[i], seconds[i] = float64(len(data)), max(took.cpu-empty.cpu, 0).Seconds()
		b.ReportMetric(1000*seconds[i], []string{"10KB-ms", "1MB-ms", "16MB-ms"}[i])
		if took.peak > mostPeak {
			b.Errorf("%d bytes take %d MiB", len(data), took.peak)
		}
		if i == 2 {
			b.ReportMetric(float64(took.peak), "MiB")
		}
	}
	for b.Loop() { // what is reported was measured above
	}
	speed := size[2] / 1e6 / seconds[2]
	each, once, residual := fit(size[:], seconds[:])
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(speed, "MB/cpu-s")
	b.ReportMetric(each*1e9, "fit-ms/MB")
	b.ReportMetric(once*1e3, "fit-ms")
	b.ReportMetric(residual*1e3, "residual-ms")
	if speed < leastSpeed {
		b.Errorf("%.1f MB/s", speed)
	}
	if exponent := math.Log(seconds[2]/seconds[1]) / math.Log(size[2]/size[1]); exponent > mostExponent {
		b.Errorf("time grows as size to the power of %.2f", exponent)
	}
}

// fit returns the slope of the line through points, where it begins, and the root of their
// mean square distance from it.
func fit(x, y []float64) (slope, begin, residual float64) {
	n := float64(len(x))
	var sx, sy, sxx, sxy float64
	for i := range x {
		sx, sy, sxx, sxy = sx+x[i], sy+y[i], sxx+x[i]*x[i], sxy+x[i]*y[i]
	}
	slope = (n*sxy - sx*sy) / (n*sxx - sx*sx)
	begin = (sy - slope*sx) / n
	for i := range x {
		d := y[i] - begin - slope*x[i]
		residual += d * d
	}
	return slope, begin, math.Sqrt(residual / n)
}

// measure runs the program on a text, several times where it is small, and returns what
// the cheapest run took.
func measure(b *testing.B, program string, r route, name string, data []byte) (least cost) {
	dir := b.TempDir()
	args, stdin, err := r.make(dir, name, data)
	if err != nil {
		b.Fatal(err)
	}
	for i := range 5 {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		cmd := exec.CommandContext(ctx, program, append([]string{"scan", "--no-config", "--jobs", "1"}, args...)...)
		cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
		if stdin != "" {
			f, err := os.Open(stdin)
			if err != nil {
				b.Fatal(err)
			}
			defer f.Close()
			cmd.Stdin = f
		}
		err := cmd.Run()
		cancel()
		if cmd.ProcessState == nil {
			b.Fatal(err)
		}
		if code := cmd.ProcessState.ExitCode(); code != 0 && code != 1 && code != 3 {
			b.Fatalf("exit status %d: %v", code, err)
		}
		took := cost{
			cpu:  cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(),
			peak: cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss / 1024, // Linux counts in KiB
		}
		if i == 0 || took.cpu < least.cpu {
			least.cpu = took.cpu
		}
		least.peak = max(least.peak, took.peak)
		if took.cpu > 300*time.Millisecond {
			break
		}
	}
	return least
}
