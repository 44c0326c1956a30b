package scanner

import (
	"unicode/utf16"
	"unicode/utf8"

	"github.com/b10lint/b10lint/rules"
	"github.com/b10lint/b10lint/scanner/source"
)

// wideSide is how much of UTF-16 text on each side of a key is written as UTF-8
// for its snippet, in bytes.
const wideSide = 4 * searchSide

// narrow writes the UTF-16 text about data[start:end] as UTF-8 and returns it with
// the place of the same stretch in it.
func narrow(data []byte, wide source.Wide, start, end int) (text []byte, from, to int) {
	base := max(0, start-wideSide) &^ 1
	part := veil(data[base:min(len(data), end+wideSide)], wide)
	units := make([]uint16, len(part)/2)
	for i := range units {
		units[i] = wide.Unit(part[2*i], part[2*i+1])
	}
	a, b := min((start-base)/2, len(units)), min((end-base+1)/2, len(units))
	text = appendUnits(nil, units[:a])
	from = len(text)
	text = appendUnits(text, units[a:b])
	to = len(text)
	return appendUnits(text, units[b:]), from, to
}

func appendUnits(text []byte, units []uint16) []byte {
	for _, r := range utf16.Decode(units) {
		if r != '\ufeff' {
			text = utf8.AppendRune(text, r)
		}
	}
	return text
}

// veil blots out keys that are not UTF-16 of the same order themselves: read in
// pairs they would no longer look like keys, and could be turned back.
func veil(part []byte, wide source.Wide) []byte {
	clean := part
	rules.Find("", part, nil, func(m rules.Match) bool {
		if len(m.Decoded) > 0 && m.Decoded[0] == "utf-16" && m.Start%2 == 0 && wide.Unit(part[m.Start], part[m.Start+1]) < 0x80 {
			return true
		}
		if &clean[0] == &part[0] {
			clean = append([]byte(nil), part...)
		}
		for i := m.Start; i < m.End; i++ {
			clean[i] = 0
		}
		return true
	})
	return clean
}

// narrowString is narrow for a string of UTF-16 inside other data: only ASCII
// characters beside it belong to it.
func narrowString(data []byte, start, end int) (text []byte, from, to int) {
	zero := 1 // where a pair has its zero byte
	if data[start] == 0 {
		zero = 0
	}
	ours := func(i int) bool {
		return i >= 0 && i+1 < len(data) && data[i+zero] == 0 && data[i+1-zero] >= 0x20 && data[i+1-zero] < 0x7f
	}
	lo, hi := start, end
	for start-lo < wideSide && ours(lo-2) {
		lo -= 2
	}
	for hi-end < wideSide && ours(hi) {
		hi += 2
	}
	for i := lo; i+1 < hi; i += 2 {
		text = append(text, data[i+1-zero])
	}
	return text, (start - lo) / 2, (end - lo) / 2
}
