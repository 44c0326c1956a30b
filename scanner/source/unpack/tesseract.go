package unpack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strings"

	"github.com/b10lint/b10lint/internal/keyformat"
)

// maxRecognised is how much text is taken from one picture.
const maxRecognised = 1 << 20

// recognise runs tesseract on pixels. The dictionaries are off: they turn keys
// into words.
func (s *ocrSink) recognise(pixels []byte) (string, error) {
	select {
	case s.run <- struct{}{}:
	case <-s.ctx.Done():
		return "", s.ctx.Err()
	}
	defer func() { <-s.run }()
	ctx, cancel := context.WithTimeout(s.ctx, s.opts.Timeout)
	defer cancel()
	c := exec.CommandContext(ctx, s.opts.Program, "stdin", "stdout", "--psm", "6", "-c", "load_system_dawg=0", "-c", "load_freq_dawg=0")
	c.Env = s.opts.Env
	c.Stdin = bytes.NewReader(pixels)
	var out, errs capped
	out.left, errs.left = maxRecognised, 1<<10
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	switch {
	case ctx.Err() != nil && s.ctx.Err() == nil:
		return "", fmt.Errorf("tesseract was stopped after %s", s.opts.Timeout)
	case err != nil:
		line, _, _ := strings.Cut(strings.TrimSpace(errs.String()), "\n")
		return "", errors.New(strings.TrimSuffix("tesseract: "+err.Error()+": "+line, ": "))
	}
	return out.String(), nil
}

// capped keeps the first bytes that are written to it.
type capped struct {
	bytes.Buffer
	left int
}

func (c *capped) Write(p []byte) (int, error) {
	n := min(len(p), c.left)
	c.left -= n
	c.Buffer.Write(p[:n])
	return len(p), nil
}

// What a key looks like after it was read off a picture: the digits of b10_ may be
// taken for letters and a slashed zero for @, the underscore is often lost, spaces
// come about the dot, and a terminal breaks the line anywhere.
var (
	blankLines = regexp.MustCompile(`\s*\n\s*`)
	keyHead    = regexp.MustCompile(`(?:^|[^0-9A-Za-z])(?:(b[1lI|!]\n?[0OoQD@]{1,2}\n?[_ ~-]{0,2})\n?((?:[0-9A-Za-z|@]\n?){7,10})|((?:[0-9A-Za-z|@]\n?){8})) ?\n?[.,·•] ?\n?`)
)

const (
	firstLength, secretLength = 8, 32 // of keyformat.B10; keyHead has them too
	// misread is how many characters of a secret half may be lost, or made of
	// nothing, before it is taken for something else.
	misread = 3
)

// mend rewrites what may be keys in recognised text so that they have the form of
// keys: on one line, with prefix and dot, and with as many characters as a key has.
// Which characters those are nobody can say for sure: 0 and O, 1, l and I, 5 and S
// look the same. So a mended key tells that there is one and what its prefix is
// like, no more.
func mend(text string) string {
	text = blankLines.ReplaceAllString(strings.NewReplacer("£", "f", "€", "C", "§", "S", "©", "c", "®", "R", "¢", "c", "¥", "Y").Replace(text), "\n")
	var out strings.Builder
	for {
		m := keyHead.FindStringSubmatchIndex(text)
		if m == nil {
			return out.String() + text
		}
		prefix, first := keyformat.B10.Mark, m[4:6]
		start := m[2]
		if start < 0 {
			prefix, first, start = "", m[6:8], m[6]
		}
		half, n := secretHalf(text[m[1]:], prefix != "")
		if half == "" {
			// Another may begin inside of what looked like the head.
			out.WriteString(text[:start+1])
			text = text[start+1:]
			continue
		}
		out.WriteString(text[:start] + prefix + fit(letters(text[first[0]:first[1]]), firstLength) + "." + half)
		text = " " + text[m[1]+n:]
	}
}

// fit gives a word the length it must have. Too many characters come from one that
// was read twice, as two that look alike.
func fit(s string, n int) string {
	for i := 1; i < len(s) && len(s) > n; i++ {
		if look(s[i]) == look(s[i-1]) {
			s = s[:i] + s[i+1:]
			i--
		}
	}
	return (s + strings.Repeat("x", n))[:n]
}

// look is one character for all that look like c.
func look(c byte) byte {
	for _, alike := range []string{"0OoQD", "1lIiLTt", "5Ss", "2Zz", "8B", "9gq"} {
		if strings.IndexByte(alike, c) >= 0 {
			return alike[0]
		}
	}
	return c
}

// secretHalf reads the second half of a key from the beginning of text, over the
// ends of lines and, behind a prefix that is sure, over two spaces. It returns the
// half with the length that it must have, "" if there is none, and how much of text
// it takes.
func secretHalf(text string, sure bool) (half string, n int) {
	spaces, breaks := 0, 0
	if sure {
		spaces = 2
	}
	i := 0
	var b strings.Builder
read:
	for ; i < len(text) && b.Len() <= secretLength+misread; i++ {
		c := text[i]
		switch {
		case isLetter(c):
			b.WriteByte(c)
		case c == '\n' && breaks < 3 && b.Len() < secretLength:
			breaks++
		case c == ' ' && spaces > 0 && b.Len() > 0 && b.Len() < secretLength-1:
			spaces--
		default:
			break read
		}
	}
	half = letters(b.String())
	if len(half) < secretLength-misread || len(half) > secretLength+misread {
		return "", 0
	}
	return fit(half, secretLength), i
}

func isLetter(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '|' || c == '@'
}

// letters takes the ends of lines out, and what is no letter or digit for what it looks like.
func letters(s string) string { return strings.NewReplacer("\n", "", "|", "l", "@", "0").Replace(s) }
