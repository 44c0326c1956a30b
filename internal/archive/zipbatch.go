package archive

import (
	"bytes"
	"hash/crc32"
)

// Most members of most zips are small files. Those are unpacked whole in memory, side by
// side, as far as goroutines are free:
//
//	directory ─ entry ─▶ batch ─┬─ fits ─▶ count, then beside the walk: read, inflate, check, visit
//	                            │                     │ damaged, or a container
//	                            └─ else ──────────────┴──▶ drain: one after another, by the walk itself
//
// Which members fit, when they count, and where a batch ends depends on the directory
// alone, and so does what is found where a limit ends the walk, for any number of
// goroutines.

// maxBatch is how many members wait for the end of a batch.
const maxBatch = 4096

// A zipJob is a member of a batch.
type zipJob struct {
	e     zipEntry
	start int64
	fits  bool
	done  bool // visited
}

// enlist unpacks a member beside the walk, or has drain do it.
func (z *zipWalk) enlist(e zipEntry, start int64) error {
	j := &zipJob{e: e, start: start, fits: z.fits(&e, start)}
	if full := len(z.batch) == maxBatch; full || j.fits && (z.members >= z.limits.Members || z.exceeded(int64(e.size)) != nil) {
		if err := z.drain(); err != nil {
			return err
		}
	}
	z.batch = append(z.batch, j)
	if !j.fits {
		return nil
	}
	if err := z.count(int64(e.size)); err != nil {
		return err
	}
	if b := z.helper(); b != nil {
		z.aside(b, func() error { return z.unpack(j, b) })
		return nil
	}
	b := z.benches.Get().(*bench)
	defer z.benches.Put(b)
	if err := z.unpack(j, b); err != nil {
		return &stopped{err}
	}
	return nil
}

// fits reports whether a member is small and says of itself what a sound one says.
func (z *zipWalk) fits(e *zipEntry, start int64) bool {
	return e.size <= maxWhole && e.packed <= maxWhole && z.sound(e, start) &&
		(e.method == zipDeflate || e.method == zipStore && e.size == e.packed)
}

// sound reports whether what the directory says of a member can be true: deflate makes at
// most 1032 bytes of one.
func (z *zipWalk) sound(e *zipEntry, start int64) bool {
	return !e.local && e.flags&zipEncrypted == 0 && e.packed > 0 && e.packed < 1<<40 && start+int64(e.packed) <= z.n.size &&
		e.size/1032 <= e.packed && z.limits.MemberBytes == 0
}

// whole returns the content of a larger member that fits in what every walk may hold,
// because it is unpacked faster there than as a stream; nil for others, and where it is
// not what the directory says.
func (z *zipWalk) whole(e *zipEntry, start int64) []byte {
	if e.method != zipDeflate || !z.sound(e, start) || int64(e.size+e.packed) > smallHold-z.held || z.exceeded(int64(e.size)) != nil {
		return nil
	}
	b := z.benches.Get().(*bench)
	defer z.benches.Put(b)
	data := make([]byte, e.size)
	if !z.inflate(&zipJob{e: *e, start: start}, &bench{inflater: b.inflater}, data) || z.charge(int64(e.size)) != nil {
		return nil
	}
	return data
}

// unpack visits a member whose content is sound and is not a container. The error is the
// visitor's. It runs beside the walk and touches nothing of it.
func (z *zipWalk) unpack(j *zipJob, b *bench) error {
	if z.ctx.Err() != nil {
		return nil
	}
	data := grow(&b.data, int64(j.e.size))
	if j.e.method == zipStore {
		if n, _ := z.n.at.ReadAt(data, j.start); n < len(data) {
			return nil
		}
	} else if !z.inflate(j, b, data) {
		return nil
	}
	if EndsLikeZip(data) || sniff(data, data[max(0, len(data)-tailSize):]) != none || nextHead(data, 0) >= 0 {
		return nil
	}
	j.done = true
	_, err := z.v.Member(Member{Path: z.n.child(j.e.name).leaf, Size: int64(len(data)), Data: data, Reader: bytes.NewReader(data), Inline: z.inline})
	return err
}

// inflate unpacks a member, and reports whether it is all that the directory says.
func (z *zipWalk) inflate(j *zipJob, b *bench, data []byte) (ok bool) {
	var err error
	defer rescue(&err) // the content is then unpacked, and what is wrong reported, by drain
	packed := grow(&b.packed, int64(j.e.packed))
	if n, _ := z.n.at.ReadAt(packed, j.start); n < len(packed) {
		return false
	}
	n, _, err := b.inflater.Raw(data, packed)
	return err == nil && n == len(data) && crc32.ChecksumIEEE(data) == j.e.crc
}

// drain waits for the batch, and walks those of its members one after another that were
// not visited.
func (z *zipWalk) drain() error {
	z.beside.Wait()
	defer func() { clear(z.batch); z.batch = z.batch[:0] }()
	for _, j := range z.batch {
		if j.done {
			continue
		}
		if j.fits { // it counts again, as what it is
			z.members--
			z.bytes -= int64(j.e.size)
		}
		if _, err := z.member(j.e, j.start); err != nil {
			return err
		}
	}
	return nil
}
