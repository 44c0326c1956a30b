package rules

import (
	"bytes"
	"slices"

	"github.com/b10lint/b10lint/finding"
)

// Bytes that are written as numbers: the dumps of xxd, hexdump, od and debuggers, with
// their offsets and the text beside them, and the arrays of source code and JSON. They are
// looked for where the file's name or first lines name Baseten, and in data that begins
// with numbers, of a large file in its first window: other tables of numbers are too many
// to read.

// A numberCode is one way to write bytes as numbers.
type numberCode struct {
	base   int
	digits int  // of one number; of one in decimal, at most
	bytes  int  // that a number stands for
	little bool // the first of them is written last
}

// dump is the name of the encoding.
const dump = "dump"

var numberCodes = [...]numberCode{
	{16, 2, 1, false}, {10, 3, 1, false}, {8, 3, 1, false}, {8, 6, 2, true},
	{16, 4, 2, false}, {16, 4, 2, true}, {16, 8, 4, false}, {16, 8, 4, true}, {16, 16, 8, false}, {16, 16, 8, true},
}

const (
	// numbersBack is how far before the first block that shows numbers they may begin.
	numbersBack = 2*block + 32
	// numbersGap is how much that is not numbers ends them.
	numbersGap = 96
	// numbersMore is how much is read again where there are too many for one go.
	numbersMore = 512
	// longRow is a line that is not a row of a dump.
	longRow = 256
)

// hasNumbers reports whether numbers are searched for in a layer, which is the middle of a
// larger file or not.
func (l *layer) hasNumbers(middle bool) bool {
	if l.namesOwn() || middle {
		return l.named
	}
	head := l.data[:min(len(l.data), 3*block)]
	for ; len(head) >= block; head = head[block:] {
		if decimals(head[:block]) >= minDigits && lengths(head[:block]) != [17]bool{} {
			return true
		}
	}
	return false
}

// numbers looks at those that the block at data[i] shows.
func (f *finder) numbers(l *layer, i int, bounds finding.Span) {
	if l.depth >= maxDepth {
		return
	}
	shown := l.data[i:min(len(l.data), i+block)]
	likely := lengths(shown)
	for k := range numberCodes {
		c, read := &numberCodes[k], &l.numbersEnd[k]
		if !likely[c.digits] || i < *read || !c.mayBeKey(shown) {
			continue
		}
		start := max(bounds.Start, i-numbersBack, *read)
		if n := bytes.IndexByte(l.data[start:i], '\n'); n >= 0 && start > 0 && l.data[start-1] != '\n' {
			start += n + 1
		}
		for start > 0 && start < i && alnum[l.data[start-1]] != 0 {
			start++
		}
		*read = i + 1
		r := numberReader{code: c, data: l.data[:bounds.End], at: start, last: i, out: f.scratch[l.depth][:0]}
		r.read()
		f.work += int64(r.at - start)
		f.scratch[l.depth] = r.out
		*read = max(*read, choose(len(r.out) < maxDecoded, r.last, r.at-numbersMore))
		if len(r.out) < minRun || !promising(r.out) || !f.spend(l, len(r.out), start, r.at) {
			continue
		}
		places := numberReader{code: c, data: r.data, at: start, last: i, places: make([]int, 0, len(r.out))}
		places.read()
		f.descend(l, dump, r.out, func(from, to int) (int, int) {
			end := places.places[to-1]
			for end++; end < len(l.data) && alnum[l.data[end]] != 0; end++ {
			}
			return places.places[from], end
		})
	}
}

// lengths tells which numbers of digits those in a block may have, by what most have.
func lengths(b []byte) (likely [17]bool) {
	var count [17]int
	for i := 0; i < len(b); {
		n := 0
		for i+n < len(b) && alnum[b[i+n]] != 0 {
			n++
		}
		// Of text, the first digit is a decimal one.
		if digits := digitsOf(b[i : i+n]); n > 0 && class(digits[0]) == digitClass && len(digits) < len(count) && !notNumber(b, i, i+n) {
			count[len(digits)]++
		}
		i += n + 1
	}
	likely[2], likely[3] = count[2] >= 6, count[1]+count[2]+count[3] >= 6
	for digits, least := range map[int]int{4: 4, 6: 4, 8: 2, 16: 1} {
		likely[digits] = count[digits] >= least
	}
	return likely
}

// mayBeKey reports whether the numbers of a block can be those of a key: a key's numbers fill
// a block, or nearly fill two. Most tables of numbers are of something else.
func (c *numberCode) mayBeKey(b []byte) bool {
	all, own := 0, 0
	for i := 0; i < len(b); i++ {
		start := i
		for i < len(b) && alnum[b[i]] != 0 {
			i++
		}
		if start == 0 || start == i || i == len(b) || b[i] == ':' && i-start >= 4 && i-start != c.digits {
			// The block may end within the number, or it is an offset.
			continue
		}
		v, n, ok := c.value(b[start:i])
		for ; ok && n > 0; n, v = n-1, v>>8 {
			all++
			if letter := byte(v); alnum[letter] != 0 || letter == '.' || letter == '_' {
				own++
			}
		}
	}
	return own >= 4 && 4*own >= 3*all
}

// notNumber reports whether the word data[start:end] is the digits of an escape, or the whole
// ones of a fraction.
func notNumber(data []byte, start, end int) bool {
	return start > 0 && (kinds[data[start-1]]&isEscape != 0 || data[start-1] == '#') ||
		end+1 < len(data) && data[end] == '.' && alnum[data[end+1]] != 0
}

