package archive

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/b10lint/b10lint/internal/english"
)

// maxSevenHeader bounds the header of a 7z, which is held in memory. The names
// of a million files take about this much.
const maxSevenHeader = 64 << 20

var errSeven = errors.New("the header makes no sense")

// sevenZip reads 7z archives (7zFormat.txt of the LZMA SDK). Folders whose
// coders form a simple chain are read; others are reported.
func (w *walk) sevenZip(n node) error {
	header, err := w.sevenHeader(n)
	if err != nil {
		return err
	}
	a, err := w.sevenParse(n, header)
	if err != nil {
		return err
	}
	file := 0
	for i := range a.folders {
		if file, err = w.sevenFolder(n, a, i, file); err != nil {
			return err
		}
	}
	for range a.files[min(file, len(a.files)):] { // empty ones
		if err := w.count(0); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) sevenHeader(n node) ([]byte, error) {
	var h [32]byte
	if k, err := n.at.ReadAt(h[:], 0); k < len(h) {
		return nil, fmt.Errorf("the archive is cut short: %w", short(err))
	}
	le := binary.LittleEndian
	offset, size, sum := le.Uint64(h[12:]), le.Uint64(h[20:]), le.Uint32(h[28:])
	switch {
	case size == 0:
		return nil, nil
	case offset > uint64(n.size) || size > uint64(n.size) || offset+size+32 > uint64(n.size):
		return nil, fmt.Errorf("the archive is cut short: %w", io.ErrUnexpectedEOF)
	case size > maxSevenHeader:
		return nil, &UnsupportedError{fmt.Sprintf("a header of %d bytes", size)}
	}
	b := make([]byte, size)
	if k, err := n.at.ReadAt(b, 32+int64(offset)); k < len(b) {
		return nil, short(err)
	}
	if crc32.ChecksumIEEE(b) != sum {
		return nil, errors.New("the header's checksum is wrong")
	}
	return b, nil
}

// sevenParse reads the header, unpacking it as often as it is packed.
func (w *walk) sevenParse(n node, b []byte) (*sevenArchive, error) {
	for range 4 {
		f := sevenFields{fields: fields{b: b}, room: int(w.limits.Memory / 2)}
		switch f.number() {
		case sevenEnd:
			return &sevenArchive{}, nil
		case sevenHeader:
			return f.header(w.limits.Memory)
		case sevenEncodedHeader:
			a := &sevenArchive{}
			f.streams(a)
			if f.large {
				return nil, &LimitError{limitMemory, w.limits.Memory}
			}
			if f.bad || len(a.folders) == 0 {
				return nil, errSeven
			}
			d, err := w.sevenDecode(n, a, 0)
			if errors.Is(err, ErrEncrypted) {
				return nil, fmt.Errorf("the list of members is %w", ErrEncrypted)
			}
			if err != nil {
				return nil, fmt.Errorf("the packed header: %w", err)
			}
			b, err = io.ReadAll(io.LimitReader(d, min(a.folders[0].size(), maxSevenHeader)))
			d.close()
			if err != nil {
				return nil, fmt.Errorf("the packed header: %w", err)
			}
		default:
			return nil, errSeven
		}
	}
	return nil, errSeven
}

// sevenFolder walks the files of one folder, which are packed as one stream. It
// takes the number of the next file and returns that of the one after.
func (w *walk) sevenFolder(n node, a *sevenArchive, i, file int) (int, error) {
	folder := &a.folders[i]
	d, err := w.sevenDecode(n, a, i)
	if err != nil {
		// The names are known all the same; one problem for each would be noise.
		name, rest := a.name(&file), len(folder.parts)-1
		for range max(0, rest) {
			a.name(&file)
		}
		if rest > 0 {
			err = fmt.Errorf("and %d more %s packed with it: %w", rest, english.Plural(int(rest), "file", "files"), err)
		}
		return file, w.problem(n.child(name).leaf, fmt.Errorf("7z: %w", err))
	}
	defer d.close()
	all := w.buffer(d)
	defer w.release(all)
	for _, part := range folder.parts {
		m := n.child(a.name(&file))
		if err := w.sevenFile(m, part, all); err != nil {
			return file, err
		}
	}
	return file, nil
}

func (w *walk) sevenFile(m node, part sevenPart, all *bufio.Reader) error {
	lim := &limited{r: all, left: part.size}
	sum := &summer{r: lim, h: crc32.NewIEEE()}
	m.br, m.size = w.buffer(sum), part.size
	defer w.release(m.br)
	if part.hasSum {
		m.check = func() error {
			if sum.h.Sum32() != part.sum {
				return errors.New("7z: its checksum is wrong, so some of its content may be as well")
			}
			return nil
		}
	}
	if err := w.enter(m); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, lim)
	return err
}

