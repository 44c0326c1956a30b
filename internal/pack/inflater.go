package pack

import (
	"bytes"
	"compress/zlib"
	"io"
)

// An inflater decodes one whole zlib stream at a time.
type inflater struct {
	src bytes.Reader
	z   io.ReadCloser
}

// Zlib decodes the stream at the start of src into dst, and returns the bytes
// written and read. A stream that holds more than dst is an error.
func (d *inflater) Zlib(dst, src []byte) (n, consumed int, err error) {
	d.src.Reset(src)
	if d.z == nil {
		d.z, err = zlib.NewReader(&d.src)
	} else {
		err = d.z.(zlib.Resetter).Reset(&d.src, nil)
	}
	if err != nil {
		return 0, 0, err
	}
	n, err = io.ReadFull(d.z, dst)
	if err == io.ErrUnexpectedEOF {
		return n, len(src) - d.src.Len(), nil
	}
	if err != nil && len(dst) > 0 {
		return n, 0, err
	}
	var more [1]byte
	if k, err := d.z.Read(more[:]); k != 0 || err != io.EOF {
		if err == nil {
			err = errWrongSize
		}
		return n, 0, err
	}
	return n, len(src) - d.src.Len(), nil
}
