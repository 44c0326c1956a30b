package archive

import (
	"bufio"
	"compress/bzip2"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
)

// maxDictionary is the largest window that a stream may ask a decoder to hold.
// It is what the strongest settings of the usual programs use.
const maxDictionary = 128 << 20

// counter counts what is read.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// A decoder unpacks one stream, holds it to the limits, and turns a panic of the
// code that does the unpacking into an error.
type decoder struct {
	w    *walk
	in   *counter
	src  *bufio.Reader // over in
	out  io.Reader
	n    int64
	err  error // what ended the reading: a decoder is not read on behind that
	free func()
}

// decode unpacks src. The method is one of the compression kinds; deflate is
// the bare stream of a zip and zlib's of a PDF. Close gives the buffers back.
func (w *walk) decode(src io.Reader, open func(*bufio.Reader) (io.Reader, func(), error)) (*decoder, error) {
	d := &decoder{w: w, in: &counter{r: src}}
	d.src = w.buffer(d.in)
	var err error
	func() {
		defer rescue(&err)
		d.out, d.free, err = open(d.src)
	}()
	if err != nil {
		w.release(d.src)
		return nil, err
	}
	return d, nil
}

func rescue(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("the unpacking failed on damaged data")
	}
}

// Read implements io.Reader.
func (d *decoder) Read(p []byte) (n int, err error) {
	if d.err != nil {
		return 0, d.err
	}
	defer func() { d.err = err }()
	func() {
		defer rescue(&err)
		n, err = d.out.Read(p)
	}()
	d.n += int64(n)
	if cerr := d.w.charge(int64(n)); cerr != nil {
		return n, cerr
	}
	if d.n > RatioFloor && d.n/d.w.limits.Ratio > d.in.n {
		return n, &LimitError{Ratio, d.w.limits.Ratio}
	}
	return n, err
}

func (d *decoder) close() {
	if d.free != nil {
		d.free()
	}
	d.w.release(d.src)
}

// consumed is how much of the source the decoder took, when it takes no more
// than it needs from a buffered reader.
func (d *decoder) consumed() int64 { return d.in.n - int64(d.src.Buffered()) }

// stream walks what a compressed stream holds. It is a level of its own to the
// limits and has none in the path of a container it holds.
func (w *walk) stream(kind Kind, n node) error {
	d, err := w.decode(n.reader(), w.opener(kind))
	if err != nil {
		return err
	}
	defer d.close()
	br := w.buffer(d)
	defer w.release(br)
	base := trimSuffix(n.base)
	inner := node{br: br, size: -1, path: n.path, base: base, depth: n.depth + 1}
	inner.leaf = base
	if n.path != "" {
		inner.leaf = n.path + "!" + base
	}
	if err := w.enter(inner); err != nil {
		return err
	}
	return nil
}

func (n *node) reader() io.Reader {
	if n.at != nil {
		return io.NewSectionReader(n.at, 0, n.size)
	}
	return n.br
}

// trimSuffix takes off what a compressed file's name ends with.
func trimSuffix(name string) string {
	i := strings.LastIndexByte(name, '.')
	if i > 0 {
		switch strings.ToLower(name[i+1:]) {
		case "gz", "bz2", "xz", "zst", "lzma", "z", "zstd":
			return name[:i]
		case "tgz", "tbz", "tbz2", "txz", "tzst", "tlz":
			return name[:i] + ".tar"
		}
	}
	if name == "" {
		return "data"
	}
	return name
}

func (w *walk) opener(kind Kind) func(*bufio.Reader) (io.Reader, func(), error) {
	switch kind {
	case Gzip:
		return openGzip
	case Bzip2:
		return func(r *bufio.Reader) (io.Reader, func(), error) { return bzip2.NewReader(r), nil, nil }
	case XZ:
		return w.xzOpener(math.MaxUint64)
	case Zstd:
		return w.openZstd
	default:
		return w.openLZMA
	}
}

func (w *walk) xzOpener(size uint64) func(*bufio.Reader) (io.Reader, func(), error) {
	return func(r *bufio.Reader) (io.Reader, func(), error) {
		x := &xzReader{w: w, r: r, size: size}
		return x, x.close, nil
	}
}

func (w *walk) openLZMA(r *bufio.Reader) (io.Reader, func(), error) {
	var h [13]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return nil, nil, short(err)
	}
	size := binary.LittleEndian.Uint64(h[5:])
	return w.openRawLZMA(r, h[:5], size, size)
}

func (w *walk) openZstd(r *bufio.Reader) (io.Reader, func(), error) {
	var h zstd.Header
	head, _ := r.Peek(zstd.HeaderMaxSize)
	if err := h.Decode(head); err != nil {
		return nil, nil, err
	}
	free, err := w.borrow(int64(min(h.WindowSize, 1<<40)))
	if err != nil {
		return nil, nil, err
	}
	z, err := w.zstd(r)
	if err != nil {
		free()
		return nil, nil, err
	}
	return z, func() {
		free()
		if h.WindowSize <= 8<<20 {
			w.dropZstd(z)
			return
		}
		z.Close()
	}, nil
}

func (w *walk) dropZstd(z *zstd.Decoder) {
	if z.Reset(nil) == nil {
		w.zstds.Put(z)
	}
}

// openDeflate reads a bare deflate stream (RFC 1951). Decoders are used again,
// as a zip may hold very many small members.
func (w *walk) openDeflate(r *bufio.Reader) (io.Reader, func(), error) {
	z, ok := w.flates.Get().(io.ReadCloser)
	if !ok {
		z = flate.NewReader(r)
	} else if err := z.(flate.Resetter).Reset(r, nil); err != nil {
		return nil, nil, err
	}
	return z, func() { w.flates.Put(z) }, nil
}
