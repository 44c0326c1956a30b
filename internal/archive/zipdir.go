package archive

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

const (
	localHeader   = 30
	centralHeader = 46
	endRecord     = 22
)

// A zipDirectory is where the list of members lies. Base is what is to be added
// to its offsets when other data was put before the archive.
type zipDirectory struct {
	start, end int64
	base       int64
	count      uint64
}

// directory finds the directory by the record that ends the archive (APPNOTE
// 4.3.16), or by the larger one of zip64 (4.3.14) that it may stand for.
func (z *zipWalk) directory() (zipDirectory, error) {
	at, r, err := z.endRecord()
	if err != nil {
		return zipDirectory{}, err
	}
	le := binary.LittleEndian
	count, size, offset := uint64(le.Uint16(r[10:])), uint64(le.Uint32(r[12:])), uint64(le.Uint32(r[16:]))
	if count == 0xffff || size == 0xffffffff || offset == 0xffffffff {
		if p, big, ok := z.endRecord64(at); ok {
			at, count, size, offset = p, le.Uint64(big[32:]), le.Uint64(big[40:]), le.Uint64(big[48:])
		}
	}
	if size > uint64(at) {
		return zipDirectory{}, errors.New("the directory lies outside the archive")
	}
	d := zipDirectory{start: at - int64(size), end: at, count: count}
	if offset <= uint64(d.start) {
		d.base = d.start - int64(offset)
	}
	if d.count > 0 && offset < uint64(at) {
		r := z.buffer(io.NewSectionReader(z.n.at, d.start, d.end-d.start))
		defer z.release(r)
		e, err := readCentral(r, d.base)
		if err == nil {
			_, _, err = z.local(e.offset)
		}
		var sig [4]byte
		if _, rerr := z.n.at.ReadAt(sig[:], int64(offset)); err != nil && rerr == nil && string(sig[:]) == "PK\x01\x02" {
			// Something stands between the directory and the record that ends it, or the
			// record has its size wrong.
			d.start, d.end, d.base = int64(offset), at, 0
		}
	}
	return d, nil
}

// endRecord looks for the record in the last 64 KiB, as a comment may follow it.
func (z *zipWalk) endRecord() (int64, []byte, error) {
	const most = endRecord + 0xffff
	for _, n := range []int64{1 << 10, most} {
		n = min(n, z.n.size)
		b := make([]byte, n)
		if k, err := z.n.at.ReadAt(b, z.n.size-n); k < len(b) {
			return 0, nil, short(err)
		}
		for end := len(b); end >= endRecord; {
			i := bytes.LastIndex(b[:end], []byte("PK\x05\x06"))
			if i < 0 {
				break
			}
			if len(b)-i >= endRecord {
				return z.n.size - n + int64(i), b[i : i+endRecord], nil
			}
			end = i + 3
		}
	}
	return 0, nil, errors.New("the directory is missing")
}

