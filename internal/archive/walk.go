package archive

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
)

const (
	bufferSize = 64 << 10
	// smallHold is what every walk may hold without waiting for its turn.
	smallHold = 16 << 20
	// maxName is the length that a member's name is cut to for display.
	maxName = 4096
	// maxProblems is how many problems of one container are reported one by one.
	maxProblems = 100
)

// A walk is the state of one outermost container.
type walk struct {
	*Walker
	ctx context.Context
	v   Visitor
	// input returns how much of the outermost container there is, or was read.
	input    func() int64
	members  int64
	bytes    int64
	inline   bool  // see Member.Inline
	borrowed int64 // of dictionaries, in all
	costly   int64 // encoded containers that take much to begin with
	held     int64
	big      bool // this walk holds Walker.big
	problems int
	// over is set once the walk as a whole has to end.
	over error
	// beside are the visits that run in goroutines of their own, visited the first error
	// of one of them.
	beside  sync.WaitGroup
	visited atomic.Pointer[stopped]
}

// A node is a content that may be a container. It is seekable when at is set.
type node struct {
	at   io.ReaderAt
	br   *bufio.Reader
	size int64 // of at, or as declared; -1 when not known
	// path is what the members of the content are shown below, leaf what the
	// content itself is shown as when it holds no further members.
	path, leaf string
	base       string // last part of the name, for taking suffixes off
	depth      int
	outer      bool // the outermost content, which is not visited itself
	// packed is set for the own bytes of a container, encoded for what was found in a text:
	// it may not be what its head says.
	packed, encoded bool
	// weak is set for what came out of something encoded that only two bytes show to be packed.
	weak bool
	// check, when set, is called once the content was read to its end.
	check func() error
}

// stopped carries an error out of the walk: the visitor's, the context's, a limit.
type stopped struct{ err error }

func (s *stopped) Error() string { return s.err.Error() }

func (w *walk) run(walk func() error) error {
	defer func() {
		if w.big {
			<-w.Walker.big
		}
	}()
	err := walk()
	w.beside.Wait()
	if s := w.visited.Load(); s != nil {
		return s.err
	}
	var s *stopped
	if errors.As(err, &s) {
		err = s.err
	}
	var limit *LimitError
	if errors.As(w.over, &limit) {
		w.over = nil
		if perr := w.v.Problem("", limit); perr != nil {
			return perr
		}
		err = nil
	}
	if more := w.problems - maxProblems; more > 0 && err == nil {
		return w.v.Problem("", fmt.Errorf("%d further problems in this container are not listed", more))
	}
	return err
}

// problem reports err with a member, unless it is what ended the whole walk.
func (w *walk) problem(path string, err error) error {
	var s *stopped
	if errors.As(err, &s) {
		return err
	}
	if w.over != nil {
		return &stopped{w.over}
	}
	if w.problems++; w.problems > maxProblems {
		return nil
	}
	if perr := w.v.Problem(path, err); perr != nil {
		return &stopped{perr}
	}
	return nil
}

// charge counts n bytes of work. The error says why the walk has to end.
func (w *walk) charge(n int64) error {
	if w.over != nil {
		return w.over
	}
	w.bytes += n
	switch limit := w.exceeded(0); {
	case w.ctx.Err() != nil:
		w.over = w.ctx.Err()
	case limit != nil:
		w.over = limit
	}
	return w.over
}

// exceeded returns the limit that n further bytes exceed, or nil.
func (w *walk) exceeded(n int64) *LimitError {
	n += w.bytes
	in := w.input()
	switch {
	case n > w.limits.Bytes && n/2 > in:
		return &LimitError{limitBytes, w.limits.Bytes}
	case n > ratioFloor && n/w.limits.Ratio > in:
		return &LimitError{limitRatio, w.limits.Ratio}
	}
	return nil
}

