//go:build unix

package bench

import (
	"encoding/base64"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/b10lint/b10lint/rules"
)

const size = 64 << 20

func source(tb testing.TB) []byte {
	var all []byte
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		tb.Fatal(err)
	}
	root := filepath.Join(strings.TrimSpace(string(goroot)), "src")
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || len(all) > size {
			return err
		}
		data, err := os.ReadFile(path)
		all = append(all, data...)
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return all
}

func random(n int) []byte {
	r := rand.NewChaCha8([32]byte{1})
	data := make([]byte, n)
	_, _ = r.Read(data)
	return data
}

// wrapped is data as base64 in lines of 76 characters, as MIME and many tools write it.
func wrapped(data []byte) []byte {
	text := base64.StdEncoding.EncodeToString(data[:min(len(data), size/4*3)])
	var b strings.Builder
	for len(text) > 76 {
		b.WriteString(text[:76] + "\n")
		text = text[76:]
	}
	return []byte(b.String() + text)
}

// cpu is the time that this process has spent on processors.
func cpu() time.Duration {
	var use syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &use)
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

func BenchmarkFind(b *testing.B) {
	for _, in := range []struct {
		name string
		data []byte
	}{{"go-source", source(b)}, {"base64", wrapped(random(size))}, {"base64-of-source", wrapped(source(b))}, {"random", random(size)}, {"dots", []byte(strings.Repeat("abcdefgh.", size/9))}} {
		b.Run(in.name, func(b *testing.B) {
			b.SetBytes(int64(len(in.data)))
			before := cpu()
			for b.Loop() {
				rules.Find("x", in.data, nil, func(rules.Match) bool { return true })
			}
			// On a busy machine the time on the processor says more than the time on the wall.
			b.ReportMetric(float64(len(in.data))*float64(b.N)/1e6/(cpu()-before).Seconds(), "MB/cpu-s")
		})
	}
}
