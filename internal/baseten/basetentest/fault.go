package basetentest

import (
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A FaultKind is a way in which an answer goes wrong.
type FaultKind int

// The faults. Those that say "instead" keep the request from having any effect.
const (
	RateLimited     FaultKind = iota // 429 with retry_after in the body, instead
	Unavailable                      // 503 with a JSON body, instead
	BadGateway                       // 502 with a proxy's HTML page, instead
	SlowBody                         // the answer stalls half-way until the client gives up
	DropAfterCommit                  // the request takes effect, the connection is cut without an answer
	CaptivePortal                    // 200 with HTML, instead
	Firewall                         // 403 with HTML, instead
	Forbidden                        // 403 with a JSON body, as for a missing permission, instead
	TruncatedJSON                    // the answer ends half-way, as if it were whole
	ShortBody                        // the connection is cut half-way through the answer
	WrongType                        // the answer, labelled text/plain
	Reset                            // the connection is reset, instead
	Redirected                       // 307 to Fault.To, instead
	WrongForm                        // 200 with JSON of some other service, instead
	Unauthorized                     // 401 with a JSON body, as for a key that is not known, instead
	NotFound                         // 404 with a JSON body, as for a key that is not there, instead
	EmptyList                        // 200 with an empty list of keys, instead
	Ignored                          // 200 as for a delete that took effect, instead
)

// A Fault is scripted with Server.Inject.
type Fault struct {
	Kind FaultKind
	// Service, Method and Path narrow the requests that it is for; empty means
	// any, and Path is matched exactly or, ending in "/", as a prefix.
	Service Service
	Method  string
	Path    string
	Skip    int           // let so many through first
	Times   int           // then fail so many; 0 means all
	After   time.Duration // RateLimited: retry_after, 0 means 1 s
	To      string        // Redirected: the address
}

// faultWords name the faults for command lines and scripts. A status names its usual form.
var faultWords = map[string]FaultKind{
	"429": RateLimited, "limited": RateLimited, "503": Unavailable, "unavailable": Unavailable, "502": BadGateway,
	"slow": SlowBody, "dropped": DropAfterCommit, "portal": CaptivePortal, "firewall": Firewall, "403": Forbidden,
	"truncated": TruncatedJSON, "short": ShortBody, "wrong-type": WrongType, "reset": Reset, "redirected": Redirected,
	"wrong-form": WrongForm, "401": Unauthorized, "unauthorized": Unauthorized, "404": NotFound, "not-found": NotFound,
	"wrong-list": EmptyList, "ignored": Ignored,
}

// ParseFault reads a fault: METHOD PATH KIND [xTIMES] [+SKIP], as in "DELETE /v1/api_keys/
// 503 x3". A method or path of * is any, and a path that ends in / is a prefix.
func ParseFault(text string) (Fault, error) {
	words := strings.Fields(text)
	if len(words) < 3 {
		return Fault{}, fmt.Errorf("%q is not METHOD PATH KIND [xTIMES] [+SKIP]", text)
	}
	kind, ok := faultWords[words[2]]
	if !ok {
		return Fault{}, fmt.Errorf("%q is not one of %s", words[2], strings.Join(slices.Sorted(maps.Keys(faultWords)), ", "))
	}
	x := Fault{Kind: kind, To: "https://example.com/"}
	if words[0] != "*" {
		x.Method = strings.ToUpper(words[0])
	}
	if words[1] != "*" {
		x.Path = words[1]
	}
	for _, word := range words[3:] {
		into := map[byte]*int{'x': &x.Times, '+': &x.Skip}[word[0]]
		n, err := strconv.Atoi(word[1:])
		if into == nil || err != nil || n < 1 {
			return Fault{}, fmt.Errorf("%q is not xTIMES or +SKIP", word)
		}
		*into = n
	}
	return x, nil
}

// Inject adds a fault. The first that matches a request decides.
func (s *Server) Inject(f Fault) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.list = append(s.faults.list, &f)
}

// Heal drops all faults.
func (s *Server) Heal() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.list = nil
}

