package archive

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestReal(t *testing.T) {
	dir := os.Getenv("REAL")
	if dir == "" {
		t.Skip()
	}
	fs, _ := filepath.Glob(dir + "/*")
	for _, f := range fs {
		for _, stream := range []bool{false, true} {
			b, _ := os.ReadFile(f)
			var out []string
			found := 0
			v := Visitor{Member: func(m Member) error {
				d, _ := io.ReadAll(m.Reader)
				if bytes.Contains(d, []byte("NEEDLE-")) {
					found++
				}
				if len(out) < 12 {
					out = append(out, fmt.Sprintf("%s(%d)", m.Path, len(d)))
				}
				return nil
			}, Problem: func(p string, err error) error { out = append(out, "PROBLEM "+p+": "+err.Error()); return nil }}
			var k Kind
			var err error
			w := NewWalker(Limits{})
			if stream {
				k, err = w.WalkStream(context.Background(), bytes.NewReader(b), f, v)
			} else {
				k, err = w.Walk(context.Background(), bytes.NewReader(b), int64(len(b)), f, v)
			}
			fmt.Printf("%s stream=%v kind=%v err=%v found=%d\n   %v\n", filepath.Base(f), stream, k, err, found, out)
		}
	}
}
