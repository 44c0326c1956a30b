package notebook

import (
	"bytes"
	"errors"
	"fmt"
)

// maxNesting bounds how deep brackets may nest. Notebooks nest a dozen levels;
// a stack of open brackets is kept for nothing but telling the end of a value.
const maxNesting = 10_000

var errShort = errors.New("the notebook ends in the middle")

// A scanner passes over JSON (RFC 8259) and keeps its place. It is lenient: it
// does not check what it passes over beyond what it needs to find the ends.
type scanner struct {
	data []byte
	pos  int
}

func (s *scanner) errorf(what string) error {
	return fmt.Errorf("byte %d: %s", s.pos, what)
}

// next passes over blanks and returns the byte behind them, 0 at the end.
func (s *scanner) next() byte {
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; c {
		case ' ', '\t', '\r', '\n':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

// object calls member for each key, with the scanner at the value, which member
// passes over.
func (s *scanner) object(member func(key []byte) error) error {
	if s.next() != '{' {
		return s.value()
	}
	s.pos++
	for first := true; ; first = false {
		c := s.next()
		switch {
		case c == '}':
			s.pos++
			return nil
		case c == ',' && !first:
			s.pos++
			c = s.next()
		}
		if c != '"' {
			return s.unexpected("a key")
		}
		start := s.pos + 1
		if err := s.str(); err != nil {
			return err
		}
		key := s.data[start : s.pos-1]
		if s.next() != ':' {
			return s.unexpected("a colon")
		}
		s.pos++
		s.next()
		if err := member(key); err != nil {
			return err
		}
	}
}

// array calls item for each item, with the scanner at it.
func (s *scanner) array(item func() error) error {
	if s.next() != '[' {
		return s.value()
	}
	s.pos++
	for {
		switch s.next() {
		case ']':
			s.pos++
			return nil
		case ',':
			s.pos++
			continue
		case 0:
			return s.unexpected("an item")
		}
		before := s.pos
		if err := item(); err != nil {
			return err
		}
		if s.pos == before {
			return s.unexpected("an item")
		}
	}
}

func (s *scanner) unexpected(want string) error {
	if s.pos >= len(s.data) {
		return errShort
	}
	return s.errorf("no " + want + " where one is due")
}

// str passes over a string.
func (s *scanner) str() error {
	for at := s.pos + 1; ; {
		i := bytes.IndexByte(s.data[at:], '"')
		if i < 0 {
			s.pos = len(s.data)
			return errShort
		}
		end := at + i
		slashes := 0
		for k := end - 1; k >= at && s.data[k] == '\\'; k-- {
			slashes++
		}
		at = end + 1
		if slashes%2 == 0 {
			s.pos = at
			return nil
		}
	}
}

// structural marks the bytes at which value has to look.
var structural = [256]bool{'"': true, '{': true, '}': true, '[': true, ']': true}

// value passes over a value of any kind.
func (s *scanner) value() error {
	switch s.next() {
	case '"':
		return s.str()
	case '{', '[':
		return s.nested()
	case 0:
		return s.unexpected("a value")
	}
	start := s.pos
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ',', '}', ']', ' ', '\t', '\r', '\n', ':', '"', '{', '[':
			if s.pos == start {
				return s.unexpected("a value")
			}
			return nil
		}
		s.pos++
	}
	return nil
}

// nested passes over an object or an array.
func (s *scanner) nested() error {
	depth := 0
	for s.pos < len(s.data) {
		c := s.data[s.pos]
		if !structural[c] {
			s.pos++
			continue
		}
		switch c {
		case '"':
			if err := s.str(); err != nil {
				return err
			}
			continue
		case '{', '[':
			if depth++; depth > maxNesting {
				return s.errorf("brackets nest too deep")
			}
		default:
			if depth--; depth == 0 {
				s.pos++
				return nil
			}
		}
		s.pos++
	}
	return errShort
}
