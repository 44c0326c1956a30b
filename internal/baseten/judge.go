package baseten

import (
	"cmp"
	"fmt"

	"github.com/b10lint/b10lint/finding"
)

// outcome is how a route answered a key. The zero outcome is inconclusive.
type outcome int

const (
	inconclusive outcome = iota // 404, 429, 5xx, a redirect, a page, a timeout, …
	accepted                    // 200, in Baseten's form
	unpaid                      // 402
	forbidden                   // 403, as JSON
	refused                     // 401, as JSON
)

// usable reports whether a random key's outcome leaves a route any use: it was
// turned away. A route that lets anyone in is no evidence.
func (o outcome) usable() bool { return o == refused || o == forbidden }

// judge is the table: what it means that a route answered got to the found key
// and control to a random one. Unchecked stands for no evidence.
//
//	control  200   402   403         401   anything else
//	401      live  live  restricted  dead  –
//	403      live  –     –           –     –
//	other    –     –     –           –     –
//
// A 403 to the found key means a live one only where a random key gets 401: some
// views of Baseten's framework answer 403 to any unknown key.
func judge(control, got outcome) finding.LiveState {
	switch {
	case got == accepted && control.usable():
		return finding.Live
	case control != refused:
		return finding.Unchecked
	case got == unpaid:
		return finding.Live
	case got == forbidden:
		return finding.Restricted
	case got == refused:
		return finding.Dead
	}
	return finding.Unchecked
}

// evidence adds up what the routes say of one key.
type evidence struct {
	federated bool // a gateway key by its format, which the management API never knows
	account   bool // an account key by its format, which the management API knows

	live, restricted, answered bool
	how                        string          // of the strongest of them
	refused                    map[string]bool // by service and scheme
	silent                     map[string]bool // services that gave no answer at all
	publicInference            bool            // its list of models answers anyone
	failed                     bool            // the service or the network was at fault somewhere
	why                        string          // of the first route without evidence
	user                       User            // of an accepting route
	notAsked                   string          // why no route was asked
}

// settled reports whether a route has nothing to add.
func (e *evidence) settled(r route) bool {
	switch {
	case e.live, e.silent[r.service], e.refused[r.service+string(r.scheme)]:
		return true
	case r.service == inference:
		return e.publicInference
	}
	// A 401 on one management route is one on all. The other scheme is only of
	// interest when the first was refused.
	return e.federated || r.scheme == APIKey && !e.refused[management+string(Bearer)]
}

// add takes one route's answer in and returns what it means by itself.
func (e *evidence) add(r route, control, got answer) finding.LiveState {
	if e.refused == nil {
		e.refused, e.silent = map[string]bool{}, map[string]bool{}
	}
	at := fmt.Sprintf("GET %s of the %s API", r.path, r.service)
	state := judge(control.outcome, got.outcome)
	e.answered = e.answered || state != finding.Unchecked
	switch {
	case state == finding.Live:
		e.live, e.user = true, got.user
		e.how = "accepted on " + at + ", where a random key was not"
		if got.outcome == unpaid {
			e.how = "known to " + at + ", which asks for payment (402)"
		}
		return state
	case state == finding.Restricted:
		if !e.restricted {
			e.restricted, e.how = true, "known to "+at+" but not permitted (403), where a random key got 401"
		}
		return state
	case state == finding.Dead:
		e.refused[r.service+string(r.scheme)] = true
		return state
	case r.service == inference && control.outcome == accepted:
		e.publicInference = true
		if e.account {
			return state // the management API's word is enough
		}
	}
	e.failed = e.failed || got.failed
	e.silent[r.service] = e.silent[r.service] || got.silent
	why := at + " turns a random key away in the same way"
	if control.outcome == accepted {
		why = at + " answers anybody"
	}
	e.why = cmp.Or(e.why, got.detail, why)
	return state
}

// conclusion weighs the routes. One that lets the key in outweighs all others.
// A key is dead only when every route that could know it refused it under both
// schemes; one route without an answer is enough to leave it unknown.
func (e *evidence) conclusion() (finding.LiveState, string) {
	refused := func(service string) bool {
		return e.refused[service+string(Bearer)] && e.refused[service+string(APIKey)]
	}
	switch {
	case e.notAsked != "":
		return finding.Unknown, "not asked: " + e.notAsked
	case e.live:
		return finding.Live, e.how
	case e.restricted:
		return finding.Restricted, e.how
	case refused(inference) && (refused(management) || e.federated), refused(management) && e.publicInference && e.account:
		return finding.Dead, "not accepted (401), like a random key: revoked, or made for another service"
	}
	return finding.Unknown, "no safe conclusion: " + cmp.Or(e.why, "the routes contradict each other")
}

// facts are what an accepting route said of the key; nil for nothing.
func (e *evidence) facts() *finding.Key {
	k := &finding.Key{Owner: cmp.Or(e.user.Email, e.user.Name)}
	if e.user.UserID == "" || k.Owner == "" {
		return nil
	}
	if e.user.Email != "" {
		k.Type = string(Personal)
	}
	return k
}
