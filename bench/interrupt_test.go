//go:build linux

package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/b10lint/b10lint/internal/worstcase"
)

// mostAfterSignal is how long an interrupted run may still take, in processor time, which
// is what it takes on a machine with nothing else to do.
const mostAfterSignal = 200 * time.Millisecond

// BenchmarkInterrupt interrupts the program at random moments of each worst case of 16 MB,
// by each route. It must end soon with exit status 130, or with another if it was done,
// and a report that is valid, holds what was found and says that it was interrupted.
//
//	go test -run - -bench Interrupt -benchtime 1x ./bench
func BenchmarkInterrupt(b *testing.B) {
	program := build(b)
	r := rand.New(rand.NewPCG(1, 2))
	for _, way := range routes {
		for _, c := range worstcase.All() {
			b.Run(way.name+"/"+c.Name, func(b *testing.B) {
				args, stdin, err := way.make(b.TempDir(), c.Name, c.Make(16_000_000))
				if err != nil {
					b.Fatal(err)
				}
				began := time.Now()
				if _, _, err := interrupt(program, args, stdin, time.Hour); err != nil {
					b.Fatal(err)
				}
				whole, most, interrupted := time.Since(began), time.Duration(0), 0
				for range 4 {
					took, code, err := interrupt(program, args, stdin, time.Duration(r.Int64N(int64(whole))))
					if err != nil {
						b.Fatal(err)
					}
					if code == 130 {
						interrupted++
					}
					most = max(most, took)
				}
				for b.Loop() { // what is reported was measured above
				}
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(float64(most.Milliseconds()), "ms-after")
				b.ReportMetric(float64(interrupted), "interrupted")
				if most > mostAfterSignal {
					b.Errorf("took %s after the signal", most)
				}
			})
		}
	}
}

// interrupt runs the program and interrupts it after a while. It returns the processor time
// from the signal on, and the exit status, -1 where the program had not even begun.
func interrupt(program string, args []string, stdin string, after time.Duration) (took time.Duration, code int, err error) {
	cmd := exec.Command(program, append([]string{"scan", "--no-config", "-f", "json"}, args...)...)
	var out bytes.Buffer
	cmd.Stdout = &out
	if stdin != "" {
		f, err := os.Open(stdin)
		if err != nil {
			return 0, 0, err
		}
		defer f.Close()
		cmd.Stdin = f
	}
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	used := make(chan time.Duration, 1)
	timer := time.AfterFunc(after, func() {
		before := cpuOf(cmd.Process.Pid)
		_ = cmd.Process.Signal(os.Interrupt)
		used <- before
	})
	err = cmd.Wait()
	all := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if !timer.Stop() {
		if before := <-used; before > 0 { // else it had ended
			took = all - before
		}
	}
	code = cmd.ProcessState.ExitCode()
	switch code {
	case 0, 1, 3, 130:
		var report struct {
			Summary struct{ Interrupted, Complete bool }
		}
		if err := json.Unmarshal(out.Bytes(), &report); err != nil {
			return took, code, fmt.Errorf("exit status %d: %w", code, err)
		}
		if (code == 130) != report.Summary.Interrupted || code == 130 && report.Summary.Complete {
			return took, code, fmt.Errorf("exit status %d, interrupted %v", code, report.Summary.Interrupted)
		}
		return took, code, nil
	case -1: // the signal came before the program asked for it
		if cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() == syscall.SIGINT && out.Len() == 0 {
			return took, code, nil
		}
	}
	return took, code, err
}

// cpuOf is the processor time of the threads of a process, 0 when it has ended.
func cpuOf(pid int) (all time.Duration) {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, name := range threads {
		data, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		on, _, _ := strings.Cut(string(data), " ")
		if n, err := strconv.ParseInt(on, 10, 64); err == nil {
			all += time.Duration(n)
		}
	}
	return all
}
