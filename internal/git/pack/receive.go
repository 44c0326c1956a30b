package pack

import (
	"bytes"
	"cmp"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"os"
	"slices"
	"sync/atomic"

	"github.com/b10lint/b10lint/internal/inflate"
)

// ReceiveOptions say what a received pack is called and what it may cost.
type ReceiveOptions struct {
	Name    string        // stands for the pack's path in problems
	Hash    int           // the length of ids; 0 is that of SHA-1
	Problem func(Problem) // as Options.Problem
	Most    int64         // bytes of the pack; 0 is 64 GiB
	// Early is called for objects while the pack arrives, as the callback of a sweep with
	// the options Sweep; a sweep with Rest then hands over those that were left. Nil
	// leaves all.
	Early func(*Object) (hits int, err error)
	Sweep SweepOptions

	// Set by tests: bytes that are held in memory and not in a file (64 MiB), and of
	// bases that are held for Early (16 MiB).
	memoryMost, earlyHeld int
}

// Receive reads a pack from r, as a server sends one, and returns it as a store. Where
// each object begins is found while the pack arrives, by inflating it; what can be
// known of a pack only with the ids of its objects, such as Has, is known after
// Identify. The pack is kept in memory or, if it is large, in a temporary file that
// has no name.
//
// A stream that ends early, is damaged, is longer than Most or does not end in its
// checksum is a Problem, and the store has what came before.
func Receive(r io.Reader, o ReceiveOptions) *Store {
	p := &packFile{path: o.Name, hash: cmp.Or(o.Hash, sha1Size)}
	s := &Store{hash: p.hash, opts: Options{Problem: o.Problem}.withDefaults(), packs: []*packFile{p}}
	a := &arrival{r: r, hash: p.hash, to: spool{memoryMost: cmp.Or(o.memoryMost, 64<<20)},
		left: cmp.Or(o.Most, 64<<30), sum: newHasher(p.hash).Hash}
	if o.Early != nil {
		a.live = newLive(s, p, o)
	}
	err := a.receive()
	if err != nil {
		s.problem(p.path, err)
	}
	if p.mapped, p.release, err = a.to.finish(); err != nil {
		s.problem(p.path, err)
	}
	p.count = a.count
	p.data = p.mapped[:min(uint64(len(p.mapped)), a.end)]
	p.offs = a.offs
	p.idx = emptyIndex(p.hash)
	if a.live != nil {
		a.live.finish(p)
	}
	if a.byID { // the bases are found by their ids
		p.offs = nil
		s.walkPack(p)
	}
	return s
}

func emptyIndex(hash int) *index {
	return &index{ids: idTable{hash: hash, stride: hash}, made: []uint64{}}
}

// An arrival is a pack that is being received.
type arrival struct {
	r     io.Reader
	hash  int
	to    spool
	left  int64 // bytes that may still come
	win   []byte
	at    int    // where in win the next byte is that was not parsed
	base  uint64 // offset of win[0] in the pack
	err   error  // why no more comes; io.EOF at an orderly end
	sum   hash.Hash
	inf   inflate.Decoder
	buf   []byte
	count uint32
	offs  []uint64 // where objects start, and where the last one ends
	end   uint64   // of what was parsed
	byID  bool     // a delta names its base by the id
	live  *live
}

// receive reads the pack to its end.
func (a *arrival) receive() error {
	a.offs = []uint64{packHeaderBytes}
	b := a.need(packHeaderBytes)
	if len(b) == 0 && a.err != io.EOF {
		return a.err
	}
	if len(b) < packHeaderBytes {
		return errTruncated
	}
	if v := binary.BigEndian.Uint32(b[4:]); string(b[:4]) != "PACK" || v != 2 && v != 3 {
		return errPackHeader
	}
	a.count = binary.BigEndian.Uint32(b[8:])
	a.at, a.end = packHeaderBytes, packHeaderBytes
	for n := range a.count {
		if len(a.offs) > math.MaxInt32 {
			return errTooMany
		}
		if err := a.entry(); err != nil {
			if a.err != nil && a.err != io.EOF {
				err = a.err
			}
			return fmt.Errorf("the pack breaks off after %d of %d objects: %w", n, a.count, err)
		}
	}
	b = a.need(a.hash)
	a.sum.Write(a.win[:a.at])
	switch {
	case len(b) < a.hash && a.err != io.EOF:
		return a.err
	case len(b) < a.hash:
		return errTruncated
	case !bytes.Equal(b[:a.hash], a.sum.Sum(nil)):
		return errReceivedSum
	}
	a.at += a.hash
	a.sum.Reset()
	if rest := a.need(1); len(rest) > 0 {
		return errReceivedMore
	} else if a.err != io.EOF {
		return a.err
	}
	return nil
}

