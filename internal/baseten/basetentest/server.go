// Package basetentest is a stateful server that behaves like Baseten's
// management and inference APIs, for tests, demonstrations and other people's
// clients. It listens on this machine only and knows only the keys it made up.
//
// What it does follows the management API's OpenAPI document where that speaks:
// routes, parameters, forms of answers, page sizes. What the document leaves open
// (which key may call what, error bodies, the rules for names) follows Baseten's
// pages and the sources of its tools, and is said beside the code.
//
// Faults are scripted with Server.Inject. Every byte that clients send is kept,
// so that a test can show what never went over the wire.
package basetentest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/b10lint/b10lint/secret"
)

// A Server answers for an Org on two addresses of this machine.
type Server struct {
	// URL is the management API's address, InferenceURL that of the inference
	// API; http, without a trailing slash.
	URL, InferenceURL string

	org        *Org
	management *httptest.Server
	inference  *httptest.Server
	stop       chan struct{}
	stalled    func() // an answer stalls; nil: the client's time runs out by itself
	stopOnce   sync.Once

	record  record
	faults  faults
	limit   limiter
	latency latency
}

// Start starts a server. Close it when done.
func Start(o *Org) *Server {
	s := &Server{org: o, stop: make(chan struct{})}
	s.management = s.listen(s.ManagementHandler())
	s.inference = s.listen(s.InferenceHandler())
	s.URL, s.InferenceURL = s.management.URL, s.inference.URL
	return s
}

func (s *Server) listen(h http.Handler) *httptest.Server {
	t := httptest.NewUnstartedServer(h)
	t.Listener = &recordingListener{Listener: t.Listener, to: &s.record}
	t.Start()
	return t
}

// Close ends the server and every answer that is still under way.
func (s *Server) Close() {
	s.stopOnce.Do(func() { close(s.stop) })
	s.management.Close()
	s.inference.Close()
}

// SetRate limits each key to n requests a second on each route, by the Org's
// clock; 0 lifts the limit. Baseten's own is 100.
func (s *Server) SetRate(n int) {
	s.limit.mu.Lock()
	defer s.limit.mu.Unlock()
	s.limit.rate = n
}

// SetLatency makes every answer wait for a random time between two, also one that a fault
// is due for.
func (s *Server) SetLatency(least, most time.Duration) {
	s.latency.mu.Lock()
	defer s.latency.mu.Unlock()
	s.latency.least, s.latency.most = least, most
}

type latency struct {
	mu          sync.Mutex
	least, most time.Duration
}

// wait waits, unless the client gives up or the server ends.
func (l *latency) wait(ctx context.Context, stop <-chan struct{}) {
	l.mu.Lock()
	d := l.least
	if l.most > l.least {
		d += rand.N(l.most - l.least)
	}
	l.mu.Unlock()
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	case <-stop:
	}
}

// ManagementHandler returns the management API alone, for a listener of the
// caller's own.
func (s *Server) ManagementHandler() http.Handler {
	m := http.NewServeMux()
	for pattern, h := range map[string]func(*call){
		"GET /v1/api_keys":                                    s.listKeys,
		"POST /v1/api_keys":                                   s.createKey,
		"POST /v1/teams/{team}/api_keys":                      s.createKey,
		"DELETE /v1/api_keys/{prefix}":                        s.deleteKey,
		"GET /v1/teams":                                       s.listTeams,
		"GET /v1/teams/{team}":                                s.getTeam,
		"GET /v1/users":                                       s.listUsers,
		"GET /v1/users/me":                                    s.me,
		"GET /v1/models":                                      s.listModels,
		"GET /v1/audit_logs":                                  s.listAudit,
		"GET /v1/model_apis/usage":                            s.listUsage,
		"GET /v1/gateway/groups":                              s.listGroups,
		"GET /v1/gateway/groups/{group}/api_keys":             s.listGroupKeys,
		"POST /v1/gateway/groups/{group}/api_keys":            s.createGroupKey,
		"GET /v1/gateway/groups/{group}/api_keys/{prefix}":    s.getGroupKey,
		"DELETE /v1/gateway/groups/{group}/api_keys/{prefix}": s.deleteGroupKey,
	} {
		m.HandleFunc(pattern, s.handle(Management, pattern, h))
	}
	m.HandleFunc("/", s.handle(Management, "", func(c *call) { c.refuse(http.StatusNotFound, "Not found.") }))
	return s.wrap(Management, m)
}

