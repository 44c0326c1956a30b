package archive

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/ulikunitz/xz/lzma"
)

// An xzReader reads the .xz format (The .xz File Format, version 1.2.1): any
// number of streams with padding between them, LZMA2 with the x86 and delta
// filters. The checks of the blocks are not verified.
//
// It stands in for a library's reader because of memory: a block's header alone can
// make those set 4 GiB aside. github.com/mikelolasagasti/xz, which takes a bound and
// needs 0.6 of the time, was tried: it sets the whole dictionary of a block aside without
// asking, so the budget that all walks share would have to count the largest for each
// stream, and a content of known size, as in a zip, would get no smaller one; it gives
// up where a check is of an unknown type. And since it has no bare LZMA2, which 7z needs,
// there would be two decoders of it.
type xzReader struct {
	w     *walk
	r     *bufio.Reader
	size  uint64 // of the content, if known; else the largest number
	check int    // size of a block's check; only meaningful in a stream
	in    bool
	any   bool // a stream was read
	block *xzBlock
}

type xzBlock struct {
	out  io.Reader
	in   *counter
	free func() // gives the dictionary back
}

var (
	errXZ    = errors.New("damaged stream")
	xzMagic  = []byte("\xfd7zXZ\x00")
	xzChecks = [16]int{0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64}
)