// count counts a member, and the bytes of it that are known. The error is a *stopped.
func (w *walk) count(bytes int64) error {
	if w.members++; w.members > w.limits.Members && w.over == nil {
		w.over = &LimitError{limitMembers, w.limits.Members}
	}
	if err := w.charge(bytes); err != nil {
		return &stopped{err}
	}
	if s := w.visited.Load(); s != nil {
		return s
	}
	return nil
}

// child names a member of n.
func (n *node) child(name string) node {
	if len(name) > maxName {
		name = name[:maxName] + "…"
	}
	path := name
	if n.path != "" {
		path = n.path + "!" + name
	}
	return node{size: -1, path: path, leaf: path, base: baseName(name), depth: n.depth + 1}
}

func baseName(name string) string { return name[strings.LastIndexAny(name, `/\`)+1:] }

// enter walks one member when it is a container, and hands it to the visitor
// otherwise. The error is a *stopped.
func (w *walk) enter(n node) error {
	kind, n, release := w.sniff(n)
	defer release()
	if w.over != nil {
		return &stopped{w.over}
	}
	if kind == none {
		return w.visit(n)
	}
	return w.container(kind, n)
}

// container walks n, which is of the given kind.
func (w *walk) container(kind kind, n node) error {
	var refused error
	switch {
	case kind >= unreadable:
		refused = &UnsupportedError{"the format " + kind.String()}
	case n.depth >= w.limits.Depth:
		refused = &LimitError{limitDepth, int64(w.limits.Depth)}
	case kind.random() && n.at == nil:
		return w.holdAndWalk(kind, n)
	}
	if refused != nil {
		if err := w.problem(n.leaf, refused); err != nil {
			return err
		}
		return w.visit(n)
	}
	if kind.random() {
		// What lies before, between and behind the members is seen this way.
		own := n
		own.packed = true
		if err := w.visit(own); err != nil {
			return err
		}
		// What was visited under a name has its members below that name.
		if !n.outer {
			n.path = n.leaf
		}
	}
	var err error
	before := w.bytes
	switch kind {
	case kindZip:
		err = w.zip(n)
	case kindSevenZip:
		err = w.sevenZip(n)
	case kindPDF:
		err = w.pdf(n)
	case kindTar:
		err = w.tar(n)
	case kindAr:
		err = w.ar(n)
	case kindCpio:
		err = w.cpio(n)
	case kindRPM:
		err = w.rpm(n)
	case kindPGDump:
		err = w.pgDump(n)
	case kindPNG:
		err = w.png(n)
	case kindSQLite:
		err = w.sqlite(n)
	case kindPack, kindBundle:
		err = w.gitPack(kind, n)
	default:
		err = w.stream(kind, n)
	}
	if err != nil && !(n.encoded && w.bytes-before < proof) {
		return w.problem(n.path, fmt.Errorf("%s: %w", kind, err))
	}
	return nil
}

// holdAndWalk takes a container that must be read at random out of its stream.
func (w *walk) holdAndWalk(kind kind, n node) error {
	h, err := w.hold(n.br, n.size, w.limits.Memory)
	defer w.drop(h)
	if err != nil {
		return err
	}
	if h.rest != nil {
		if err := w.problem(n.leaf, &LimitError{limitMemory, w.limits.Memory}); err != nil {
			return err
		}
		br := w.buffer(h.reader())
		defer w.release(br)
		n.at, n.br = nil, br
		return w.visit(n)
	}
	n.at, n.size = h, h.size
	if h.err != nil {
		if err := w.problem(n.leaf, h.err); err != nil {
			return err
		}
	}
	return w.container(kind, n)
}

// visit hands n to the visitor as a file, and reports what went wrong with it.
func (w *walk) visit(n node) error {
	if n.outer {
		return nil
	}
	if err := w.count(0); err != nil {
		return err
	}
	l := &leafReader{w: w, r: n.br, size: n.size, left: w.limits.MemberBytes, charged: true}
	if n.at != nil {
		l.r, l.charged = io.NewSectionReader(n.at, 0, n.size), false
	}
	var s *spotter
	if !n.packed {
		s = &spotter{w: w, n: n}
		l.r = &spotting{l.r, s}
	}
	if err := w.hand(Member{Path: n.leaf, Size: n.size, Reader: l}); err != nil {
		return &stopped{err}
	}
	if w.over != nil {
		return &stopped{w.over}
	}
	if s != nil {
		if err := s.end(); err != nil {
			return err
		}
	}
	err := l.err
	if n.encoded && (l.n < proof || errors.Is(err, errBehindGzip)) {
		return nil
	}
	if l.done && err == nil && n.check != nil {
		err = n.check()
	}
	if err == nil && n.at == nil && l.done && EndsLikeZip(l.tail[:]) {
		err = errors.New("ends like a zip archive that follows other data, and was not unpacked")
	}
	var limit *LimitError
	if err != nil && n.weak && !errors.As(err, &limit) {
		err = &OddError{"digits that look like a zlib stream: " + err.Error()}
	}
	if err != nil {
		return w.problem(n.leaf, err)
	}
	return nil
}

// hand hands a member to the visitor: one that fits in memory, and meets no limit, in a
// goroutine beside the walk if one is free, and others at once. The error is the
// visitor's.
func (w *walk) hand(m Member) error {
	m.Inline = w.inline
	if m.Size < 0 || m.Size > maxWhole || w.exceeded(m.Size) != nil {
		_, err := w.v.Member(m)
		return err
	}
	b := w.helper()
	if b == nil {
		_, err := w.v.Member(m)
		return err
	}
	m.Data = grow(&b.data, m.Size)
	n, err := io.ReadFull(m.Reader, m.Data)
	if err == nil {
		_, _ = m.Reader.Read(make([]byte, 1)) // a content is whole when its end was seen
	}
	m.Data = m.Data[:n]
	m.Reader = bytes.NewReader(m.Data)
	w.aside(b, func() error {
		_, err := w.v.Member(m)
		return err
	})
	return nil
}

// A leafReader is what a visitor reads a member from. It ends early rather than
// fail, and keeps the reason.
type leafReader struct {
	w       *walk
	r       io.Reader
	size    int64 // as declared, or -1
	n       int64
	left    int64 // of MemberBytes; 0 means no limit
	charged bool  // r counts its own bytes
	done    bool  // the content was read to its end
	err     error
	tail    [22]byte
}

func (l *leafReader) Read(p []byte) (int, error) {
	if l.done || l.err != nil {
		return 0, io.EOF
	}
	if limit := l.w.limits.MemberBytes; limit > 0 {
		if l.left == 0 {
			if n, _ := l.r.Read(make([]byte, 1)); n > 0 {
				l.err = &LimitError{limitMemberBytes, limit}
			}
			return 0, io.EOF
		}
		p = p[:min(int64(len(p)), l.left)]
	}
	n, err := l.r.Read(p)
	l.n += int64(n)
	l.left -= min(int64(n), l.left)
	l.keepTail(p[:n])
	if !l.charged {
		if cerr := l.w.charge(int64(n)); cerr != nil && err == nil {
			err = cerr
		}
	}
	if err == io.EOF {
		l.done = true
		if l.n < l.size {
			l.done, l.err = false, fmt.Errorf("only %d of its %d bytes are there: %w", l.n, l.size, io.ErrUnexpectedEOF)
		}
		return n, io.EOF
	}
	if err != nil {
		l.err = err
		return n, io.EOF
	}
	return n, nil
}

func (l *leafReader) keepTail(p []byte) {
	if k := len(l.tail); len(p) >= k {
		copy(l.tail[:], p[len(p)-k:])
	} else if len(p) > 0 {
		copy(l.tail[:], l.tail[len(p):])
		copy(l.tail[k-len(p):], p)
	}
}
