package archive

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
)

// Methods and flags of the zip format (PKWARE APPNOTE 6.3.10, 4.4.4 and 4.4.5).
const (
	zipStore, zipDeflate, zipDeflate64, zipBzip2, zipLZMA = 0, 8, 9, 12, 14
	zipZstdOld, zipZstd, zipXZ, zipPPMd, zipAES           = 20, 93, 95, 98, 99

	zipEncrypted, zipDescriptor, zipMaskedNames = 1 << 0, 1 << 3, 1 << 13
)

const (
	localHeader   = 30
	centralHeader = 46
	endRecord     = 22
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
	return z.tellUnread()
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
	if err := z.count(); err != nil {
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

// tellUnread reports each reason once, with the first member it holds for.
func (z *zipWalk) tellUnread() error {
	for _, u := range z.unread {
		err := fmt.Errorf("zip: %w", u.err)
		if u.n > 1 {
			err = fmt.Errorf("%w; the same goes for %d more members", err, u.n-1)
		}
		if err := z.problem(u.first, err); err != nil {
			return err
		}
	}
	return nil
}

// central walks the entries of the directory.
func (z *zipWalk) central(dir zipDirectory) error {
	r := bufio.NewReaderSize(io.NewSectionReader(z.n.at, dir.start, dir.end-dir.start), bufferSize)
	var count uint64
	for ; ; count++ {
		e, err := readCentral(r, dir.base)
		if err == io.EOF {
			break
		}
		if err != nil && count >= dir.count {
			break // what follows the last member is none of ours
		}
		if err != nil {
			return err
		}
		if err := z.entry(e); err != nil {
			return err
		}
	}
	if count != dir.count {
		return z.problem(z.n.path, &OddError{fmt.Sprintf("zip: the directory announces %d members and lists %d", dir.count, count)})
	}
	return nil
}

// readCentral reads one entry of the directory; io.EOF after the last one.
func readCentral(r *bufio.Reader, base int64) (zipEntry, error) {
	var h [centralHeader]byte
	if sig, _ := r.Peek(4); string(sig) != "PK\x01\x02" {
		if len(sig) == 0 || string(sig) == "PK\x05\x05" || string(sig) == "PK\x06\x06" || string(sig) == "PK\x05\x06" {
			return zipEntry{}, io.EOF
		}
		return zipEntry{}, errors.New("the directory is damaged")
	}
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return zipEntry{}, errors.New("the directory is cut short")
	}
	le := binary.LittleEndian
	e := zipEntry{flags: le.Uint16(h[8:]), method: le.Uint16(h[10:]), crc: le.Uint32(h[16:]),
		packed: uint64(le.Uint32(h[20:])), size: uint64(le.Uint32(h[24:]))}
	offset := uint64(le.Uint32(h[42:]))
	name, extra := int(le.Uint16(h[28:])), int(le.Uint16(h[30:]))
	rest := make([]byte, name+extra)
	if _, err := io.ReadFull(r, rest); err != nil {
		return zipEntry{}, errors.New("the directory is cut short")
	}
	if _, err := r.Discard(int(le.Uint16(h[32:]))); err != nil {
		return zipEntry{}, errors.New("the directory is cut short")
	}
	e.name = string(rest[:name])
	e.zip64(rest[name:], &offset)
	if offset > 1<<62 {
		offset = 1 << 62
	}
	e.offset = int64(offset) + base
	return e, nil
}

// zip64 takes the values that did not fit from the extra field 1, which holds
// only those, in this order.
func (e *zipEntry) zip64(extra []byte, offset *uint64) {
	f := fields{b: extra}
	for len(f.b) >= 4 {
		id := f.u32()
		v := fields{b: f.take(int(id >> 16))}
		if id&0xffff != 1 {
			continue
		}
		for _, p := range []*uint64{&e.size, &e.packed, offset} {
			if p != nil && *p == 0xffffffff && len(v.b) >= 8 {
				*p = v.u64()
			}
		}
		return
	}
}

// entry walks one member of the directory.
func (z *zipWalk) entry(e zipEntry) error {
	start, local, err := z.local(e.offset)
	if err != nil {
		return z.leave(z.n.child(e.name).leaf, err)
	}
	end := start + int64(min(e.packed, 1<<62))
	z.extent = append(z.extent, extent{e.offset, end})
	if odd := e.differs(local); odd != "" {
		if err := z.problem(z.n.child(e.name).leaf, &OddError{"zip: " + odd}); err != nil {
			return err
		}
	}
	_, err = z.member(e, start)
	return err
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

// local reads the header at off and returns where the data starts.
func (z *zipWalk) local(off int64) (int64, zipEntry, error) {
	var h [localHeader]byte
	if off < 0 || off > z.n.size-localHeader {
		return 0, zipEntry{}, errors.New("it lies outside the archive")
	}
	if _, err := z.n.at.ReadAt(h[:], off); err != nil {
		return 0, zipEntry{}, err
	}
	le := binary.LittleEndian
	if string(h[:4]) != "PK\x03\x04" {
		return 0, zipEntry{}, errors.New("its own header is not where the directory says")
	}
	e := zipEntry{flags: le.Uint16(h[6:]), method: le.Uint16(h[8:]), crc: le.Uint32(h[14:]), local: true,
		packed: uint64(le.Uint32(h[18:])), size: uint64(le.Uint32(h[22:])), offset: off}
	name, extra := int(le.Uint16(h[26:])), int(le.Uint16(h[28:]))
	rest := make([]byte, name+extra)
	if n, err := z.n.at.ReadAt(rest, off+localHeader); n < len(rest) {
		return 0, zipEntry{}, short(err)
	}
	e.name = string(rest[:name])
	e.zip64(rest[name:], new(uint64))
	return off + localHeader + int64(len(rest)), e, nil
}

// member walks the data of e, which starts at start. It returns where the data
// ends, if only the data can tell.
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
	if packed == 0 {
		return start, z.count()
	}
	switch {
	case e.flags&zipEncrypted != 0 || e.method == zipAES:
		return start + packed, z.leave(m.leaf, fmt.Errorf("the member is %w", ErrEncrypted))
	case e.method == zipStore:
		if unknown {
			return start, z.problem(m.leaf, errors.New("zip: stored without a size"))
		}
		m.at, m.size = src, packed
		return start + packed, z.enter(m)
	}
	d, err := z.decode(src, z.method(e))
	if err != nil {
		return start + packed, z.leave(m.leaf, err)
	}
	defer d.close()
	err = z.packedMember(e, m, d)
	if unknown {
		packed = d.consumed()
	}
	return start + packed, err
}

func (z *zipWalk) packedMember(e zipEntry, m node, d *decoder) error {
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
	return z.enter(m)
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
