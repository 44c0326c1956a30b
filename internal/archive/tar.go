package archive

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

const (
	tarBlock = 512
	// maxTarMeta bounds what a long name or a set of pax records may take.
	maxTarMeta = 1 << 20
)

// A tarEntry is one header with what the headers before it said of it.
type tarEntry struct {
	name  string
	size  int64
	kind  byte
	holes *sparseMap
}

// A tarWalk reads v7, ustar, pax and GNU archives (POSIX.1-2017, pax; GNU tar
// manual, "Basic Tar Format" and "Storing Sparse Files"). It reads on behind
// the blocks that end an archive, as archives are appended to one another.
type tarWalk struct {
	*walk
	n     node
	c     *cursor
	next  map[string]string // pax records for the next member
	long  string            // GNU long name for the next member
	spare []string          // GNU.sparse.offset and numbytes, in order
}

func (w *walk) tar(n node) error {
	t := &tarWalk{walk: w, n: n, c: w.cursor(n)}
	defer t.c.close()
	var block [tarBlock]byte
	for {
		k, err := t.c.full(block[:])
		if err == io.EOF {
			return nil
		}
		if err != nil && (err != io.ErrUnexpectedEOF || k == 0) {
			return fmt.Errorf("the archive is cut short: %w", err)
		}
		if zeros(block[:k]) {
			continue
		}
		if err != nil || !isTar(block[:]) {
			return t.stray(block[:k])
		}
		if err := t.entry(block[:]); err != nil {
			return err
		}
	}
}

// stray hands on what follows when it is not a header: trailing data may hold a key.
func (t *tarWalk) stray(block []byte) error {
	if err := t.problem(t.n.path, errors.New("tar: something other than a tar header follows; it is read as plain data")); err != nil {
		return err
	}
	br := t.buffer(io.MultiReader(bytes.NewReader(bytes.Clone(block)), t.c))
	defer t.release(br)
	n := t.n.child("trailing data")
	n.br = br
	return t.visit(n)
}

func (t *tarWalk) entry(h []byte) error {
	e := tarEntry{kind: h[156]}
	var ok bool
	if e.size, ok = octal(h[124:136]); !ok || e.size < 0 {
		return t.problem(t.n.path, fmt.Errorf("tar: the size of %q makes no sense", cstring(h[:100])))
	}
	switch e.kind {
	case 'x', 'g', 'L', 'K', 'X':
		return t.meta(e)
	}
	e.name = tarName(h)
	t.applyPax(&e)
	switch {
	case e.kind == 'S':
		var err error
		if e.holes, err = t.gnuSparse(h); err != nil {
			return err
		}
	case e.size == 0 || t.headerOnly(e.kind):
		return t.count(0)
	}
	return t.member(e)
}

// headerOnly reports whether a member that is a link, a device or a folder has no
// content in spite of its size. Programs differ in that: what follows decides.
func (t *tarWalk) headerOnly(kind byte) bool {
	if kind < '1' || kind > '6' {
		return false
	}
	next, _ := t.c.buf().Peek(tarBlock)
	return len(next) < tarBlock || zeros(next) || isTar(next)
}

// member walks the content of e.
func (t *tarWalk) member(e tarEntry) error {
	n, done := t.c.open(e.size)
	m := t.n.child(e.name)
	m.at, m.br, m.size = n.at, n.br, e.size
	if e.holes != nil {
		s := &sparseReader{r: m.reader(), m: e.holes}
		m.at, m.br, m.size = nil, t.buffer(s), -1
		defer t.release(m.br)
	}
	if err := t.enter(m); err != nil {
		return err
	}
	if err := done(); err != nil {
		return err
	}
	return t.c.skip(-e.size & (tarBlock - 1))
}

