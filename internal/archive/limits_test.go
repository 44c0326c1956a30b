package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/internal/archive/archivetest"
)

// discard walks data at random and reads everything to nowhere.
func discard(t *testing.T, limits Limits, r io.ReaderAt, size int64) (members int, bytes int64, s *seen) {
	t.Helper()
	s = newSeen()
	v := s.visitor()
	v.Member = func(m Member) (int, error) {
		n, err := io.Copy(io.Discard, struct{ io.Reader }{m.Reader})
		s.mu.Lock()
		defer s.mu.Unlock()
		members, bytes = members+1, bytes+n
		return 0, err
	}
	if err := NewWalker(limits).Walk(t.Context(), r, size, "bomb", v); err != nil {
		t.Fatal(err)
	}
	return members, bytes, s
}

func discardBytes(t *testing.T, limits Limits, data []byte) (int, int64, *seen) {
	t.Helper()
	return discard(t, limits, bytes.NewReader(data), int64(len(data)))
}

// zipAgain makes a zip that holds the same content n times under n names.
func zipAgain(t testing.TB, n int, name string, data []byte, size uint64, sum uint32) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := range n {
		m, err := w.CreateRaw(&zip.FileHeader{Name: fmt.Sprintf("%s%d", name, i), Method: zip.Deflate, CRC32: sum,
			CompressedSize64: uint64(len(data)), UncompressedSize64: size})
		if err != nil {
			t.Fatal(err)
		}
		m.Write(data)
	}
	w.Close()
	return b.Bytes()
}

func deflated(data io.Reader) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, 9)
	io.Copy(w, data)
	w.Close()
	return b.Bytes()
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// bomb42 is built like 42.zip: sixteen in sixteen, five levels deep, with zeros
// at the bottom.
func bomb42(t testing.TB) []byte {
	const bottom = 64 << 20
	zeros := deflated(io.LimitReader(zeroReader{}, bottom))
	sum := crc32.NewIEEE()
	io.Copy(sum, io.LimitReader(zeroReader{}, bottom))
	data := zipAgain(t, 16, "0.dll", zeros, bottom, sum.Sum32())
	for level := range 5 {
		data = zipAgain(t, 16, fmt.Sprintf("lib %d ", level), deflated(bytes.NewReader(data)), uint64(len(data)), crc32.ChecksumIEEE(data))
	}
	return data
}

func TestBomb42(t *testing.T) {
	data := bomb42(t)
	_, n, s := discardBytes(t, Limits{}, data)
	s.limit(t, limitRatio)
	if n > 4*ratioFloor {
		t.Errorf("a bomb of %d bytes made %d bytes of work", len(data), n)
	}
	// Without the bound on the ratio, the one on the bytes holds.
	_, n, s = discardBytes(t, Limits{Ratio: 1 << 40, Bytes: 150 << 20}, data)
	s.limit(t, limitBytes)
	if n > 2*150<<20 {
		t.Errorf("%d bytes of work", n)
	}
}

func TestMemberRatio(t *testing.T) {
	zeros := archivetest.Zstd(t, make([]byte, ratioFloor+10<<20))
	noise := archivetest.File{Name: "noise", Data: bytes.Repeat([]byte("0123456789abcdef"), 1<<20)}
	data := archivetest.Zip(zip.Store)(t, noise, archivetest.File{Name: "bomb.zst", Data: zeros}, archivetest.File{Name: "z", Data: []byte("after")})
	_, _, s := discardBytes(t, Limits{}, data)
	s.limit(t, limitRatio)
	if len(s.problems) != 1 || !strings.HasPrefix(s.problems[0], "bomb.zst!bomb:") {
		t.Errorf("problems %q", s.problems)
	}
}

