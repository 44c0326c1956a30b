package rules

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/b10lint/b10lint/internal/keyformat"
)

// A joint returns how many bytes at r.at stand between two parts of a key, or 0. next is
// the byte of the key that has to follow, where that is known.
type joint func(r *joinReader, next byte) int

// jointsAt is the table of joints, by the bytes that one may begin with.
var jointsAt [256][]joint = func() (at [256][]joint) {
	for _, row := range []struct {
		begin string
		joint joint
	}{
		{"\\=`^", continuedLine},
		{"\"'`\\}", literals},
		{"\"'`", mayAdd},
		{"\"", before("]", matching(asciinema))},
		{"\"'`", loneQuote},
		{"\x1b\xc2\\", terminal},
		{"\xe2\xef\xc2&\\", before("\x80\x81\xad\xbb#ZNszu", matching(invisible))},
		{"<", tags},
		{"\r\n", lineEnd},
		{" \\\t|\xe2", mayEndLine},
		{"*~=[]", marked(markup)},
		{"?", before("=", matching(encodedWord))},
		{"}{\\", richText},
		{")", kerned},
		{keyformat.Alphabet + "_.-", func(r *joinReader, _ byte) int {
			if !r.erases {
				return 0
			}
			return erased(r.data[r.at:])
		}},
	} {
		for _, c := range []byte(row.begin) {
			at[c] = append(at[c], row.joint)
		}
	}
	return at
}()

var (
	// asciinema is between two events of a recording of a terminal.
	asciinema = regexp.MustCompile(`^"\]\s{0,4}\[[0-9.]{1,20}, ?"o", ?"`)
	// escapeSequence is a control sequence or command of a terminal (ECMA-48), whose ESC
	// stands there as a byte or as an escape: colours, links, "erase to the end".
	escapeSequence = regexp.MustCompile(`^(?:(?:\x1b|\\x1[bB]|\\u001[bB]|\\u\{1[bB]\}|\\033|\\e)(?:\[[0-9;:?]*[A-Za-z]|` +
		`\][^\x07\x1b\\]{0,300}(?:\x07|\x1b\\|\\a|\\x07|\\u0007|\\x1[bB]\\{1,2}|\\u001[bB]\\{1,2})|\([AB0])|\x{9b}[0-9;:?]*[A-Za-z])`)
	// invisible is a character without width, as it is, as a reference or as an escape.
	invisible = regexp.MustCompile(`^(?:[\x{200b}-\x{200f}\x{2060}\x{feff}\x{ad}]|&(?:#(?:820[3-7]|8288|65279|173)|(?i:#x(?:200[b-f]|2060|feff|0*ad))|` +
		`ZeroWidthSpace|NoBreak|shy|zwn?j);|\\u\{?(?i:200[b-f]|2060|feff|00ad)\}?)`)
	// printedEnd is the end of a line in a printed text, in a cell of a table that is drawn,
	// and the space with which a shell moves the cursor over the edge of a terminal.
	printedEnd = regexp.MustCompile(`^(?: (?:\r|\\r)|(?:\\r)?\\n|[ \t]{0,96}(?:[│┃║|][ \t]*)?\r?\n[ \t]{0,96}(?:[│┃║|][ \t]*)?)`)
	// statements are calls and assignments that add one literal after the other.
	statements = regexp.MustCompile("^[\"'`](?:\\)?\\s{0,40}\\.(?:append|concat|plus|push|add|write)\\(|" +
		"[);]{0,2}\\s{1,40}[\\w.$:>-]{1,48}(?:\\s{0,4}(?:\\+|\\.|~|<|\\|\\||\\^)=\\s{0,8}|\\s{0,4}<<\\s{0,4}|\\.?(?:append|push|add|write)\\())[\"'`]")
	// markup is emphasis of Markdown, a tag of a forum, or the brackets about a dot that keep
	// a text from being a link.
	markup = regexp.MustCompile(`^(?:\*{1,3}|~~|==|\[/?[a-z]{1,12}(?:=[^\]\n]{0,40})?\]|\[\.|\])`)
	// encodedWord is between two words of a folded header in quoted-printable, RFC 2047.
	encodedWord = regexp.MustCompile(`^\?=\s{1,8}=\?[A-Za-z0-9_-]{1,40}\?[Qq]\?`)
	// control is a word or group of RTF.
	control = regexp.MustCompile(`^(?:[{}]|\\[a-z]{1,32}-?[0-9]{0,10} ?|\\\*|[\r\n])`)
)

