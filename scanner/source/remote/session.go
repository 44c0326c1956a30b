package remote

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os/exec"
	"runtime"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
)

// A session is one conversation with git-upload-pack: the server says which references
// it has, and is asked once for a pack.
type session interface {
	references(ctx context.Context) (*packp.AdvRefs, error)
	// pack returns the server's answer; the pack is in it, in a side band or bare.
	pack(ctx context.Context, req *packp.UploadPackRequest) (io.ReadCloser, error)
	close()
}

// connect opens a session. A connection that it opens ends with ctx.
func (r *Repository) connect(ctx context.Context, w *watch) (session, error) {
	switch r.address.Scheme {
	case "http", "https":
		return r.connectHTTP(w)
	case "ssh":
		return r.connectSSH(ctx, w)
	case "git":
		conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "tcp", net.JoinHostPort(r.address.Host, r.port(9418)))
		if err != nil {
			return nil, err
		}
		p := &piped{in: conn, out: w.reader(conn), end: func() { _ = conn.Close() }}
		context.AfterFunc(ctx, p.end)
		ask := packp.GitProtoRequest{RequestCommand: "git-upload-pack", Pathname: r.address.Path, Host: r.address.hostPort()}
		return p, ask.Encode(conn)
	}
	return r.connectFile(ctx, w)
}

func (r *Repository) port(usual int) string {
	if r.address.Port != 0 {
		usual = r.address.Port
	}
	return strconv.Itoa(usual)
}

// connectFile runs git-upload-pack, which is made to serve repositories of others.
func (r *Repository) connectFile(ctx context.Context, w *watch) (session, error) {
	if r.opts.Git == nil {
		return nil, errors.New("git is needed to read a file:// URL")
	}
	path := r.address.Path
	if runtime.GOOS == "windows" && len(path) > 2 && path[2] == ':' {
		path = path[1:]
	}
	c := r.opts.Git(ctx, "upload-pack", "--", path)
	in, err := c.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	said := &lastWords{}
	c.Stderr = said
	if err := c.Start(); err != nil {
		return nil, err
	}
	return &piped{in: in, out: w.reader(out), said: said, end: func() {
		_ = in.Close()
		_ = out.Close() // it ends when no one listens
		_ = c.Wait()
	}}, nil
}

// lastWords keeps the first line that a program writes to its standard error.
type lastWords struct{ text []byte }

func (l *lastWords) Write(p []byte) (int, error) {
	l.text = append(l.text, p[:min(len(p), 1000-len(l.text))]...)
	return len(p), nil
}

// A piped session speaks over one connection, or with one program.
type piped struct {
	in   io.WriteCloser
	out  io.Reader
	said *lastWords // of a program, valid when out has ended
	end  func()
}

func (p *piped) references(context.Context) (*packp.AdvRefs, error) {
	refs := packp.NewAdvRefs()
	err := refs.Decode(p.out)
	if err == nil && refs.IsEmpty() || errors.Is(err, packp.ErrEmptyAdvRefs) {
		return nil, transport.ErrEmptyRemoteRepository
	}
	if errors.Is(err, packp.ErrEmptyInput) {
		p.close()
		if p.said != nil && len(p.said.text) > 0 {
			return nil, &serverError{line(string(p.said.text))}
		}
		return nil, errNoAnswer
	}
	return refs, err
}

func (p *piped) pack(_ context.Context, req *packp.UploadPackRequest) (io.ReadCloser, error) {
	res := packp.NewUploadPackResponse(req)
	err := req.UploadRequest.Encode(p.in)
	if err == nil {
		err = req.UploadHaves.Encode(p.in, len(req.Haves) > 0)
	}
	if err == nil {
		_, err = io.WriteString(p.in, "0009done\n")
	}
	// A server that refuses may be gone before it has read the whole; what it says is why.
	if said := res.Decode(io.NopCloser(p.out)); said != nil && (err == nil || errors.As(said, new(*pktline.ErrorLine))) {
		err = said
	}
	return res, err
}

func (p *piped) close() {
	if p.end != nil {
		p.end()
		p.end = nil
	}
}

// An overHTTP session is two requests.
type overHTTP struct{ transport.UploadPackSession }

func (s overHTTP) references(ctx context.Context) (*packp.AdvRefs, error) {
	return s.AdvertisedReferencesContext(ctx)
}

func (s overHTTP) pack(ctx context.Context, req *packp.UploadPackRequest) (io.ReadCloser, error) {
	return s.UploadPack(ctx, req)
}

func (s overHTTP) close() { _ = s.Close() }

func (r *Repository) connectHTTP(w *watch) (session, error) {
	a := r.address
	ep := &transport.Endpoint{Protocol: a.Scheme, Host: a.Host, Port: a.Port, Path: a.Path}
	if strings.Contains(a.Host, ":") {
		ep.Host = "[" + a.Host + "]"
	}
	var auth transport.AuthMethod
	if r.credential != nil {
		auth = &githttp.BasicAuth{Username: r.credential.user, Password: r.credential.password}
	}
	client := githttp.NewClient(&http.Client{Transport: w.transport(r.transport)})
	s, err := client.NewUploadPackSession(ep, auth)
	return overHTTP{s}, err
}

// A serverError is what the server says is wrong.
type serverError struct{ text string }

func (e *serverError) Error() string { return "the server says: " + e.text }

var errNoAnswer = errors.New("the server ended the connection without an answer")

// line is the first line of a text that someone else wrote, without what a terminal
// would obey, and bounded.
func line(text string) string {
	text, _, _ = strings.Cut(strings.TrimSpace(text), "\n")
	text = strings.Map(func(c rune) rune {
		if c < ' ' || c >= 0x7f && c < 0xa0 || c == '\ufffd' {
			return -1
		}
		return c
	}, text)
	if len(text) > 200 {
		text = strings.ToValidUTF8(text[:200], "") + "…"
	}
	return text
}

// Command makes a call of git that runs nothing a repository's configuration names.
type Command func(ctx context.Context, args ...string) *exec.Cmd
