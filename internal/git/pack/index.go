package pack

import (
	"bytes"
	"encoding/binary"
)

// An idTable is a sorted table of raw ids at a fixed distance from each other.
type idTable struct {
	b                  []byte
	n                  int
	hash, skip, stride int
}

func (t *idTable) at(i int) []byte {
	o := i*t.stride + t.skip
	return t.b[o : o+t.hash]
}

// find looks for id between lo and hi. Ids are spread evenly, so it begins where id would
// be if they all were, with steps that double while they lead the right way: a sweep
// asks for each id that an object refers to. first is how many bytes of id are the
// same for all.
func (t *idTable) find(id []byte, lo, hi, first int) (int, bool) {
	end, want := hi, binary.BigEndian.Uint64(id)
	before := func(i int) bool {
		at := t.at(i)
		got := binary.BigEndian.Uint64(at)
		return got < want || got == want && bytes.Compare(at, id) < 0
	}
	step := 8
	if guess := lo + int(uint64(hi-lo)*(want<<(8*first)>>32)>>32); guess < hi && before(guess) {
		for lo = guess + 1; lo+step < hi && before(lo+step); step *= 2 {
			lo += step + 1
		}
		hi = min(hi, lo+step)
	} else {
		for hi = min(hi, guess); hi-step > lo && !before(hi-step); step *= 2 {
			hi -= step
		}
		lo = max(lo, hi-step)
	}
	for lo < hi {
		if mid := int(uint(lo+hi) / 2); before(mid) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < end && bytes.Equal(t.at(lo), id)
}

// sorted reports whether the ids never fall, on which find and merge rely, and
// whether they are strict: all different.
func (t *idTable) sorted() (ok, strict bool) {
	strict = true
	for i := 1; i < t.n; i++ {
		c := bytes.Compare(t.at(i-1), t.at(i))
		if c > 0 {
			return false, false
		}
		strict = strict && c != 0
	}
	return true, strict
}

// An index says where in a pack each object starts.
type index struct {
	ids     idTable
	fanout  []byte // 256 big-endian counts; nil: search all of ids
	strict  bool   // no id is there twice, which git allows
	packSum []byte // the trailer of the pack the index was made for

	wide []byte   // version 2: 8-byte offsets, for those above 31 bits
	low  []byte   // version 2: 4-byte offsets
	made []uint64 // the offsets, when we walked the pack ourselves
}

const (
	indexMagic  = 0xff744f63 // "\377tOc"
	fanoutBytes = 256 * 4
)

// parseIndex reads a pack index of version 1 or 2 whose ids have hash bytes. It
// checks the layout, which is O(1); order and offsets are checked where used.
func parseIndex(b []byte, hash int) (*index, error) {
	if len(b) < fanoutBytes+2*hash {
		return nil, errTruncated
	}
	body := b[:len(b)-2*hash]
	x := &index{packSum: b[len(b)-2*hash : len(b)-hash]}
	version2 := binary.BigEndian.Uint32(b) == indexMagic
	if version2 {
		if binary.BigEndian.Uint32(b[4:]) != 2 {
			return nil, errIndexMagic
		}
		body = body[8:]
	}
	if len(body) < fanoutBytes {
		return nil, errTruncated
	}
	x.fanout, body = body[:fanoutBytes], body[fanoutBytes:]
	last := 0
	for first := range 256 {
		lo, hi := x.run(byte(first))
		if hi < lo {
			return nil, errIndexFanout
		}
		last = hi
	}
	n, size := uint64(last), uint64(len(body))
	if !version2 {
		if size != n*uint64(4+hash) { // offset, id
			return nil, errIndexSize
		}
		x.ids = idTable{b: body, n: last, hash: hash, skip: 4, stride: 4 + hash}
		return x, nil
	}
	ids, fixed := n*uint64(hash), n*uint64(hash+4+4) // id, CRC-32, offset
	if size < fixed || (size-fixed)%8 != 0 {
		return nil, errIndexSize
	}
	x.ids = idTable{b: body[:ids], n: last, hash: hash, stride: hash}
	x.low, x.wide = body[ids+4*n:fixed], body[fixed:]
	return x, nil
}

// run gives the places, from lo up to hi, of the ids that start with a byte.
func (x *index) run(first byte) (lo, hi int) {
	if first > 0 {
		lo = int(binary.BigEndian.Uint32(x.fanout[4*int(first)-4:]))
	}
	return lo, int(binary.BigEndian.Uint32(x.fanout[4*int(first):]))
}

// offset is where object i starts. The caller checks it against the pack.
func (x *index) offset(i int) (uint64, error) {
	switch {
	case x.made != nil:
		return x.made[i], nil
	case x.low == nil:
		return uint64(binary.BigEndian.Uint32(x.ids.b[i*x.ids.stride:])), nil
	}
	v := binary.BigEndian.Uint32(x.low[4*i:])
	if v&(1<<31) == 0 {
		return uint64(v), nil
	}
	at := uint64(v&^(1<<31)) * 8
	if at+8 > uint64(len(x.wide)) {
		return 0, errIndexOffset
	}
	return binary.BigEndian.Uint64(x.wide[at:]), nil
}

func (x *index) find(id []byte) (int, bool) {
	if len(id) != x.ids.hash {
		return 0, false
	}
	lo, hi, first := 0, x.ids.n, 0
	if x.fanout != nil {
		first = 1
		lo, hi = x.run(id[0])
	}
	return x.ids.find(id, lo, hi, first)
}

// check reads the whole index and reports whether it can be relied on: sorted, and
// in step with its fan-out table.
func (x *index) check() error {
	var ok bool
	if ok, x.strict = x.ids.sorted(); !ok {
		return errIndexOrder
	}
	if x.fanout == nil || x.ids.n == 0 {
		return nil
	}
	for first := range 256 {
		lo, hi := x.run(byte(first))
		// The ids are sorted, so the first and last of a run speak for it.
		if lo < hi && (int(x.ids.at(lo)[0]) != first || int(x.ids.at(hi - 1)[0]) != first) {
			return errIndexFanout
		}
	}
	return nil
}
