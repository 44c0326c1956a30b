package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/b10lint/b10lint/internal/archive/archivetest"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/internal/span"
	"github.com/klauspost/compress/zlib"
)

func zlibbed(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// wrap breaks digits into lines.
func wrap(digits string, width int, between string) string {
	var lines []string
	for part := range slices.Chunk([]byte(digits), width) {
		lines = append(lines, string(part))
	}
	return strings.Join(lines, between)
}

// encodedWalk walks a text in pieces of every size, and returns what was seen in one piece.
func encodedWalk(t *testing.T, text string) *seen {
	t.Helper()
	w := NewWalker(Limits{})
	var first *seen
	for _, r := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text)), iotest.HalfReader(strings.NewReader(text))} {
		s := newSeen()
		if err := w.WalkEncoded(t.Context(), r, 0, s.visitor()); err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = s
		} else if fmt.Sprint(s.members, s.problems) != fmt.Sprint(first.members, first.problems) {
			t.Errorf("in other pieces: %q, not %q, problems %q", s.members, first.members, s.problems)
		}
	}
	return first
}

func TestEncoded(t *testing.T) {
	keys := fakekey.New(7)
	key := keys.B10()
	random := make([]byte, 600)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(random)
	text := []byte(`{"name":"release","manifest":"BASETEN_API_KEY: ` + key + `","other":"` + base64.StdEncoding.EncodeToString(random) + `"}` + "\n")
	file := archivetest.File{Name: "a/b.txt", Data: text}
	gz := archivetest.Gzip(t, text)
	std, url := base64.StdEncoding.EncodeToString, base64.RawURLEncoding.EncodeToString
	twice := func(b []byte) string { return std([]byte(std(b))) }
	for name, c := range map[string]struct{ text, want string }{
		"gzip":                {"release: " + std(gz) + "\n", "base64 in line 1"},
		"Helm, as kubectl":    {"apiVersion: v1\nitems:\n- data:\n    release: " + twice(gz) + "\n  kind: Secret\n", "base64 in line 4"},
		"gzip, raw URL":       {"x=" + url(gz) + "&y=1", "base64 in line 1"},
		"zlib":                {"\n\n'" + std(zlibbed(t, text)) + "'", "base64 in line 3"},
		"zlib twice":          {"\n\n'" + twice(zlibbed(t, text)) + "'", "base64 in line 3"},
		"zstd":                {std(archivetest.Zstd(t, text)), "base64 in line 1"},
		"xz":                  {std(archivetest.XZ(t, text)), "base64 in line 1"},
		"bzip2":               {std(archivetest.Bzip2(t, text)), "base64 in line 1"},
		"zip":                 {std(archivetest.Zip(zip.Deflate)(t, file)), "base64 in line 1!a/b.txt"},
		"zip twice":           {twice(archivetest.Zip(zip.Deflate)(t, file)), "base64 in line 1!a/b.txt"},
		"7z":                  {std(archivetest.SevenZip("lzma2")(t, file)), "base64 in line 1!a/b.txt"},
		"PDF":                 {std(archivetest.PDF(t, file)), "base64 in line 1!object"},
		"tar.gz":              {std(archivetest.Gzip(t, archivetest.Tar(tar.FormatGNU)(t, file))), "base64 in line 1!a/b.txt"},
		"data URI":            {"see data:application/gzip;base64," + std(gz) + ")", "base64 in line 1"},
		"cloud-init":          {"write_files:\n- encoding: gz+b64\n  content: |\n    " + wrap(std(gz), 76, "\n    ") + "\n  path: /x\n", "base64 in line 4"},
		"mail":                {"Content-Transfer-Encoding: base64\r\n\r\n" + wrap(std(gz), 76, "\r\n") + "\r\n--edge--\r\n", "base64 in line 3"},
		"quoted mail":         {"> " + wrap(std(gz), 64, "\n> ") + "\n> \n> text\n", "base64 in line 1"},
		"source code":         {"x = (\"" + wrap(std(gz), 64, "\" +\n  \"") + "\")", "base64 in line 1"},
		"a line in JSON":      {`{"content": "text\n` + std(gz) + `\n"}`, "base64 in line 1"},
		"lines in JSON":       {`{"content": "` + wrap(std(gz), 76, `\n`) + `\n"}`, "base64 in line 1"},
		"hexadecimal":         {"x'" + hex.EncodeToString(gz) + "'", "hex in line 1"},
		"bytea":               {`1	\\x` + hex.EncodeToString(gz) + "\n", "hex in line 1"},
		"0x":                  {"(0x" + strings.ToUpper(hex.EncodeToString(gz)) + ")", "hex in line 1"},
		"behind long digits":  {strings.Repeat("Abc1", 50) + "\n\n" + std(gz), "base64 in line 3"},
		"in a file in a file": {std(archivetest.Gzip(t, []byte("a\nb: "+std(gz)))), "base64 in line 1!base64 in line 2"},
	} {
		t.Run(name, func(t *testing.T) {
			if !Carries([]byte(c.text), nil) {
				t.Error("not recognised")
			}
			s := encodedWalk(t, c.text)
			if got := s.find(key); len(got) == 0 || !strings.HasPrefix(got[len(got)-1], c.want) || len(s.problems) > 0 {
				t.Errorf("the key is in %q, problems %q", got, s.problems)
			}
			// The same as a member of archives, which read members each in their own way.
			for _, kind := range []string{"zip", "tar-gnu", "gzip", "7z-lzma2"} {
				in := walked(t, Limits{}, "name", archivetest.Builders()[kind](t, archivetest.File{Name: "f", Data: []byte(c.text)}))
				if got := in.find(key); len(got) == 0 || !strings.Contains(got[len(got)-1], "!"+c.want) || len(in.problems) > 0 {
					t.Errorf("in %s the key is in %q, problems %q", kind, got, in.problems)
				}
			}
		})
	}
}

