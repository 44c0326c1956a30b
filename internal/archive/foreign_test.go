package archive

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// Files in testdata come from the formats' own programs, as no Go writer makes
// these features: a packed 7z header, and xz with the x86 and delta filters.
func TestForeign(t *testing.T) {
	read := func(name string) *seen {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		got := walked(t, Limits{}, name, data)
		if len(got.problems) > 0 {
			t.Errorf("%s: problems %q", name, got.problems)
		}
		return got
	}
	var numbers bytes.Buffer
	for i := range 400 {
		fmt.Fprintln(&numbers, i+1)
	}
	got := read("packed.7z")
	if !bytes.Equal(got.members["a.txt"], numbers.Bytes()) || string(got.members["d/b.txt"]) != "the second file\n" {
		t.Errorf("members %q", paths(got))
	}
	// The bytes that the x86 filter cares about, in a fixed disorder.
	r := rand.New(rand.NewPCG(1, 2))
	want := make([]byte, 6000)
	for i := range want {
		want[i] = byte(r.IntN(4)) * 85
		if r.IntN(4) == 0 {
			want[i] = 0xe8 + byte(r.IntN(2))
		}
	}
	for _, name := range []string{"x86", "delta"} {
		if got := read(name + ".xz").members[name]; !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, not as they were", name, len(got))
		}
	}
}
