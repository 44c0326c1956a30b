// Package sqlite reads the rows of SQLite databases and of their write-ahead logs, by page
// and record, as the file format has them (https://www.sqlite.org/fileformat2.html). It is
// no database: it takes nothing on trust, needs neither indexes nor locks, and gives rows
// that were deleted as well, as far as their pages were not used again.
//
//	page 1 ── schema: table, root page, CREATE TABLE ──┐
//	                                                   ▼
//	first pass:  interior pages ── parent of each page ── which table a page is of
//	second pass: leaf pages ── cells ── payload, over overflow pages ── record ── Row
//
// Both passes read the file from start to end. What is read of overflow pages is bounded by
// four times the file, so the time is linear in its size whatever it holds. Memory is four
// bytes a page, and the largest row.
package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// Magic is what a database begins with, LogMagic what a write-ahead log does, but for the
// lowest bit of its last byte.
const (
	Magic    = "SQLite format 3\x00"
	LogMagic = "\x37\x7f\x06\x82"
)

const (
	headerSize      = 100
	logHeaderSize   = 32
	frameHeaderSize = 24
	// maxOwned is the number of pages up to which it is known of which table each is.
	maxOwned = 1 << 24
	// maxTables is how many tables and indexes are given their names.
	maxTables = 1 << 16
	// maxDepth is how deep a tree of pages may be.
	maxDepth = 20
)

// The kinds of b-tree pages.
const (
	indexInterior = 2
	tableInterior = 5
	indexLeaf     = 10
	tableLeaf     = 13
)

// A Row is one record. It is valid until the callback that it was given to returns.
type Row struct {
	// Table is the name of the table or index; "" for a page that no table has any more, or
	// whose table is unknown.
	Table string
	Page  uint32
	ID    int64 // the rowid; 0 in an index
	// Cut is set when not all of the row could be read.
	Cut    bool
	Values []Value
}

// A Value is one column of a row that is not null. Text is in UTF-8, numbers are decimal.
type Value struct {
	Column string // its name, or its number from 1
	Data   []byte
}

// Damage counts what could not be read.
type Damage struct {
	Pages int // of tables, that make no sense or are not there
	Rows  int // of tables, that are not whole
}

// A reader reads one database or log.
type reader struct {
	r        io.ReaderAt
	size     int64
	pageSize int
	usable   int // bytes of a page that are not reserved
	encoding byte
	frames   map[uint32]int64 // of a log: where the last version of a page is
	log      bool
	tables   []table // 0 is none
	roots    map[uint32]int32
	parents  []uint32
	least    int   // a row with less text and blob is not given
	most     int64 // of a row
	left     int64 // of what may be read of overflow pages
	missing  int   // pages at the end
	damage   Damage
	row      Row
	payload  []byte // of a row that goes over pages
	overflow []byte // a page
	text     []byte // what the values of a row are written in
}

type table struct {
	name    string
	columns []string
}

var errHeader = errors.New("the header makes no sense")

// Rows calls yield for each row of a database, or log, that has at least least bytes of text
// and blobs, in the order of the pages. Of a row of more than most bytes only the part in its
// first page is given. The error is yield's, r's, or says that the header is damaged.
func Rows(r io.ReaderAt, size int64, least int, most int64, yield func(*Row) error) (Damage, error) {
	d := &reader{r: r, size: size, tables: make([]table, 1), roots: map[uint32]int32{}, least: least, most: most, left: 4*size + 1<<20}
	if err := d.header(); err != nil {
		return Damage{}, err
	}
	d.schema()
	if err := d.each(d.adopt); err != nil {
		return d.damage, err
	}
	d.damage.Pages = d.missing
	err := d.each(func(no uint32, page []byte) error { return d.leaf(no, page, yield) })
	return d.damage, err
}

// header reads the sizes of pages. Both kinds of files say them.
func (d *reader) header() error {
	h := make([]byte, headerSize)
	n, err := d.r.ReadAt(h, 0)
	if err != nil && err != io.EOF {
		return err
	}
	switch h = h[:n]; {
	case n == headerSize && string(h[:16]) == Magic:
		if d.pageSize = int(binary.BigEndian.Uint16(h[16:])); d.pageSize == 1 {
			d.pageSize = 1 << 16
		}
		d.usable, d.encoding = d.pageSize-int(h[20]), h[59]
	case n >= logHeaderSize && string(h[:3]) == LogMagic[:3] && h[3]&^1 == LogMagic[3]:
		d.log, d.pageSize = true, int(min(binary.BigEndian.Uint32(h[8:]), 1<<30))
		d.usable = d.pageSize
	default:
		return errHeader
	}
	if p := d.pageSize; p < 512 || p > 1<<16 || p&(p-1) != 0 || d.usable < 480 {
		return fmt.Errorf("pages of %d bytes make no sense", p)
	}
	if !d.log {
		pages := d.size / int64(d.pageSize)
		if pages < maxOwned {
			d.parents = make([]uint32, pages+1)
		}
		// How many there are is valid where two counters of changes agree.
		if all := int64(binary.BigEndian.Uint32(h[28:])); string(h[24:28]) == string(h[92:96]) && all > pages {
			d.missing = int(all - pages)
		}
		return nil
	}
	d.frames = map[uint32]int64{}
	highest := uint32(0)
	err = d.each(func(no uint32, page []byte) error { highest = max(highest, no); return nil })
	if highest < maxOwned && int64(highest) < 64+16*d.size/int64(d.pageSize) {
		d.parents = make([]uint32, highest+1)
	}
	return err
}

