package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/internal/archive/archivetest"
)

// check walks data and compares what was found and told.
func check(t *testing.T, what string, data []byte, members map[string]string, problems ...string) {
	t.Helper()
	got := walked(t, Limits{}, "name", data)
	for path, want := range members {
		if string(got.members[path]) != want {
			t.Errorf("%s: %s is %.100q, not %.100q (there are %q)", what, path, got.members[path], want, paths(got))
		}
	}
	if len(got.problems) != len(problems) {
		t.Fatalf("%s: problems %q, not %q", what, got.problems, problems)
	}
	for i, want := range problems {
		if !strings.Contains(got.problems[i], want) {
			t.Errorf("%s: problem %q, not %q", what, got.problems[i], want)
		}
	}
}

func two() []archivetest.File {
	return []archivetest.File{{Name: "a", Data: []byte("first content")}, {Name: "b", Data: []byte("second content, second content")}}
}

// Members of any size are the same in memory and as a stream, which a limit on them asks
// for.
func TestZipSizes(t *testing.T) {
	var files []archivetest.File
	for i, size := range []int{0, 1, maxWhole - 1, maxWhole, maxWhole + 1, 5 << 20, 20 << 20} {
		files = append(files, archivetest.File{Name: fmt.Sprint(i), Data: bytes.Repeat([]byte("0123456789abcde\n"), size/16+1)[:size]})
	}
	files = append(files, archivetest.File{Name: "in", Data: archivetest.Zip(zip.Store)(t, archivetest.File{Name: "x", Data: noise(6 << 20)})})
	data := archivetest.Zip(zip.Deflate)(t, files...)
	got, streamed := walked(t, Limits{}, "x.zip", data), walked(t, Limits{MemberBytes: 1 << 40}, "x.zip", data)
	if len(got.problems) > 0 || len(got.members) != len(files)+1 || !maps.EqualFunc(got.members, streamed.members, bytes.Equal) {
		t.Errorf("problems %q, %q and %q", got.problems, paths(got), paths(streamed))
	}
	for _, f := range files[1:] {
		if !bytes.Equal(got.members[f.Name], f.Data) {
			t.Errorf("%s: %d bytes of %d", f.Name, len(got.members[f.Name]), len(f.Data))
		}
	}
}

func TestOddZip(t *testing.T) {
	both := map[string]string{"a": "first content", "b": "second content, second content"}
	deflate, stored := archivetest.Zip(zip.Deflate)(t, two()...), archivetest.Zip(zip.Store)(t, two()...)
	dir := bytes.Index(deflate, []byte("PK\x01\x02"))
	edit := func(data []byte, change func([]byte)) []byte { b := bytes.Clone(data); change(b); return b }

	check(t, "no directory, sizes behind the data", deflate[:dir], both, "directory is missing")
	check(t, "cut in a member", deflate[:dir-30], map[string]string{"a": "first content"}, "directory is missing", "b: unexpected EOF")
	check(t, "another zip before it", append(bytes.Clone(deflate), archivetest.Zip(zip.Deflate)(t, archivetest.File{Name: "c", Data: []byte("third")})...),
		map[string]string{"a": both["a"], "b": both["b"], "c": "third"}, "2 members are not in the directory")
	check(t, "hidden from the directory", edit(stored, func(b []byte) {
		at := bytes.Index(b, []byte("PK\x01\x02"))
		end := bytes.LastIndex(b, []byte("PK\x05\x06"))
		second := at + 4 + bytes.Index(b[at+4:], []byte("PK\x01\x02"))
		binary.LittleEndian.PutUint16(b[end+10:], 1)
		binary.LittleEndian.PutUint32(b[end+12:], uint32(end-second))
		binary.LittleEndian.PutUint32(b[end+16:], uint32(second))
	}), map[string]string{"b": both["b"]}, "stored without a size", "not in the directory")
	check(t, "other name in its own header", edit(deflate, func(b []byte) { b[30] = 'z' }), both, `a: zip: its own header calls it "z"`)
	check(t, "other method in its own header", edit(deflate, func(b []byte) { b[8] = 0 }), both, "its own header says method 0")
	check(t, "wrong checksum", edit(deflate, func(b []byte) { b[dir+16]++ }), both, "a: zip: its checksum is wrong")
	check(t, "wrong offset", edit(deflate, func(b []byte) { b[dir+42] = 3 }), map[string]string{"b": both["b"]},
		"1 members are not in the directory", "a: zip: its own header is not where")
	check(t, "encrypted", edit(deflate, func(b []byte) {
		for at := dir; b[at+2] == 1; at += 47 {
			b[at+8] |= 1
		}
	}), nil, "a: zip: the member is encrypted; the same goes for 1 more")
	check(t, "unknown method", edit(deflate, func(b []byte) { b[dir+10], b[8] = 9, 9 }), map[string]string{"b": both["b"]}, "a: zip: the method Deflate64 cannot be read")
	check(t, "a comment behind", append(edit(deflate, func(b []byte) { b[len(b)-2] = 5 }), "words"...), both)
	check(t, "text before", append([]byte("#!/bin/sh\nexec java -jar $0\n"), deflate...), both)
	check(t, "nothing in it", []byte("PK\x05\x06"+strings.Repeat("\x00", 18)), nil)
}

