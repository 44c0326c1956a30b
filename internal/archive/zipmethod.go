package archive

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/ulikunitz/xz/lzma"
)

func (z *zipWalk) method(e zipEntry) func(*bufio.Reader) (io.Reader, func(), error) {
	switch e.method {
	case zipDeflate:
		return z.openDeflate
	case zipBzip2:
		return func(r *bufio.Reader) (io.Reader, func(), error) { return bzip2.NewReader(r), nil, nil }
	case zipLZMA:
		return func(r *bufio.Reader) (io.Reader, func(), error) { return z.openZipLZMA(r, e) }
	case zipXZ:
		return z.xzOpener(e.size)
	case zipZstd, zipZstdOld:
		return z.openZstd
	}
	return func(*bufio.Reader) (io.Reader, func(), error) {
		what := fmt.Sprintf("the method %d", e.method)
		switch e.method {
		case zipDeflate64:
			what = "the method Deflate64"
		case zipPPMd:
			what = "the method PPMd"
		}
		return nil, nil, &UnsupportedError{what}
	}
}

// openZipLZMA makes of zip's header (APPNOTE 5.8.8: version, size of properties,
// properties) the one of a .lzma stream, which also has the size.
func (w *walk) openZipLZMA(r *bufio.Reader, e zipEntry) (io.Reader, func(), error) {
	var h [9]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return nil, nil, short(err)
	}
	if h[2] != 5 || h[3] != 0 {
		return nil, nil, errors.New("the LZMA properties make no sense")
	}
	size := e.size
	if e.flags&2 != 0 {
		size = 1<<64 - 1 // an end marker tells
	}
	return w.openRawLZMA(r, h[4:9], size, e.size)
}

// openRawLZMA reads an LZMA stream whose properties and size stand elsewhere.
// The size is the largest number when a marker ends the stream; the content is known
// to be of at most the other size, and no dictionary need be larger.
func (w *walk) openRawLZMA(r io.Reader, properties []byte, size, most uint64) (io.Reader, func(), error) {
	dict := max(lzma.MinDictCap, min(uint64(binary.LittleEndian.Uint32(properties[1:])), most))
	free, err := w.borrow(int64(dict))
	if err != nil {
		return nil, nil, err
	}
	head := binary.LittleEndian.AppendUint32(properties[:1:1], uint32(dict))
	head = binary.LittleEndian.AppendUint64(head, size)
	z, err := lzma.ReaderConfig{DictCap: maxDictionary}.NewReader(io.MultiReader(bytes.NewReader(head), r))
	if err != nil {
		free()
		return nil, nil, err
	}
	return z, free, nil
}