// InferenceHandler returns the inference API alone: its list of models.
func (s *Server) InferenceHandler() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /v1/models", s.handle(Inference, inferenceModels, s.listServedModels))
	m.HandleFunc("/", s.handle(Inference, "", func(c *call) { c.refuse(http.StatusNotFound, "Not found.") }))
	return s.wrap(Inference, m)
}

// wrap records each request and lets faults have their way.
func (s *Server) wrap(service Service, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		q := &Request{Service: service, Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Scheme: scheme,
			KeyPrefix: secret.New(value).Prefix(), UserAgent: r.UserAgent(), At: s.org.now()}
		s.record.mu.Lock()
		s.record.requests = append(s.record.requests, q)
		s.record.mu.Unlock()
		answer := &statusWriter{ResponseWriter: w}
		defer func() {
			s.record.mu.Lock()
			defer s.record.mu.Unlock()
			q.Status = answer.status
		}()
		s.latency.wait(r.Context(), s.stop)
		s.serve(service, answer, r, next)
	})
}

// handle authenticates, checks the permission, and calls h with the Org locked.
func (s *Server) handle(service Service, route string, h func(*call)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := &call{s: s, w: w, r: r}
		o := s.org
		o.mu.Lock()
		defer o.mu.Unlock()
		if service == Inference && o.PublicInference && route == inferenceModels {
			h(c)
			return
		}
		scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		c.key = o.digests[secret.New(value).Digest()]
		if c.key == nil || c.key.revoked || !accepts(service, scheme, c.key) {
			c.refuse(http.StatusUnauthorized, "Invalid API key.")
			return
		}
		if wait := s.limit.take(c.key.prefix+" "+route, o.now()); wait > 0 {
			c.send(http.StatusTooManyRequests, object{"error": "Rate limit exceeded. Please try again later.", "retry_after": wait})
			return
		}
		if route != "" && !o.may(route, c.key) {
			c.refuse(http.StatusForbidden, "You do not have permission to perform this action.")
			return
		}
		now := o.now().UTC()
		c.key.lastUsed = &now
		h(c)
	}
}

// call is one request being answered.
type call struct {
	s      *Server
	w      http.ResponseWriter
	r      *http.Request
	key    *key
	failed bool
}

// An object is one of JSON, as it is sent.
type object = map[string]any

func (c *call) query() url.Values { return c.r.URL.Query() }

// send writes an answer. Only the first one counts.
func (c *call) send(status int, v any) {
	if c.failed {
		return
	}
	c.failed = status != http.StatusOK
	sendJSON(c.w, status, v)
}

func sendJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// refuse sends an error. Baseten's services word theirs in different ways; each
// status has one here, so that clients meet them all.
func (c *call) refuse(status int, message string) {
	switch status {
	case http.StatusForbidden:
		c.send(status, object{"detail": message})
	case http.StatusNotFound:
		c.send(status, object{"message": message})
	case http.StatusBadRequest:
		c.send(status, []string{message})
	case http.StatusUnprocessableEntity:
		c.send(status, object{"detail": []any{object{"loc": []string{"query"}, "msg": message}}})
	default:
		c.send(status, object{"error": message})
	}
}

// page reads limit and cursor. What is wrong with them has been answered when
// c.failed is set.
func (c *call) page(usual, most int) (limit, skip int) {
	limit = usual
	if v := c.query().Get("limit"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > most {
			c.refuse(http.StatusUnprocessableEntity, "limit is out of range")
		}
		limit = n
	}
	if v := c.query().Get("cursor"); v != "" {
		data, err := base64.RawURLEncoding.DecodeString(v)
		skip, _ = strconv.Atoi(string(data))
		if err != nil || skip <= 0 {
			c.refuse(http.StatusUnprocessableEntity, "cursor is not valid")
		}
	}
	return limit, skip
}

// sendPage sends a page after which the next one starts at next.
func (c *call) sendPage(items any, next int, more bool) {
	var cursor *string
	if more {
		s := base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(next)))
		cursor = &s
	}
	c.send(http.StatusOK, object{"items": items, "pagination": object{"has_more": more, "cursor": cursor}})
}

// millis reads a parameter of milliseconds since 1970.
func (c *call) millis(name string) time.Time {
	v := c.query().Get(name)
	if v == "" {
		return time.Time{}
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		c.refuse(http.StatusUnprocessableEntity, name+" is not a number")
	}
	return time.UnixMilli(n).UTC()
}
