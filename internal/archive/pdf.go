package archive

import (
	"bufio"
	"bytes"
	"encoding/ascii85"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/zlib"
)

const (
	// pdfWindow is how much of a document is searched at once, and the most that a stream
	// may unpack to in memory.
	pdfWindow = 64 << 10
	// pdfDict is how much before a stream is searched for its dictionary.
	pdfDict = 8 << 10
	// maxFilters is how many filters of one stream are undone.
	maxFilters = 8
)

// pdf shows the streams of a document that are packed with Flate as members
// named after their objects (ISO 32000-1, 7.3.8 and 7.4). Streams are found by
// their keyword and not by the table of objects, so that those that a later
// version of the document replaced are seen too. Pictures are skipped.
func (w *walk) pdf(n node) error {
	if w.pdfEncrypted(n) {
		return w.problem(n.path, fmt.Errorf("PDF: the document is %w", ErrEncrypted))
	}
	var fonts pdfFonts
	err := w.pdfStreams(n, func(from, start int64, ahead []byte) (int64, error) {
		return w.pdfStream(n, from, start, ahead, &fonts)
	})
	if err != nil || len(fonts.maps) == 0 {
		return err
	}
	return w.pdfStreams(n, func(from, start int64, ahead []byte) (int64, error) {
		return w.pdfText(n, from, start, &fonts)
	})
}

// pdfStreams calls fn for each stream: where its dictionary begins at the earliest, and its
// data, and with the beginning of that. fn returns where to search on.
func (w *walk) pdfStreams(n node, fn func(from, start int64, ahead []byte) (int64, error)) error {
	const margin = int64(len("endstream\r\n"))
	buf := make([]byte, min(pdfWindow, n.size))
	window, base := buf[:0], int64(0)
	// Before from there is no dictionary of a stream that follows pos.
	for from, pos := int64(0), int64(0); pos < n.size; {
		if end := base + int64(len(window)); end < n.size && end-pos < pdfWindow/2 {
			base = max(0, pos-margin) // "end" may stand before pos
			k, err := n.at.ReadAt(buf[:min(pdfWindow, n.size-base)], base)
			if k == 0 {
				return short(err)
			}
			if err := w.charge(int64(k)); err != nil {
				return &stopped{err}
			}
			window = buf[:k]
		}
		i := pdfKeyword(window, int(pos-base))
		if i < 0 {
			end := base + int64(len(window))
			if end == n.size {
				return nil
			}
			pos = max(pos+1, end-margin)
			continue
		}
		start := base + int64(i)
		next, err := fn(max(from, start-pdfDict), start, window[i:])
		if err != nil {
			return err
		}
		pos = max(next, start)
		from = pos
	}
	return nil
}

// pdfKeyword finds the place behind "stream" and its line end, from a place on; -1 if
// there is none.
func pdfKeyword(b []byte, from int) int {
	for {
		i := bytes.Index(b[from:], []byte("stream"))
		if i < 0 {
			return -1
		}
		i += from
		from = i + 6
		if i >= 3 && string(b[i-3:i]) == "end" {
			continue
		}
		switch rest := b[from:]; {
		case bytes.HasPrefix(rest, []byte("\r\n")):
			return from + 2
		case bytes.HasPrefix(rest, []byte("\n")), bytes.HasPrefix(rest, []byte("\r")) && len(rest) > 1:
			return from + 1
		}
	}
}

func (w *walk) pdfEncrypted(n node) bool {
	b := make([]byte, min(n.size, 4<<10))
	for _, off := range []int64{0, n.size - int64(len(b))} {
		k, _ := n.at.ReadAt(b, off)
		if bytes.Contains(b[:k], []byte("/Encrypt ")) || bytes.Contains(b[:k], []byte("/Encrypt\n")) {
			return true
		}
	}
	return false
}

// pdfStream walks the stream whose data starts at start, and begins with ahead. Its
// dictionary does not begin before from. It returns where to search on.
func (w *walk) pdfStream(n node, from, start int64, ahead []byte, fonts *pdfFonts) (int64, error) {
	b := w.benches.Get().(*bench)
	defer w.benches.Put(b)
	before := grow(&b.packed, start-from)
	k, _ := n.at.ReadAt(before, from)
	name, dict := pdfDictionary(before[:k])
	filters := pdfFilters(dict)
	open, odd := w.pdfOpen(filters)
	if odd == "" && (open == nil || pdfPicture(dict)) {
		return start, nil
	}
	if name == "" {
		name = fmt.Sprintf("stream at %d", start)
	}
	m := n.child(name)
	if odd != "" {
		if err := w.count(0); err != nil {
			return 0, err
		}
		return start, w.problem(m.leaf, fmt.Errorf("PDF: %w", &UnsupportedError{"the filter " + odd}))
	}
	// Most streams are small, and all in the window.
	if len(filters) == 1 && filters[0][0] == 'F' && w.limits.MemberBytes == 0 && w.exceeded(pdfWindow) == nil {
		data := grow(&b.data, pdfWindow)
		size, used, err := b.inflater.Zlib(data, ahead)
		if data = data[:size]; err == nil && !EndsLikeZip(data) && sniff(data, data[max(0, size-tailSize):]) == none && nextHead(data, 0) < 0 {
			fonts.add(data)
			if err := w.count(int64(size)); err != nil {
				return 0, err
			}
			if _, err := w.v.Member(Member{Path: m.leaf, Size: -1, Data: data, Reader: bytes.NewReader(data), Inline: w.inline}); err != nil {
				return 0, &stopped{err}
			}
			return start + int64(used), nil
		}
	}
	d, err := w.decode(io.NewSectionReader(n.at, start, n.size-start), open)
	if err != nil {
		return start, w.problem(m.leaf, fmt.Errorf("PDF: %w", err))
	}
	defer d.close()
	m.br = w.buffer(d)
	defer w.release(m.br)
	// A file that is attached to a document may be an archive itself.
	if err := w.enter(m); err != nil {
		return 0, err
	}
	return start + d.consumed(), nil
}