// A sevenChain is the decoders of a folder, to be closed together.
type sevenChain struct {
	io.Reader
	ds []*decoder
}

func (c *sevenChain) close() {
	for _, d := range c.ds {
		d.close()
	}
}

// sevenDecode opens the stream of a folder.
func (w *walk) sevenDecode(n node, a *sevenArchive, i int) (*sevenChain, error) {
	f := &a.folders[i]
	if f.encrypted() {
		return nil, fmt.Errorf("the content is %w", ErrEncrypted)
	}
	if f.odd != "" {
		return nil, &UnsupportedError{f.odd}
	}
	if f.pack >= len(a.packs) {
		return nil, errSeven
	}
	p := a.packs[f.pack]
	if p.start < 0 || p.start > n.size || p.end > n.size {
		return nil, fmt.Errorf("it lies outside the archive: %w", io.ErrUnexpectedEOF)
	}
	c := &sevenChain{Reader: io.NewSectionReader(n.at, p.start, p.end-p.start)}
	for _, k := range f.chain {
		d, err := w.decode(c.Reader, w.sevenCoder(f.coders[k], f.sizes[k]))
		if err != nil {
			c.close()
			return nil, err
		}
		c.Reader, c.ds = d, append(c.ds, d)
	}
	return c, nil
}

func (w *walk) sevenCoder(k sevenCoder, size int64) func(*bufio.Reader) (io.Reader, func(), error) {
	plain := func(open func(io.Reader) io.Reader) func(*bufio.Reader) (io.Reader, func(), error) {
		return func(r *bufio.Reader) (io.Reader, func(), error) { return open(r), nil, nil }
	}
	switch k.id {
	case "\x00":
		return plain(func(r io.Reader) io.Reader { return r })
	case "\x21":
		return func(r *bufio.Reader) (io.Reader, func(), error) {
			if len(k.props) != 1 {
				return nil, nil, errSeven
			}
			return w.lzma2(r, k.props[0], uint64(size))
		}
	case "\x03\x01\x01":
		return func(r *bufio.Reader) (io.Reader, func(), error) {
			if len(k.props) != 5 {
				return nil, nil, errSeven
			}
			return w.openRawLZMA(r, k.props, uint64(size), uint64(size))
		}
	case "\x03":
		if len(k.props) == 1 {
			return plain(func(r io.Reader) io.Reader { return &deltaReader{r: r, distance: int(k.props[0]) + 1} })
		}
	case "\x04", "\x03\x03\x01\x03":
		return plain(func(r io.Reader) io.Reader { return newX86Reader(r) })
	case "\x04\x01\x08":
		return w.openDeflate
	case "\x04\x02\x02":
		return plain(func(r io.Reader) io.Reader { return bzip2.NewReader(r) })
	case "\x04\xf7\x11\x01":
		return w.openZstd
	}
	return func(*bufio.Reader) (io.Reader, func(), error) {
		return nil, nil, &UnsupportedError{"the method " + k.name()}
	}
}

func (k *sevenCoder) name() string {
	for _, m := range [...]struct{ id, name string }{
		{"\x03\x03\x01\x1b", "BCJ2"}, {"\x03\x04\x01", "PPMd"}, {"\x04\x01\x09", "Deflate64"},
		{"\x04\xf7\x11\x02", "Brotli"}, {"\x04\xf7\x11\x04", "LZ4"}, {"\x0a", "ARM64"}, {"\x0b", "RISC-V"},
	} {
		if k.id == m.id {
			return m.name
		}
	}
	return fmt.Sprintf("%x", k.id)
}

func (d *sevenFolder) encrypted() bool {
	for _, k := range d.coders {
		if bytes.HasPrefix([]byte(k.id), []byte("\x06\xf1\x07")) {
			return true
		}
	}
	return false
}
