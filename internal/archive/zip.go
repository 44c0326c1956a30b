package archive

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"

	"github.com/ulikunitz/xz/lzma"

	"github.com/b10lint/b10lint/internal/english"
)

// Methods and flags of the zip format (PKWARE APPNOTE 6.3.10, 4.4.4 and 4.4.5).
const (
	zipStore, zipDeflate, zipDeflate64, zipBzip2, zipLZMA = 0, 8, 9, 12, 14
	zipZstdOld, zipZstd, zipXZ, zipPPMd, zipAES           = 20, 93, 95, 98, 99

	zipEncrypted, zipDescriptor, zipMaskedNames = 1 << 0, 1 << 3, 1 << 13
)

// A zipEntry is one member as the directory, or its own header, has it.
type zipEntry struct {
	name         string
	method       uint16
	flags        uint16
	crc          uint32
	packed, size uint64
	offset       int64 // of the local header, in the content
	local        bool  // read from the local header: sizes may be missing
}

// A zipWalk reads a zip by its directory, and then what the directory leaves
// out: archives that were put before this one, members that were deleted or
// hidden, everything when the directory is gone.
type zipWalk struct {
	*walk
	n      node
	extent []extent // what the members of the directory cover
	unread []unread
	batch  []*zipJob
	// scratch is what gaps are searched in.
	scratch []byte
}

// An extent is a half-open range of the content.
type extent struct{ start, end int64 }

func (w *walk) zip(n node) error {
	z := &zipWalk{walk: w, n: n}
	dir, err := z.directory()
	if err == nil {
		err = z.central(dir)
	}
	var s *stopped
	if errors.As(err, &s) {
		return err
	}
	if err != nil {
		err = fmt.Errorf("zip: %w; its members are read by their own headers", err)
		if err := z.problem(n.path, err); err != nil {
			return err
		}
	}
	if err := z.gaps(dir); err != nil {
		return err
	}
	for _, u := range z.unread { // each reason once, with the first member it holds for
		err := fmt.Errorf("zip: %w", u.err)
		if u.n > 1 {
			err = fmt.Errorf("%w; the same goes for %d more %s", err, u.n-1, english.Plural(int(u.n-1), "member", "members"))
		}
		if err := z.problem(u.first, err); err != nil {
			return err
		}
	}
	return nil
}

// unread counts the members that cannot be read for one and the same reason.
type unread struct {
	why   string
	err   error
	first string
	n     int
}

// leave notes that a member cannot be read.
func (z *zipWalk) leave(path string, err error) error {
	if err := z.count(0); err != nil {
		return err
	}
	for i := range z.unread {
		if z.unread[i].why == err.Error() {
			z.unread[i].n++
			return nil
		}
	}
	if len(z.unread) == maxProblems {
		return z.problem(path, fmt.Errorf("zip: %w", err))
	}
	z.unread = append(z.unread, unread{err.Error(), err, path, 1})
	return nil
}

// central walks the entries of the directory. The error is a *stopped, or says what is
// wrong with the directory.
func (z *zipWalk) central(dir zipDirectory) error {
	shared, err := z.overlaps(dir)
	if err != nil {
		return err
	}
	r := z.buffer(io.NewSectionReader(z.n.at, dir.start, dir.end-dir.start))
	defer z.release(r)
	var count uint64
	var damage error
	for ; ; count++ {
		e, err := readCentral(r, dir.base)
		if err == io.EOF || err != nil && count >= dir.count { // what follows the last member is ignored
			break
		}
		if err != nil {
			damage = err
			break
		}
		if shared.skip(count) {
			err = z.count(0)
		} else {
			err = z.entry(e)
		}
		if err != nil {
			return err
		}
	}
	if err := z.drain(); err != nil {
		return err
	}
	for _, odd := range shared.problems() {
		if err := z.problem(z.n.path, odd); err != nil {
			return err
		}
	}
	if damage == nil && count != dir.count {
		return z.problem(z.n.path, &OddError{fmt.Sprintf("zip: the directory announces %d members and lists %d", dir.count, count)})
	}
	return damage
}

// entry walks one member of the directory, or puts it off until drain.
func (z *zipWalk) entry(e zipEntry) error {
	start, local, err := z.local(e.offset)
	if err != nil {
		return z.leave(z.n.child(e.name).leaf, err)
	}
	z.extent = append(z.extent, extent{e.offset, start + int64(min(e.packed, 1<<62))})
	if odd := e.differs(local); odd != "" {
		if err := z.problem(z.n.child(e.name).leaf, &OddError{"zip: " + odd}); err != nil {
			return err
		}
	}
	return z.enlist(e, start)
}

// differs says where the directory and the member's own header disagree, which
// makes programs see different members.
func (e *zipEntry) differs(local zipEntry) string {
	switch {
	case local.flags&zipMaskedNames == 0 && local.name != e.name:
		name := local.name
		if len(name) > 200 {
			name = name[:200] + "…"
		}
		return fmt.Sprintf("its own header calls it %q", name)
	case local.method != e.method && e.method != zipAES:
		return fmt.Sprintf("its own header says method %d, the directory %d", local.method, e.method)
	case local.flags&zipDescriptor == 0 && local.packed != e.packed:
		return fmt.Sprintf("its own header says %d bytes, the directory %d", local.packed, e.packed)
	}
	return ""
}