// A zip64 as written for members of unknown size: every number is in the extra
// field and in the larger end record.
func TestZip64(t *testing.T) {
	content := []byte("some content")
	le := binary.LittleEndian
	var b []byte
	add := func(s string, numbers ...uint64) {
		b = append(b, s...)
		for _, n := range numbers {
			b = le.AppendUint64(b, n)
		}
	}
	header := func(sig string, local bool) {
		h := make([]byte, 46)
		copy(h, sig)
		at := 28
		if local {
			h, at = h[:30], 26
		}
		if !local {
			le.PutUint32(h[20:], 0xffffffff)
			le.PutUint32(h[24:], 0xffffffff)
			le.PutUint32(h[42:], 0xffffffff)
			le.PutUint32(h[16:], 0)
		} else {
			le.PutUint32(h[18:], 0xffffffff)
			le.PutUint32(h[22:], 0xffffffff)
		}
		le.PutUint16(h[at:], 1)
		extra := 20
		if !local {
			extra = 28
		}
		le.PutUint16(h[at+2:], uint16(extra))
		add(string(h) + "m")
		b = le.AppendUint16(b, 1)
		b = le.AppendUint16(b, uint16(extra-4))
		add("", uint64(len(content)), uint64(len(content)))
	}
	header("PK\x03\x04", true)
	b = append(b, content...)
	dir := len(b)
	header("PK\x01\x02", false)
	add("", 0)
	end := len(b)
	add("PK\x06\x06", 44, 0, 0)
	b = b[:end+24]
	add("", 1, 1, uint64(end-dir), uint64(dir))
	add("PK\x06\x07\x00\x00\x00\x00", uint64(end))
	b = append(b, 1, 0, 0, 0)
	add("PK\x05\x06\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00")
	check(t, "zip64", b, map[string]string{"m": "some content"})
	check(t, "zip64 behind a script", append([]byte("#!/bin/sh\n"), b...), map[string]string{"m": "some content"})
}

