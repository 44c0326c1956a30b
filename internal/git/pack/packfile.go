package pack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/b10lint/b10lint/internal/inflate"
	"github.com/b10lint/b10lint/internal/regular"
)

const packHeaderBytes = 12

// A packFile is one pack and its index, mapped.
type packFile struct {
	path     string
	data     []byte // the file without its trailer
	mapped   []byte
	idx      *index
	idxMap   []byte
	hash     int
	count    uint32 // objects, as the pack's header says
	promisor bool
	walked   bool // idx was made by walking the pack
	// offs is set for a pack that was received: where its objects start, and the end of
	// the last. ids are their ids, of hash bytes each, as far as they are known; else
	// zeros. idx then holds what was known when it was made; see Store.index.
	offs    []uint64
	ids     []byte
	release func() error // gives up the memory of data
	early   *early       // nil: nothing was handed over yet
}

// openPack maps the pack at path and, if it has a usable one, its index. Without
// one idx is nil and the pack has to be walked; bad then says what is wrong with
// the index, if there is one.
func openPack(path string, hash int) (p *packFile, bad, err error) {
	p = &packFile{path: path, hash: hash}
	if p.mapped, err = openMapped(path); err != nil {
		return nil, nil, err
	}
	err = guard(p.readHeader)
	if err != nil {
		p.close()
		return nil, nil, err
	}
	stem := strings.TrimSuffix(path, ".pack")
	p.promisor = exists(stem + ".promisor")
	bad = p.openIndex(stem + ".idx")
	return p, bad, nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func (p *packFile) readHeader() error {
	b := p.mapped
	if len(b) < packHeaderBytes+p.hash {
		return errTruncated
	}
	if v := binary.BigEndian.Uint32(b[4:]); string(b[:4]) != "PACK" || v != 2 && v != 3 {
		return errPackHeader
	}
	p.count = binary.BigEndian.Uint32(b[8:])
	p.data = b[:len(b)-p.hash]
	return nil
}

// openIndex leaves idx nil when the index is absent or unfit.
func (p *packFile) openIndex(path string) error {
	if !exists(path) {
		return nil
	}
	b, err := openMapped(path)
	if err != nil {
		return err
	}
	err = guard(func() error {
		x, err := parseIndex(b, p.hash)
		switch {
		case err != nil:
			return err
		case uint64(x.ids.n) != uint64(p.count):
			return errIndexCount
		}
		if err := x.check(); err != nil {
			return err
		}
		p.idx = x
		if !bytes.Equal(x.packSum, p.mapped[len(p.data):]) {
			// More likely the pack was cut off than the index swapped, and then the
			// index still names what is gone.
			return errIndexPack
		}
		return nil
	})
	if p.idx == nil {
		unmapFile(b)
	} else {
		p.idxMap = b
	}
	if err != nil {
		err = &os.PathError{Op: "read", Path: path, Err: err}
	}
	return err
}

func (p *packFile) close() error {
	release := func() error { return unmapFile(p.mapped) }
	if p.release != nil {
		release = p.release
	}
	err := errors.Join(release(), unmapFile(p.idxMap))
	p.mapped, p.data, p.idxMap, p.idx = nil, nil, nil, nil
	return err
}

// find gives where the object id starts. A pack that is still being walked has none.
func (p *packFile) find(id ID) (off uint64, found bool, err error) {
	if p.idx == nil {
		return 0, false, nil
	}
	i, found := p.idx.find(id.sum[:id.size])
	if found {
		off, err = p.idx.offset(i)
	}
	return off, found, err
}

// An entry is the header of an object in a pack.
type entry struct {
	kind byte   // a Kind, ofsDelta or refDelta
	size uint64 // of the content, or of the delta
	body uint64 // where the compressed bytes start
	base uint64 // where the base of an ofsDelta starts
	ref  []byte // the raw id of the base of a refDelta; part of the mapping
}

// entry reads the header at off.
func (p *packFile) entry(off uint64) (e entry, err error) {
	if off < packHeaderBytes || off >= uint64(len(p.data)) {
		return e, errIndexOffset
	}
	return parseEntry(p.data[off:], off, p.hash)
}

// parseEntry reads the header at the start of b, which is not empty and lies at off.
func parseEntry(b []byte, off uint64, hash int) (e entry, err error) {
	c := b[0]
	e.kind = c >> 4 & 7
	e.size = uint64(c & 15)
	i := 1
	for shift := 4; c&0x80 != 0; shift += 7 {
		if i == len(b) {
			return e, errTruncated
		}
		c = b[i]
		i++
		if shift > 63 || uint64(c&0x7f)<<shift>>shift != uint64(c&0x7f) {
			return e, errEntrySize
		}
		e.size |= uint64(c&0x7f) << shift
	}
	switch e.kind {
	case ofsDelta:
		n, back, err := offsetVarint(b[i:])
		if err != nil {
			return e, err
		}
		if back == 0 || back > off-packHeaderBytes {
			return e, errBaseOffset
		}
		e.base = off - back
		i += n
	case refDelta:
		if len(b)-i < hash {
			return e, errTruncated
		}
		e.ref = b[i : i+hash]
		i += hash
	default:
		if !Kind(e.kind).valid() {
			return e, errEntryType
		}
	}
	e.body = off + uint64(i)
	return e, nil
}

// offsetVarint reads the distance back to a delta's base: seven bits a byte, the
// high ones first, with one added for each byte that follows.
func offsetVarint(b []byte) (n int, v uint64, err error) {
	for n < len(b) {
		c := b[n]
		n++
		v |= uint64(c & 0x7f)
		if c&0x80 == 0 {
			return n, v, nil
		}
		if v >= 1<<56 {
			return n, 0, errBaseOffset
		}
		v = (v + 1) << 7
	}
	return n, 0, errTruncated
}

// The densest code of RFC 1951 copies 258 bytes for two bits.
const inflateMost = 1032

// believable reports whether size bytes can come out of this many compressed ones,
// so that no memory is taken for a size that is only claimed.
func believable(size, compressed uint64) bool {
	return size/inflateMost <= compressed
}

// fill decodes the zlib stream at the start of src, which must fill dst, and returns
// how many bytes of src it took.
func fill(dst []byte, d *inflate.Decoder, src []byte) (used int, err error) {
	n, used, err := d.Zlib(dst, src)
	if err == nil && n != len(dst) {
		err = errWrongSize
	}
	return used, err
}

// openMapped maps the regular file at path. Its bytes must only be touched under
// guard: the file may shrink, or its disk fail, at any time.
func openMapped(path string) ([]byte, error) {
	f, size, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size == 0 {
		return nil, &fs.PathError{Op: "open", Path: path, Err: errTruncated}
	}
	if int64(int(size)) != size {
		return nil, &fs.PathError{Op: "map", Path: path, Err: errTooLarge}
	}
	return mapFile(f, int(size))
}

// guard runs f and turns a fault on a mapped page, which would otherwise end the
// process, into an error. Every other panic goes through.
func guard(f func() error) (err error) {
	old := debug.SetPanicOnFault(true)
	defer debug.SetPanicOnFault(old)
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		// Only a fault at an address that is not nil has an Addr.
		if _, fault := r.(interface {
			runtime.Error
			Addr() uintptr
		}); !fault {
			panic(r)
		}
		err = errChanged
	}()
	return f()
}