func TestSelfSimilar(t *testing.T) {
	// Deeper than any limit, which is what a gzip that holds itself looks like.
	data := []byte("the bottom")
	for range 200 {
		data = archivetest.Gzip(t, data)
	}
	members, _, s := discardBytes(t, Limits{}, data)
	s.limit(t, limitDepth)
	if members != 1 || len(s.problems) != 1 {
		t.Errorf("%d members, problems %q", members, s.problems)
	}
	// What lies deepest is handed over as it is.
	got := walked(t, Limits{Depth: 2}, "x.gz", archivetest.Gzip(t, archivetest.Gzip(t, archivetest.Gzip(t, []byte("x")))))
	if len(got.members) != 1 || !bytes.HasPrefix(got.members["x"], []byte("\x1f\x8b")) {
		t.Errorf("members %q", paths(got))
	}
}

func TestDepth(t *testing.T) {
	build := archivetest.Builders()["tar-gnu"]
	data := []byte("key")
	for range 9 {
		data = build(t, archivetest.File{Name: "n", Data: data})
	}
	got := walked(t, Limits{}, "name", data)
	got.limit(t, limitDepth)
	got = walked(t, Limits{Depth: 9}, "name", data)
	if len(got.problems) > 0 || string(got.members["n!n!n!n!n!n!n!n!n"]) != "key" {
		t.Errorf("problems %q, members %q", got.problems, paths(got))
	}
}

func TestMemberLimits(t *testing.T) {
	var files []archivetest.File
	for i := range 20 {
		files = append(files, archivetest.File{Name: fmt.Sprint(i), Data: bytes.Repeat([]byte("x"), 1000)})
	}
	for name, build := range archivetest.Builders() {
		if single(name) {
			continue
		}
		data := build(t, files...)
		members, _, s := discardBytes(t, Limits{Members: 7}, data)
		s.limit(t, limitMembers)
		if members > 7 {
			t.Errorf("%s: %d members", name, members)
		}
		_, n, s := discardBytes(t, Limits{MemberBytes: 999}, data)
		s.limit(t, limitMemberBytes)
		if n > 22*999 {
			t.Errorf("%s: %d bytes", name, n)
		}
		if _, _, s = discardBytes(t, Limits{MemberBytes: 1000}, data); len(s.problems) > 0 {
			t.Errorf("%s: %q", name, s.problems)
		}
	}
}

// 100,000 members are walked in little memory.
func TestManyMembers(t *testing.T) {
	content := []byte("a little content")
	data := zipAgain(t, 100_000, "folder/file ", deflated(bytes.NewReader(content)), uint64(len(content)), crc32.ChecksumIEEE(content))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	members, _, s := discardBytes(t, Limits{}, data)
	runtime.ReadMemStats(&after)
	if members != 100_000 || len(s.problems) > 0 {
		t.Errorf("%d members, problems %.300q", members, s.problems)
	}
	if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > 64<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
}

// Overlapping members, as in Fifield's "A better zip bomb" (2019): entries of the
// directory that lead to the same bytes, or to some of them.
func TestOverlapping(t *testing.T) {
	stored := noise(1 << 20)
	data := archivetest.Zip(zip.Store)(t, archivetest.File{Name: "a", Data: stored})
	dir, end := bytes.LastIndex(data, []byte("PK\x01\x02")), bytes.LastIndex(data, []byte("PK\x05\x06"))
	bomb := func(n int, change func(i int, entry []byte)) []byte {
		out := bytes.Clone(data[:dir])
		for i := range n {
			entry := bytes.Clone(data[dir:end])
			change(i, entry)
			out = append(out, entry...)
		}
		tail := bytes.Clone(data[end:])
		binary.LittleEndian.PutUint16(tail[8:], uint16(n))
		binary.LittleEndian.PutUint16(tail[10:], uint16(n))
		binary.LittleEndian.PutUint32(tail[12:], uint32(len(out)-dir))
		return append(out, tail...)
	}
	for _, c := range []struct {
		name   string
		change func(i int, entry []byte)
		want   string
		read   int64 // bytes, at most
		odd    bool
	}{
		{"the same", func(int, []byte) {}, "59999 members share all their bytes", 1 << 20, true},
		{"shorter and shorter", func(i int, entry []byte) {
			binary.LittleEndian.PutUint32(entry[20:], uint32(len(stored)-i))
			binary.LittleEndian.PutUint32(entry[24:], uint32(len(stored)-i))
		}, "59996 members were not unpacked", 4 << 20, false},
		{"once by another method", func(i int, entry []byte) {
			if i == 59_000 {
				entry[10] = zipDeflate
			}
		}, "59998 members share all their bytes", 1 << 20, true},
	} {
		members, n, s := discardBytes(t, Limits{}, bomb(60_000, c.change))
		if n > c.read || members == 0 {
			t.Errorf("%s: %d members, %d bytes of work", c.name, members, n)
		}
		found := false
		for i, p := range s.problems {
			var odd *OddError
			found = found || strings.HasPrefix(p, ": zip: "+c.want) && errors.As(s.errs[i], &odd) == c.odd
		}
		if !found {
			t.Errorf("%s: problems %.300q", c.name, s.problems)
		}
	}
}