type faults struct {
	mu   sync.Mutex
	list []*Fault
}

// match takes the fault that is due for a request, if any.
func (f *faults) match(service Service, r *http.Request) *Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, x := range f.list {
		fits := x.Path == "" || x.Path == r.URL.Path || strings.HasSuffix(x.Path, "/") && strings.HasPrefix(r.URL.Path, x.Path)
		if !fits || x.Service != "" && x.Service != service || x.Method != "" && x.Method != r.Method {
			continue
		}
		if x.Skip > 0 {
			x.Skip--
			return nil
		}
		due := *x
		if x.Times > 0 {
			if x.Times--; x.Times == 0 {
				f.list = append(f.list[:i:i], f.list[i+1:]...)
			}
		}
		return &due
	}
	return nil
}

const (
	portalPage = "<html><body>Welcome to the guest network. Please sign in.</body></html>"
	wallPage   = "<html><head><title>403 Forbidden</title></head><body>Request blocked.</body></html>"
	proxyPage  = "<html><body><h1>502 Bad Gateway</h1></body></html>"
)

// serve answers a request by next, or as the fault says that is due for it.
func (s *Server) serve(service Service, w http.ResponseWriter, r *http.Request, next http.Handler) {
	x := s.faults.match(service, r)
	if x == nil {
		next.ServeHTTP(w, r)
		return
	}
	switch x.Kind {
	case RateLimited:
		after := max(x.After, time.Second) / time.Second
		sendJSON(w, http.StatusTooManyRequests, object{"error": "Rate limit exceeded. Please try again later.", "retry_after": int(after)})
	case Unavailable:
		sendJSON(w, http.StatusServiceUnavailable, object{"error": "Service unavailable."})
	case BadGateway:
		sendText(w, http.StatusBadGateway, "text/html", proxyPage)
	case CaptivePortal:
		sendText(w, http.StatusOK, "text/html; charset=utf-8", portalPage)
	case Forbidden:
		sendJSON(w, http.StatusForbidden, object{"detail": "You do not have permission to perform this action."})
	case Unauthorized:
		sendJSON(w, http.StatusUnauthorized, object{"error": "Invalid API key."})
	case NotFound:
		sendJSON(w, http.StatusNotFound, object{"error": "Not found."})
	case EmptyList:
		sendJSON(w, http.StatusOK, map[string]any{"keys": []any{}})
	case Ignored:
		sendJSON(w, http.StatusOK, object{"prefix": path.Base(r.URL.Path)})
	case Firewall:
		sendText(w, http.StatusForbidden, "text/html", wallPage)
	case WrongForm:
		sendJSON(w, http.StatusOK, object{"status": "ok"})
	case Redirected:
		w.Header().Set("Location", x.To)
		w.WriteHeader(http.StatusTemporaryRedirect)
	case Reset:
		cut(w, true)
	default: // the request takes effect, and then something happens to the answer
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r)
		body := answer.Body.Bytes()
		half := body[:len(body)/2]
		switch x.Kind {
		case DropAfterCommit:
			cut(w, false)
		case TruncatedJSON:
			sendText(w, answer.Code, "application/json", string(half))
		case WrongType:
			sendText(w, answer.Code, "text/plain", string(body))
		case ShortBody, SlowBody:
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			w.WriteHeader(answer.Code)
			_, _ = w.Write(half)
			_ = http.NewResponseController(w).Flush()
			if x.Kind == SlowBody {
				if s.stalled != nil {
					s.stalled()
				}
				select {
				case <-r.Context().Done():
				case <-s.stop:
				}
			}
			cut(w, false)
		}
	}
}

// cut ends the connection without an answer, or without the rest of one.
func cut(w http.ResponseWriter, reset bool) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // an answer has begun: net/http cuts it off
	}
	if rc, ok := c.(*recordingConn); ok && reset {
		if tcp, ok := rc.Conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
	}
	_ = c.Close()
}

func sendText(w http.ResponseWriter, status int, kind, body string) {
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
}
