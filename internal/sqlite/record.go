package sqlite

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// leaf gives the rows of a page that has some.
func (d *reader) leaf(no uint32, page []byte, yield func(*Row) error) error {
	b, ok := d.btree(no, page)
	if !ok || b.kind == tableInterior {
		return nil
	}
	t := d.owner(no)
	before := d.damage
	err := d.rows(no, &b, t, yield)
	if t == 0 { // the page is free, or no page of a tree at all
		d.damage = before
	}
	return err
}

// rows gives the rows of a page of a table.
func (d *reader) rows(no uint32, b *btree, t int32, yield func(*Row) error) error {
	damaged := false
	left := 2 * len(b.page) // cells do not overlap, so this is more than they take
	for i := range len(b.cells) / 2 {
		cell := b.cell(i)
		if b.kind == indexInterior && cell != nil {
			cell = cell[4:] // the child
		}
		size, n := varint(cell)
		cell = cell[n:]
		id := uint64(0)
		if b.kind == tableLeaf {
			var k int
			id, k = varint(cell)
			cell, n = cell[k:], min(n, k)
		}
		if n == 0 || size > uint64(d.size) && !d.log || size > math.MaxInt32 {
			damaged = true
			continue
		}
		if size < uint64(d.least) {
			continue
		}
		local := d.local(int(size), b.kind == tableLeaf)
		if left -= min(local, len(cell)); left < 0 {
			damaged = true
			break
		}
		payload, cut := d.whole(cell, int(size), local)
		d.row = Row{Table: d.tables[t].name, Page: no, ID: int64(id), Cut: cut, Values: d.row.Values[:0]}
		enough, ok := d.record(payload, d.tables[t].columns)
		if cut {
			d.damage.Rows++
		}
		damaged = damaged || !ok && !cut
		if !enough {
			continue
		}
		if err := yield(&d.row); err != nil {
			return err
		}
	}
	if damaged {
		d.damage.Pages++
	}
	return nil
}

// local returns how much of a payload is in its cell.
func (d *reader) local(size int, inTable bool) int {
	most := d.usable - 35
	if !inTable {
		most = (d.usable-12)*64/255 - 23
	}
	if size <= most {
		return size
	}
	least := (d.usable-12)*32/255 - 23
	if n := least + (size-least)%(d.usable-4); n <= most {
		return n
	}
	return least
}

// whole returns the payload of a cell, which is followed over its overflow pages.
func (d *reader) whole(cell []byte, size, local int) (payload []byte, cut bool) {
	if local == size || local+4 > len(cell) || int64(size) > d.most {
		local = min(local, len(cell))
		return cell[:local], local < size
	}
	d.payload = append(d.payload[:0], cell[:local]...)
	if d.overflow == nil {
		d.overflow = make([]byte, d.pageSize)
	}
	for next := binary.BigEndian.Uint32(cell[local:]); len(d.payload) < size; {
		if d.left -= int64(d.usable); d.left < 0 {
			return d.payload, true
		}
		page := d.page(next, d.overflow)
		if page == nil {
			return d.payload, true
		}
		next = binary.BigEndian.Uint32(page)
		d.payload = append(d.payload, page[4:min(d.usable, 4+size-len(d.payload))]...)
	}
	return d.payload, false
}

// record takes a payload apart. It reports whether its text and blobs are long enough to be
// given, and whether it makes sense.
func (d *reader) record(p []byte, columns []string) (enough, ok bool) {
	size, n := varint(p)
	if n == 0 || size < uint64(n) || size > uint64(len(p)) {
		return false, false
	}
	head, body := p[n:size], p[size:]
	d.text = d.text[:0]
	long := 0
	for i := 0; len(head) > 0; i++ {
		kind, n := varint(head)
		if n == 0 {
			return false, false
		}
		head = head[n:]
		width := uint64(0)
		switch {
		case kind >= 12:
			width = (kind - 12) / 2
		case kind <= 7:
			width = [8]uint64{0, 1, 2, 3, 4, 6, 8, 8}[kind]
		case kind > 9:
			return long >= d.least, false
		}
		v := body[:min(width, uint64(len(body)))]
		body = body[len(v):]
		start := len(d.text)
		switch {
		case kind == 0, kind == 7, kind < 12 && uint64(len(v)) < width:
			continue
		case kind >= 12:
			long += len(v)
			if kind%2 == 0 || !d.isWide(v) {
				d.text = append(d.text, v...)
			} else {
				d.narrow(v)
			}
		default:
			d.text = strconv.AppendInt(d.text, number(kind, v), 10)
		}
		name := ""
		if i < len(columns) {
			name = columns[i]
		} else {
			name = strconv.Itoa(i + 1)
		}
		d.row.Values = append(d.row.Values, Value{name, d.text[start:len(d.text):len(d.text)]})
	}
	return long >= d.least, true
}

