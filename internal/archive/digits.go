package archive

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"sync"

	"github.com/b10lint/b10lint/internal/inflate"
)

// A digitCode is a way to write bytes as digits.
type digitCode struct {
	name  string
	value [256]int8 // of a digit; -1 for any other byte
	bits  uint      // of a digit
}

var base64Code, hexCode = func() (b, h digitCode) {
	b, h = digitCode{name: "base64", bits: 6}, digitCode{name: "hex", bits: 4}
	for i := range b.value {
		b.value[i], h.value[i] = -1, -1
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		b.value[c] = int8(i)
	}
	b.value['-'], b.value['_'] = 62, 63
	for i, c := range []byte("0123456789abcdef") {
		h.value[c] = int8(i)
		h.value[bytes.ToUpper([]byte{c})[0]] = int8(i)
	}
	return b, h
}()

// nextRun returns where the next run of minDigits or more digits of base64 begins at data[i]
// or behind it, and where it ends; -1 if there is none. Digits of hexadecimal are digits of
// base64 as well. Wherever blocks begin, such a run has a whole one in it.
func nextRun(data []byte, i int) (start, end int) {
	for at := i; ; at = end + 1 {
		at += digitBlock(data[min(at, len(data)):])
		if at+digitBlockSize > len(data) {
			return -1, 0
		}
		for start, end = at, runEnd(data, at+digitBlockSize); start > i && base64Code.value[data[start-1]] >= 0; {
			start--
		}
		if end-start >= minDigits {
			return start, end
		}
	}
}

const digitBlockSize = 32

// digitBlockGeneric is digitBlock without vector instructions.
func digitBlockGeneric(data []byte) (at int) {
	for at+digitBlockSize <= len(data) {
		k := at + digitBlockSize - 1
		for k >= at && base64Code.value[data[k]] >= 0 {
			k--
		}
		if k < at {
			return at
		}
		at += digitBlockSize
	}
	return at
}

// runEnd returns where the digits end that data[i:] begins with.
func runEnd(data []byte, i int) int {
	for i < len(data) && base64Code.value[data[i]] >= 0 {
		i++
	}
	return i
}

// headOf returns the code of a run that stands for a container, and how many bytes before
// its first digit there are; nil for other runs.
func headOf(run []byte) (c *digitCode, skip int) {
	run = run[:min(len(run), minDigits)]
	may := func(i int) bool { return heads[run[i]][(run[i+1]-'+')/64]>>((run[i+1]-'+')%64)&1 != 0 }
	if may(0) && isHead(&base64Code, run) {
		return &base64Code, 0
	}
	switch { // 0x504b0304, \x504b0304, as in a dump of a database, and \nUEsDB, as in JSON
	case run[0] == 'x' || run[0] == 'n' || run[0] == 'r' || run[0] == 't':
		skip = 1
	case run[0] == '0' && run[1]|0x20 == 'x':
		skip = 2
	}
	switch {
	case !may(skip):
	case skip == 1 && isHead(&base64Code, run[1:]):
		return &base64Code, 1
	case isHead(&hexCode, run[skip:]):
		return &hexCode, skip
	}
	return nil, 0
}

// heads are the first two digits of the runs that stand for a container, by the first, with
// a bit for the second from '+' on. Most other runs go by them.
var heads = func() (may [128][2]uint64) {
	set := func(digits string) { may[digits[0]][(digits[1]-'+')/64] |= 1 << ((digits[1] - '+') % 64) }
	for _, k := range kinds {
		for _, start := range k.starts {
			second := []byte{0x01, 0x5e, 0x9c, 0xda} // zlib's
			if len(start) > 1 {
				second = []byte{start[1]}
			}
			for _, c := range second {
				b := base64.StdEncoding.EncodeToString([]byte{start[0], c, 0})
				set(b)
				set(base64.StdEncoding.EncodeToString([]byte(b)))
			}
			set(fmt.Sprintf("%02x", start[0]))
			set(fmt.Sprintf("%02X", start[0]))
		}
	}
	set("_T") // xz in the other alphabet
	return may
}()

// isHead reports whether digits stand for what begins as a container does, or as one that
// is written in base64.
func isHead(c *digitCode, digits []byte) bool {
	const few = 3 // bytes that tell most others
	var buf [minDigits]byte
	b := c.decode(buf[:0], digits[:2*few])
	if len(b) < few || !mayStart([few]byte(b)) && base64Code.value[b[0]]|base64Code.value[b[1]]|base64Code.value[b[2]] < 0 {
		return false
	}
	b = c.decode(buf[:0], digits)
	if k := sniff(b, nil); k != none && k != kindZlib && k != kindCompress { // whose magic is short
		return true
	}
	if len(b) > few && b[0] == 'x' && zlibHeader(b) && b[2]&6 != 6 {
		return true // the run as a whole shows whether it is
	}
	return len(b) >= minDigits/2 && isHead(&base64Code, b)
}

// mayStart reports whether a format begins with these bytes.
func mayStart(b [3]byte) bool {
	for _, k := range byFirst[b[0]] {
		for _, start := range kinds[k].starts {
			if n := min(len(start), len(b)); string(b[:n]) == start[:n] {
				return true
			}
		}
	}
	return false
}

// decode appends what digits encode, up to the first byte that is not a digit.
func (c *digitCode) decode(out, digits []byte) []byte {
	acc, bits := uint32(0), uint(0)
	for _, d := range digits {
		v := c.value[d]
		if v < 0 {
			break
		}
		acc = acc<<c.bits | uint32(v)
		if bits += c.bits; bits >= 8 {
			bits -= 8
			out = append(out, byte(acc>>bits))
		}
	}
	return out
}

// zlibHeader reports whether two bytes are the header of a zlib stream (RFC 1950, 2.2)
// as programs write it, with a window of 32 KiB and no dictionary.
func zlibHeader(b []byte) bool {
	return b[0] == 0x78 && (b[1] == 0x01 || b[1] == 0x5e || b[1] == 0x9c || b[1] == 0xda)
}

var inflaters = sync.Pool{New: func() any { return new(inflate.Decoder) }}

// isZlib reports whether a content is a zlib stream, by unpacking its beginning.
func isZlib(head []byte) bool {
	if len(head) < 8 || !zlibHeader(head) {
		return false
	}
	d := inflaters.Get().(*inflate.Decoder)
	defer inflaters.Put(d)
	var out [headSize]byte
	n, _, err := d.Zlib(out[:], head[:min(len(head), headSize)])
	return err == nil && n > 0 || err == inflate.ErrLong || err == inflate.ErrShort && (len(head) >= headSize || n >= proof)
}
