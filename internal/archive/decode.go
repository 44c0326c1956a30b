package archive

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"strings"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
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

// An opener begins to undo a compression. The function, if not nil, gives back what the
// reader needs.
type opener func(*bufio.Reader) (io.Reader, func(), error)

// decode unpacks src. Close gives the buffers back.
func (w *walk) decode(src io.Reader, open opener) (*decoder, error) {
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
	if d.n > ratioFloor && d.n/d.w.limits.Ratio > d.in.n {
		return n, &LimitError{limitRatio, d.w.limits.Ratio}
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
func (w *walk) stream(kind kind, n node) error {
	open := w.openLZMA
	switch kind {
	case kindGzip:
		open = w.openGzip
	case kindBzip2:
		open = openBzip2
	case kindXZ:
		open = w.xzOpener(math.MaxUint64)
	case kindZstd:
		open = w.openZstd
	case kindZlib:
		open = w.openZlib
	}
	d, err := w.decode(n.reader(), open)
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
	if n.base == "" && n.path != "" { // a part of something, which has no name of its own
		inner.base, inner.leaf = "", n.path
	}
	inner.encoded, inner.weak = n.encoded, n.encoded && kind == kindZlib
	if kind == kindZlib {
		looseHeader(br)
	}
	if err := w.enter(inner); err != nil || kind != kindZlib || n.encoded || d.err != io.EOF {
		return err
	}
	// Such a stream says nothing of what follows it.
	if _, err := d.src.Peek(1); err != nil {
		return nil
	}
	inner.br, inner.leaf = d.src, inner.leaf+" behind the stream"
	return w.enter(inner)
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

func (w *walk) openZlib(r *bufio.Reader) (io.Reader, func(), error) {
	z, err := w.zlib(r)
	return z, func() { w.zlibs.Put(z) }, err
}

func openBzip2(r *bufio.Reader) (io.Reader, func(), error) { return bzip2.NewReader(r), nil, nil }

func (w *walk) openLZMA(r *bufio.Reader) (io.Reader, func(), error) {
	var h [13]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return nil, nil, short(err)
	}
	size := binary.LittleEndian.Uint64(h[5:])
	return w.openRawLZMA(r, h[:5], size, size)
}

// zstdWindow is the window that the decoders have that are used again. A stream whose
// first frame asks for more gets a decoder of its own, with that.
const zstdWindow = 8 << 20

func (w *walk) openZstd(r *bufio.Reader) (io.Reader, func(), error) {
	var h zstd.Header
	head, _ := r.Peek(zstd.HeaderMaxSize)
	if err := h.Decode(head); err != nil {
		return nil, nil, err
	}
	var src io.Reader = r
	if size, ok := zstdSize(r, &h); ok && size < h.WindowSize {
		// To set a window aside takes longer than unpacking a small frame. This one asks for
		// the smallest window that holds all of it (RFC 8878, 3.1.1.1.2).
		log := max(10, bits.Len64(size))
		h.WindowSize = 1 << log
		src = io.MultiReader(bytes.NewReader(append(bytes.Clone(head[:5]), byte(log-10)<<3)), r)
		if _, err := r.Discard(6); err != nil {
			return nil, nil, short(err)
		}
	}
	free, err := w.borrow(int64(min(h.WindowSize, 1<<40)))
	if err != nil {
		return nil, nil, err
	}
	ours := h.WindowSize > zstdWindow
	var z *zstd.Decoder
	if !ours {
		z, _ = w.zstds.Get().(*zstd.Decoder)
	}
	if z != nil {
		err = z.Reset(src)
	} else { // one without goroutines that holds little memory
		z, err = zstd.NewReader(src, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(max(h.WindowSize, zstdWindow)))
	}
	if err != nil {
		free()
		return nil, nil, err
	}
	return z, func() {
		free()
		if ours {
			z.Close()
		} else if z.Reset(nil) == nil {
			w.zstds.Put(z)
		}
	}, nil
}

// zstdSize returns the most that the first frame can unpack to, where all of it is in the
// reader's buffer and its window does not follow from its size.
func zstdSize(r *bufio.Reader, h *zstd.Header) (size uint64, ok bool) {
	if h.Skippable || h.SingleSegment {
		return 0, false
	}
	for at := h.HeaderSize; ; {
		b, _ := r.Peek(at + 3)
		if len(b) < at+3 {
			return 0, false
		}
		block := uint64(b[at]) | uint64(b[at+1])<<8 | uint64(b[at+2])<<16
		at += 3
		switch n := block >> 3; block >> 1 & 3 {
		case 0: // raw
			size += n
			at += int(n)
		case 1: // one byte, n times
			size += n
			at++
		default: // compressed, to no more than a block may hold
			size += 128 << 10
			at += int(n)
		}
		if block&1 != 0 {
			return size, true
		}
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

var errBehindGzip = errors.New("data that is not gzip follows")

// A gzipReader reads any number of gzip members (RFC 1952). Zeros behind the
// last one are padding; anything else is an error after all members were read.
type gzipReader struct {
	r *bufio.Reader
	z *gzip.Reader
}

func (w *walk) openGzip(r *bufio.Reader) (io.Reader, func(), error) {
	z, ok := w.gzips.Get().(*gzip.Reader)
	if !ok {
		z = new(gzip.Reader)
	}
	if err := z.Reset(r); err != nil {
		return nil, nil, err
	}
	z.Multistream(false)
	return &gzipReader{r, z}, func() { w.gzips.Put(z) }, nil
}

// Read implements io.Reader.
func (g *gzipReader) Read(p []byte) (int, error) {
	for {
		n, err := g.z.Read(p)
		if err == io.EOF {
			err = g.next()
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

func (g *gzipReader) next() error {
	for {
		b, err := g.r.Peek(2)
		switch {
		case len(b) == 0 && err == io.EOF, len(b) == 1 && b[0] == 0 && err == io.EOF:
			return io.EOF
		case len(b) < 2:
			return short(err)
		case b[0] == 0:
			if _, err := g.r.Discard(1); err != nil {
				return err
			}
		case b[0] == 0x1f && b[1] == 0x8b:
			if err := g.z.Reset(g.r); err != nil {
				return short(err)
			}
			g.z.Multistream(false)
			return nil
		default:
			return errBehindGzip
		}
	}
}