// before is a joint whose second byte is one of a set, which spares most regular
// expressions: quotes are everywhere.
func before(second string, j joint) joint {
	return func(r *joinReader, next byte) int {
		if r.at+1 >= len(r.data) || strings.IndexByte(second, r.data[r.at+1]) < 0 {
			return 0
		}
		return j(r, next)
	}
}

// matching is the joint of a form.
func matching(form *regexp.Regexp) joint {
	return func(r *joinReader, _ byte) int { return len(form.Find(r.data[r.at:min(len(r.data), r.at+maxForm)])) }
}

// mayAdd is one of the statements. What their regular expression costs is spared where
// none of their methods and operators follows: quotes are everywhere.
func mayAdd(r *joinReader, _ byte) int {
	b := r.data[r.at:min(len(r.data), r.at+maxForm)]
	i := 1
	for i < len(b) && (b[i] == ')' || b[i] == ';') {
		i++
	}
	start := i
	for i < len(b) && isSpace(b[i]) {
		i++
	}
	if i < len(b) && b[i] == '.' { // a method of the literal
		if i+1 == len(b) || strings.IndexByte("acpw", b[i+1]) < 0 {
			return 0
		}
		return len(statements.Find(b))
	}
	name := i
	for i < len(b) && (token[b[i]] != 0 || strings.IndexByte(".$:>", b[i]) >= 0) {
		i++
	}
	end := i
	for i < len(b) && isSpace(b[i]) {
		i++
	}
	if name == start || end == name || i+1 >= len(b) {
		return 0
	}
	switch b[i] {
	case '(':
		if last := b[end-1]; last != 'd' && last != 'h' && last != 'e' { // append, add, push, write
			return 0
		}
	case '+', '.', '~', '|', '^', '<':
		if b[i+1] != '=' && b[i+1] != b[i] {
			return 0
		}
	default:
		return 0
	}
	return len(statements.Find(b))
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// loneQuote is one between two parts of a word of a shell, or two.
func loneQuote(r *joinReader, _ byte) int {
	n := 0
	for n < 2 && r.at+n < len(r.data) && strings.IndexByte("\"'`", r.data[r.at+n]) >= 0 {
		n++
	}
	if !r.free || r.at+n >= len(r.data) || alnum[r.data[r.at+n]] == 0 && r.data[r.at+n] != '_' && r.data[r.at+n] != '.' {
		return 0
	}
	return n
}

// mayEndLine is a printedEnd. Blanks are everywhere, and most stand before something else.
func mayEndLine(r *joinReader, next byte) int {
	i := r.at
	for i < len(r.data) && i < r.at+maxBlanks && (r.data[i] == ' ' || r.data[i] == '\t') {
		i++
	}
	if i == len(r.data) || strings.IndexByte("\r\n\\|\xe2", r.data[i]) < 0 {
		return 0
	}
	return marked(printedEnd)(r, next)
}

// kerned is between two strings that a PDF shows, with how far to move.
func kerned(r *joinReader, _ byte) int {
	for i, c := range r.data[r.at+1 : min(len(r.data), r.at+26)] {
		if c == '(' {
			return i + 2
		}
		if strings.IndexByte("-0123456789. \t\r\n\f\v", c) < 0 {
			break
		}
	}
	return 0
}

// rtf is what a document in RTF begins with.
var rtf = []byte(`{\rtf`)

// marked is one that only a key with a mark is read over: elsewhere it ends a word. What a
// form has of the key at its end is not a part of the joint.
func marked(form *regexp.Regexp) joint {
	return func(r *joinReader, _ byte) int {
		if !r.free {
			return 0
		}
		n := len(form.Find(r.data[r.at:min(len(r.data), r.at+maxForm)]))
		for n > 0 && (token[r.data[r.at+n-1]] != 0 || r.data[r.at+n-1] == '.') {
			n--
		}
		return n
	}
}

// terminal is an escapeSequence; a colour, the usual one, takes no regular expression.
func terminal(r *joinReader, _ byte) int {
	b := r.data[r.at:]
	if len(b) < 3 || b[0] != 0x1b || b[1] != '[' {
		return len(escapeSequence.Find(b[:min(len(b), maxForm)]))
	}
	n := 2
	for n < len(b)-1 && n < maxBlanks && (b[n] >= '0' && b[n] <= '?') {
		n++
	}
	if alnum[b[n]] == 0 || b[n] <= '9' {
		return 0
	}
	return n + 1
}

// continuedLine is a line end that a backslash, the sign of another shell, or the "=" of
// quoted-printable takes away, with the blanks that begin the next line.
func continuedLine(r *joinReader, _ byte) int {
	b := r.data[r.at:]
	n := 1
	if n < len(b) && b[n] == '\r' {
		n++
	}
	if n >= len(b) || b[n] != '\n' {
		return 0
	}
	for n++; b[0] != '=' && n < len(b) && n < maxBlanks && (b[n] == ' ' || b[n] == '\t'); {
		n++
	}
	return n
}

const (
	maxBlanks   = 96
	maxLiterals = 160
	maxTags     = 2 << 10
	maxForm     = 512
	brokenLine  = 60 // a line this long may have been broken
)

// literals is what stands between two literals of source code: a quote that ends one,
// operators, brackets, white space and comments, and a quote that begins the next.
func literals(r *joinReader, next byte) int {
	quotes, data := 0, r.data
	for i := r.at; i < min(r.at+maxLiterals, len(data)); i++ {
		c := data[i]
		switch {
		case c == '"' || c == '\'' || c == '`':
			quotes++
			// After an even one a literal has begun.
			if end := i + 1; quotes > 1 && (!isOperator(data, end) || data[end] == next || quotes%2 == 0 && alnum[data[end]] != 0) {
				return end - r.at
			}
		case i == r.at && c != '\\' && c != '}':
			return 0
		case quotes > 0 && (c == '/' || c == '-' || c == '#') && commentAt(data[i:]) > 0:
			i += commentAt(data[i:]) - 1
		case !isOperator(data, i):
			return 0
		case c == '\\' && i+1 < len(data) && (data[i+1] == 'n' || data[i+1] == 't' || data[i+1] == 'r'):
			i++
		}
	}
	return 0
}

// isOperator reports whether data[i] may stand between two literals: white space, an
// operator, a bracket, or the letter that goes before a string of Python, SQL or C++.
func isOperator(data []byte, i int) bool {
	if i >= len(data) {
		return false
	}
	switch data[i] {
	case '.': // PHP, Perl, and twice in Lua
		return byteAmong(data, i-1, " \t\n\"'.") && byteAmong(data, i+1, " \t\r\n\"'.")
	case '_': // Visual Basic, at the end of a line
		return byteAmong(data, i-1, " ") && byteAmong(data, i+1, "\r\n")
	case 'f', 'r', 'b', 'u', 's', 'F', 'R', 'B', 'U', 'N', 'L':
		return byteAmong(data, i+1, "\"'") && i > 0 && alnum[data[i-1]] == 0
	}
	return operators[data[i]]
}

func byteAmong(data []byte, i int, set string) bool {
	return i >= 0 && i < len(data) && strings.IndexByte(set, data[i]) >= 0
}

var operators = func() (set [256]bool) {
	for _, c := range []byte(" \t\r\n+-&,\\(){}[]$@\"'`|~<>^*/") {
		set[c] = true
	}
	return set
}()

// commentAt returns the length of a comment that b begins with, or 0. Two slashes before a
// quote are an operator of Fortran.
func commentAt(b []byte) int {
	if len(b) < 2 || b[0] != '/' && b[0] != '-' && b[0] != '#' { // which nearly all are
		return 0
	}
	b = b[:min(len(b), maxLiterals)]
	if bytes.HasPrefix(b, []byte("/*")) {
		body, _, closed := bytes.Cut(b[2:], []byte("*/"))
		if !closed {
			return 0
		}
		return len("/*") + len(body) + len("*/")
	}
	for _, mark := range []string{"//", "--", "#"} {
		rest, ok := bytes.CutPrefix(b, []byte(mark))
		if !ok {
			continue
		}
		operand := bytes.TrimLeft(rest, " \t")
		if len(operand) > 0 && (operand[0] == '"' || operand[0] == '\'') {
			return 0
		}
		return bytes.IndexByte(b, '\n') + 1
	}
	return 0
}

// tags are one or more, with blanks between them: marked words, coloured code, the runs
// of an office document, a place where a line may break.
func tags(r *joinReader, _ byte) (n int) {
	b := r.data[r.at:min(len(r.data), r.at+maxTags)]
	for {
		rest := bytes.TrimLeft(b[n:], " \t\r\n")
		if len(rest) < 3 || rest[0] != '<' || alnum[rest[1]] == 0 && rest[1] != '/' && rest[1] != '!' && rest[1] != '?' {
			return n
		}
		end := bytes.IndexByte(rest, '>')
		if end < 0 || bytes.IndexByte(rest[1:end], '<') >= 0 {
			return n
		}
		n = len(b) - len(rest) + end + 1
	}
}

// lineEnd is where a long line was broken: by the edge of a terminal or page, with the
// marks of a quoted mail, a diff or a comment, or by a blank that the next line begins with (vCard, iCalendar,
// LDIF, headers). A key without a mark is read over the end of a long line only, or over
// one such blank.
func lineEnd(r *joinReader, _ byte) int {
	b := r.data[r.at:]
	n := 0
	for n < len(b) && n < 2 && b[n] == '\r' {
		n++
	}
	if n < len(b) && b[n] == '\n' {
		n++
	}
	folded := n
	for n < len(b) && n < maxBlanks && bytes.IndexByte([]byte(" \t>|#+-/*;%"), b[n]) >= 0 {
		n++
	}
	if r.free || n == folded+1 || r.at >= brokenLine && bytes.IndexByte(r.data[r.at-brokenLine:r.at], '\n') < 0 {
		return n
	}
	return 0
}

// richText are words and groups of RTF.
func richText(r *joinReader, _ byte) (n int) {
	if !bytes.HasPrefix(r.data, rtf) {
		return 0
	}
	for n < maxTags {
		k := len(control.Find(r.data[r.at+n:]))
		if k == 0 {
			break
		}
		n += k
	}
	return n
}

// erased returns how long the letters are that b begins with and that backspaces behind
// them take away again, with those, or 0. Shells print "\b \b" or "\b" and a control
// sequence that erases the line.
func erased(b []byte) (n int) {
	const most = 8
	for n < min(most, len(b)) && (token[b[n]] != 0 || b[n] == '.') {
		n++
	}
	if n == 0 || n == len(b) || b[n] != '\b' {
		return 0
	}
	for range n {
		if n == len(b) || b[n] != '\b' {
			return 0
		}
		n++
		for _, form := range []string{" \b", "\x1b[K", "\x1b[P", "\x1b[1P"} {
			if bytes.HasPrefix(b[n:], []byte(form)) {
				n += len(form)
				break
			}
		}
	}
	return n
}
