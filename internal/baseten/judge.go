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
// turned away. A route that lets anybody in tells nothing.
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
// views of Baseten's framework answer 403 to whoever is not known.
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

	live, restricted  bool
	how               string // of the strongest of them
	refusedManagement [2]bool
	refusedInference  [2]bool // by scheme: Bearer, Api-Key
	publicInference   bool    // its list of models answers anybody
	failed            bool    // the service or the network was at fault somewhere
	why               string  // of the first route without evidence
	user              *User
	answered          bool
	silent            map[string]bool // services that gave no answer at all
}

func schemeIndex(s Scheme) int {
	if s == APIKey {
		return 1
	}
	return 0
}

// settled reports whether a route has nothing to add.
func (e *evidence) settled(r route) bool {
	i := schemeIndex(r.scheme)
	switch {
	case e.live, e.silent[r.service]:
		return true
	case r.service == "inference":
		return e.publicInference || e.refusedInference[i]
	case e.federated:
		return true
	}
	// A 401 on one management route is one on all. The other scheme is only of
	// interest when the first was refused.
	return e.refusedManagement[i] || (r.scheme == APIKey && !e.refusedManagement[0])
}

// add takes one route's answer in.
func (e *evidence) add(r route, control, got answer) {
	i := schemeIndex(r.scheme)
	switch judge(control.outcome, got.outcome) {
	case finding.Live:
		e.live, e.answered = true, true
		e.how = fmt.Sprintf("accepted on GET %s of the %s API, where a random key was not", r.path, r.service)
		if got.outcome == unpaid {
			e.how = fmt.Sprintf("known to GET %s of the %s API, which asks for payment (402)", r.path, r.service)
		}
		if got.user.UserID != "" {
			e.user = &got.user
		}
	case finding.Restricted:
		e.answered = true
		if !e.restricted {
			e.restricted = true
			e.how = fmt.Sprintf("known to GET %s of the %s API but not permitted (403), where a random key got 401", r.path, r.service)
		}
	case finding.Dead:
		e.answered = true
		if r.service == "inference" {
			e.refusedInference[i] = true
		} else {
			e.refusedManagement[i] = true
		}
	default:
		e.missing(r, control, got)
	}
}

// missing notes a route without evidence, and why.
func (e *evidence) missing(r route, control, got answer) {
	if r.service == "inference" && control.outcome == accepted {
		e.publicInference = true
		if e.account {
			return // the management API's word is enough
		}
	}
	e.failed = e.failed || got.failed
	if got.silent {
		if e.silent == nil {
			e.silent = map[string]bool{}
		}
		e.silent[r.service] = true
	}
	switch {
	case got.detail != "":
		e.why = cmp.Or(e.why, got.detail)
	case control.outcome == accepted:
		e.why = cmp.Or(e.why, fmt.Sprintf("GET %s of the %s API answers anybody", r.path, r.service))
	default:
		e.why = cmp.Or(e.why, fmt.Sprintf("GET %s of the %s API turns a random key away in the same way", r.path, r.service))
	}
}

func (e *evidence) useful() bool { return e.answered }

// conclusion weighs the routes. One that lets the key in outweighs all others.
// A key is dead only when every route that could know it refused it under both
// schemes; one route without an answer is enough to leave it unknown.
func (e *evidence) conclusion() (finding.LiveState, string) {
	inference := e.refusedInference == [2]bool{true, true}
	management := e.refusedManagement == [2]bool{true, true}
	switch {
	case e.live:
		return finding.Live, e.how
	case e.restricted:
		return finding.Restricted, e.how
	case inference && (management || e.federated), management && e.publicInference && e.account:
		return finding.Dead, "not accepted (401), like a random key: revoked, or made for another service"
	}
	return finding.Unknown, "no safe conclusion: " + cmp.Or(e.why, "the routes contradict each other")
}

// facts are what an accepting route told of the key.
func (e *evidence) facts() *finding.Key {
	if e.user == nil {
		return nil
	}
	k := &finding.Key{Owner: cmp.Or(e.user.Email, e.user.Name)}
	if e.user.Email != "" {
		k.Type = string(Personal)
	}
	if k.Owner == "" {
		return nil
	}
	return k
}