// meta reads a header that speaks of the next one. What it holds is handed on
// too, as comments and attributes can hold anything.
func (t *tarWalk) meta(e tarEntry) error {
	n, done := t.c.open(e.size)
	if e.size > maxTarMeta {
		m := t.n.child("tar header")
		m.at, m.br, m.size = n.at, n.br, e.size
		err := t.problem(m.leaf, fmt.Errorf("tar: a header of %d bytes is more than anything needs; it is read as plain data", e.size))
		if err == nil {
			err = t.visit(m)
		}
		if err != nil {
			return err
		}
	} else {
		data := make([]byte, e.size)
		if _, err := io.ReadFull(n.reader(), data); err != nil {
			return fmt.Errorf("the archive is cut short: %w", short(err))
		}
		if err := t.apply(e.kind, data); err != nil {
			return err
		}
	}
	if err := done(); err != nil {
		return err
	}
	return t.c.skip(-e.size & (tarBlock - 1))
}

func (t *tarWalk) apply(kind byte, data []byte) error {
	switch kind {
	case 'L':
		t.long = cstring(data)
		return nil
	case 'K':
		return nil
	}
	if kind != 'g' {
		t.next, t.spare = paxRecords(data)
	}
	m := t.n.child("pax header")
	m.at, m.size = bytes.NewReader(data), int64(len(data))
	return t.visit(m)
}

// applyPax lets the records before e change it.
func (t *tarWalk) applyPax(e *tarEntry) {
	if t.long != "" {
		e.name = t.long
	}
	p := t.next
	if v := p["path"]; v != "" {
		e.name = v
	}
	if v := p["GNU.sparse.name"]; v != "" {
		e.name = v
	}
	if v, err := strconv.ParseInt(p["size"], 10, 64); err == nil && v >= 0 {
		e.size = v
	}
	switch {
	case p["GNU.sparse.major"] == "1" && p["GNU.sparse.minor"] == "0":
		e.holes = &sparseMap{inData: true}
	case p["GNU.sparse.map"] != "":
		e.holes = newSparseMap(strings.Split(p["GNU.sparse.map"], ","))
	case len(t.spare) > 0:
		e.holes = newSparseMap(t.spare)
	}
	t.next, t.spare, t.long = nil, nil, ""
}

// paxRecords reads "length key=value\n" records, as many as make sense. The
// pairs that version 0.0 of the sparse format repeats are returned in order.
func paxRecords(b []byte) (map[string]string, []string) {
	records, pairs := map[string]string{}, []string(nil)
	for len(b) > 0 {
		sp := bytes.IndexByte(b, ' ')
		if sp <= 0 {
			break
		}
		n, err := strconv.Atoi(string(b[:sp]))
		if err != nil || n <= sp+1 || n > len(b) || b[n-1] != '\n' {
			break
		}
		key, value, ok := strings.Cut(string(b[sp+1:n-1]), "=")
		b = b[n:]
		switch {
		case !ok:
		case key == "GNU.sparse.offset" || key == "GNU.sparse.numbytes":
			pairs = append(pairs, value)
		default:
			records[key] = value
		}
	}
	return records, pairs
}

func tarName(h []byte) string {
	name := cstring(h[:100])
	if string(h[257:263]) == "ustar\x00" {
		if prefix := cstring(h[345:500]); prefix != "" {
			return prefix + "/" + name
		}
	}
	return name
}

func cstring(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}

func zeros(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// octal reads a number field: octal digits, or GNU's big-endian binary. An
// empty field is zero.
func octal(b []byte) (int64, bool) {
	if b[0]&0x80 != 0 {
		return binaryNumber(b)
	}
	s := strings.Trim(string(b), " \x00")
	if s == "" {
		return 0, true
	}
	v, err := strconv.ParseInt(s, 8, 64)
	return v, err == nil && v >= 0
}

// binaryNumber reads a number that no octal field has room for. Negative ones,
// which only dates may be, make no sense here.
func binaryNumber(b []byte) (int64, bool) {
	v := uint64(b[0] & 0x7f)
	for _, c := range b[1:] {
		if v >= 1<<55 {
			return -1, false
		}
		v = v<<8 | uint64(c)
	}
	return int64(v), v < 1<<62
}

// tarSums adds up a header with its sum taken for blanks, once with the bytes
// taken as signed, as some old programs did.
func tarSums(h []byte) (signed, unsigned int64) {
	for i, c := range h {
		if i >= 148 && i < 156 {
			c = ' '
		}
		unsigned += int64(c)
		signed += int64(int8(c))
	}
	return signed, unsigned
}
