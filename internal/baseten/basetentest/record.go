package basetentest

import (
	"bytes"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/b10lint/b10lint/secret"
)

// A Service is one of the two APIs.
type Service string

// The services.
const (
	Management Service = "management"
	Inference  Service = "inference"
)

// A Request is what is remembered of a request. Of the key, only its prefix is.
type Request struct {
	Service   Service
	Method    string
	Path      string
	Query     string
	Scheme    string // of the Authorization header
	KeyPrefix string
	UserAgent string
	At        time.Time // by the Org's clock
	Status    int       // 0 while there is no answer, and when the connection was cut instead
}

// Requests returns all requests so far, in the order in which they came in.
func (s *Server) Requests() []Request {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	all := make([]Request, len(s.record.requests))
	for i, r := range s.record.requests {
		all[i] = *r
	}
	return all
}

// Count counts the requests so far with a method and path, on either service.
func (s *Server) Count(method, path string) int {
	n := 0
	for _, r := range s.Requests() {
		if r.Method == method && r.Path == path {
			n++
		}
	}
	return n
}

// Forget drops what was recorded so far.
func (s *Server) Forget() {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	s.record.requests = nil
	for _, raw := range s.record.raw {
		raw.Reset()
	}
}

// Received reports whether the secret half of a key came in, anywhere among the
// bytes that clients sent.
func (s *Server) Received(k secret.Secret) bool {
	text := k.Reveal()
	if _, half, ok := strings.Cut(text, "."); ok {
		text = half
	}
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	for _, raw := range s.record.raw {
		if bytes.Contains(raw.Bytes(), []byte(text)) {
			return true
		}
	}
	return false
}

type record struct {
	mu       sync.Mutex
	requests []*Request
	raw      []*bytes.Buffer // what came in, for each connection
}

// recordingListener keeps what its connections read, connection by connection.
type recordingListener struct {
	net.Listener
	to *record
}

func (l *recordingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	rc := &recordingConn{Conn: c, to: l.to, raw: &bytes.Buffer{}}
	l.to.mu.Lock()
	defer l.to.mu.Unlock()
	l.to.raw = append(l.to.raw, rc.raw)
	return rc, nil
}

type recordingConn struct {
	net.Conn
	to  *record
	raw *bytes.Buffer // guarded by to.mu
}

func (c *recordingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.to.mu.Lock()
	c.raw.Write(p[:n])
	c.to.mu.Unlock()
	return n, err
}

// statusWriter remembers the status.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