// numberMark returns what a number in hexadecimal begins with.
func numberMark(word []byte) []byte {
	if len(word) > 2 && word[0] == '0' && word[1]|0x20 == 'x' {
		return word[:2]
	}
	return nil
}

// digitsOf returns a number without what says that it is one, or of which type.
func digitsOf(word []byte) []byte {
	word = word[len(numberMark(word)):]
	if n := len(word) - len("u8"); n > 0 && word[n] == 'u' && word[n+1] == '8' {
		word = word[:n]
	}
	return word
}

// A numberReader reads bytes that are written as numbers, until something else comes.
type numberReader struct {
	code *numberCode
	data []byte
	at   int
	out  []byte
	// places are where the number of each byte is, if asked for.
	places []int
	// segment is where in out the bytes begin that nothing else has stood between.
	segment int
	// row is how many bytes the line has, if it is one of a dump: one that begins with an
	// offset.
	row   int
	isRow bool
	end   int // of that line
	// last is the end of the last number, at first where there has to be one.
	last int
}

// read fills out with the stretches of numbers that are long enough for a key, with a line
// end behind each.
func (r *numberReader) read() {
	lineStart := r.at == 0 || r.data[r.at-1] == '\n'
	for r.at < len(r.data) && r.at-r.last <= numbersGap && len(r.out) < maxDecoded {
		c := r.data[r.at]
		if c == '\n' {
			lineStart = true
			r.at++
			continue
		}
		if lineStart && c != ' ' && c != '\t' && c != '\r' {
			lineStart, r.isRow = false, false
			if n := r.offset(); n > 0 {
				r.at += n
				continue
			}
		}
		switch {
		case r.isRow && r.isText():
			r.at = r.end
		case alnum[c] != 0:
			r.number()
		case c == '[' || c == '{' || c == '<':
			r.cut()
			r.at++
		default:
			if n := commentAt(r.data[r.at:]); n > 0 && !r.isRow {
				r.at += n - 1 // to the line end
			}
			r.at++
		}
	}
	r.cut()
}

// offset returns the length of the offset that a row begins with, or 0, and sets the row.
func (r *numberReader) offset() int {
	n := 0
	for r.at+n < len(r.data) && alnum[r.data[r.at+n]] != 0 {
		n++
	}
	word := r.data[r.at : r.at+n]
	digits := word[len(numberMark(word)):]
	if len(digits) < 4 || len(digits) > 16 || r.at+n == len(r.data) {
		return 0
	}
	for _, d := range digits {
		if hexDigit(d) < 0 {
			return 0
		}
	}
	after := r.data[r.at+n]
	if after != ':' && (len(digits) == r.code.digits || after != ' ' && after != '\t') {
		return 0
	}
	end := bytes.IndexByte(r.data[r.at:min(len(r.data), r.at+longRow)], '\n')
	if end < 0 {
		end = min(longRow, len(r.data)-r.at)
	}
	r.isRow, r.row, r.end = true, 0, r.at+end
	if r.end > r.at && r.data[r.end-1] == '\r' {
		r.end--
	}
	return n + 1
}

// isText reports whether what is left of a row is the text of its bytes, which xxd and
// curl write as it is, hexdump between bars and od between angle brackets.
func (r *numberReader) isText() bool {
	if r.at == 0 || r.data[r.at-1] != ' ' && r.data[r.at-1] != '\t' || r.row == 0 || r.at > r.end {
		return false
	}
	rest := r.data[r.at:r.end]
	if len(rest) == r.row+2 && (rest[0] == '|' || rest[0] == '>') {
		return true
	}
	return len(rest) == r.row && slices.ContainsFunc(bytes.Fields(rest), func(word []byte) bool {
		_, _, ok := r.code.value(word)
		return !ok
	})
}

// number takes the number at data[at], or steps over the word that is there.
func (r *numberReader) number() {
	start := r.at
	for r.at < len(r.data) && alnum[r.data[r.at]] != 0 {
		r.at++
	}
	v, n, ok := r.code.value(r.data[start:r.at])
	if !ok || notNumber(r.data, start, r.at) {
		r.cut()
		return
	}
	for i := range n {
		shift := 8 * (n - 1 - i)
		if r.code.little {
			shift = 8 * i
		}
		r.put(byte(v>>shift), start)
	}
	r.row += n
	r.last = r.at
}

// value returns what a word is as a number, and of how many bytes. The last number of a
// row may be shorter than the others.
func (c *numberCode) value(word []byte) (v uint64, n int, ok bool) {
	digits := digitsOf(word)
	n = c.bytes
	switch {
	case len(digits) > c.digits || c.base != 16 && len(numberMark(word)) > 0:
		return 0, 0, false
	case c.base == 16 && len(digits) < c.digits:
		if n = len(digits) / 2; len(digits)%2 != 0 {
			return 0, 0, false
		}
	case c.base == 8 && len(digits) < c.digits:
		return 0, 0, false
	}
	for _, d := range digits {
		x := hexDigit(d)
		if x < 0 || x >= c.base {
			return 0, 0, false
		}
		v = v*uint64(c.base) + uint64(x)
	}
	return v, n, n > 0 && v>>(8*n-1)>>1 == 0
}

func (r *numberReader) put(b byte, at int) {
	r.out = append(r.out, b)
	if r.places != nil {
		r.places = append(r.places, at)
	}
}

// cut ends a stretch, and drops it when it is shorter than a key.
func (r *numberReader) cut() {
	if len(r.out)-r.segment < minRun {
		r.out = r.out[:r.segment]
		if r.places != nil {
			r.places = r.places[:r.segment]
		}
		return
	}
	r.put('\n', max(0, r.at-1))
	r.segment = len(r.out)
}
