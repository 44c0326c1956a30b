// Package remote is the source of git repositories that are not on this machine. It
// asks a server for its references and for one pack with all that they lead to, which
// is swept as it is: nothing is cloned, indexed or checked out. What it takes of
// go-git is the protocol; objects are read by internal/git/pack.
//
//	address.go     a word of the command line becomes an Address
//	session.go     one conversation with git-upload-pack, over each kind of connection
//	ssh.go         the one over ssh: keys, agent, known hosts
//	credential.go  what is sent to whom, once a server asks for it
//	watch.go       bounds in time and size on what a server sends
//	remote.go      the references, the pack, the source
//	state.go       what is remembered of a repository in which nothing was found
//	errors.go      what went wrong, in words
package remote

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/transport"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/git/pack"
	"github.com/b10lint/b10lint/internal/git/refs"
	"github.com/b10lint/b10lint/internal/httpc"
	"github.com/b10lint/b10lint/scanner/source"
	"github.com/b10lint/b10lint/scanner/source/git"
)

// Options say how a repository is fetched and what of it is scanned.
type Options struct {
	History git.Options
	// Commits are ids to be fetched besides what the references lead to.
	Commits []string
	// CAFile adds certificate authorities to the system's.
	CAFile string
	// Env is a variable of the environment, Home the user's folder.
	Env  func(name string) string
	Home string
	// Git calls git, for its credential helpers and to read file:// URLs; nil where
	// there is none.
	Git Command
	// Arrived is called when the repository is here and before anything is located. It
	// returns the filter for paths, and what is wrong with the repository's settings.
	Arrived func(ctx context.Context, r *Repository) (source.Filter, []finding.Problem)
	Limits  Limits
	// State is a folder that remembers repositories in which nothing was found, so that
	// only what is new is fetched; "" for none. StateOptions names all that decides what
	// is found: with others, nothing is remembered.
	State, StateOptions string
}

// A Repository is one that is fetched. Its Source may be walked once.
type Repository struct {
	address    Address
	opts       Options
	transport  http.RoundTripper
	credential *credential // sent with each request; nil until a server asked for one

	received git.Received
	branch   string
	history  *git.History
	asked    time.Time       // when the references were
	old      *state          // what is known already; nil: nothing
	files    map[string]file // of the default branch, that were asked for
}

// New returns the repository at an address. Nothing is fetched yet.
func New(a Address, o Options) (*Repository, error) {
	o.Limits = o.Limits.withDefaults()
	t, err := httpc.NewTransport(o.CAFile)
	if err != nil {
		return nil, err
	}
	r := &Repository{address: a, opts: o, transport: t}
	r.history = git.NewReceived(a.String(), &r.received, o.History)
	return r, nil
}

// Source is the source of all that the repository holds.
func (r *Repository) Source() source.Source {
	return source.Source{Walk: r.walk, Locate: r.history.Locate, Coverage: r.history.Coverage}
}

// Head is the commit of the default branch, and the branch; "" where there is none.
func (r *Repository) Head() (id, branch string) { return r.received.Head, r.branch }

// File returns the content of a file as it is in a revision. The error is
// fs.ErrNotExist if there is no such file.
func (r *Repository) File(ctx context.Context, revision, name string, most int) ([]byte, error) {
	if revision != "HEAD" {
		data, _, err := r.received.File(ctx, revision, name, most)
		return data, err
	}
	if r.old != nil && r.received.Head == r.old.Head {
		was, asked := r.old.Files[name]
		if asked && was.ID == "" {
			return nil, fs.ErrNotExist
		}
		if asked {
			return was.Text, nil
		}
	}
	data, id, err := r.received.File(ctx, revision, name, most)
	if r.old != nil && err != nil && !id.IsZero() && r.old.Files[name].ID == id.String() { // it did not change, so it did not come
		data, err = r.old.Files[name].Text, nil
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		r.files[name] = file{id.String(), data}
	}
	return data, err
}

func (r *Repository) walk(ctx context.Context, to source.Sink) error {
	var mu sync.Mutex
	var bad []pack.Problem
	problem := func(p pack.Problem) {
		mu.Lock()
		defer mu.Unlock()
		bad = append(bad, p)
	}
	r.asked, r.files = time.Now().UTC(), map[string]file{}
	var err error
	if r.old, err = r.recall(); err != nil {
		err := to.Problem(finding.Problem{Path: filepath.ToSlash(r.opts.State), Warning: true, Error: "what was remembered was dropped, and all is scanned: " + line(err.Error())})
		if err != nil {
			return err
		}
	}
	err = r.fetch(ctx, problem, to)
	if old := r.old; old != nil && ctx.Err() == nil && (err != nil || len(bad) > 0 || !r.suffices(ctx, old)) {
		if s := r.received.Store; s != nil {
			_ = s.Close()
		}
		r.old, r.received, bad, r.files = nil, git.Received{}, nil, map[string]file{}
		err = r.fetch(ctx, problem, to)
	}
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return to.Problem(r.explain(err))
	}
	r.received.Incomplete = len(bad) > 0
	if r.opts.Arrived != nil {
		filter, problems := r.opts.Arrived(ctx, r)
		r.history.SetFilter(filter)
		for _, p := range problems {
			if err := to.Problem(p); err != nil {
				return err
			}
		}
	}
	if r.old != nil {
		maps.Copy(r.files, carried(r.old.Files, r.files))
		r.received.Since = "what came since " + r.old.Scanned.Format(time.RFC3339) + ", when nothing was found"
	}
	err = r.history.Walk(ctx, to)
	for _, p := range bad {
		out := finding.Problem{Path: r.address.String(), Object: p.ID.String(), Error: line(p.Err.Error()),
			Hint: "scan again; if it stays so, scan a clone: git clone --mirror"}
		if err := to.Problem(out); err != nil {
			return err
		}
	}
	return err
}

