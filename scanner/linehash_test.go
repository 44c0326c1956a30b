package scanner

import (
	"bytes"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/scanner/source/disk"
)

// The values are those that github/codeql-action's own tests expect of the same
// texts (src/fingerprints.test.ts).
func TestLineHashesAreGitHubs(t *testing.T) {
	six := []string{"e9496ae3ebfced30:1", "fb7c023a8b9ccb3f:1", "ce8ba1a563dcdaca:1", "e20e36e16fcb0cc8:1", "b3edc88f2938467e:1", "c8e28b0b4002a3a0:1", "c129715d7a2bc9a3:1"}
	for _, c := range []struct {
		text string
		want []string
	}{
		{"", []string{"c129715d7a2bc9a3:1"}},
		{" a\nb\n  \t\tc\n d", []string{"271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"}},
		{" hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End\n", six},
		{" hello; \t\nworld!!!\r\r\r  \t\tGreetings\r End\r", six},
		{" hello; \t\r\nworld!!!\r\n\r\n\r\n  \t\tGreetings\r\n End\r\n", six},
		{" hello; \t\nworld!!!\r\n\n\r  \t\tGreetings\r End\r\n", six},
		{strings.Repeat("Lorem ipsum dolor sit amet.\n", 10), []string{
			"a7f2ff13bc495cf2:1", "a7f2ff13bc495cf2:2", "a7f2ff13bc495cf2:3", "a7f2ff13bc495cf2:4", "a7f2ff13bc495cf2:5", "a7f2ff13bc495cf2:6",
			"a7f2ff1481e87703:1", "a9cf91f7bbf1862b:1", "55ec222b86bcae53:1", "cc97dc7b1d7d8f7b:1", "c129715d7a2bc9a3:1",
		}},
	} {
		if d := cmp.Diff(c.want, lineHashes([]byte(c.text))); d != "" {
			t.Errorf("%q: %s", c.text, d)
		}
	}
}

// slowHashes follows the description, line by line and with big numbers.
func slowHashes(text string) (out []string) {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	mod := new(big.Int).Lsh(big.NewInt(1), 64)
	seen := map[string]int{}
	for rest, more := text, true; more; {
		units := append(utf16.Encode([]rune(strings.NewReplacer(" ", "", "\t", "").Replace(rest))), 0xffff)
		units = append(units, make([]uint16, 100)...)
		h := new(big.Int)
		for _, u := range units[:100] {
			h.Mul(h, big.NewInt(37)).Add(h, big.NewInt(int64(u))).Mod(h, mod)
		}
		v := h.Text(16)
		seen[v]++
		out = append(out, fmt.Sprintf("%s:%d", v, seen[v]))
		_, rest, more = strings.Cut(rest, "\n")
	}
	return out
}

func FuzzLineHashes(f *testing.F) {
	f.Add("a\r\n b\n\nc")                           // line ends
	f.Add("\r \n\r\t\n x\r")                        // a blank between \r and \n makes two lines
	f.Add("\ufeff😀 é\n" + strings.Repeat("x", 120)) // more units than bytes of a kind, long lines
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "\r ") || strings.Contains(text, "\r\t") {
			return // the short description and GitHub's program differ; see the test above
		}
		got := lineHashes([]byte(text))
		if strings.ToValidUTF8(text, "") != text {
			if got != nil {
				t.Fatal("hashes of what is not UTF-8")
			}
			return
		}
		if d := cmp.Diff(slowHashes(text), got); d != "" {
			t.Fatal(d)
		}
	})
}

func TestLineHashOfHits(t *testing.T) {
	m, dir := fakekey.New(31), t.TempDir()
	text := "first\n\tkey = " + m.B10() + "\r\nlast " + m.B10() + "\n"
	write(t, dir, "a.txt", text)
	r := scan(t, finding.LowConfidence, disk.Dir(dir, disk.Options{}))
	want := lineHashes([]byte(text))
	if len(r.Findings) != 2 || r.place(0, 0).LineHash != want[1] || r.place(1, 0).LineHash != want[2] {
		t.Errorf("%+v, want %v", r.Findings, want)
	}
	big := append(bytes.Repeat([]byte("x\n"), maxHashed/2), text...)
	if err := os.WriteFile(filepath.Join(dir, "a.txt"), big, 0o600); err != nil {
		t.Fatal(err)
	}
	if r := scan(t, finding.LowConfidence, disk.Dir(dir, disk.Options{})); r.place(0, 0).LineHash != "" {
		t.Error("a file that is too large was hashed")
	}
}