func (z *zipWalk) endRecord64(at int64) (int64, []byte, bool) {
	var loc [20]byte
	if at < 20 {
		return 0, nil, false
	}
	if _, err := z.n.at.ReadAt(loc[:], at-20); err != nil || string(loc[:4]) != "PK\x06\x07" {
		return 0, nil, false
	}
	// The locator's offset is wrong when other data was put before the archive;
	// the record then still lies right before the locator.
	for _, p := range []uint64{binary.LittleEndian.Uint64(loc[8:]), uint64(max(0, at-20-56))} {
		b := make([]byte, 56)
		if p > uint64(at) {
			continue
		}
		if _, err := z.n.at.ReadAt(b, int64(p)); err == nil && string(b[:4]) == "PK\x06\x06" {
			return int64(p), b, true
		}
	}
	return 0, nil, false
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

// A zipShared says which members of a directory are not read because others hold the
// same bytes. Small archives that unpack to very much are made that way (Fifield, "A
// better zip bomb", 2019), and no program writes such by itself.
type zipShared struct {
	skipped                    []uint64 // a bit an entry; nil when none is
	repeated, overlap, refused int
}

// overlaps compares what the entries of a directory claim. Of those that are at the very
// same place one is read. Of those that overlap otherwise, as many as can be are read that
// do not, and of the rest what the size of the archive bounds: that keeps a damaged entry
// from hiding its neighbours. All in all, no more is read than twice the archive.
func (z *zipWalk) overlaps(dir zipDirectory) (s zipShared, err error) {
	type claim struct {
		start, end int64
		index      uint32
		method     uint16
	}
	var claims []claim
	r := z.buffer(io.NewSectionReader(z.n.at, dir.start, dir.end-dir.start))
	defer z.release(r)
	ordered, last := true, int64(0)
	for i := range z.limits.Members - z.members {
		e, err := readCentral(r, dir.base)
		if err != nil || i > math.MaxUint32 {
			break
		}
		if err := z.charge(0); err != nil {
			return s, &stopped{err}
		}
		if e.offset >= 0 && e.offset < z.n.size {
			// Its header takes more where it has a name; that is seen when it is read.
			end := e.offset + localHeader + int64(min(e.packed, uint64(z.n.size)))
			c := claim{e.offset, min(end, z.n.size), uint32(i), e.method}
			claims = append(claims, c)
			ordered, last = ordered && c.start >= last, c.end
		}
	}
	if ordered {
		return s, nil
	}
	slices.SortFunc(claims, func(a, b claim) int {
		return cmp.Or(cmp.Compare(a.end, b.end), cmp.Compare(a.start, b.start), cmp.Compare(a.method, b.method), cmp.Compare(a.index, b.index))
	})
	free, left := int64(0), z.n.size
	for i, c := range claims {
		switch {
		case i > 0 && c.start == claims[i-1].start && c.end == claims[i-1].end && c.method == claims[i-1].method:
			s.repeated++
		case c.start >= free:
			free = c.end
			continue
		case c.end-c.start <= left:
			s.overlap++
			left -= c.end - c.start
			continue
		default:
			s.refused++
		}
		if s.skipped == nil {
			s.skipped = make([]uint64, len(claims)/64+1)
		}
		for len(s.skipped) <= int(c.index/64) { // entries without a claim count, too
			s.skipped = append(s.skipped, 0)
		}
		s.skipped[c.index/64] |= 1 << (c.index % 64)
	}
	return s, nil
}

// skip reports whether the entry of a number is not to be read.
func (s *zipShared) skip(i uint64) bool {
	return i/64 < uint64(len(s.skipped)) && s.skipped[i/64]>>(i%64)&1 != 0
}

func (s *zipShared) problems() (out []error) {
	if s.repeated > 0 {
		out = append(out, &OddError{fmt.Sprintf("zip: %d members share all their bytes with others, as in a decompression bomb; the bytes were read once", s.repeated)})
	}
	if s.overlap > 0 {
		out = append(out, &OddError{fmt.Sprintf("zip: %d members overlap others", s.overlap)})
	}
	if s.refused > 0 {
		out = append(out, fmt.Errorf("zip: %d members were not unpacked: they overlap others, as in a decompression bomb, and all that do may hold no more than the archive", s.refused))
	}
	return out
}

// gaps walks the members that the directory does not name: what lies between
// the ones that it does, and before and behind them.
func (z *zipWalk) gaps(dir zipDirectory) error {
	if dir.end > dir.start {
		z.extent = append(z.extent, extent{dir.start, dir.end})
	}
	slices.SortFunc(z.extent, func(a, b extent) int { return cmp.Compare(a.start, b.start) })
	at, found := int64(0), 0
	for _, e := range append(z.extent, extent{z.n.size, z.n.size}) {
		if e.start-at > localHeader {
			n, err := z.gap(at, e.start)
			if err != nil {
				return err
			}
			found += n
		}
		at = max(at, e.end)
	}
	if found > 0 && dir.end > 0 {
		return z.problem(z.n.path, &OddError{fmt.Sprintf("zip: %d members are not in the directory; they were read by their own headers", found)})
	}
	return nil
}

// gap walks the members whose headers follow one another from start on. A
// member's descriptor, or padding, may come first.
func (z *zipWalk) gap(start, end int64) (found int, err error) {
	for end-start > localHeader {
		at := z.nextLocal(start, end)
		if at < 0 {
			return found, nil
		}
		data, e, err := z.local(at)
		if err != nil || data > end {
			return found, nil
		}
		next, err := z.member(e, data)
		if err != nil {
			return found, err
		}
		found++
		start = max(next, data)
	}
	return found, nil
}

// nextLocal finds the header of a member at the start of a range, behind at most
// a descriptor of 24 bytes and padding to a page.
func (z *zipWalk) nextLocal(start, end int64) int64 {
	b := grow(&z.scratch, min(end-start, 4<<10))
	n, err := z.n.at.ReadAt(b, start)
	if err != nil && err != io.EOF {
		return -1
	}
	i := bytes.Index(b[:n], []byte("PK\x03\x04"))
	if i < 0 {
		return -1
	}
	return start + int64(i)
}
