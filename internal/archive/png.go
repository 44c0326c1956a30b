package archive

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

// A PNG (W3C, Portable Network Graphics, 11.3.3) may hold text that is packed: comments,
// XMP, workflows of image generators. The pixels are not text, and are left to Pictures.

const pngStart = 8 // the signature

// hasText reports whether a PNG has packed text, or may have it behind the head that is given.
func hasText(head []byte) bool {
	for at := pngStart; at+8 <= len(head); {
		size := int(binary.BigEndian.Uint32(head[at:]) & (1<<31 - 1))
		switch string(head[at+4 : at+8]) {
		case "zTXt", "iTXt":
			return true
		case "IDAT", "IEND":
			return false
		}
		if at += 12 + size; at+8 > len(head) {
			return len(head) >= headSize // where the text is may be further on
		}
	}
	return false
}

// png shows the packed texts of a picture.
func (w *walk) png(n node) error {
	for at := int64(pngStart); ; {
		var h [8]byte
		if k, _ := n.at.ReadAt(h[:], at); k < len(h) {
			return nil
		}
		size := int64(binary.BigEndian.Uint32(h[:]))
		kind := string(h[4:])
		if size > n.size-at-8 || kind == "IEND" {
			return nil
		}
		if kind == "zTXt" || kind == "iTXt" {
			if err := w.pngText(n, kind, at+8, size); err != nil {
				return err
			}
		}
		if err := w.charge(0); err != nil {
			return &stopped{err}
		}
		at += 12 + size
	}
}

// pngText shows the text of one chunk, which begins with a keyword.
func (w *walk) pngText(n node, kind string, at, size int64) error {
	head := make([]byte, min(size, 512))
	k, _ := n.at.ReadAt(head, at)
	key, rest, ok := bytes.Cut(head[:k], []byte{0})
	if !ok || len(rest) < 2 {
		return nil
	}
	skip := int64(len(key) + 2) // the method
	if kind == "iTXt" {
		if rest[0] == 0 { // not packed
			return nil
		}
		_, name, ok := bytes.Cut(rest[2:], []byte{0}) // the language
		_, text, ok2 := bytes.Cut(name, []byte{0})
		if !ok || !ok2 {
			return nil
		}
		skip = int64(k - len(text))
	}
	m := n.child("text " + string(key))
	d, err := w.decode(io.NewSectionReader(n.at, at+skip, size-skip), w.openZlib)
	if err != nil {
		return w.problem(m.leaf, fmt.Errorf("PNG: %w", err))
	}
	defer d.close()
	m.base, m.br = "", w.buffer(d)
	defer w.release(m.br)
	return w.enter(m)
}