// A directory entry that is damaged, and claims the bytes of its neighbours, hides none.
func TestOverlapHidesNothing(t *testing.T) {
	files := []archivetest.File{{Name: "a", Data: noise(100)}, {Name: "b", Data: noise(5000)}, {Name: "c", Data: noise(300)}}
	data := archivetest.Zip(zip.Store)(t, files...)
	binary.LittleEndian.PutUint32(data[bytes.Index(data, []byte("PK\x01\x02"))+20:], 6000)
	got := walked(t, Limits{}, "x.zip", data)
	for _, f := range files {
		if !bytes.HasPrefix(got.members[f.Name], f.Data) {
			t.Errorf("%s: %d bytes", f.Name, len(got.members[f.Name]))
		}
	}
	if !slices.ContainsFunc(got.problems, func(p string) bool { return strings.Contains(p, "1 members overlap others") }) {
		t.Errorf("problems %q", got.problems)
	}
}

// What is found, and what is reported, is the same for any number of goroutines, where
// a limit ends the walk, too.
func TestSameForAnyJobs(t *testing.T) {
	var files []archivetest.File
	for i := range 700 {
		files = append(files, archivetest.File{Name: fmt.Sprint(i), Data: bytes.Repeat([]byte(fmt.Sprint("text ", i, "\n")), i%90)})
		if i%200 == 7 {
			files[i].Data = archivetest.Zip(zip.Deflate)(t, files[:i]...)
		}
		if i%150 == 3 {
			files[i].Data = archivetest.Gzip(t, bytes.Repeat(files[i].Data, 20))
		}
	}
	for name, build := range map[string]archivetest.Builder{"zip": archivetest.Zip(zip.Deflate), "stored": archivetest.Zip(zip.Store), "tar": archivetest.Tar(tar.FormatPAX)} {
		data := build(t, files...)
		if name == "zip" { // damaged members among sound ones
			for at := 1000; at < len(data); at += len(data) / 50 {
				data[at] ^= 0x40
			}
		}
		for _, limits := range []Limits{{}, {Members: 350}, {Bytes: int64(len(data)) / 3}, {Ratio: 1, Bytes: 1}, {MemberBytes: 300}} {
			var want *seen
			for _, jobs := range []int{1, 2, 8} {
				limits.Jobs = jobs
				got := newSeen()
				if err := NewWalker(limits).Walk(t.Context(), bytes.NewReader(data), int64(len(data)), "x", got.visitor()); err != nil {
					t.Fatal(err)
				}
				if want == nil {
					want = got
					continue
				}
				if !slices.Equal(want.problems, got.problems) {
					t.Errorf("%s, %+v: problems %.300q, with one %.300q", name, limits, got.problems, want.problems)
				}
				if !maps.EqualFunc(want.members, got.members, bytes.Equal) {
					t.Errorf("%s, %+v: %d members, with one %d", name, limits, len(got.members), len(want.members))
				}
			}
		}
	}
}

// A sparse file of 10 GB costs what is stored of it.
func TestSparse(t *testing.T) {
	for _, version := range []string{"gnu", "0.0", "0.1", "1.0"} {
		data := sparseTar(version, 10<<30, "the end: NEEDLE")
		members, n, s := discardBytes(t, Limits{}, data)
		if n > 4096 || len(s.problems) > 0 || members == 0 {
			t.Errorf("%s: %d members, %d bytes, problems %q", version, members, n, s.problems)
		}
		got := walked(t, Limits{}, "name", data)
		if m := got.members["sparse"]; !bytes.HasPrefix(m, []byte("head\x00\x00")) || !bytes.HasSuffix(m, []byte("the end: NEEDLE")) {
			t.Errorf("%s: %q in %q", version, m, paths(got))
		}
	}
}