// Read implements io.Reader.
func (x *xzReader) Read(p []byte) (int, error) {
	for {
		if x.block == nil {
			if err := x.next(); err != nil {
				return 0, err
			}
		}
		n, err := x.block.out.Read(p)
		if err == io.EOF {
			err = x.endBlock()
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// next reads on to the next block's data; io.EOF after the last stream.
func (x *xzReader) next() error {
	for {
		if !x.in {
			if err := x.streamHeader(); err != nil {
				return err
			}
		}
		b, err := x.r.ReadByte()
		if err != nil {
			return short(err)
		}
		if b != 0 {
			return x.startBlock(int(b)*4 + 4)
		}
		if err := x.index(); err != nil {
			return err
		}
		x.in = false
	}
}

func (x *xzReader) streamHeader() error {
	for x.any { // stream padding
		pad, err := x.r.Peek(4)
		if len(pad) == 0 && err == io.EOF {
			return io.EOF
		}
		if !bytes.Equal(pad, []byte{0, 0, 0, 0}) {
			break
		}
		x.r.Discard(4)
	}
	var h [12]byte
	if _, err := io.ReadFull(x.r, h[:]); err != nil {
		return short(err)
	}
	if !bytes.Equal(h[:6], xzMagic) || h[6] != 0 || h[7] > 15 {
		return fmt.Errorf("%w: what follows is not an xz stream", errXZ)
	}
	x.check, x.in, x.any = xzChecks[h[7]], true, true
	return nil
}

// startBlock reads a block's header of the given length, whose first byte is read.
func (x *xzReader) startBlock(length int) error {
	h := make([]byte, length)
	h[0] = byte(length/4 - 1)
	if _, err := io.ReadFull(x.r, h[1:]); err != nil {
		return short(err)
	}
	if crc32.ChecksumIEEE(h[:length-4]) != binary.LittleEndian.Uint32(h[length-4:]) {
		return fmt.Errorf("%w: a block header's checksum is wrong", errXZ)
	}
	f := fields{b: h[2 : length-4]}
	if h[1]&0x40 != 0 {
		f.xzNumber()
	}
	size := x.size
	if h[1]&0x80 != 0 {
		size = min(size, f.xzNumber())
	}
	in := &counter{r: x.r}
	x.block = &xzBlock{in: in}
	return x.filters(&f, int(h[1]&3)+1, size)
}

// filters builds the chain, of which LZMA2 is the last in the header and the
// first to be undone.
func (x *xzReader) filters(f *fields, n int, size uint64) error {
	type filter struct {
		id    uint64
		props []byte
	}
	chain := make([]filter, n)
	for i := range chain {
		chain[i].id = f.xzNumber()
		chain[i].props = f.take(int(min(f.xzNumber(), 1<<10)))
	}
	last := chain[n-1]
	if f.bad || last.id != 0x21 || len(last.props) != 1 {
		return fmt.Errorf("%w: a block's filters make no sense", errXZ)
	}
	if n, ok := lzma2Size(x.r); ok {
		size = min(size, n)
	}
	out, free, err := x.w.lzma2(&byteCounter{x.block.in, x.r}, last.props[0], size)
	x.block.free = free
	for i := n - 2; i >= 0 && err == nil; i-- {
		out, err = undo(out, chain[i].id, chain[i].props)
	}
	x.block.out = out
	return err
}

func undo(r io.Reader, id uint64, props []byte) (io.Reader, error) {
	switch {
	case id == 3 && len(props) == 1:
		return &deltaReader{r: r, distance: int(props[0]) + 1}, nil
	case id == 4:
		return newX86Reader(r), nil
	}
	return nil, &UnsupportedError{fmt.Sprintf("the xz filter %d, for the programs of another processor,", id)}
}

// xzOpener opens an xz stream that unpacks to at most size bytes.
func (w *walk) xzOpener(size uint64) opener {
	return func(r *bufio.Reader) (io.Reader, func(), error) {
		x := &xzReader{w: w, r: r, size: size}
		return x, x.close, nil
	}
}

// lzma2Size adds up what the chunks of an LZMA2 stream say they unpack to, where all of
// them are in the reader's buffer. It is for the size of the dictionary: setting aside and
// clearing the 64 MiB that the strongest setting asks for takes longer than unpacking a
// small stream, and a file may hold thousands.
func lzma2Size(r *bufio.Reader) (size uint64, ok bool) {
	for at := 0; ; {
		b, _ := r.Peek(at + 5)
		switch {
		case len(b) > at && b[at] == 0: // the end
			return size, true
		case len(b) < at+5:
			return 0, false
		}
		h := b[at:]
		switch unpacked := uint64(h[1])<<8 | uint64(h[2]); {
		case h[0] < 0x80: // merely stored
			size += unpacked + 1
			at += 3 + int(unpacked) + 1
		default:
			size += uint64(h[0]&0x1f)<<16 + unpacked + 1
			at += 5 + int(h[3])<<8 + int(h[4]) + 1
			if h[0] >= 0xc0 {
				at++ // properties
			}
		}
	}
}

// lzma2 opens an LZMA2 stream whose dictionary size is coded in one byte. Size is
// that of the whole content, as far as known: no dictionary need be larger.
func (w *walk) lzma2(r io.Reader, code byte, size uint64) (io.Reader, func(), error) {
	dict, err := lzma.DecodeDictCap(code)
	if err != nil {
		return nil, nil, err
	}
	dict = int64(max(lzma.MinDictCap, min(uint64(dict), size)))
	free, err := w.borrow(dict)
	if err != nil {
		return nil, nil, err
	}
	z, err := lzma.Reader2Config{DictCap: int(dict)}.NewReader2(r)
	if err != nil {
		free()
		return nil, nil, err
	}
	return z, free, nil
}

// byteCounter counts both ways of reading, so that the decoder need not read
// ahead of the block's end.
type byteCounter struct {
	c *counter
	r *bufio.Reader
}

func (b *byteCounter) Read(p []byte) (int, error) { return b.c.Read(p) }

func (b *byteCounter) ReadByte() (byte, error) {
	c, err := b.r.ReadByte()
	if err == nil {
		b.c.n++
	}
	return c, err
}

// close gives up the block that is being read.
func (x *xzReader) close() {
	if x.block != nil && x.block.free != nil {
		x.block.free()
		x.block.free = nil
	}
}

// endBlock skips the padding and the check that follow a block's data.
func (x *xzReader) endBlock() error {
	x.close()
	skip := int(-x.block.in.n&3) + x.check
	x.block = nil
	_, err := x.r.Discard(skip)
	return short(err)
}

// index skips the index, whose first byte is read, and the stream's footer.
func (x *xzReader) index() error {
	n := int64(1)
	number := func() (v uint64) {
		for i := 0; i < 9; i++ {
			b, err := x.r.ReadByte()
			if err != nil {
				return 0
			}
			n++
			v |= uint64(b&0x7f) << (7 * i)
			if b < 0x80 {
				break
			}
		}
		return v
	}
	for records := number(); records > 0; records-- {
		if number() == 0 { // an unpadded size is never zero
			return fmt.Errorf("%w: the index is cut short", errXZ)
		}
		number()
	}
	_, err := x.r.Discard(int(-n&3) + 4 + 12)
	return short(err)
}

// short turns an end that should not be there into an error of its own.
func short(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
