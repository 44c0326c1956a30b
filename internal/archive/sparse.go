package archive

import (
	"bufio"
	"errors"
	"io"
	"strconv"
)

// maxHole is how many zero bytes stand for a hole of any size: enough to keep
// what lies on its two sides apart.
const maxHole = 64

// maxFragments bounds the map of a sparse file.
const maxFragments = 1 << 20

var errSparse = errors.New("the map of a sparse file makes no sense")

// A sparseMap says which parts of a sparse file are stored.
type sparseMap struct {
	parts  []sparsePart
	inData bool // the map stands before the data (pax, version 1.0)
	bad    bool
}

type sparsePart struct{ offset, size int64 }

// newSparseMap takes offsets and sizes in turn.
func newSparseMap(numbers []string) *sparseMap {
	m := &sparseMap{}
	for i := 0; i+1 < len(numbers); i += 2 {
		offset, err1 := strconv.ParseInt(numbers[i], 10, 64)
		size, err2 := strconv.ParseInt(numbers[i+1], 10, 64)
		if err1 != nil || err2 != nil {
			m.bad = true
		}
		m.add(offset, size)
	}
	return m
}

func (m *sparseMap) add(offset, size int64) {
	if offset < 0 || size < 0 || len(m.parts) >= maxFragments {
		m.bad = true
		return
	}
	m.parts = append(m.parts, sparsePart{offset, size})
}

// gnuSparse reads the map of the old GNU format: four parts in the header, and
// 21 in each further block.
func (t *tarWalk) gnuSparse(h []byte) (*sparseMap, error) {
	m := &sparseMap{}
	more := m.addFields(h[386:482]) && h[482] != 0
	var block [tarBlock]byte
	for more {
		if _, err := t.c.full(block[:]); err != nil {
			return nil, short(err)
		}
		if err := t.charge(tarBlock); err != nil {
			return nil, &stopped{err}
		}
		more = m.addFields(block[:504]) && block[504] != 0
	}
	return m, nil
}

func (m *sparseMap) addFields(b []byte) bool {
	for ; len(b) >= 24; b = b[24:] {
		if b[0] == 0 {
			return true
		}
		offset, ok1 := octal(b[:12])
		size, ok2 := octal(b[12:24])
		if !ok1 || !ok2 {
			m.bad = true
			return false
		}
		m.add(offset, size)
	}
	return true
}

// A sparseReader reads the stored parts of a sparse file with a few zeros for
// each hole, so that a file of any declared size costs what is stored of it. A
// map that makes no sense is left aside, and the stored data read as it is.
type sparseReader struct {
	r    io.Reader
	m    *sparseMap
	i    int
	left int64 // of the part
	hole int   // zeros still to be given
	end  int64 // of the last part
	all  bool  // parts are used up: what remains is data that the map forgot
	err  error
}

// Read implements io.Reader.
func (s *sparseReader) Read(p []byte) (int, error) {
	if s.m.inData {
		br := bufio.NewReader(s.r)
		s.r = br
		s.m = readSparseMap(br)
	}
	for s.err == nil && s.hole == 0 && s.left == 0 && !s.all {
		s.advance()
	}
	if s.err != nil {
		return 0, s.err
	}
	if s.hole > 0 {
		n := min(len(p), s.hole)
		clear(p[:n])
		s.hole -= n
		return n, nil
	}
	if !s.all {
		p = p[:min(int64(len(p)), s.left)]
	}
	n, err := s.r.Read(p)
	s.left -= int64(n)
	if err != nil && s.m.bad && err == io.EOF {
		err = errSparse
	}
	return n, err
}

func (s *sparseReader) advance() {
	if s.m.bad || s.i == len(s.m.parts) {
		s.all = true
		return
	}
	part := s.m.parts[s.i]
	s.i++
	if part.offset > s.end {
		s.hole = int(min(part.offset-s.end, maxHole))
	}
	s.left, s.end = part.size, part.offset+part.size
	if s.end < 0 {
		s.m.bad = true
	}
}

// readSparseMap reads the map that version 1.0 of the pax format puts before
// the data: decimal numbers, one a line, the first their count, to a full block.
func readSparseMap(br *bufio.Reader) *sparseMap {
	m := &sparseMap{}
	read := 0
	number := func() (v int64) {
		for range 20 {
			b, err := br.ReadByte()
			read++
			if err != nil || b != '\n' && (b < '0' || b > '9') {
				m.bad = true
				return 0
			}
			if b == '\n' {
				return v
			}
			v = v*10 + int64(b-'0')
		}
		m.bad = true
		return 0
	}
	for count := number(); count > 0 && !m.bad; count-- {
		offset := number()
		m.add(offset, number())
	}
	if !m.bad {
		br.Discard(-read & (tarBlock - 1))
	}
	return m
}
