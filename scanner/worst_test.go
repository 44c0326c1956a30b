package scanner

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/scanner/source/disk"
)

// What a text hides deeper and in more ways than is decoded makes the run incomplete.
func TestBudgetOfDecodingSpeaks(t *testing.T) {
	dir, key := t.TempDir(), fakekey.New(1).B10()
	escapes := "\n\n" + strings.Repeat(`%41&#65;\x41=41\101`, 200_000)
	if err := os.WriteFile(filepath.Join(dir, "noise.txt"), append([]byte(escapes), "\n"+key+"\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "other.txt", key)
	r := scan(t, finding.LowConfidence, disk.Dir(dir, disk.Options{}))
	if r.Summary.Complete || len(r.Problems) != 1 || len(r.Findings) != 1 || len(r.Findings[0].Locations) != 2 {
		t.Fatalf("%+v, %d findings", r.Problems, len(r.Findings))
	}
	if p := r.Problems[0]; !strings.HasSuffix(p.Path, "/noise.txt") || !strings.Contains(p.Error, "from line 3 on") || !strings.Contains(p.Error, "16 times") {
		t.Errorf("%+v", p)
	}
}
