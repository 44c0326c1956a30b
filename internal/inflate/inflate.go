package inflate

import (
	"encoding/binary"
	"errors"
)

var (
	// ErrCorrupt is returned for data that is not a valid stream, and for a checksum that does not match.
	ErrCorrupt = errors.New("inflate: corrupt data")
	// ErrShort is returned when src ends before the stream does.
	ErrShort = errors.New("inflate: input ends before the stream does")
	// ErrLong is returned when the stream holds more than len(dst) bytes.
	ErrLong = errors.New("inflate: stream is longer than expected")
)

// A Decoder holds the tables that decoding needs, so that no call allocates. The zero value is ready for use.
// A Decoder must not be used by two goroutines at once, and not be copied while in use.
type Decoder struct {
	ready bool   // prepare has run
	fixed tables // of blocks with fixed codes
	dyn   tables // of the current block with dynamic codes
	build builder
}

// Zlib decodes the zlib stream at the start of src into dst, which must not overlap src. It returns the number of bytes
// written to dst and the number of bytes of src that the stream takes up, header and checksum included.
//
// The error is ErrCorrupt, ErrShort or ErrLong, compared with ==. With an error, dst[:n] holds what was decoded before
// it, and consumed is 0. Bytes of dst after n may have been overwritten. Nothing is written past len(dst).
// Time is bounded by a constant times len(src)+len(dst), whatever src holds.
func (d *Decoder) Zlib(dst, src []byte) (n, consumed int, err error) {
	const header, trailer = 2, 4
	const (
		deflate   = 8
		maxWindow = 7
		preset    = 0x20 // like git, no preset dictionary is taken; the standard library takes the empty one
	)
	if len(src) < header {
		return 0, 0, ErrShort
	}
	if src[0]&15 != deflate || src[0]>>4 > maxWindow || binary.BigEndian.Uint16(src)%31 != 0 || src[1]&preset != 0 {
		return 0, 0, ErrCorrupt
	}
	n, used, err := d.Raw(dst, src[header:])
	if err != nil {
		return n, 0, err
	}
	rest := src[header+used:]
	if len(rest) < trailer {
		return n, 0, ErrShort
	}
	if binary.BigEndian.Uint32(rest) != adler32(dst[:n]) {
		return n, 0, ErrCorrupt
	}
	return n, header + used + trailer, nil
}

// Prefix decodes no more of the zlib stream at the start of src than fills dst, for callers who need only the first
// bytes of an object. src may be cut off anywhere after the bytes that are needed. It returns the number of bytes
// written to dst, and whether the stream ended there; then its checksum was compared too.
// The error is nil whenever n == len(dst), except that the checksum of a stream that ended there is wrong.
func (d *Decoder) Prefix(dst, src []byte) (n int, ended bool, err error) {
	n, _, err = d.Zlib(dst, src)
	switch {
	case err == nil:
		return n, true, nil
	case n == len(dst) && (err == ErrLong || err == ErrShort):
		return n, false, nil
	}
	return n, false, err
}

// Raw is Zlib for a DEFLATE stream without header and checksum.
func (d *Decoder) Raw(dst, src []byte) (n, consumed int, err error) {
	if !d.ready {
		d.prepare()
	}
	s := stream{src: src, dst: dst[:len(dst):len(dst)]}
	for {
		last, err := s.block(d)
		if err != nil {
			return s.dp, 0, err
		}
		if last {
			s.unread()
			return s.dp, s.sp, nil
		}
	}
}