// pdfDictionary takes the object's number and its dictionary from what stands
// before a stream: "12 0 obj" (ISO 32000-1, 7.3.10) and all behind it.
func pdfDictionary(b []byte) (name string, dict []byte) {
	i := bytes.LastIndex(b, []byte("obj"))
	if i < 0 {
		return "", b
	}
	fields := bytes.Fields(b[max(0, i-24):i])
	number := func(f []byte) bool { return len(f) > 0 && len(bytes.Trim(f, "0123456789")) == 0 }
	if n := len(fields); n >= 2 && number(fields[n-1]) {
		last := fields[n-2]
		if digits := last[len(bytes.TrimRight(last, "0123456789")):]; len(digits) > 0 {
			name = "object " + string(digits)
		}
	}
	return name, b[i+3:]
}

// pdfFilters lists the filters of a stream by their full names.
func pdfFilters(dict []byte) (out []string) {
	_, rest, ok := bytes.Cut(dict, []byte("/Filter"))
	if !ok {
		return nil
	}
	rest = bytes.TrimLeft(rest, " \t\r\n")
	if len(rest) > 0 && rest[0] == '[' {
		rest, _, _ = bytes.Cut(rest[1:], []byte("]"))
	} else if len(rest) > 1 {
		if i := bytes.IndexAny(rest[1:], " \t\r\n/<>[]()"); i >= 0 {
			rest = rest[:i+1]
		}
	}
	return strings.Fields(strings.ReplaceAll(string(rest), "/", " "))
}

func pdfPicture(dict []byte) bool {
	return bytes.Contains(dict, []byte("/Subtype /Image")) || bytes.Contains(dict, []byte("/Subtype/Image"))
}

// pdfOpen makes the chain of decoders; nil when the stream is not packed, or
// holds a picture. Odd names a filter that cannot be undone.
func (w *walk) pdfOpen(filters []string) (open opener, odd string) {
	packed := false
	if len(filters) > maxFilters {
		return nil, fmt.Sprintf("chain of more than %d filters", maxFilters)
	}
	for _, f := range filters {
		switch f {
		case "FlateDecode", "Fl", "ASCII85Decode", "A85", "ASCIIHexDecode", "AHx":
			packed = true
		case "DCTDecode", "DCT", "JPXDecode", "CCITTFaxDecode", "CCF", "JBIG2Decode":
			return nil, ""
		default:
			if len(f) > 40 {
				f = f[:40]
			}
			return nil, f
		}
	}
	if !packed {
		return nil, ""
	}
	return func(br *bufio.Reader) (io.Reader, func(), error) {
		var r io.Reader = br
		var used []any
		free := func() {
			for _, z := range used {
				w.zlibs.Put(z)
			}
		}
		for _, f := range filters {
			switch f {
			case "FlateDecode", "Fl":
				z, err := w.zlib(r)
				if err != nil {
					free()
					return nil, nil, fmt.Errorf("the stream is damaged: %w", err)
				}
				r, used = z, append(used, z)
			case "ASCII85Decode", "A85":
				r = ascii85.NewDecoder(&until{r: r, end: '~'})
			default:
				r = hex.NewDecoder(&until{r: r, end: '>', hex: true})
			}
		}
		return r, free, nil
	}, ""
}

// zlib returns a decoder over r, one that was used before if there is one.
func (w *walk) zlib(r io.Reader) (io.Reader, error) {
	z, ok := w.zlibs.Get().(io.Reader)
	if !ok {
		return zlib.NewReader(r)
	}
	err := z.(zlib.Resetter).Reset(r, nil)
	if err != nil {
		w.zlibs.Put(z)
	}
	return z, err
}

// until ends at a byte, and leaves blanks out of hexadecimal.
type until struct {
	r    io.Reader
	end  byte
	hex  bool
	done bool
}

func (u *until) Read(p []byte) (int, error) {
	if u.done {
		return 0, io.EOF
	}
	n, err := u.r.Read(p)
	if i := bytes.IndexByte(p[:n], u.end); i >= 0 {
		n, err, u.done = i, nil, true
	}
	if u.hex {
		kept := 0
		for _, c := range p[:n] {
			if c != ' ' && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != 0 {
				p[kept] = c
				kept++
			}
		}
		n = kept
	}
	return n, err
}