// sparseTar makes a tar with one sparse file: "head", a hole, tail.
func sparseTar(version string, size int64, tail string) []byte {
	parts := []int64{0, 4, size - int64(len(tail)), int64(len(tail))}
	body := "head" + tail
	h := make([]byte, 512)
	copy(h, "sparse")
	copy(h[100:], "0000644\x000000000\x000000000\x00")
	copy(h[257:], "ustar\x0000")
	h[156] = '0'
	var out []byte
	record := func(key, value string) string {
		n := len(key) + len(value) + 3
		for len(fmt.Sprint(n))+len(key)+len(value)+3 != n {
			n++
		}
		return fmt.Sprintf("%d %s=%s\n", n, key, value)
	}
	pax := ""
	switch version {
	case "gnu":
		h[156] = 'S'
		copy(h[257:], "ustar  \x00")
		for i, v := range parts {
			field := h[386+12*i : 398+12*i]
			field[0] = 0x80
			binary.BigEndian.PutUint64(field[4:], uint64(v))
		}
	case "0.0":
		pax = record("GNU.sparse.size", fmt.Sprint(size))
		for i := 0; i < len(parts); i += 2 {
			pax += record("GNU.sparse.offset", fmt.Sprint(parts[i])) + record("GNU.sparse.numbytes", fmt.Sprint(parts[i+1]))
		}
	case "0.1":
		pax = record("GNU.sparse.map", strings.Trim(strings.Join(strings.Fields(fmt.Sprint(parts)), ","), "[]"))
	case "1.0":
		pax = record("GNU.sparse.major", "1") + record("GNU.sparse.minor", "0") + record("GNU.sparse.name", "sparse")
		lines := "2\n" + strings.Join(strings.Fields(strings.Trim(fmt.Sprint(parts), "[]")), "\n") + "\n"
		body = lines + strings.Repeat("\x00", 512-len(lines)) + body
	}
	if pax != "" {
		x := bytes.Clone(h)
		x[156] = 'x'
		out = append(out, block(x, len(pax))...)
		out = append(out, pad([]byte(pax))...)
	}
	out = append(out, block(h, len(body))...)
	out = append(out, pad([]byte(body))...)
	return append(out, make([]byte, 1024)...)
}

func block(h []byte, size int) []byte {
	copy(h[124:], fmt.Sprintf("%011o\x00", size))
	copy(h[148:], v7Sum(h))
	return h
}

func pad(b []byte) []byte { return append(b, make([]byte, -len(b)&511)...) }

// An ordinary tar of 10 GB on disk is walked without reading what is passed over.
func TestHugeTar(t *testing.T) {
	var head bytes.Buffer
	w := tar.NewWriter(&head)
	w.WriteHeader(&tar.Header{Name: "zeros", Size: 10 << 30, Mode: 0o644, Format: tar.FormatGNU})
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.Write(head.Bytes())
	end := archivetest.Tar(tar.FormatGNU)(t, archivetest.File{Name: "last", Data: []byte("NEEDLE")})
	if _, err := f.WriteAt(end, int64(head.Len())+10<<30); err != nil {
		t.Skip("the file system has no sparse files: ", err)
	}
	s := newSeen()
	v := s.visitor()
	read := v.Member
	v.Member = func(m Member) (int, error) {
		if m.Path == "zeros" {
			return 0, nil
		}
		return read(m)
	}
	if err := NewWalker(Limits{}).Walk(t.Context(), f, int64(head.Len())+10<<30+int64(len(end)), "x.tar", v); err != nil {
		t.Fatal(err)
	}
	if string(s.members["last"]) != "NEEDLE" || len(s.problems) > 0 {
		t.Errorf("members %q, problems %q", paths(s), s.problems)
	}
}