func TestOddTar(t *testing.T) {
	gnu := archivetest.Tar(tar.FormatGNU)(t, two()...)
	both := map[string]string{"a": "first content", "b": "second content, second content"}
	check(t, "two in a row", append(bytes.Clone(gnu), archivetest.Tar(tar.FormatGNU)(t, archivetest.File{Name: "c", Data: []byte("x")})...),
		map[string]string{"a": both["a"], "b": both["b"], "c": "x"})
	check(t, "no end", gnu[:2048], both)
	check(t, "cut in a header", gnu[:1024+100], map[string]string{"a": both["a"], "trailing data": string(gnu[1024:1124])}, "other than a tar header")
	check(t, "cut in a member", gnu[:1024+512+6], map[string]string{"a": both["a"], "b": "second"}, "b: only 6 of its 30 bytes", "unexpected EOF")
	check(t, "trailing data", append(bytes.Clone(gnu), "key=1"...), map[string]string{"a": both["a"], "b": both["b"], "trailing data": "key=1"}, "other than a tar header")
	damaged := bytes.Clone(gnu)
	damaged[1024] ^= 1
	got := walked(t, Limits{}, "name", damaged)
	if string(got.members["a"]) != both["a"] || !bytes.Contains(got.members["trailing data"], []byte(both["b"])) || len(got.problems) != 1 {
		t.Errorf("damaged header: %q, problems %q", paths(got), got.problems)
	}
}

func TestTarNames(t *testing.T) {
	long := strings.Repeat("folder/", 40) + "file"
	for _, format := range []tar.Format{tar.FormatPAX, tar.FormatGNU} {
		data := archivetest.Tar(format)(t, archivetest.File{Name: long, Data: []byte("x")}, archivetest.File{Name: "next", Data: []byte("y")})
		check(t, fmt.Sprint(format), data, map[string]string{long: "x", "next": "y"})
	}
	ustar := strings.Repeat("folder/", 20) + "file"
	check(t, "ustar", archivetest.Tar(tar.FormatUSTAR)(t, archivetest.File{Name: ustar, Data: []byte("x")}), map[string]string{ustar: "x"})
	pax := walked(t, Limits{}, "name", archivetest.Tar(tar.FormatPAX)(t, archivetest.File{Name: "a", Data: []byte("x")}))
	if !strings.Contains(string(pax.members["pax header"]), "comment=made by a test") {
		t.Errorf("members %q", pax.members)
	}
}

// Some programs give links a size and no content, others both.
func TestTarLinks(t *testing.T) {
	for _, content := range []string{"", "x"} {
		data := archivetest.Tar(tar.FormatUSTAR)(t, archivetest.File{Name: "link", Data: []byte(content)}, archivetest.File{Name: "next", Data: []byte("y")})
		link := bytes.Clone(data[:512])
		link[156] = '1'
		copy(data, block(link, 1))
		want := map[string]string{"next": "y"}
		if content != "" {
			want["link"] = content
		}
		check(t, fmt.Sprintf("link of %d bytes", len(content)), data, want)
	}
}

func TestOddGzip(t *testing.T) {
	one, other := archivetest.Gzip(t, []byte("one ")), archivetest.Gzip(t, []byte("two"))
	check(t, "two members", append(bytes.Clone(one), other...), map[string]string{"name": "one two"})
	check(t, "zeros behind", append(bytes.Clone(one), make([]byte, 1000)...), map[string]string{"name": "one "})
	check(t, "something behind", append(bytes.Clone(one), "else"...), map[string]string{"name": "one "}, "data that is not gzip follows")
	check(t, "cut", archivetest.Gzip(t, noise(5000))[:4000], nil, "unexpected EOF")
	wrong := bytes.Clone(one)
	wrong[len(wrong)-8]++
	check(t, "wrong checksum", wrong, map[string]string{"name": "one "}, "checksum")
}

func TestOddXZ(t *testing.T) {
	z := archivetest.XZ(t, []byte("one "))
	check(t, "two streams", append(bytes.Clone(z), z...), map[string]string{"name": "one one "})
	check(t, "padding", append(append(bytes.Clone(z), 0, 0, 0, 0, 0, 0, 0, 0), z...), map[string]string{"name": "one one "})
	check(t, "cut", z[:len(z)-1], map[string]string{"name": "one "}, "unexpected EOF")
	check(t, "something behind", append(bytes.Clone(z), "something else"...), map[string]string{"name": "one "}, "not an xz stream")
}

