//go:build linux

package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/b10lint/b10lint/internal/fakekey"
)

// Each of these benchmarks is a number of trials, which -benchtime says: in each, something
// is damaged or ends while the program runs. Whatever is lost must be said: in the report,
// which is incomplete, and by the exit status. None measures a time.
//
//	go test -run - -bench 'Flips' -benchtime 15000x -timeout 0 ./bench
//	go test -run - -bench 'Repacks' -benchtime 500x -timeout 0 ./bench
//	go test -run - -bench 'Signals' -benchtime 400x -timeout 0 ./bench
//	go test -run - -bench 'ChangingFiles' -benchtime 100x -timeout 0 ./bench
//	go test -run - -bench 'FullDisk' -benchtime 200x -timeout 0 ./bench

// A run is what the program did.
type run struct {
	code     int // -1: a signal ended it
	complete bool
	problems int
	prefixes []string // of what was found, sorted
	stderr   string
}

// scanned runs the program and reads its JSON report. It fails on a crash, a run that does
// not end, and an exit status that says something else than the report.
func scanned(b *testing.B, program string, args ...string) run {
	b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, append([]string{"scan", "--no-config", "-f", "json"}, args...)...)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	_ = cmd.Run()
	r := run{code: cmd.ProcessState.ExitCode(), stderr: stderr.String()}
	var report struct {
		Findings []struct{ Prefix string }
		Problems []struct{ Error string }
		Summary  struct{ Complete bool }
	}
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		b.Fatalf("exit status %d: %v\n%.2000s", r.code, err, r.stderr)
	}
	for _, f := range report.Findings {
		r.prefixes = append(r.prefixes, f.Prefix)
	}
	slices.Sort(r.prefixes)
	r.complete, r.problems = report.Summary.Complete, len(report.Problems)
	want := 0
	switch {
	case len(r.prefixes) > 0:
		want = 1
	case !r.complete:
		want = 3
	}
	if r.code != want || strings.Contains(r.stderr, "panic") || strings.Contains(r.stderr, "goroutine") {
		b.Fatalf("exit status %d, want %d: %d findings, complete %v\n%.2000s", r.code, want, len(r.prefixes), r.complete, r.stderr)
	}
	return r
}

// lost is how many of what was found in the whole is not in a run.
func (r run) lost(whole run) (n int) {
	for _, p := range whole.prefixes {
		if _, found := slices.BinarySearch(r.prefixes, p); !found {
			n++
		}
	}
	return n
}

// repository makes a repository of a few packs with keys in them, and in deltas.
func repository(b *testing.B) (dir string) {
	m, dir := fakekey.New(15), filepath.Join(b.TempDir(), "repo")
	gitIn(b, ".", "init", "-q", "-b", "main", dir)
	for i := range 24 {
		text := m.Word(3000) + "\nkey = " + m.B10() + "\n" + m.Word(200)
		if i%3 > 0 { // an edit, which becomes a delta
			old, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("f%d", i/3)))
			if err != nil {
				b.Fatal(err)
			}
			text = string(old) + "\nmore = " + m.B10() + "\n"
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("f%d", i/3)), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
		gitIn(b, dir, "add", "-A")
		gitIn(b, dir, "commit", "-q", "-m", "c")
		if i == 11 {
			gitIn(b, dir, "repack", "-qd")
		}
	}
	gitIn(b, dir, "repack", "-qd")
	return dir
}

func gitIn(b *testing.B, dir string, args ...string) {
	b.Helper()
	cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "gc.auto=0"}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("git %v: %v: %s", args, err, out)
	}
}

// BenchmarkFlips flips a bit in a pack or an index.
func BenchmarkFlips(b *testing.B) {
	program, dir, r := build(b), repository(b), rand.New(rand.NewPCG(15, 1))
	whole := scanned(b, program, "--history-only", dir)
	files, _ := filepath.Glob(filepath.Join(dir, ".git/objects/pack/*.[pi]*"))
	missed, total := 0, 0
	for b.Loop() {
		name := files[r.IntN(len(files))]
		old, err := os.ReadFile(name)
		if err != nil {
			b.Fatal(err)
		}
		bad := bytes.Clone(old)
		at, bit := r.IntN(len(bad)), byte(1)<<r.IntN(8)
		bad[at] ^= bit
		replace(b, name, bad)
		now := scanned(b, program, "--history-only", dir)
		if n := now.lost(whole); n > 0 {
			if missed++; now.complete {
				b.Fatalf("%s, byte %d, bit %#x: %d keys are lost, and the run is called complete", filepath.Base(name), at, bit, n)
			}
		}
		total++
		replace(b, name, old)
	}
	b.ReportMetric(float64(missed), "trials-with-losses")
	b.ReportMetric(0, "ns/op")
}

