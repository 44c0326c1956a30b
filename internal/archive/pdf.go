package archive

import (
	"bufio"
	"bytes"
	"encoding/ascii85"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/klauspost/compress/zlib"
)

const (
	pdfWindow = 64 << 10
	// pdfDict is how much before a stream is searched for its dictionary.
	pdfDict = 8 << 10
	// maxFilters is how many filters of one stream are undone.
	maxFilters = 8
)

// pdfObject finds "12 0 obj" (ISO 32000-1, 7.3.10).
var pdfObject = regexp.MustCompile(`(\d{1,10})[ \t\r\n]+\d{1,5}[ \t\r\n]+obj`)

// pdf shows the streams of a document that are packed with Flate as members
// named after their objects (ISO 32000-1, 7.3.8 and 7.4). Streams are found by
// their keyword and not by the table of objects, so that those that a later
// version of the document replaced are seen too. Pictures are skipped.
func (w *walk) pdf(n node) error {
	if w.pdfEncrypted(n) {
		return w.problem(n.path, fmt.Errorf("PDF: the document is %w", ErrEncrypted))
	}
	buf := make([]byte, pdfWindow)
	for pos := int64(0); pos < n.size; {
		k, err := n.at.ReadAt(buf[:min(pdfWindow, n.size-pos)], pos)
		if k == 0 {
			return short(err)
		}
		if err := w.charge(int64(k)); err != nil {
			return &stopped{err}
		}
		i := pdfKeyword(buf[:k])
		if i < 0 {
			pos += int64(max(1, k-len("endstream\r\n")))
			if pos+int64(len("endstream\r\n")) >= n.size {
				return nil
			}
			continue
		}
		next, err := w.pdfStream(n, pos+int64(i))
		if err != nil {
			return err
		}
		pos = max(next, pos+int64(i)+1)
	}
	return nil
}

// pdfKeyword finds the place behind "stream" and its line end; -1 if none.
func pdfKeyword(b []byte) int {
	for from := 0; ; {
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

// pdfStream walks the stream whose data starts at start, and returns where to
// look on.
func (w *walk) pdfStream(n node, start int64) (int64, error) {
	before := make([]byte, min(start, pdfDict))
	k, _ := n.at.ReadAt(before, start-int64(len(before)))
	name, dict := pdfDictionary(before[:k])
	if name == "" {
		name = fmt.Sprintf("stream at %d", start)
	}
	m := n.child(name)
	filters := pdfFilters(dict)
	open, odd := w.pdfOpen(filters)
	if odd != "" {
		if err := w.count(0); err != nil {
			return 0, err
		}
		return start, w.problem(m.leaf, fmt.Errorf("PDF: %w", &UnsupportedError{"the filter " + odd}))
	}
	if open == nil || pdfPicture(dict) {
		return start, nil
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
// before a stream.
func pdfDictionary(b []byte) (name string, dict []byte) {
	i := bytes.LastIndex(b, []byte("obj"))
	if i < 0 {
		return "", b
	}
	from := max(0, i-24)
	all := pdfObject.FindAllSubmatch(b[from:i+3], -1)
	if len(all) > 0 {
		name = "object " + string(all[len(all)-1][1])
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
func (w *walk) pdfOpen(filters []string) (open func(*bufio.Reader) (io.Reader, func(), error), odd string) {
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
		for _, f := range filters {
			var err error
			if r, err = pdfFilter(f, r); err != nil {
				return nil, nil, err
			}
		}
		return r, nil, nil
	}, ""
}

func pdfFilter(name string, r io.Reader) (io.Reader, error) {
	switch name {
	case "FlateDecode", "Fl":
		z, err := zlib.NewReader(r)
		if err != nil {
			return nil, fmt.Errorf("the stream is damaged: %w", err)
		}
		return z, nil
	case "ASCII85Decode", "A85":
		return ascii85.NewDecoder(&until{r: r, end: '~'}), nil
	case "ASCIIHexDecode", "AHx":
		return hex.NewDecoder(&until{r: r, end: '>', hex: true}), nil
	}
	return nil, errors.New("no such filter")
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