func number(kind uint64, v []byte) (n int64) {
	if kind >= 8 {
		return int64(kind - 8)
	}
	for i, b := range v {
		if n = n<<8 | int64(b); i == 0 {
			n = int64(int8(b))
		}
	}
	return n
}

// isWide reports whether a text is UTF-16. In a log it is not said.
func (d *reader) isWide(v []byte) bool {
	return d.encoding > 1 || d.encoding == 0 && len(v) > 1 && len(v)%2 == 0 && (v[0] == 0) != (v[1] == 0)
}

// narrow appends a text in UTF-16 to the row's.
func (d *reader) narrow(v []byte) {
	order := binary.ByteOrder(binary.LittleEndian)
	if d.encoding == 3 || d.encoding == 0 && v[0] == 0 {
		order = binary.BigEndian
	}
	for ; len(v) > 1; v = v[2:] {
		r := rune(order.Uint16(v))
		if utf16.IsSurrogate(r) && len(v) > 3 {
			if both := utf16.DecodeRune(r, rune(order.Uint16(v[2:]))); both != utf8.RuneError {
				r, v = both, v[2:]
			}
		}
		d.text = utf8.AppendRune(d.text, r)
	}
}

// varint reads a number of seven bits a byte, the high ones first, the ninth byte having
// eight. n is 0 where there is none.
func varint(b []byte) (v uint64, n int) {
	for ; n < len(b) && n < 8; n++ {
		if v = v<<7 | uint64(b[n]&0x7f); b[n] < 0x80 {
			return v, n + 1
		}
	}
	if n < 8 || n == len(b) {
		return 0, 0
	}
	return v<<8 | uint64(b[8]), 9
}

// columns returns the names of the columns from the text that created a table: the first
// word of each part between commas. Of an index there are none, as the text does not say
// what else its records have.
func columns(sql string) (names []string) {
	const most = 2000
	head, list, ok := strings.Cut(sql, "(")
	if !ok || !strings.Contains(strings.ToUpper(head), "TABLE") {
		return nil
	}
	depth, name, named := 0, "", false // named: the first word of the part is over
	for i := 0; i < len(list) && len(names) < most; i++ {
		word, n := sqlToken(list[i:])
		i += n - 1
		switch {
		case n > 1 || word != "" && strings.Trim(word, " \t\r\n(),") != "":
			if !named {
				name += word
			}
			named = named || n > 1 && word != ""
		case word == "(":
			depth++
			named = true
		case depth == 0 && (word == "," || word == ")"):
			names = append(names, name)
			name, named = "", false
			if word == ")" {
				return names
			}
		case word == ")":
			depth--
		default: // white space
			named = named || name != ""
		}
	}
	return names
}

// sqlToken returns what a text begins with: a quoted name or string without its quotes, a
// comment as nothing, or one byte.
func sqlToken(s string) (word string, n int) {
	end, skip := "", 1
	switch {
	case strings.HasPrefix(s, "--"):
		end, skip = "\n", 2
	case strings.HasPrefix(s, "/*"):
		end, skip = "*/", 2
	case s[0] == '[':
		end = "]"
	case strings.ContainsAny(s[:1], "\"`'"):
		end = s[:1]
	default:
		return s[:1], 1
	}
	i := strings.Index(s[skip:], end)
	if i < 0 {
		i = len(s) - skip
		end = ""
	}
	if skip == 1 {
		word = s[1 : 1+i]
	}
	return word, skip + i + len(end)
}