// The steps of nextRun miss no run, whatever is about it.
func TestNextRun(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		data := make([]byte, r.IntN(300))
		for i := range data {
			data[i] = "aZ09+/_- .\n:é\xff("[r.IntN(4+r.IntN(12)*r.IntN(2)/11)]
		}
		from := r.IntN(len(data) + 1)
		want, n := -1, 0
		for i := from; i < len(data) && want < 0; i++ {
			if n++; base64Code.value[data[i]] < 0 {
				n = 0
			}
			if n == minDigits {
				want = i + 1 - minDigits
			}
		}
		if got, _ := nextRun(data, from); got != want {
			t.Fatalf("%q from %d: %d, not %d", data, from, got, want)
		}
		if got, want := digitBlock(data), digitBlockGeneric(data); got != want {
			t.Fatalf("%q: block %d, not %d", data, got, want)
		}
	}
}

// Several in one text, one after another.
func TestEncodedLines(t *testing.T) {
	keys := fakekey.New(8)
	var text strings.Builder
	var want []string
	for i := range 40 {
		key := keys.B10()
		want = append(want, key)
		packed := [][]byte{archivetest.Gzip(t, []byte(key+strings.Repeat("!", i))), zlibbed(t, []byte(strings.Repeat("?", i)+key))}[i%2]
		fmt.Fprintf(&text, "%s%s\n", []string{"", "- ", "key: ", "\""}[i/2%4], base64.RawStdEncoding.EncodeToString(packed))
	}
	s := encodedWalk(t, text.String())
	for i, key := range want {
		if len(s.find(key)) != 1 {
			t.Errorf("key %d is not found", i)
		}
	}
	if len(s.problems) > 0 {
		t.Errorf("problems: %q", s.problems)
	}
}

