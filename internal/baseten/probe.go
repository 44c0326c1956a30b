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
	"github.com/b10lint/b10lint/internal/english"
	"github.com/b10lint/b10lint/internal/hosts"
	"github.com/b10lint/b10lint/internal/keyformat"
	"github.com/b10lint/b10lint/secret"
)

// maxProbeRate is how many requests a second probing makes of Baseten at most. What
// answers on this machine is not Baseten, and is asked without a pause by default.
const maxProbeRate = 5

// giveUpAfter is after how many keys in a row without any usable answer the
// others are left alone.
const giveUpAfter = 3

// A Probe answers by asking Baseten with the found key itself, on routes that
// only read and cost nothing. Two controls guard what an answer means. Each kind
// of question is first asked with a random key of the same form: only where that
// one is turned away does it mean anything that the found key is let in. And a
// service that turns keys away proves them dead only when it let some key in
// during the run, a found one or the credential: one that lets nobody in has a
// fault. See judge for the table.
type Probe struct {
	endpoints  Endpoints
	stack      stack
	absent     string     // the name of a model that is not there
	credential Credential // for the second control; its key may be zero

	mu       sync.Mutex
	controls map[string]answer // by form of key and route
	letIn    map[string]bool   // by service: whether some key was let in; false once the credential was not
	barren   int               // keys in a row without any usable answer
}

// NewProbe returns a Probe. Without a Credential in o a key can be shown to be dead
// only beside one that is let in. perSecond is the rate of requests; 0, or more than
// maxProbeRate, is the default. It sends nothing yet.
func NewProbe(o Options, perSecond float64) (*Probe, error) {
	for _, u := range []*url.URL{o.Endpoints.Management, o.Endpoints.Inference} {
		if err := o.Endpoints.Hosts.Allow(u); err != nil {
			return nil, err
		}
	}
	limit := rate.Limit(perSecond)
	if perSecond <= 0 || perSecond > maxProbeRate {
		limit = maxProbeRate
		if hosts.IsLoopback(o.Endpoints.Management.Hostname()) && hosts.IsLoopback(o.Endpoints.Inference.Hostname()) {
			limit = rate.Inf
		}
	}
	if o.Retry.Attempts == 0 {
		o.Retry.Attempts = 3
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	s, err := o.stack(rate.NewLimiter(limit, 1))
	if err != nil {
		return nil, err
	}
	return &Probe{endpoints: o.Endpoints, stack: s, absent: "b10lint-" + randomWord(16), credential: o.Credential,
		controls: map[string]answer{}, letIn: map[string]bool{}}, nil
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

// verify gives a verdict for every key, asking with one after the other. What a
// refusal means is decided at the end, when it is known whether anyone was let in.
func (p *Probe) verify(ctx context.Context, keys []secret.Secret) Result {
	p.mu.Lock()
	defer p.mu.Unlock()
	res := Result{Verdicts: make(map[string]finding.Verdict, len(keys))}
	all := make([]evidence, len(keys))
	for i, k := range keys {
		all[i] = p.gather(ctx, k)
	}
	failures, reason, uncontrolled := 0, "", 0
	for i, k := range keys {
		e := &all[i]
		state, detail := e.conclusion()
		if state == finding.Dead {
			if why := p.uncontrolled(ctx, e); why != "" {
				state, detail = finding.Unknown, "turned away (401), which proves nothing: "+why
				uncontrolled++
			}
		} else if state == finding.Unknown && e.failed {
			failures++
			reason = cmp.Or(reason, detail)
		}
		res.Verdicts[k.Digest()] = p.verdict(state, detail, e.facts())
	}
	if failures > 0 {
		res.Problems = append(res.Problems, incomplete(failures, "probing", errors.New(reason)))
	}
	if uncontrolled > 0 {
		res.Problems = append(res.Problems, p.noControl(uncontrolled))
	}
	return res
}

// noControl words the problem that n keys were turned away and nobody was let in.
func (p *Probe) noControl(n int) finding.Problem {
	problem := finding.Problem{Error: "verification: probing: every key was turned away, b10lint's own credential too: that proves nothing of the found keys",
		Hint: fmt.Sprintf("%d found %s stayed unknown; run again when Baseten lets the credential in, or use another credential",
			n, english.Plural(n, "key", "keys"))}
	if p.credential.Key.IsZero() {
		problem.Error = "verification: probing: every key was refused, and there is no key that should be accepted to compare with"
		problem.Hint = fmt.Sprintf("%d found %s stayed unknown; set BASETEN_API_KEY, so that a revoked key can be distinguished from an outage",
			n, english.Plural(n, "key", "keys"))
	}
	return problem
}

// uncontrolled says why the refusals of e prove nothing, or returns "".
func (p *Probe) uncontrolled(ctx context.Context, e *evidence) string {
	for _, service := range []string{management, inference} {
		if !e.refused[service+string(Bearer)] || p.lets(ctx, service) {
			continue
		}
		if p.credential.Key.IsZero() {
			return "there is no credential to check whether the " + service + " API accepts any key"
		}
		return "the " + service + " API did not let b10lint's own credential in either"
	}
	return ""
}

// lets reports whether a service lets some key in, which it asks with the credential
// unless it is known: at most once in a run.
func (p *Probe) lets(ctx context.Context, service string) bool {
	known, asked := p.letIn[service]
	if asked || p.credential.Key.IsZero() {
		return known
	}
	own := evidence{}
	for _, r := range routes() {
		if r.service == service && !p.letIn[service] && !own.settled(r) {
			p.question(ctx, &own, r, p.credential.Key)
		}
	}
	if !p.letIn[service] && ctx.Err() == nil {
		p.letIn[service] = false
	}
	return p.letIn[service]
}

// Control asks with the credential now whether each service lets it in. A run that is
// about to revoke the credential calls it before, since refusals prove nothing later.
func (p *Probe) Control(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lets(ctx, management)
	p.lets(ctx, inference)
}

// gather asks with one key.
func (p *Probe) gather(ctx context.Context, k secret.Secret) evidence {
	format, _ := keyformat.Of(k.Prefix())
	e := evidence{federated: format.Name == keyformat.Federated.Name, account: isAccountKey(k)}
	if p.barren >= giveUpAfter {
		e.failed, e.notAsked = true, fmt.Sprintf("there was no usable answer for %d keys in a row", p.barren)
		return e
	}
	if ctx.Err() != nil {
		e.failed, e.notAsked = true, "the run ended first"
		return e
	}
	for _, r := range routes() {
		if !e.settled(r) {
			p.question(ctx, &e, r, k)
		}
	}
	if e.answered {
		p.barren = 0
	} else if e.failed {
		p.barren++
	}
	return e
}

// question asks one route with a key, after its control, and adds the answer to e.
func (p *Probe) question(ctx context.Context, e *evidence, r route, k secret.Secret) {
	control := p.control(ctx, r, k)
	got := answer{detail: control.detail, failed: control.failed, silent: control.silent}
	if control.outcome.usable() {
		got = p.ask(ctx, r, k)
	}
	if state := e.add(r, control, got); state == finding.Live || state == finding.Restricted {
		p.letIn[r.service] = true
	}
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
