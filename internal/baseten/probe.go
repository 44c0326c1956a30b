package baseten

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/keyformat"
	"github.com/b10lint/b10lint/secret"
)

// maxProbeRate is how many requests a second probing makes at most.
const maxProbeRate = 5

// giveUpAfter is after how many keys in a row without any usable answer the
// others are left alone.
const giveUpAfter = 3

// A Probe answers by asking Baseten with the found key itself, on routes that
// only read and cost nothing. Each kind of question is first asked with a random
// key of the same form: only where that one is turned away does it mean
// anything that the found key is let in. See judge for the table.
type Probe struct {
	endpoints Endpoints
	stack     stack
	absent    string // the name of a model that is not there

	mu       sync.Mutex
	controls map[string]answer // by form of key and route
	barren   int               // keys in a row without any usable answer
}

// NewProbe returns a Probe. o needs no Credential. perSecond is the rate of
// requests; 0, or more than maxProbeRate, means maxProbeRate. It sends nothing yet.
func NewProbe(o Options, perSecond float64) (*Probe, error) {
	for _, u := range []*url.URL{o.Endpoints.Management, o.Endpoints.Inference} {
		if err := o.Endpoints.Hosts.Allow(u); err != nil {
			return nil, err
		}
	}
	if perSecond <= 0 || perSecond > maxProbeRate {
		perSecond = maxProbeRate
	}
	if o.Retry.Attempts == 0 {
		o.Retry.Attempts = 3
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	s, err := o.stack(rate.NewLimiter(rate.Limit(perSecond), 1))
	if err != nil {
		return nil, err
	}
	return &Probe{endpoints: o.Endpoints, stack: s, absent: "b10lint-" + randomWord(16), controls: map[string]answer{}}, nil
}

// scope names what the verdicts are about: the hosts that were asked.
func (p *Probe) scope() string {
	return "probe " + p.endpoints.Management.String() + " " + p.endpoints.Inference.String()
}

// The services that are asked.
const (
	management = "management"
	inference  = "inference"
)

// A route is one question.
type route struct {
	service string // management or inference
	path    string
	scheme  Scheme
	field   string // that an answer of the right form has
}

// routes are asked in this order. The first is made for the question, and known
// as unstable, so others follow. The inference API knows keys that may do
// nothing on the management API. Both schemes are tried before a key is called
// dead: pages and sources of Baseten disagree on where each is accepted.
func routes() []route {
	return []route{
		{management, "/v1/users/me", Bearer, "user_id"},
		{management, "/v1/models", Bearer, "models"},
		{management, "/v1/api_keys", Bearer, "keys"},
		{management, "/v1/users/me", APIKey, "user_id"},
		{inference, "/v1/models", Bearer, "data"},
		{inference, "/v1/models", APIKey, "data"},
	}
}

// answer is what came back on one route.
type answer struct {
	outcome outcome
	failed  bool   // the service or the network is at fault
	silent  bool   // there was no answer at all: the other routes will not do better
	detail  string // for an inconclusive one
	user    User   // of /v1/users/me
}

// verify gives a verdict for every key, asking with one after the other.
func (p *Probe) verify(ctx context.Context, keys []secret.Secret) Result {
	p.mu.Lock()
	defer p.mu.Unlock()
	res := Result{Verdicts: make(map[string]finding.Verdict, len(keys))}
	failures, reason := 0, ""
	for _, k := range keys {
		verdict, failed := p.verifyOne(ctx, k)
		res.Verdicts[k.Digest()] = verdict
		if failed {
			failures++
			reason = cmp.Or(reason, verdict.Liveness.Detail)
		}
	}
	if failures > 0 {
		res.Problems = append(res.Problems, incomplete(failures, "probing", errors.New(reason)))
	}
	return res
}

// verifyOne asks with one key. failed is set when a failure of the service or
// the network kept it unknown.
func (p *Probe) verifyOne(ctx context.Context, k secret.Secret) (v finding.Verdict, failed bool) {
	if p.barren >= giveUpAfter {
		return p.verdict(finding.Unknown, fmt.Sprintf("not asked: there was no usable answer for %d keys in a row", p.barren), nil), true
	}
	if err := ctx.Err(); err != nil {
		return p.verdict(finding.Unknown, "not asked: the run ended first", nil), true
	}
	format, _ := keyformat.Of(k.Prefix())
	e := evidence{federated: format.Name == keyformat.Federated.Name, account: isAccountKey(k)}
	for _, r := range routes() {
		if e.settled(r) {
			continue
		}
		control := p.control(ctx, r, k)
		if !control.outcome.usable() {
			e.add(r, control, answer{detail: control.detail, failed: control.failed, silent: control.silent})
			continue
		}
		e.add(r, control, p.ask(ctx, r, k))
	}
	if e.answered {
		p.barren = 0
	} else if e.failed {
		p.barren++
	}
	state, detail := e.conclusion()
	return p.verdict(state, detail, e.facts()), state == finding.Unknown && e.failed
}

func (p *Probe) verdict(state finding.LiveState, detail string, key *finding.Key) finding.Verdict {
	now := p.stack.clock.Now().UTC()
	return finding.Verdict{Liveness: finding.Liveness{State: state, By: ByProbe, At: &now, Detail: detail}, Key: key}
}

// control asks a route with a random key of the same form, once in a run.
func (p *Probe) control(ctx context.Context, r route, k secret.Secret) answer {
	form, random := lookalike(k)
	id := fmt.Sprintf("%s %s %s %s", form, r.service, r.path, r.scheme)
	got, asked := p.controls[id]
	if !asked {
		got = p.ask(ctx, r, random)
		if ctx.Err() == nil {
			p.controls[id] = got
		}
	}
	return got
}

// ask sends one question with one key.
func (p *Probe) ask(ctx context.Context, r route, k secret.Secret) answer {
	base := p.endpoints.Management
	if r.service == inference {
		base = p.endpoints.Inference
	}
	var query url.Values
	if r.service == management && r.path == "/v1/models" {
		query = url.Values{"name": {p.absent}} // the answer is then empty and shows nothing
	}
	req, err := newRequest(ctx, http.MethodGet, base, r.path, query, nil)
	if err != nil {
		return answer{detail: err.Error()}
	}
	body, err := p.stack.send(req, p.endpoints.Hosts, k, r.scheme)
	return read(r, body, err)
}

// read turns what came back into an outcome.
func read(r route, body []byte, err error) answer {
	if err == nil {
		var fields map[string]json.RawMessage
		if json.Unmarshal(body, &fields) != nil || fields[r.field] == nil {
			return answer{failed: true, detail: fmt.Sprintf("GET %s: the answer does not have the form of Baseten's", r.path)}
		}
		a := answer{outcome: accepted}
		if r.field == "user_id" {
			_ = json.Unmarshal(body, &a.user)
		}
		return a
	}
	switch StatusOf(err) {
	case http.StatusUnauthorized:
		return answer{outcome: refused}
	case http.StatusForbidden:
		return answer{outcome: forbidden}
	case http.StatusPaymentRequired:
		return answer{outcome: unpaid}
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone:
		return answer{detail: err.Error()}
	}
	var answered *Error
	return answer{failed: true, silent: !errors.As(err, &answered), detail: err.Error()}
}

// lookalike returns a random key of the same form as k, and a name for the form.
// The mark of the format stays; every other letter and digit is drawn anew.
func lookalike(k secret.Secret) (form string, random secret.Secret) {
	text := k.Reveal()
	format, _ := keyformat.Of(text)
	mask, made := []byte(text), []byte(text)
	draw := []byte(randomWord(len(text)))
	for i := len(format.Mark); i < len(text); i++ {
		if strings.IndexByte(keyformat.Alphabet, text[i]) >= 0 {
			mask[i], made[i] = 'x', draw[i]
		}
	}
	return string(mask), secret.New(string(made))
}

// randomWord returns n letters and digits from the system's random source.
func randomWord(n int) string {
	b := make([]byte, 0, n)
	var buf [64]byte
	for len(b) < n {
		_, _ = rand.Read(buf[:]) // documented never to fail
		for _, c := range buf {
			// Values past the last whole multiple would favour some letters.
			if int(c) < 256-256%len(keyformat.Alphabet) && len(b) < n {
				b = append(b, keyformat.Alphabet[int(c)%len(keyformat.Alphabet)])
			}
		}
	}
	return string(b)
}

// isAccountKey reports whether k has the form of the keys that the management
// API makes.
func isAccountKey(k secret.Secret) bool {
	format, _ := keyformat.Of(k.Reveal())
	return format.Account && format.Has(k.Reveal())
}