// What only looks like the head of one is silent; what is cut or damaged is not.
func TestEncodedDamage(t *testing.T) {
	r := rand.NewChaCha8([32]byte{2})
	noise := make([]byte, 4000)
	_, _ = r.Read(noise)
	std := base64.StdEncoding.EncodeToString
	gz := archivetest.Gzip(t, []byte(std(noise)))
	for name, c := range map[string]struct {
		text    string
		problem string
	}{
		"noise":             {std(noise), ""},
		"zlib's head":       {"eJx" + std(noise), ""},
		"gzip's head":       {"H4sI" + std(noise), ""},
		"zip's head":        {"UEsDBA" + std(noise), "zip"},
		"a digest":          {"sha512-eJxH4sI" + std(noise)[:86], ""},
		"cut short":         {std(gz[:len(gz)/2]), "unexpected EOF"},
		"shortened in docs": {std(gz)[:1000] + "...", "unexpected EOF"},
	} {
		s := encodedWalk(t, c.text)
		if got := strings.Join(s.problems, "\n"); (c.problem == "") != (got == "") || !strings.Contains(got, c.problem) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestEncodedLimits(t *testing.T) {
	gz := base64.StdEncoding.EncodeToString(archivetest.Gzip(t, bytes.Repeat([]byte("text "), 100)))
	for range 5 {
		gz = base64.StdEncoding.EncodeToString(archivetest.Gzip(t, []byte(gz)))
	}
	s := newSeen()
	if err := NewWalker(Limits{Depth: 4}).WalkEncoded(t.Context(), strings.NewReader(gz), 0, s.visitor()); err != nil {
		t.Fatal(err)
	}
	s.limit(t, limitDepth)
	s = newSeen()
	long := "H4sIAAAAAAAA" + strings.Repeat("Abcd", 1<<20)
	if err := NewWalker(Limits{Memory: 2 << 20}).WalkEncoded(t.Context(), strings.NewReader(long), 0, s.visitor()); err != nil {
		t.Fatal(err)
	}
	s.limit(t, limitMemory)
}

// Of an object in a history, only runs count in which something is new.
func TestCarriesFresh(t *testing.T) {
	gz := base64.StdEncoding.EncodeToString(archivetest.Gzip(t, []byte(strings.Repeat("some text", 20)+fakekey.New(3).B10())))
	for _, digits := range []string{gz, wrap(gz, 64, "\n  ")} {
		before := "some = text\nand more of it: "
		data := []byte(before + digits + "\n\nother = text that is long enough to be looked at\n")
		for i := range data {
			want := i >= len(before) && i < len(before)+64*(len(digits)/65)
			if got := Carries(data, []span.Span{{Start: i, End: i + 1}}); want && !got || got && i < len(before)-1 {
				t.Errorf("a new byte at %d of %d: %v", i, len(data), got)
			}
		}
	}
	if Carries([]byte("abc"), []span.Span{}) {
		t.Error("nothing is new")
	}
}

func FuzzEncoded(f *testing.F) {
	for _, data := range [][]byte{archivetest.Gzip(f, []byte("some content that is long enough")), zlibbed(f, []byte("more of it"))} {
		f.Add("a: "+base64.StdEncoding.EncodeToString(data)+"\n", 7)
		f.Add(wrap(hex.EncodeToString(data), 64, "\n"), 3)
	}
	f.Fuzz(func(t *testing.T, text string, step int) {
		// The same is seen whatever the pieces.
		var got [2]string
		for i := range got {
			r := io.Reader(strings.NewReader(text))
			if i > 0 {
				r = &pieces{r, 1 + int(uint(step)%100)}
			}
			w, s := NewWalker(Limits{Depth: 4, Members: 200, Bytes: 1 << 20, Memory: 8 << 20, Jobs: 1}), newSeen()
			if err := w.WalkEncoded(t.Context(), r, 0, s.visitor()); err != nil {
				t.Fatal(err)
			}
			got[i] = fmt.Sprint(s.parts)
		}
		if got[0] != got[1] {
			t.Errorf("%q, and in pieces %q", got[0], got[1])
		}
	})
}

type pieces struct {
	r io.Reader
	n int
}

func (p *pieces) Read(b []byte) (int, error) { return p.r.Read(b[:min(len(b), p.n)]) }

// Nothing but short runs that are, or look like, archives: each is looked at as long as that
// takes little, and what is not is said.
func TestEncodedDense(t *testing.T) {
	std := base64.StdEncoding.EncodeToString
	line := func(b []byte) string { return strings.Repeat(std(b)+"=\n", 3000) }
	small := []byte("some content that is as long as a proof takes, so that it counts as unpacked")
	for name, c := range map[string]struct {
		text    string
		members int
		problem bool
	}{
		"gzip":       {line(archivetest.Gzip(t, small)), 3000, false},
		"gzip heads": {strings.Repeat("H4sI"+strings.Repeat("A", 60)+"=\n", 3000), 0, false},
		"bzip2":      {line(archivetest.Bzip2(t, small)), 64, true},
		"7z heads":   {strings.Repeat("N3q8rycc"+strings.Repeat("A", 60)+"=\n", 3000), 0, true},
	} {
		members, problems := 0, 0
		err := NewWalker(Limits{}).WalkEncoded(t.Context(), strings.NewReader(c.text), 0, Visitor{
			Member:  func(Member) (int, error) { members++; return 0, nil },
			Problem: func(string, error) error { problems++; return nil },
		})
		if err != nil || c.members > 0 && (members < c.members-1 || members > c.members+64) || (problems > 0) != c.problem {
			t.Errorf("%s: %d members, %d problems, %v", name, members, problems, err)
		}
	}
}

func BenchmarkEncodedDense(b *testing.B) {
	std := base64.StdEncoding.EncodeToString
	for name, unit := range map[string]string{
		"gzip": std(archivetest.Gzip(b, []byte("some content that is as long as a proof takes, so that it counts as unpacked"))) + "=\n",
		"head": "H4sI" + strings.Repeat("A", 60) + "=\n", "zlib": "eJx" + strings.Repeat("B", 60) + "=\n", "zip": "UEsDB" + strings.Repeat("A", 60) + "=\n",
		"bzip2": std(archivetest.Bzip2(b, []byte("some content that is as long as a proof takes, so that it counts as unpacked"))) + "=\n",
		"zstd":  std(archivetest.Zstd(b, []byte("some content that is as long as a proof takes, so that it counts as unpacked"))) + "=\n",
		"run":   "H4sI" + strings.Repeat("Abcd", 1000) + "=\n", "digits": "I4sI" + strings.Repeat("A", 60) + "=\n",
	} {
		b.Run(name, func(b *testing.B) {
			text := strings.Repeat(unit, 1<<20/len(unit))
			w := NewWalker(Limits{Jobs: 1})
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				v := Visitor{Member: func(m Member) (int, error) { _, err := io.Copy(io.Discard, m.Reader); return 0, err }, Problem: func(string, error) error { return nil }}
				if err := w.WalkEncoded(b.Context(), strings.NewReader(text), 0, v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
