package archive

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"

	"github.com/b10lint/b10lint/internal/git/pack"
)

// A pack of git's in an archive or alone, and a bundle, which is one behind a list of
// references, are swept as those of a repository are: each object once, and of a delta
// only what it adds. An object is called by its kind, the beginning of its id, and the path
// that a tree in the pack gives it. A loose object is a zlib stream like any other.

const (
	// maxGitNames is how many objects of a pack are given a path.
	maxGitNames = 100_000
	// maxGitDepth is how many folders deep that path may be.
	maxGitDepth = 64
	// maxBundleHeader is how long the list of references of a bundle may be.
	maxBundleHeader = 16 << 20
)

// gitPack walks the objects of a pack or bundle.
func (w *walk) gitPack(kind kind, n node) error {
	data, release, err := w.whole(n)
	defer release()
	if err != nil || data == nil {
		return err
	}
	own := n
	own.at, own.size, own.packed = bytes.NewReader(data), int64(len(data)), true
	if err := w.visit(own); err != nil {
		return err
	}
	if !n.outer {
		n.path = n.leaf
	}
	if kind == kindBundle {
		end := bytes.Index(data[:min(len(data), maxBundleHeader)], []byte("\n\n"))
		if end < 0 {
			return errors.New("its header does not end")
		}
		data = data[end+2:]
	}
	var stop error
	said := map[string]bool{}
	problem := func(p pack.Problem) {
		at := n.path
		if !p.ID.IsZero() {
			at = n.child("object " + p.ID.String()[:12]).leaf
		}
		what := at + p.Err.Error()
		if said[what] {
			return
		}
		if len(said) < maxProblems {
			said[what] = true
		}
		if err := w.problem(at, fmt.Errorf("git: %w", p.Err)); err != nil && stop == nil {
			stop = err
		}
	}
	expand := min(w.limits.Bytes, max(ratioFloor, w.limits.Ratio*int64(len(data))))
	store, err := pack.FromMemory(data, w.limits.Memory, expand, problem)
	if err != nil {
		return err
	}
	defer store.Close()
	names, err := w.gitNames(store, len(data))
	if err == nil && stop == nil {
		_, err = store.Sweep(w.ctx, func(o *pack.Object) (int, error) {
			if stop != nil {
				return 0, stop
			}
			return w.gitObject(n, o, names)
		}, pack.SweepOptions{Jobs: 1})
	}
	switch {
	case stop != nil:
		return stop
	case w.ctx.Err() != nil:
		return &stopped{w.ctx.Err()}
	}
	return err
}

// gitObject visits one object, or what is in it, and returns how many matches there were.
func (w *walk) gitObject(n node, o *pack.Object, names map[pack.ID]gitName) (int, error) {
	m := n.child(o.Kind.String() + " " + o.ID.String()[:12])
	if name := gitPath(names, o.ID); name != "" {
		m.leaf += "!" + name
		m.path, m.base = m.leaf, path.Base(name)
	}
	fresh := o.Fresh
	if o.Window != nil {
		fresh = []pack.Span{o.Window.Own}
		if o.Window.Offset == 0 && sniff(o.Data, nil) != none {
			if err := w.problem(m.leaf, fmt.Errorf("an archive of %d bytes in a git pack is not unpacked", o.Window.Size)); err != nil {
				return 0, err
			}
		}
	} else if sniff(o.Data, o.Data) != none || Carries(o.Data, o.Fresh) {
		m.at, m.size = bytes.NewReader(o.Data), int64(len(o.Data))
		return 1, w.enter(m) // its versions are walked whole as well
	}
	size := len(o.Data)
	if fresh != nil {
		size = 0
		for _, s := range fresh {
			size += s.End - s.Start
		}
	}
	if err := w.count(int64(size)); err != nil {
		return 0, err
	}
	hits, err := w.v.Member(Member{Path: m.leaf, Size: int64(len(o.Data)), Data: o.Data, Fresh: fresh, Reader: bytes.NewReader(o.Data), Inline: w.inline})
	if err != nil {
		err = &stopped{err}
	}
	return hits, err
}

// A gitName is a name that a tree gives to an object.
type gitName struct {
	tree pack.ID
	name string
}

// gitNames reads the trees of a pack of a size, as far as their bytes are in proportion.
func (w *walk) gitNames(store *pack.Store, size int) (map[pack.ID]gitName, error) {
	names := map[pack.ID]gitName{}
	left := 20*size + ratioFloor/2
	_, err := store.Sweep(w.ctx, func(o *pack.Object) (int, error) {
		if left -= len(o.Data); left < 0 || len(names) >= maxGitNames || o.Window != nil {
			return 0, errEnoughNames
		}
		for e, err := range pack.TreeEntries(o.Data, store.HashSize()) {
			if err != nil {
				break
			}
			if _, known := names[e.ID]; !known && len(names) < maxGitNames {
				names[e.ID] = gitName{o.ID, string(e.Name[:min(len(e.Name), maxName)])}
			}
		}
		return 0, nil
	}, pack.SweepOptions{Jobs: 1, Kinds: pack.KindSet(pack.Tree)})
	if errors.Is(err, errEnoughNames) {
		err = nil
	}
	return names, err
}

var errEnoughNames = errors.New("enough names")

// gitPath returns the path of an object, "" if no tree has it.
func gitPath(names map[pack.ID]gitName, id pack.ID) (p string) {
	for range maxGitDepth {
		in, ok := names[id]
		if !ok {
			break
		}
		p, id = path.Join(in.name, p), in.tree
	}
	return p
}

// whole reads a content into memory, in one piece. Data is nil where it does not fit, which
// was reported then.
func (w *walk) whole(n node) (data []byte, release func(), err error) {
	nothing := func() {}
	if n.at == nil && n.size < 0 { // its size is known once it was read
		h, err := w.hold(n.br, -1, w.limits.Memory)
		if err != nil {
			return nil, func() { w.drop(h) }, err
		}
		if h.rest == nil {
			n.at, n.size = h, h.size
			data, release, err = w.whole(n)
			w.drop(h)
			return data, release, err
		}
		defer w.drop(h)
		n.br = w.buffer(h.reader())
		defer w.release(n.br)
		n.size = w.limits.Memory + 1
	}
	if n.size > w.limits.Memory-w.held {
		if err := w.problem(n.leaf, &LimitError{limitMemory, w.limits.Memory}); err != nil {
			return nil, nothing, err
		}
		n.packed, n.size = true, -1
		return nil, nothing, w.visit(n)
	}
	size := n.size
	if err := w.reserve(size); err != nil {
		return nil, func() { w.held -= size }, err
	}
	data = make([]byte, size)
	k, err := io.ReadFull(n.reader(), data)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil // what is missing shows
	}
	if cerr := w.charge(0); cerr != nil {
		err = &stopped{cerr}
	}
	return data[:k], func() { w.held -= size }, err
}

// looseHeader skips what a loose object of git's begins with: its kind and size.
func looseHeader(br *bufio.Reader) {
	head, _ := br.Peek(32)
	i := bytes.IndexByte(head, 0)
	if i < 0 {
		return
	}
	for _, kind := range []string{"blob ", "tree ", "commit ", "tag "} {
		if size, ok := bytes.CutPrefix(head[:i], []byte(kind)); ok && len(size) > 0 && len(bytes.Trim(size, "0123456789")) == 0 {
			_, _ = br.Discard(i + 1)
			return
		}
	}
}
