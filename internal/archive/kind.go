package archive

import (
	"bytes"
	"encoding/binary"

	"github.com/b10lint/b10lint/internal/sqlite"
)

// A kind is a container format, an index of kinds.
type kind uint8

const (
	none kind = iota
	kindZip
	kindTar
	kindGzip
	kindBzip2
	kindXZ
	kindZstd
	kindLZMA
	kindAr
	kindCpio
	kindRPM
	kindSevenZip
	kindPDF
	kindZlib
	kindPack
	kindBundle
	kindSQLite
	kindPGDump
	kindPNG
	unreadable // this one and the further ones are recognised and cannot be read
	kindDMG
	kindLHA

	kindCompress = kindLHA + 5
)

// kinds are the formats: their usual names, the bytes that a content of the format
// starts with, and a check of more of its head where these prove nothing.
var kinds = [...]struct {
	name   string
	starts []string
	is     func(head []byte) bool
}{
	none:         {name: "none"},
	kindZip:      {"zip", []string{"PK\x03\x04", "PK\x05\x06", "PK\x07\x08PK\x03\x04", "PK00PK\x03\x04"}, nil},
	kindTar:      {"tar", nil, isTar},
	kindGzip:     {"gzip", []string{"\x1f\x8b\x08"}, func(h []byte) bool { return h[3]&0xe0 == 0 }},
	kindBzip2:    {"bzip2", []string{"BZh"}, isBzip2},
	kindXZ:       {"xz", []string{"\xfd7zXZ\x00"}, nil},
	kindZstd:     {"zstd", []string{"\x28\xb5\x2f\xfd"}, nil},
	kindLZMA:     {"lzma", []string{"\x5d"}, isLZMA},
	kindAr:       {"ar", []string{"!<arch>\n"}, nil},
	kindCpio:     {"cpio", []string{"07070"}, isCpio},
	kindRPM:      {"rpm", []string{"\xed\xab\xee\xdb"}, nil},
	kindSevenZip: {"7z", []string{"7z\xbc\xaf\x27\x1c"}, nil},
	kindPDF:      {"PDF", []string{"%PDF-"}, nil},
	kindZlib:     {"zlib", []string{"x"}, isZlib},
	kindPack:     {"git pack", []string{"PACK\x00\x00\x00\x02", "PACK\x00\x00\x00\x03"}, nil},
	kindBundle:   {"git bundle", []string{"# v2 git bundle\n", "# v3 git bundle\n"}, nil},
	kindSQLite:   {"SQLite", []string{sqlite.Magic, sqlite.LogMagic, sqlite.LogMagic[:3] + "\x83"}, nil},
	kindPGDump:   {"pg_dump", []string{"PGDMP"}, nil},
	kindPNG:      {"PNG", []string{"\x89PNG\r\n\x1a\n"}, hasText},
	unreadable:   {"RAR", []string{"Rar!\x1a\x07"}, nil},
	kindDMG:      {name: "DMG"}, // known by its tail
	kindLHA:      {name: "LHA"}, // known by the third byte on
	kindLHA + 1:  {"LZ4", []string{"\x04\x22\x4d\x18"}, nil},
	kindLHA + 2:  {"lzip", []string{"LZIP\x01", "LZIP\x00"}, nil},
	kindLHA + 3:  {"lzop", []string{"\x89LZO\x00\r\n\x1a\n"}, nil},
	kindLHA + 4:  {"lrzip", []string{"LRZI\x00"}, nil},
	kindCompress: {"compress (.Z)", []string{"\x1f\x9d"}, func(h []byte) bool { return h[2]&0x60 == 0 && h[2]&0x1f >= 9 && h[2]&0x1f <= 16 }},
	kindLHA + 6:  {"cabinet", []string{"MSCF\x00\x00\x00\x00"}, nil},
	kindLHA + 7:  {"xar", []string{"xar!\x00"}, nil},
	kindLHA + 8:  {"SquashFS", []string{"hsqs"}, nil},
	kindLHA + 9:  {"Snappy", []string{"\xff\x06\x00\x00sNaPpY"}, nil},
	kindLHA + 10: {"zpaq", []string{"7kSt"}, nil},
}

// byFirst lists the kinds by the first byte of their starts: text has none for most.
var byFirst = func() (by [256][]kind) {
	for k := range kinds {
		for _, start := range kinds[k].starts {
			if l := by[start[0]]; len(l) == 0 || l[len(l)-1] != kind(k) {
				by[start[0]] = append(l, kind(k))
			}
		}
	}
	return by
}()

// String returns the usual name of the format.
func (k kind) String() string { return kinds[k].name }

// random reports whether the format must be read at random. Its own bytes are visited, too.
func (k kind) random() bool {
	switch k {
	case kindZip, kindSevenZip, kindPDF, kindSQLite, kindPGDump, kindPNG:
		return true
	}
	return false
}

// inline reports whether the format is not of archives, which are made to be passed on.
func (k kind) inline() bool { return k == kindSQLite || k == kindZlib || k == kindPNG }

