package archive

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// An archive of pg_dump (-Fc) is a header, a table of contents, and blocks: of each table's
// rows, or of large objects, packed as a whole or not, in chunks. Numbers are a sign and four
// bytes (PostgreSQL, src/bin/pg_dump/pg_backup_custom.c):
//
//	01  number of the entry  (length  bytes)...  0                  rows
//	03  number of the entry  [oid  (length  bytes)...  0]...  0     large objects
//
// The table of contents differs between versions, so the first block is found by what it
// looks like; from there on each follows the one before. What is in them is visited.

const (
	pgRows, pgObjects = 1, 3
	pgInt             = 5
	// pgProof is how many chunks show that something is a block.
	pgProof = 4
)

// pgNumber reads a number; ok is false for one that is negative.
func pgNumber(b []byte) (n int64, ok bool) {
	return int64(binary.LittleEndian.Uint32(b[1:])), b[0] == 0 && b[4] < 0x80
}

// pgDump walks the blocks of a dump.
func (w *walk) pgDump(n node) error {
	at, err := w.pgFirst(n)
	if err != nil || at < 0 {
		return err
	}
	br := w.buffer(io.NewSectionReader(n.at, at, n.size-at))
	defer w.release(br)
	for {
		var h [1 + pgInt]byte
		if _, err := io.ReadFull(br, h[:]); err == io.EOF {
			return nil
		} else if err != nil {
			return short(err)
		}
		entry, ok := pgNumber(h[1:])
		if !ok || h[0] != pgRows && h[0] != pgObjects {
			return errors.New("what follows a block makes no sense; it was not read further")
		}
		for {
			name := fmt.Sprintf("entry %d", entry)
			if h[0] == pgObjects {
				var oid [pgInt]byte
				if _, err := io.ReadFull(br, oid[:]); err != nil {
					return short(err)
				}
				id, _ := pgNumber(oid[:])
				if id == 0 {
					break
				}
				name = fmt.Sprintf("large object %d", id)
			}
			chunks := &pgChunks{r: br}
			m := n.child(name)
			m.base, m.br = "", w.buffer(chunks)
			err := w.enter(m)
			w.release(m.br)
			if err != nil {
				return err
			}
			if _, err := io.Copy(io.Discard, chunks); err != nil {
				return err
			}
			if h[0] == pgRows {
				break
			}
		}
	}
}

// pgFirst returns where the first block begins; -1 if there is none.
func (w *walk) pgFirst(n node) (int64, error) {
	const header = 1 + 2*pgInt
	buf := make([]byte, 64<<10)
	for at := int64(len("PGDMP")); at+header <= n.size; {
		k, _ := n.at.ReadAt(buf[:min(int64(len(buf)), n.size-at)], at)
		if err := w.charge(int64(k)); err != nil {
			return 0, &stopped{err}
		}
		if k < header {
			return -1, nil
		}
		for i := 0; i+header <= k; i++ {
			b := buf[i : i+header]
			if b[0] != pgRows && b[0] != pgObjects || b[1] != 0 || b[1+pgInt] != 0 || b[4]|b[5] != 0 && b[5] >= 0x80 {
				continue
			}
			chunks := at + int64(i) + 1 + pgInt
			if b[0] == pgObjects {
				chunks += pgInt
			}
			if id, _ := pgNumber(b[1:]); id > 0 && pgChain(n, chunks) {
				return at + int64(i), nil
			}
		}
		at += int64(k - header + 1)
	}
	return -1, nil
}

// pgChain reports whether chunks begin at a place, some of which or all follow each other.
func pgChain(n node, at int64) bool {
	for i := range pgProof {
		var h [pgInt + 1]byte
		if k, _ := n.at.ReadAt(h[:], at); k < pgInt {
			return false
		}
		size, ok := pgNumber(h[:])
		if at += pgInt + size; !ok || at > n.size {
			return false
		}
		if size == 0 { // the end of the block: another one follows, or nothing
			return i > 0 && (at == n.size || h[pgInt] == pgRows || h[pgInt] == pgObjects || h[pgInt] == 0)
		}
	}
	return true
}

// pgChunks reads the chunks of one block.
type pgChunks struct {
	r    *bufio.Reader
	left int64
	err  error
}

func (c *pgChunks) Read(p []byte) (int, error) {
	if c.left == 0 && c.err == nil {
		var h [pgInt]byte
		_, err := io.ReadFull(c.r, h[:])
		size, ok := pgNumber(h[:])
		switch {
		case err != nil:
			c.err = short(err)
		case !ok:
			c.err = errors.New("the length of a chunk makes no sense")
		case size == 0:
			c.err = io.EOF
		}
		c.left = size
	}
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	if err != nil {
		c.err = short(err)
	}
	return n, c.err
}