// each calls fn for each page, and in a log for each version of a page.
func (d *reader) each(fn func(no uint32, page []byte) error) error {
	const chunk = 1 << 20
	step, at := int64(d.pageSize), int64(0)
	if d.log {
		step, at = step+frameHeaderSize, logHeaderSize
	}
	buf := make([]byte, max(step, min(chunk, d.size)/step*step))
	for no := uint32(1); at+step <= d.size; {
		n, err := d.r.ReadAt(buf[:min(int64(len(buf)), (d.size-at)/step*step)], at)
		if err != nil && err != io.EOF {
			return err
		}
		if int64(n) < step {
			return nil
		}
		for p := buf[:n]; int64(len(p)) >= step; p = p[step:] {
			if d.log {
				no = binary.BigEndian.Uint32(p)
				if len(d.frames) < maxOwned {
					d.frames[no] = at + frameHeaderSize
				}
			}
			if err := fn(no, p[step-int64(d.pageSize):step]); err != nil {
				return err
			}
			at += step
			no++
		}
	}
	return nil
}

// page reads one page, of a log its last version; nil if there is none.
func (d *reader) page(no uint32, buf []byte) []byte {
	at, ok := (int64(no)-1)*int64(d.pageSize), no > 0
	if d.log {
		at, ok = d.frames[no]
	}
	if !ok || at+int64(d.pageSize) > d.size {
		return nil
	}
	if n, _ := d.r.ReadAt(buf[:d.pageSize], at); n < d.pageSize {
		return nil
	}
	return buf[:d.pageSize]
}

// A btree is the header of a b-tree page, and where its cells are.
type btree struct {
	kind  byte
	page  []byte
	cells []byte // pointers of two bytes
	right uint32 // the last child of an interior page
}

func (d *reader) btree(no uint32, page []byte) (b btree, ok bool) {
	at := 0
	if no == 1 {
		at = headerSize
	}
	b.kind, b.page = page[at], page[:d.usable]
	head := 8
	switch b.kind {
	case tableInterior, indexInterior:
		b.right, head = binary.BigEndian.Uint32(page[at+8:]), 12
	case tableLeaf, indexLeaf:
	default:
		return b, false
	}
	n := 2 * int(binary.BigEndian.Uint16(page[at+3:]))
	if at+head+n > d.usable {
		return b, false
	}
	b.cells = page[at+head : at+head+n]
	return b, true
}

// cell returns what begins at the cell with a number; nil if it lies outside.
func (b *btree) cell(i int) []byte {
	at := int(binary.BigEndian.Uint16(b.cells[2*i:]))
	if at < 8 || at+4 > len(b.page) {
		return nil
	}
	return b.page[at:]
}

// adopt notes the children of an interior page.
func (d *reader) adopt(no uint32, page []byte) error {
	b, ok := d.btree(no, page)
	if !ok || b.kind == tableLeaf || b.kind == indexLeaf {
		return nil
	}
	d.own(b.right, no)
	for i := range len(b.cells) / 2 {
		if c := b.cell(i); c != nil {
			d.own(binary.BigEndian.Uint32(c), no)
		}
	}
	return nil
}

func (d *reader) own(child, parent uint32) {
	if uint64(child) < uint64(len(d.parents)) {
		d.parents[child] = parent
	}
}

// owner returns the table that a page is of.
func (d *reader) owner(no uint32) int32 {
	for range maxDepth {
		if t := d.roots[no]; t != 0 {
			return t
		}
		if no == 0 || uint64(no) >= uint64(len(d.parents)) {
			break
		}
		no = d.parents[no]
	}
	return 0
}

// schema reads the names of the tables, from page 1 and those below it.
func (d *reader) schema() {
	d.tables = append(d.tables, table{"sqlite_schema", []string{"type", "name", "tbl_name", "rootpage", "sql"}})
	d.roots[1] = 1
	seen := map[uint32]bool{}
	todo := []uint32{1}
	least := d.least
	d.least = 0
	defer func() { d.least, d.damage = least, Damage{} }()
	for len(todo) > 0 && len(seen) < maxTables {
		no := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		page := d.page(no, make([]byte, d.pageSize))
		if page == nil || seen[no] {
			continue
		}
		seen[no] = true
		b, ok := d.btree(no, page)
		switch {
		case !ok:
		case b.kind == tableInterior:
			todo = append(todo, b.right)
			for i := range len(b.cells) / 2 {
				if c := b.cell(i); c != nil {
					todo = append(todo, binary.BigEndian.Uint32(c))
				}
			}
		case b.kind == tableLeaf:
			_ = d.rows(no, &b, 1, func(r *Row) error { d.table(r); return nil })
		}
	}
}

// table notes one row of the schema.
func (d *reader) table(r *Row) {
	var name, sql string
	var root uint64
	for _, v := range r.Values {
		switch v.Column {
		case "name":
			name = string(v.Data)
		case "rootpage":
			root, _ = strconv.ParseUint(string(v.Data), 10, 32)
		case "sql":
			sql = string(v.Data)
		}
	}
	if root != 0 && len(d.tables) < maxTables {
		d.tables = append(d.tables, table{name, columns(sql)})
		d.roots[uint32(root)] = int32(len(d.tables) - 1)
	}
}