// need returns what has arrived and was not parsed: at least n bytes, or fewer when no
// more come.
func (a *arrival) need(n int) []byte {
	for len(a.win)-a.at < n && a.err == nil {
		if a.at > 0 {
			a.sum.Write(a.win[:a.at])
			a.base += uint64(a.at)
			a.win = a.win[:copy(a.win, a.win[a.at:])]
			a.at = 0
		}
		a.win = slices.Grow(a.win, chunk)
		var got int
		got, a.err = a.r.Read(a.win[len(a.win):][:chunk])
		if a.left -= int64(got); a.left < 0 {
			got, a.left, a.err = got+int(a.left), 0, errReceivedMost
		}
		a.win = a.win[:len(a.win)+got]
		if err := a.to.write(a.win[len(a.win)-got:]); err != nil {
			a.err = err
		}
	}
	return a.win[a.at:]
}

// chunk is how many bytes are read at once.
const chunk = 64 << 10

// entry finds the end of the next object.
func (a *arrival) entry() error {
	const mostHeader = 10 + 10 + sha256Size
	b := a.need(mostHeader)
	if len(b) == 0 {
		return errTruncated
	}
	e, err := parseEntry(b, a.end, a.hash)
	if err != nil {
		return err
	}
	a.byID = a.byID || e.kind == refDelta
	header := int(e.body - a.end)
	got, used, ok := 0, 0, false
	if e.size <= largeBuffer {
		// What deflate makes of incompressible data is a little larger than that.
		b = a.need(header + int(e.size+e.size>>8) + 64)
		a.buf = slices.Grow(a.buf[:0], int(e.size))[:e.size]
		got, used, err = a.inf.Zlib(a.buf, b[header:])
		ok = err == nil
		a.at += header
	} else {
		a.at += header
	}
	start := a.end
	if ok {
		a.at += used
	} else if err := a.skip(); err != nil {
		return err
	}
	a.end = a.base + uint64(a.at)
	a.offs = append(a.offs, a.end)
	if l := a.live; l != nil && ok && got == int(e.size) && !a.byID {
		if l.sw.queue.stopped.Load() {
			return l.sw.queue.err
		}
		rank := len(a.offs) - 2
		if e.kind != ofsDelta {
			l.take(rank, e, start, 0, a.buf)
		} else if base, found := slices.BinarySearch(a.offs[:rank], e.base); found {
			l.take(rank, e, start, base, a.buf)
		}
	}
	return nil
}

// skip decodes a stream that is large, or is longer than its content would explain.
func (a *arrival) skip() error {
	z, err := zlib.NewReader((*arrivalBytes)(a))
	if err == nil {
		_, err = io.Copy(io.Discard, z)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errTruncated
	}
	return err
}

// arrivalBytes reads no byte behind the end of a stream, as it has ReadByte.
type arrivalBytes arrival

func (r *arrivalBytes) ReadByte() (byte, error) {
	a := (*arrival)(r)
	if a.at == len(a.win) && len(a.need(1)) == 0 {
		return 0, a.err
	}
	a.at++
	return a.win[a.at-1], nil
}

func (r *arrivalBytes) Read(p []byte) (int, error) {
	a := (*arrival)(r)
	b := a.need(1)
	if len(b) == 0 {
		return 0, a.err
	}
	n := copy(p, b)
	a.at += n
	return n, nil
}

// A spool keeps what arrives, in memory up to a limit and then in a file. The memory is
// the system's, so that it does not count in what the garbage collector goes by.
type spool struct {
	memoryMost int
	mem        []byte // of length memoryMost; only what is written takes memory
	f          *os.File
	size       int
}

