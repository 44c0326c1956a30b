package archive

import (
	"encoding/binary"
	"io"
)

// fields reads numbers off a slice; bad is set once it was too short.
type fields struct {
	b   []byte
	bad bool
}

// fail leaves nothing to be read.
func (f *fields) fail() { f.bad, f.b = true, nil }

func (f *fields) take(n int) []byte {
	if n < 0 || n > len(f.b) {
		f.fail()
		return nil
	}
	p := f.b[:n]
	f.b = f.b[n:]
	return p
}

func (f *fields) byte() byte {
	if p := f.take(1); p != nil {
		return p[0]
	}
	return 0
}

func (f *fields) u32() uint32 {
	if p := f.take(4); p != nil {
		return binary.LittleEndian.Uint32(p)
	}
	return 0
}

func (f *fields) u64() uint64 {
	if p := f.take(8); p != nil {
		return binary.LittleEndian.Uint64(p)
	}
	return 0
}

// xzNumber reads a variable-length integer of the xz format.
func (f *fields) xzNumber() (v uint64) {
	for i := 0; i < 9; i++ {
		b := f.byte()
		v |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			return v
		}
	}
	f.bad = true
	return 0
}

// A deltaReader undoes the delta filter: each byte is the difference to the one
// a fixed distance before it.
type deltaReader struct {
	r        io.Reader
	distance int
	history  [256]byte
	pos      byte
}

// Read implements io.Reader.
func (d *deltaReader) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	for i := range p[:n] {
		p[i] += d.history[byte(d.distance+int(d.pos))]
		d.history[d.pos] = p[i]
		d.pos--
	}
	return n, err
}

// An x86Reader undoes the filter for x86 programs, which makes the targets of
// calls absolute. The algorithm is that of the LZMA SDK's x86 converter.
type x86Reader struct {
	r              io.Reader
	buf            []byte // buf[:done] is ready, buf[done:] needs more bytes
	done           int
	pos            uint32 // of buf[0]
	mask, previous uint32
	err            error
}

func newX86Reader(r io.Reader) *x86Reader {
	return &x86Reader{r: r, previous: ^uint32(4), buf: make([]byte, 0, 32<<10)}
}

// Read implements io.Reader.
func (x *x86Reader) Read(p []byte) (int, error) {
	for x.done == 0 {
		if x.err != nil {
			return 0, x.err
		}
		n, err := x.r.Read(x.buf[len(x.buf):cap(x.buf)])
		x.buf = x.buf[:len(x.buf)+n]
		x.done = x.convert(x.buf)
		if err != nil {
			x.err, x.done = err, len(x.buf)
		}
	}
	n := copy(p, x.buf[:x.done])
	rest := copy(x.buf, x.buf[n:])
	x.buf, x.done, x.pos = x.buf[:rest], x.done-n, x.pos+uint32(n)
	return n, nil
}

func (x *x86Reader) convert(buf []byte) int {
	i := x.done
	if len(buf)-i < 5 {
		return i
	}
	if x.pos+uint32(i)-x.previous > 5 {
		x.previous = x.pos + uint32(i) - 5
	}
	for i <= len(buf)-5 {
		if buf[i] != 0xe8 && buf[i] != 0xe9 {
			i++
			continue
		}
		here := x.pos + uint32(i)
		offset := here - x.previous
		x.previous = here
		if offset > 5 {
			x.mask = 0
		} else {
			for range offset {
				x.mask = x.mask & 0x77 << 1
			}
		}
		if high(buf[i+4]) && x.mask>>1 <= 4 && x.mask>>1 != 3 {
			x.undo(buf[i+1:i+5], here+5)
			x.mask = 0
			i += 5
			continue
		}
		x.mask |= 1
		if high(buf[i+4]) {
			x.mask |= 0x10
		}
		i++
	}
	return i
}

func (x *x86Reader) undo(b []byte, next uint32) {
	src := binary.LittleEndian.Uint32(b)
	var dest uint32
	for {
		dest = src - next
		if x.mask == 0 {
			break
		}
		bit := [5]uint32{0, 1, 2, 2, 3}[x.mask>>1]
		if !high(byte(dest >> (24 - bit*8))) {
			break
		}
		src = dest ^ (1<<(32-bit*8) - 1)
	}
	binary.LittleEndian.PutUint32(b, dest&0x00ffffff|-(dest>>24&1)<<24)
}

func high(b byte) bool { return b == 0 || b == 0xff }
