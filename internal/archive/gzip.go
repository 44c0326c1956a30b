package archive

import (
	"bufio"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
)

// A gzipReader reads any number of gzip members (RFC 1952). Zeros behind the
// last one are padding; anything else is an error after all members were read.
type gzipReader struct {
	r *bufio.Reader
	z *gzip.Reader
}

func openGzip(r *bufio.Reader) (io.Reader, func(), error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, nil, err
	}
	z.Multistream(false)
	return &gzipReader{r, z}, nil, nil
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
			return errors.New("data that is no gzip follows")
		}
	}
}