func (s *spool) write(b []byte) (err error) {
	if s.mem == nil && s.f == nil {
		if s.mem, err = takeMemory(s.memoryMost); err != nil {
			return err
		}
	}
	at := s.size
	s.size += len(b)
	if s.f == nil && s.size <= s.memoryMost {
		copy(s.mem[at:], b)
		return nil
	}
	if s.f == nil {
		if s.f, err = temporary(); err != nil {
			s.size = at
			return err
		}
		_, err = s.f.Write(s.mem[:at])
		if err = errors.Join(err, giveMemory(s.mem)); err != nil {
			return err
		}
		s.mem = nil
	}
	_, err = s.f.Write(b)
	return err
}

// finish returns what was written, and what gives it up.
func (s *spool) finish() (all []byte, release func() error, err error) {
	if s.f == nil {
		return s.mem[:min(s.size, len(s.mem))], func() error { return giveMemory(s.mem) }, nil
	}
	info, err := s.f.Stat()
	if err == nil && info.Size() > 0 {
		all, err = mapFile(s.f, int(info.Size()))
	}
	return all, func() error { return errors.Join(unmapFile(all), discard(s.f)) }, err
}

// id is the raw id of the object with a rank in a received pack; nil if it is not known.
func (p *packFile) id(rank int) []byte {
	if p.ids == nil {
		return nil
	}
	id := p.ids[rank*p.hash:][:p.hash]
	for _, b := range id {
		if b != 0 {
			return id
		}
	}
	return nil
}

// Identify works out the ids of the objects of some kinds in a store that was
// received. With ids, it stops when these are found. What is known of the store is
// then what was identified up to now. In any other store all ids are known.
func (s *Store) Identify(ctx context.Context, jobs int, kinds Kinds, ids ...ID) error {
	p := s.received()
	if p == nil {
		return nil
	}
	kinds &^= s.identified
	missing := map[ID]bool{}
	for _, id := range ids {
		if _, found, _ := p.find(id); !found {
			missing[id] = true
		}
	}
	if kinds != 0 && (len(ids) == 0 || len(missing) > 0) {
		var left atomic.Int64
		left.Store(int64(len(missing)))
		_, err := s.Sweep(ctx, func(o *Object) (int, error) {
			if missing[o.ID] && left.Add(-1) == 0 {
				return 0, errFound
			}
			return 0, nil
		}, SweepOptions{Jobs: jobs, Kinds: kinds, Identify: kinds})
		switch {
		case err == nil:
			s.identified |= kinds
		case err != errFound:
			return err
		}
	}
	s.index(p)
	return nil
}

// errFound ends a sweep.
var errFound = errors.New("found")

// received returns the pack of a store that was received; nil of any other.
func (s *Store) received() *packFile {
	if len(s.packs) == 1 && s.packs[0].offs != nil {
		return s.packs[0]
	}
	return nil
}

// index makes an index of the objects of p whose ids are known.
func (s *Store) index(p *packFile) {
	type named struct {
		id  []byte
		off uint64
	}
	var all []named
	for rank, off := range p.offs[:len(p.offs)-1] {
		if id := p.id(rank); id != nil {
			all = append(all, named{id, off})
		}
	}
	slices.SortFunc(all, func(a, b named) int { return cmp.Or(bytes.Compare(a.id, b.id), cmp.Compare(a.off, b.off)) })
	x := emptyIndex(p.hash)
	x.ids.n, x.ids.b = len(all), make([]byte, 0, len(all)*p.hash)
	for _, n := range all {
		x.ids.b = append(x.ids.b, n.id...)
		x.made = append(x.made, n.off)
	}
	p.idx = x
}

// IDAt reads the object at an offset of a received pack and returns its id; the zero ID
// if it cannot be read.
func (s *Store) IDAt(off uint64) (id ID) {
	p := s.received()
	if p == nil {
		return id
	}
	guard(func() error {
		kind, data, err := s.Reader().packed(place{p, off})
		if err == nil {
			id = newHasher(s.hash).object(kind, data)
		}
		return err
	})
	return id
}
