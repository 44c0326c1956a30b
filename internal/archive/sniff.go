package archive

import (
	"bytes"
	"encoding/binary"
)

// A Kind is a container format.
type Kind uint8

// The formats. Those from RAR on are recognised and cannot be read.
const (
	None Kind = iota
	Zip
	Tar
	Gzip
	Bzip2
	XZ
	Zstd
	LZMA
	Ar
	Cpio
	RPM
	SevenZip
	PDF
	RAR
	LZ4
	Lzip
	Lzop
	Lrzip
	Compress
	Cabinet
	XAR
	DMG
	SquashFS
	LHA
	Snappy
	Zpaq
)

var kindNames = [...]string{"none", "zip", "tar", "gzip", "bzip2", "xz", "zstd", "lzma", "ar", "cpio", "rpm",
	"7z", "PDF", "RAR", "LZ4", "lzip", "lzop", "lrzip", "compress (.Z)", "cabinet", "xar", "DMG", "SquashFS", "LHA",
	"Snappy", "zpaq"}

// String returns the usual name of the format.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// Readable tells whether Walk can unpack the format.
func (k Kind) Readable() bool { return k != None && k < RAR }

// random tells whether the format must be read at random.
func (k Kind) random() bool { return k == Zip || k == SevenZip || k == PDF }

// HeadSize and TailSize are how much of a content's ends Sniff looks at.
const (
	HeadSize = 512
	TailSize = 512
)

// Sniff tells the format of a content from its first HeadSize bytes and its last
// TailSize bytes, or as many as there are; either may be longer. For a content
// that is whole in memory both are the content. Without the tail a zip that
// follows other data is not recognised.
func Sniff(head, tail []byte) Kind {
	if len(head) < 6 {
		return None
	}
	if k := magic(head); k != None {
		return k
	}
	if len(head) >= 512 && isTar(head[:512]) {
		return Tar
	}
	return sniffTail(head, tail)
}

// magic compares the first bytes. The switch on one byte keeps it free for text.
func magic(h []byte) Kind {
	has := func(s string) bool { return len(h) >= len(s) && string(h[:len(s)]) == s }
	switch h[0] {
	case 'P':
		if has("PK\x03\x04") || has("PK\x05\x06") || has("PK\x07\x08PK\x03\x04") || has("PK00PK\x03\x04") {
			return Zip
		}
	case 0x1f:
		return magic1f(h)
	case 'B':
		if len(h) >= 10 && has("BZh") && h[3] >= '1' && h[3] <= '9' &&
			(string(h[4:10]) == "1AY&SY" || string(h[4:10]) == "\x17\x72\x45\x38\x50\x90") {
			return Bzip2
		}
	case 0xfd:
		return when(has("\xfd7zXZ\x00"), XZ)
	case 0x28:
		return when(has("\x28\xb5\x2f\xfd"), Zstd)
	case 0x5d:
		if isLZMA(h) {
			return LZMA
		}
	case '!':
		return when(has("!<arch>\n"), Ar)
	case '0':
		return when(isCpio(h), Cpio)
	case 0xed:
		return when(has("\xed\xab\xee\xdb"), RPM)
	case '7':
		if has("7z\xbc\xaf\x27\x1c") {
			return SevenZip
		}
		return when(has("7kSt"), Zpaq)
	case '%':
		return when(has("%PDF-"), PDF)
	default:
		if k := magicUnreadable(h); k != None {
			return k
		}
	}
	return zstdSkippable(h)
}

func when(ok bool, k Kind) Kind {
	if ok {
		return k
	}
	return None
}

func magic1f(h []byte) Kind {
	switch {
	case h[1] == 0x8b && h[2] == 8 && h[3]&0xe0 == 0:
		return Gzip
	case h[1] == 0x9d && h[2]&0x60 == 0 && h[2]&0x1f >= 9 && h[2]&0x1f <= 16:
		return Compress
	}
	return None
}

