package archive

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// ar reads Unix archives, which Debian packages and static libraries are:
// members with a header of 60 bytes, GNU's table of long names, and BSD's long
// names before the data (deb(5), ar(5) of FreeBSD).
func (w *walk) ar(n node) error {
	c := w.cursor(n)
	defer c.close()
	if err := c.skip(8); err != nil {
		return err
	}
	var names string
	for {
		var h [60]byte
		k, err := c.full(h[:])
		if err == io.EOF || err != nil && k == 1 {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the archive is cut short: %w", err)
		}
		size, err := strconv.ParseInt(strings.TrimSpace(string(h[48:58])), 10, 64)
		if err != nil || size < 0 || string(h[58:]) != "`\n" {
			return errors.New("a member's header makes no sense; what follows was not read")
		}
		name, err := w.arMember(n, c, strings.TrimRight(string(h[:16]), " "), names, size)
		if err != nil {
			return err
		}
		if name != "" {
			names = name
		}
		if err := c.skip(size & 1); err != nil {
			return nil // the last member need not be padded
		}
	}
}

// arMember walks one member. It returns the table of names when that is what the
// member was.
func (w *walk) arMember(n node, c *cursor, name, names string, size int64) (string, error) {
	part, done := c.open(size)
	switch {
	case name == "//" && size <= maxTarMeta:
		b := make([]byte, size)
		if _, err := io.ReadFull(part.reader(), b); err != nil {
			return "", fmt.Errorf("the archive is cut short: %w", short(err))
		}
		return string(b), done()
	case strings.HasPrefix(name, "#1/"):
		k, err := strconv.Atoi(name[3:])
		if err == nil && k > 0 && k <= maxName && int64(k) <= size {
			b := make([]byte, k)
			if _, err := io.ReadFull(part.reader(), b); err != nil {
				return "", fmt.Errorf("the archive is cut short: %w", short(err))
			}
			name = cstring(b)
			if part.at != nil {
				part.at, part.size = io.NewSectionReader(part.at, int64(k), part.size-int64(k)), part.size-int64(k)
			} else {
				part.size -= int64(k)
			}
		}
	case len(name) > 1 && name[0] == '/' && name[1] >= '0' && name[1] <= '9':
		if i, err := strconv.Atoi(name[1:]); err == nil && i < len(names) {
			name, _, _ = strings.Cut(names[i:], "\n")
		}
	}
	if len(name) > 1 {
		name = strings.TrimSuffix(name, "/")
	}
	m := n.child(name)
	m.at, m.br, m.size = part.at, part.br, part.size
	if err := w.enter(m); err != nil {
		return "", err
	}
	return "", done()
}
