package archive

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// cpio reads the new ASCII format, with and without checksums, and the old
// portable one (cpio(5) of FreeBSD), one archive after the other.
func (w *walk) cpio(n node) error {
	c := w.cursor(n)
	defer c.close()
	for {
		name, size, align, err := cpioHeader(c)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if size == 0 {
			if err := w.count(0); err != nil {
				return err
			}
			continue
		}
		part, done := c.open(size)
		m := n.child(name)
		m.at, m.br, m.size = part.at, part.br, size
		if err := w.enter(m); err != nil {
			return err
		}
		if err := done(); err != nil {
			return err
		}
		if err := c.skip(-size & (align - 1)); err != nil {
			return nil // nothing follows the last member
		}
	}
}

// cpioHeader reads a member's header and name, passing over the zeros that fill
// an archive up; io.EOF when nothing follows.
func cpioHeader(c *cursor) (name string, size, align int64, err error) {
	var h [110]byte
	for {
		if _, err := c.full(h[:1]); err != nil {
			return "", 0, 0, io.EOF
		}
		if h[0] != 0 {
			break
		}
	}
	if _, err = c.full(h[1:76]); err != nil {
		return "", 0, 0, fmt.Errorf("the archive is cut short: %w", short(err))
	}
	var nameSize int64
	var err1, err2 error
	switch string(h[:6]) {
	case "070707":
		align = 1
		nameSize, err1 = strconv.ParseInt(string(h[59:65]), 8, 64)
		size, err2 = strconv.ParseInt(string(h[65:76]), 8, 64)
	case "070701", "070702":
		align = 4
		if _, err = c.full(h[76:]); err != nil {
			return "", 0, 0, fmt.Errorf("the archive is cut short: %w", short(err))
		}
		size, err1 = strconv.ParseInt(string(h[54:62]), 16, 64)
		nameSize, err2 = strconv.ParseInt(string(h[94:102]), 16, 64)
	default:
		return "", 0, 0, errors.New("a member is followed by something other than a header, which was not read")
	}
	if err1 != nil || err2 != nil || nameSize < 0 || nameSize > 64<<10 || size < 0 {
		return "", 0, 0, errors.New("a member's header makes no sense; what follows was not read")
	}
	b := make([]byte, nameSize)
	if _, err := c.full(b); err != nil {
		return "", 0, 0, fmt.Errorf("the archive is cut short: %w", short(err))
	}
	if align == 4 {
		err = c.skip(-(110 + nameSize) & 3)
	}
	return cstring(b), size, align, err
}

// rpm skips the lead and the two headers of an RPM package (RPM Package File
// Format, version 4); the payload is a cpio archive in a compressed stream.
func (w *walk) rpm(n node) error {
	c := w.cursor(n)
	defer c.close()
	if err := c.skip(96); err != nil {
		return err
	}
	for i := range 2 {
		var h [16]byte
		if _, err := c.full(h[:]); err != nil {
			return fmt.Errorf("the package is cut short: %w", short(err))
		}
		if string(h[:4]) != "\x8e\xad\xe8\x01" {
			return errors.New("a header is not where it should be")
		}
		size := 16*int64(binary.BigEndian.Uint32(h[8:])) + int64(binary.BigEndian.Uint32(h[12:]))
		part, done := c.open(size)
		m := n.child([]string{"signature", "header"}[i])
		m.at, m.br, m.size = part.at, part.br, size
		if err := w.visit(m); err != nil {
			return err
		}
		if err := done(); err != nil {
			return err
		}
		if i == 0 {
			if err := c.skip(-size & 7); err != nil {
				return err
			}
		}
	}
	payload := node{br: c.buf(), size: -1, path: n.path, leaf: n.child("payload").leaf, base: "payload", depth: n.depth + 1}
	if n.at != nil {
		payload.at, payload.br, payload.size = io.NewSectionReader(n.at, c.pos, max(0, n.size-c.pos)), nil, max(0, n.size-c.pos)
	}
	return w.enter(payload)
}