// member walks the data of e, which starts at start. It returns where the data ends.
func (z *zipWalk) member(e zipEntry, start int64) (int64, error) {
	m := z.n.child(e.name)
	left := z.n.size - start
	packed := int64(min(e.packed, uint64(left)))
	unknown := e.local && e.flags&zipDescriptor != 0 && e.packed == 0
	if unknown {
		packed = left
	}
	if cut := e.packed > uint64(left); cut {
		if err := z.problem(m.leaf, fmt.Errorf("zip: only %d of its %d bytes are there", left, e.packed)); err != nil {
			return 0, err
		}
	}
	src := io.NewSectionReader(z.n.at, start, packed)
	switch {
	case packed == 0:
		return start, z.count(0)
	case e.flags&zipEncrypted != 0 || e.method == zipAES:
		return start + packed, z.leave(m.leaf, fmt.Errorf("the member is %w", ErrEncrypted))
	case e.method == zipStore && unknown:
		return start, z.problem(m.leaf, errors.New("zip: stored without a size"))
	case e.method == zipStore:
		m.at, m.size = src, packed
		return start + packed, z.enter(m)
	}
	if data := z.whole(&e, start); data != nil {
		z.held += int64(len(data))
		defer func() { z.held -= int64(len(data)) }()
		m.br = z.buffer(bytes.NewReader(data))
		defer z.release(m.br)
		return start + packed, z.enter(m)
	}
	d, err := z.decode(src, z.method(e))
	if err != nil {
		return start + packed, z.leave(m.leaf, err)
	}
	defer d.close()
	sum := &summer{r: d, h: crc32.NewIEEE()}
	m.br = z.buffer(sum)
	defer z.release(m.br)
	if e.flags&zipDescriptor == 0 || !e.local {
		m.check = func() error {
			if got := sum.h.Sum32(); got != e.crc {
				return errors.New("zip: its checksum is wrong, so some of its content may be as well")
			}
			return nil
		}
	}
	err = z.enter(m)
	if unknown {
		packed = d.consumed()
	}
	return start + packed, err
}

// summer adds up what is read.
type summer struct {
	r io.Reader
	h hash.Hash32
}

func (s *summer) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.h.Write(p[:n])
	return n, err
}

func (z *zipWalk) method(e zipEntry) opener {
	what := fmt.Sprintf("the method %d", e.method)
	switch e.method {
	case zipDeflate:
		return z.openDeflate
	case zipBzip2:
		return openBzip2
	case zipLZMA:
		return func(r *bufio.Reader) (io.Reader, func(), error) { return z.openZipLZMA(r, e) }
	case zipXZ:
		return z.xzOpener(e.size)
	case zipZstd, zipZstdOld:
		return z.openZstd
	case zipDeflate64:
		what = "the method Deflate64"
	case zipPPMd:
		what = "the method PPMd"
	}
	return func(*bufio.Reader) (io.Reader, func(), error) { return nil, nil, &UnsupportedError{what} }
}

// openZipLZMA makes of zip's header (APPNOTE 5.8.8: version, size of properties,
// properties) the one of a .lzma stream, which also has the size.
func (w *walk) openZipLZMA(r *bufio.Reader, e zipEntry) (io.Reader, func(), error) {
	var h [9]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return nil, nil, short(err)
	}
	if h[2] != 5 || h[3] != 0 {
		return nil, nil, errors.New("the LZMA properties make no sense")
	}
	size := e.size
	if e.flags&2 != 0 {
		size = 1<<64 - 1 // up to an end marker
	}
	return w.openRawLZMA(r, h[4:9], size, e.size)
}

// openRawLZMA reads an LZMA stream whose properties and size stand elsewhere.
// The size is the largest number when a marker ends the stream; the content is known
// to be of at most the other size, and no dictionary need be larger.
func (w *walk) openRawLZMA(r *bufio.Reader, properties []byte, size, most uint64) (io.Reader, func(), error) {
	// A small stream needs no large dictionary, which takes longer to set aside: it cannot
	// unpack to more than 7,045 times its size (0.31 bits for each match of 273 bytes).
	if all, err := r.Peek(bufferSize); err == io.EOF {
		most = min(most, uint64(len(all)+1)*8192)
	}
	dict := max(lzma.MinDictCap, min(uint64(binary.LittleEndian.Uint32(properties[1:])), most))
	free, err := w.borrow(int64(dict))
	if err != nil {
		return nil, nil, err
	}
	head := binary.LittleEndian.AppendUint32(properties[:1:1], uint32(dict))
	head = binary.LittleEndian.AppendUint64(head, size)
	z, err := lzma.ReaderConfig{DictCap: maxDictionary}.NewReader(io.MultiReader(bytes.NewReader(head), r))
	if err != nil {
		free()
		return nil, nil, err
	}
	return z, free, nil
}