// headSize and tailSize are how much of a content's ends sniff reads.
const (
	headSize = 512
	tailSize = 512
)

// Sniff reports whether a content is a container, readable or not, by its first and its
// last 512 bytes, or as many as there are; either may be longer. For a content that is
// whole in memory both are the content. Without the tail a zip that follows other
// data is not recognised.
func Sniff(head, tail []byte) bool { return sniff(head, tail) != none }

func sniff(head, tail []byte) kind {
	if len(head) < 6 {
		return none
	}
	for _, k := range byFirst[head[0]] {
		for _, start := range kinds[k].starts {
			if len(head) >= len(start) && string(head[:len(start)]) == start && (kinds[k].is == nil || kinds[k].is(head)) {
				return k
			}
		}
	}
	switch {
	case head[0]&0xf0 == 0x50 && string(head[1:4]) == "\x2a\x4d\x18" && skipsToZstd(head):
		return kindZstd
	case head[2] == '-' && len(head) > 21 && head[3] == 'l' && (head[4] == 'h' || head[4] == 'z') && head[6] == '-' && head[20] <= 3:
		return kindLHA
	case len(head) >= 512 && isTar(head):
		return kindTar
	}
	// A zip whose directory ends the content, whatever comes before it. Only a directory
	// without comment is looked for at the end of any content; programs and browser
	// extensions are searched for one with a comment.
	switch n := len(tail); {
	case EndsLikeZip(tail):
		return kindZip
	case n >= 512 && tail[n-512] == 'k' && string(tail[n-512:n-508]) == "koly":
		return kindDMG
	case n > endRecord && mayCarryZip(head) && bytes.Contains(tail[max(0, n-tailSize):], []byte("PK\x05\x06")):
		return kindZip
	}
	return none
}

// EndsLikeZip reports whether a content whose end is given ends with the directory of a
// zip, without comment.
func EndsLikeZip(tail []byte) bool {
	n := len(tail) - endRecord
	return n >= 0 && tail[n] == 'P' && string(tail[n:n+4]) == "PK\x05\x06"
}

// mayCarryZip knows the heads that are put before a zip on purpose: scripts and
// programs that unpack themselves, and Chrome's packed extensions.
func mayCarryZip(head []byte) bool {
	for _, s := range [...]string{"#!", "MZ", "\x7fELF", "\xcf\xfa\xed\xfe", "\xca\xfe\xba\xbe", "Cr24"} {
		if len(head) >= len(s) && string(head[:len(s)]) == s {
			return true
		}
	}
	return false
}

// skipsToZstd knows a zstd file that starts with a skippable frame (RFC 8878,
// section 3.1.2), as pzstd and seekable zstd write it.
func skipsToZstd(h []byte) bool {
	if len(h) < 12 {
		return false
	}
	n := uint64(binary.LittleEndian.Uint32(h[4:8])) + 8
	return n+4 <= uint64(len(h)) && string(h[n:n+4]) == "\x28\xb5\x2f\xfd"
}

// isBzip2 checks the block size and the magic of the first block, or of the end.
func isBzip2(h []byte) bool {
	return len(h) >= 10 && h[3] >= '1' && h[3] <= '9' && (string(h[4:10]) == "1AY&SY" || string(h[4:10]) == "\x17\x72\x45\x38\x50\x90")
}

// isLZMA recognises the legacy .lzma format, which has no magic, by the values that
// every encoder writes: lc=3 lp=0 pb=2, a plain dictionary size, and a first
// byte of the range coder that is always zero.
func isLZMA(h []byte) bool {
	if len(h) < 18 || h[13] != 0 {
		return false
	}
	dict, size := binary.LittleEndian.Uint32(h[1:5]), binary.LittleEndian.Uint64(h[5:13])
	plain := dict >= 1<<12 && (dict&(dict-1) == 0 || (dict/3)&(dict/3-1) == 0 && dict%3 == 0)
	return plain && (size == 1<<64-1 || size < 1<<40)
}

// isCpio recognises the two ASCII formats, new (110 bytes of hex) and odc (76 of octal).
func isCpio(h []byte) bool {
	digits, n := "0123456789abcdefABCDEF", 110
	switch {
	case len(h) < 76:
		return false
	case h[5] == '7':
		digits, n = "01234567", 76
	case h[5] != '1' && h[5] != '2':
		return false
	}
	return len(h) >= n && len(bytes.Trim(h[:n], digits)) == 0
}

// isTar checks the sum of a header of 512 bytes, which even the oldest format has.
func isTar(h []byte) bool {
	for _, c := range h[148:156] {
		if (c < '0' || c > '7') && c != ' ' && c != 0 {
			return false
		}
	}
	want, ok := octal(h[148:156])
	if !ok || h[0] == 0 && string(h[257:262]) != "ustar" {
		return false
	}
	signed, unsigned := tarSums(h[:512])
	return want == unsigned || want == signed
}