func replace(b *testing.B, name string, data []byte) {
	b.Helper()
	if err := os.Chmod(name, 0o600); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkRepacks scans while git repacks, collects garbage and packs references.
func BenchmarkRepacks(b *testing.B) {
	program, dir := build(b), repository(b)
	whole := scanned(b, program, "--history-only", dir)
	missed, scans := 0, 0
	for b.Loop() {
		done := make(chan struct{})
		go func() {
			defer close(done)
			for _, args := range [][]string{{"repack", "-adfq"}, {"gc", "-q", "--prune=now"}, {"repack", "-adq", "--max-pack-size=1m"},
				{"unpack-objects", "-q"}, {"pack-refs", "--all"}, {"multi-pack-index", "write"}, {"gc", "-q", "--aggressive"}} {
				_ = exec.Command("git", append([]string{"-C", dir}, args...)...).Run()
			}
		}()
		for range 6 {
			now := scanned(b, program, "--history-only", dir)
			scans++
			if n := now.lost(whole); n > 0 {
				if missed++; now.complete {
					b.Fatalf("%d keys are lost, and the run is called complete", n)
				}
			}
		}
		<-done
	}
	b.ReportMetric(float64(scans), "scans")
	b.ReportMetric(float64(missed), "scans-with-losses")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkSignals ends the program at random moments while it scans and writes a report
// over an old one. The file holds the old report or a new one, and what was left beside it
// is gone after the next run.
func BenchmarkSignals(b *testing.B) {
	program, dir, out, r := build(b), repository(b), b.TempDir(), rand.New(rand.NewPCG(15, 3))
	file := filepath.Join(out, "out.json")
	args := []string{"scan", "--no-config", "-f", "json=" + file, dir}
	began := time.Now()
	_ = exec.Command(program, args...).Run()
	whole := time.Since(began)
	const old = `{"old": true}`
	left, kept := 0, 0
	for b.Loop() {
		if err := os.WriteFile(file, []byte(old), 0o600); err != nil {
			b.Fatal(err)
		}
		cmd := exec.Command(program, args...)
		cmd.Stdout, cmd.Stderr = nil, nil
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		time.Sleep(time.Duration(r.Int64N(int64(whole + whole/4))))
		sent := []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGHUP, syscall.SIGKILL}[r.IntN(5)]
		_ = cmd.Process.Signal(sent)
		if r.IntN(2) == 0 {
			time.Sleep(time.Duration(r.Int64N(int64(10 * time.Millisecond))))
			_ = cmd.Process.Signal(sent)
		}
		_ = cmd.Wait()
		data, err := os.ReadFile(file)
		if err != nil || !json.Valid(data) {
			b.Fatalf("%v: the report is neither the old one nor a new one: %v, %d bytes", sent, err, len(data))
		}
		if string(data) == old {
			kept++
		}
		if code := cmd.ProcessState.ExitCode(); (code == 1 || code == 130) && string(data) == old {
			b.Fatalf("%v: exit status %d, and the report is the old one", sent, code)
		}
		beside, _ := filepath.Glob(filepath.Join(out, ".*"))
		left += len(beside)
		long := time.Now().Add(-time.Hour)
		for _, name := range beside {
			_ = os.Chtimes(name, long, long)
		}
	}
	_ = exec.Command(program, args...).Run()
	if beside, _ := filepath.Glob(filepath.Join(out, ".*")); len(beside) > 0 {
		b.Errorf("the next run leaves %q", beside)
	}
	b.ReportMetric(float64(kept), "old-reports")
	b.ReportMetric(float64(left), "left-over-and-removed")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkChangingFiles scans a folder in which files change, shrink, vanish and become
// folders, pipes and links. What stays as it is must be found.
func BenchmarkChangingFiles(b *testing.B) {
	program, dir, m := build(b), b.TempDir(), fakekey.New(16)
	for i := range 40 {
		text := strings.Repeat("text\n", i*3000) + "key = " + m.B10() + "\n"
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("stays%02d", i)), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	whole := scanned(b, program, dir)
	stop := make(chan struct{})
	var changes sync.WaitGroup
	for i := range 4 {
		changes.Go(func() { churn(dir, uint64(i), stop) })
	}
	incomplete := 0
	for b.Loop() {
		now := scanned(b, program, dir)
		if n := now.lost(whole); n > 0 {
			b.Fatalf("%d keys in files that stay are lost", n)
		}
		if !now.complete {
			incomplete++
		}
		if now.complete != (now.problems == 0) {
			b.Fatalf("complete %v with %d problems", now.complete, now.problems)
		}
	}
	close(stop)
	changes.Wait()
	b.ReportMetric(float64(incomplete), "incomplete")
	b.ReportMetric(0, "ns/op")
}

// churn turns files into other things until it is stopped.
func churn(dir string, seed uint64, stop chan struct{}) {
	r := rand.New(rand.NewPCG(seed, 17))
	text := []byte(strings.Repeat("some text that is no key\n", 40_000))
	for {
		select {
		case <-stop:
			return
		default:
		}
		name := filepath.Join(dir, fmt.Sprintf("s%d-%d", seed, r.IntN(20)))
		switch r.IntN(8) {
		case 0:
			_ = os.RemoveAll(name)
		case 1:
			_ = os.RemoveAll(name)
			_ = syscall.Mkfifo(name, 0o600)
		case 2:
			_ = os.RemoveAll(name)
			_ = os.Symlink(dir, name)
		case 3:
			_ = os.RemoveAll(name)
			_ = os.MkdirAll(filepath.Join(name, "sub"), 0o700)
		case 4:
			_ = os.Truncate(name, int64(r.IntN(len(text))))
		default:
			if info, err := os.Lstat(name); err == nil && !info.Mode().IsRegular() {
				_ = os.RemoveAll(name)
			}
			if f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND|syscall.O_NONBLOCK, 0o600); err == nil {
				_, _ = f.Write(text[:r.IntN(len(text))])
				_ = f.Close()
			}
		}
	}
}

// BenchmarkFullDisk writes reports to a disk that is full after some KiB more in each
// trial. The old report stays, nothing is left beside it, and the run fails and says why. It
// mounts a small tmpfs, for which it needs the rights of root.
func BenchmarkFullDisk(b *testing.B) {
	program, dir, at := build(b), repository(b), b.TempDir()
	if err := syscall.Mount("none", at, "tmpfs", 0, "size=1m"); err != nil {
		b.Skipf("no right to mount a small tmpfs here: %v", err)
	}
	defer func() { _ = syscall.Unmount(at, 0) }()
	const old = `{"old": true}`
	failed, trial := 0, 0
	for b.Loop() {
		free := (trial * 37 % 120) << 12
		trial++
		names := map[string]string{"json": "out.json", "sarif": "out.sarif", "html": "out.html"}
		args := []string{"scan", "--no-config", dir}
		for format, name := range names {
			args = append(args, "-f", format+"="+filepath.Join(at, name))
			if err := os.WriteFile(filepath.Join(at, name), []byte(old), 0o600); err != nil {
				b.Fatal(err)
			}
		}
		fill(b, filepath.Join(at, "fill"), free)
		var stderr bytes.Buffer
		cmd := exec.Command(program, args...)
		cmd.Stderr = &stderr
		_ = cmd.Run()
		code := cmd.ProcessState.ExitCode()
		for _, name := range names {
			data, err := os.ReadFile(filepath.Join(at, name))
			if err != nil || code == 1 == (string(data) == old) {
				b.Fatalf("%d KiB free: exit status %d, %s: %v, %d bytes", free>>10, code, name, err, len(data))
			}
		}
		if code != 1 {
			if failed++; code != 4 || !strings.Contains(stderr.String(), "no space left") {
				b.Fatalf("%d KiB free: exit status %d, %s", free>>10, code, stderr.String())
			}
		}
		if beside, _ := filepath.Glob(filepath.Join(at, ".*")); len(beside) > 0 {
			b.Fatalf("%d KiB free: %q is left", free>>10, beside)
		}
		if err := os.Remove(filepath.Join(at, "fill")); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(failed), "full")
	b.ReportMetric(0, "ns/op")
}

// fill fills a disk up to a number of bytes.
func fill(b *testing.B, name string, free int) {
	f, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	size, err := io.Copy(f, bytes.NewReader(make([]byte, 2<<20)))
	if !errors.Is(err, syscall.ENOSPC) {
		b.Fatalf("the disk is not full: %v", err)
	}
	if err := f.Truncate(max(0, size-int64(free))); err != nil {
		b.Fatal(err)
	}
}
