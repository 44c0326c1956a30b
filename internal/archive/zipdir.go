package archive

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
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
	if !z.leads(d) && offset < uint64(at) && z.isCentral(int64(offset)) {
		// Something stands between the directory and the record that ends it, or the
		// record has its size wrong.
		d.start, d.end, d.base = int64(offset), at, 0
	}
	return d, nil
}

// leads tells whether the directory's first entry leads to a member.
func (z *zipWalk) leads(d zipDirectory) bool {
	if d.count == 0 {
		return true
	}
	e, err := readCentral(bufio.NewReaderSize(io.NewSectionReader(z.n.at, d.start, d.end-d.start), 4<<10), d.base)
	if err != nil {
		return false
	}
	_, _, err = z.local(e.offset)
	return err == nil
}

func (z *zipWalk) isCentral(off int64) bool {
	var sig [4]byte
	_, err := z.n.at.ReadAt(sig[:], off)
	return err == nil && string(sig[:]) == "PK\x01\x02"
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

// gaps walks the members that the directory does not name: what lies between
// the ones that it does, and before and behind them.
func (z *zipWalk) gaps(dir zipDirectory) error {
	if dir.end > dir.start {
		z.extent = append(z.extent, extent{dir.start, dir.end})
	}
	slices.SortFunc(z.extent, func(a, b extent) int {
		switch {
		case a.start < b.start:
			return -1
		case a.start > b.start:
			return 1
		}
		return 0
	})
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
	b := make([]byte, min(end-start, 4<<10))
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