func magicUnreadable(h []byte) Kind {
	has := func(s string) bool { return len(h) >= len(s) && string(h[:len(s)]) == s }
	switch h[0] {
	case 'R':
		return when(has("Rar!\x1a\x07"), RAR)
	case 0x04:
		return when(has("\x04\x22\x4d\x18"), LZ4)
	case 'L':
		if has("LRZI\x00") {
			return Lrzip
		}
		return when(has("LZIP\x01") || has("LZIP\x00"), Lzip)
	case 0x89:
		return when(has("\x89LZO\x00\r\n\x1a\n"), Lzop)
	case 'M':
		return when(has("MSCF\x00\x00\x00\x00"), Cabinet)
	case 'x':
		return when(has("xar!\x00"), XAR)
	case 'h':
		return when(has("hsqs"), SquashFS)
	case 0xff:
		return when(has("\xff\x06\x00\x00sNaPpY"), Snappy)
	}
	if h[2] == '-' && len(h) > 21 && h[3] == 'l' && (h[4] == 'h' || h[4] == 'z') && h[6] == '-' && h[20] <= 3 {
		return LHA
	}
	return None
}

// zstdSkippable knows a zstd file that starts with a skippable frame (RFC 8878,
// section 3.1.2), as pzstd and seekable zstd write it.
func zstdSkippable(h []byte) Kind {
	if len(h) < 12 || h[0]&0xf0 != 0x50 || string(h[1:4]) != "\x2a\x4d\x18" {
		return None
	}
	n := uint64(binary.LittleEndian.Uint32(h[4:8])) + 8
	return when(n+4 <= uint64(len(h)) && string(h[n:n+4]) == "\x28\xb5\x2f\xfd", Zstd)
}

// isLZMA tells the legacy .lzma format, which has no magic, from the values that
// every encoder writes: lc=3 lp=0 pb=2, a plain dictionary size, and a first
// byte of the range coder that is always zero.
func isLZMA(h []byte) bool {
	if len(h) < 18 || h[0] != 0x5d || h[13] != 0 {
		return false
	}
	dict, size := binary.LittleEndian.Uint32(h[1:5]), binary.LittleEndian.Uint64(h[5:13])
	plain := dict >= 1<<12 && (dict&(dict-1) == 0 || (dict/3)&(dict/3-1) == 0 && dict%3 == 0)
	return plain && (size == 1<<64-1 || size < 1<<40)
}

// isCpio knows the two ASCII formats, new (110 bytes of hex) and odc (76 of octal).
func isCpio(h []byte) bool {
	if len(h) < 76 || string(h[:5]) != "07070" {
		return false
	}
	digits, n := "0123456789abcdefABCDEF", 110
	switch h[5] {
	case '7':
		digits, n = "01234567", 76
	case '1', '2':
	default:
		return false
	}
	return len(h) >= n && len(bytes.Trim(h[:n], digits)) == 0
}

// isTar checks the header's sum, which even the oldest format has.
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
	signed, unsigned := tarSums(h)
	return want == unsigned || want == signed
}

// sniffTail looks for a zip whose directory ends the content, whatever comes
// before it. Only a directory without comment is looked for at the end of any
// content; programs and browser extensions are searched for one with a comment.
func sniffTail(head, tail []byte) Kind {
	const end = 22 // the size of an end record without comment
	if n := len(tail); n >= end && tail[n-end] == 'P' && string(tail[n-end:n-end+4]) == "PK\x05\x06" {
		return Zip
	}
	if n := len(tail); n >= 512 && tail[n-512] == 'k' && string(tail[n-512:n-508]) == "koly" {
		return DMG
	}
	if len(tail) > end && mayCarryZip(head) {
		return when(bytes.Contains(tail[max(0, len(tail)-TailSize):], []byte("PK\x05\x06")), Zip)
	}
	return None
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

// EndsLikeZip tells whether a content whose end is given ends with a zip's
// directory without comment.
func EndsLikeZip(tail []byte) bool {
	n := len(tail) - endRecord
	return n >= 0 && string(tail[n:n+4]) == "PK\x05\x06"
}