// emptyPack is the pack without objects.
const emptyPack = "PACK\x00\x00\x00\x02\x00\x00\x00\x00\x02\x9d\x08\x82\x3b\xd8\xa8\xea\xb5\x10\xad\x6a\xc7\x5c\x82\x3c\xfd\x3e\xd3\x1e"

// fetch asks for the references and one pack. When the server wants a credential, each
// that there is for it is tried.
func (r *Repository) fetch(ctx context.Context, problem func(pack.Problem), to source.Sink) error {
	candidates := r.credentials(ctx)
	for {
		err := r.fetchOnce(ctx, problem, to)
		if !errors.Is(err, transport.ErrAuthenticationRequired) && !errors.Is(err, transport.ErrAuthorizationFailed) {
			return err
		}
		next, ok := candidates()
		if !ok {
			return err
		}
		r.credential = next
	}
}

func (r *Repository) fetchOnce(ctx context.Context, problem func(pack.Problem), to source.Sink) error {
	ctx, w := newWatch(ctx, r.opts.Limits)
	defer w.stop()
	fail := func(err error) error {
		if cause := context.Cause(ctx); cause != nil && cause != context.Canceled {
			return cause
		}
		return err
	}
	s, err := r.connect(ctx, w)
	if err != nil {
		return fail(err)
	}
	defer s.close()
	adv, err := s.references(ctx)
	if errors.Is(err, transport.ErrEmptyRemoteRepository) {
		r.received.Refs = []refs.Ref{}
		r.receive(strings.NewReader(emptyPack), problem, to)
		return nil
	}
	if err != nil {
		return fail(err)
	}
	r.list(adv)
	req := r.request(adv)
	if len(req.Wants) == 0 { // there is nothing in it, or nothing new
		r.receive(strings.NewReader(emptyPack), problem, to)
		return nil
	}
	body, err := s.pack(ctx, req)
	if err != nil {
		return fail(err)
	}
	defer body.Close()
	w.packComes()
	in := demultiplexed(body, req.Capabilities)
	r.receive(readerFunc(func(p []byte) (int, error) {
		n, err := in.Read(p)
		if err != nil && err != io.EOF {
			err = inPack(fail(err))
		}
		return n, err
	}), problem, to)
	return nil
}

func (r *Repository) receive(in io.Reader, problem func(pack.Problem), to source.Sink) {
	r.history.Receive(in, pack.ReceiveOptions{Name: r.address.String(), Problem: problem, Most: r.opts.Limits.Pack}, to)
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// demultiplexed reads the pack out of an answer.
func demultiplexed(body io.Reader, caps *capability.List) io.Reader {
	switch {
	case caps.Supports(capability.Sideband64k):
		return sideband.NewDemuxer(sideband.Sideband64k, bufio.NewReaderSize(body, 64<<10))
	case caps.Supports(capability.Sideband):
		return sideband.NewDemuxer(sideband.Sideband, bufio.NewReaderSize(body, 64<<10))
	}
	return body
}

// list notes the references.
func (r *Repository) list(adv *packp.AdvRefs) {
	r.received.Refs, r.received.Shallow = []refs.Ref{}, nil
	for name, id := range adv.References {
		r.received.Refs = append(r.received.Refs, refs.Ref{Name: name, ID: id.String()})
	}
	slices.SortFunc(r.received.Refs, func(a, b refs.Ref) int { return strings.Compare(a.Name, b.Name) })
	for _, link := range adv.Capabilities.Get(capability.SymRef) {
		if to, ok := strings.CutPrefix(link, "HEAD:refs/heads/"); ok {
			r.branch = to
		}
	}
	if adv.Head != nil {
		r.received.Head = adv.Head.String()
		if r.branch == "" { // it is on no branch: a reference of its own
			r.received.Refs = append([]refs.Ref{{Name: "HEAD", ID: r.received.Head}}, r.received.Refs...)
		}
	}
	for _, id := range adv.Shallows {
		r.received.Shallow = append(r.received.Shallow, id.String())
	}
}

// carried are the files that are as they were, and were not asked for again.
func carried(old, now map[string]file) map[string]file {
	all := map[string]file{}
	for name, f := range old {
		if _, ok := now[name]; !ok {
			all[name] = f
		}
	}
	return all
}

// request asks for all that the references lead to, and what they led to before does not.
func (r *Repository) request(adv *packp.AdvRefs) *packp.UploadPackRequest {
	for _, c := range transport.UnsupportedCapabilities {
		adv.Capabilities.Delete(c)
	}
	req := packp.NewUploadPackRequestFromCapabilities(adv.Capabilities)
	if adv.Capabilities.Supports(capability.NoProgress) {
		_ = req.Capabilities.Set(capability.NoProgress)
	}
	seen := map[plumbing.Hash]bool{}
	want := func(id plumbing.Hash) {
		if !seen[id] {
			seen[id] = true
			req.Wants = append(req.Wants, id)
		}
	}
	known := r.old.ids()
	for id := range known {
		have, _ := pack.ParseID(id)
		r.received.Known = append(r.received.Known, have)
		req.Haves = append(req.Haves, plumbing.NewHash(id))
	}
	for _, ref := range r.received.Refs {
		if !known[ref.ID] {
			want(plumbing.NewHash(ref.ID))
		}
	}
	for _, id := range r.opts.Commits {
		want(plumbing.NewHash(id))
	}
	return req
}