func TestOddSeven(t *testing.T) {
	for _, method := range []string{"copy", "lzma", "lzma2"} {
		z := archivetest.SevenZip(method)(t, two()...)
		check(t, "cut", z[:len(z)-1], nil, "cut short")
		bad := bytes.Clone(z)
		bad[len(bad)-1]++
		check(t, "bad header", bad, nil, "checksum is wrong")
		if method == "copy" {
			bad = bytes.Clone(z)
			bad[32]++
			check(t, "bad content", bad, map[string]string{"b": "second content, second content"}, "a: 7z: its checksum is wrong")
		}
	}
}

func TestPDF(t *testing.T) {
	hexed := func(b []byte) string { return fmt.Sprintf("%x>", b) }
	plain := archivetest.PDF(t, two()...)
	start := bytes.Index(plain, []byte("stream\n")) + 7
	z := plain[start : start+bytes.Index(plain[start:], []byte("\nendstream"))]
	doc := func(dict, data string) []byte {
		return []byte("%PDF-1.4\n7 0 obj\n<<" + dict + ">>\nstream\r\n" + data + "\r\nendstream\nendobj\n%%EOF")
	}
	check(t, "plain", plain, map[string]string{"object 2": "first content", "object 3": "second content, second content"})
	check(t, "no name for the number", []byte("%PDF-1.4\n<</Filter/FlateDecode>>\nstream\n"+string(z)), map[string]string{"stream at 40": "first content"})
	check(t, "a list", doc("/Filter [ /FlateDecode ]", string(z)), map[string]string{"object 7": "first content"})
	check(t, "a chain", doc("/Filter[/ASCIIHexDecode/Fl]", hexed(z)), map[string]string{"object 7": "first content"})
	check(t, "a picture", doc("/Subtype /Image /Filter /DCTDecode", "\xff\xd8"), nil)
	check(t, "not packed", doc("/Length 4", "text"), nil)
	check(t, "LZW", doc("/Filter /LZWDecode", "text"), nil, "object 7: PDF: the filter LZWDecode cannot be read")
	check(t, "damaged", doc("/Filter /FlateDecode", "text"), nil, "object 7: PDF: the stream is damaged")
	check(t, "encrypted", append(plain, "trailer <</Encrypt 9 0 R>>"...), nil, "the document is encrypted")
}

// A zip behind other data is seen at its end. In a stream that is too late,
// unless the data is a program: then it is told.
func TestZipBehindOtherData(t *testing.T) {
	zipped := append([]byte("just some words\n"), archivetest.Zip(zip.Deflate)(t, two()...)...)
	tarred := archivetest.Tar(tar.FormatGNU)(t, archivetest.File{Name: "w", Data: zipped})
	check(t, "seekable", zipped, map[string]string{"a": "first content"})
	got := walked(t, Limits{}, "x.tgz", archivetest.Gzip(t, tarred))
	if len(got.problems) != 1 || !strings.HasPrefix(got.problems[0], "w: ends like a zip archive") || !bytes.Equal(got.members["w"], zipped) {
		t.Errorf("members %q, problems %q", paths(got), got.problems)
	}
	for _, size := range []int{10, 66 << 20} { // the second is more than is held of a program
		program := append(append([]byte("\x7fELF"), make([]byte, size)...), archivetest.Zip(zip.Deflate)(t, two()...)...)
		got = walked(t, Limits{}, "x.tgz", archivetest.Gzip(t, archivetest.Tar(tar.FormatGNU)(t, archivetest.File{Name: "w", Data: program})))
		unpacked := string(got.members["w!a"]) == "first content"
		if unpacked != (size == 10) || unpacked != (len(got.problems) == 0) || !bytes.Equal(got.members["w"], program) {
			t.Errorf("%d: members %q, problems %q", size, paths(got), got.problems)
		}
	}
}
