package revoke

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/clock"
	"github.com/b10lint/b10lint/secret"
)

// workers is how many keys are revoked at a time. The client's own rate limit
// holds for all of them together.
const workers = 4

// kindRevoke is the kind of a revocation's journal.
const kindRevoke = "b10lint revoke 1"

// begun is the first record of a revocation's journal.
type begun struct {
	Plan       *Plan  `json:"plan"`
	Credential string `json:"credential"` // where it came from, and its prefix
}

// Options say how a plan is carried out.
type Options struct {
	Client     *baseten.Client
	Self       string // prefix of the credential; empty for a login token
	Credential string // for the receipt: where the credential came from, and its prefix
	Clock      clock.Clock
	// Probe and Keys, by prefix, confirm with the key itself that Baseten turns it
	// away. A nil Probe asks nothing; nor is a key asked about that is not in Keys.
	Probe *baseten.Probe
	Keys  map[string]secret.Secret
	// Rotated says of keys, by prefix, that something else than this run has revoked them,
	// and what. It is checked with the list; one that is still there is deleted.
	Rotated map[string]string
	// Progress is called for every key that is finished; nil is allowed. It is
	// called from one goroutine at a time.
	Progress func(Entry)

	point func(string) // see Journal
}

// An Execution is a plan that is being carried out, with its journal.
type Execution struct {
	plan    *Plan
	journal *journal
	o       Options
	mu      sync.Mutex
	entries map[string]*Entry
	carried map[string]bool // keys that a delete may have been sent for by an earlier run
}

// Begin makes the journal of a plan in a folder. Nothing is sent yet.
func Begin(dir string, p *Plan, o Options) (*Execution, error) {
	o.Clock = o.Clock.OrSystem()
	name := fmt.Sprintf("revoke-%s-%s.jsonl", o.Clock.Now().UTC().Format("20060102-150405"), strings.ToLower(rand.Text()[:6]))
	j, err := newJournal(filepath.Join(dir, name), kindRevoke, begun{p, o.Credential}, o.Clock, o.point)
	if err != nil {
		return nil, err
	}
	return newExecution(p, j, o, o.Credential), nil
}

// ErrOtherCredential is returned when a journal is resumed with a different
// credential, which may be unable to see a key that still exists. Resume then
// needs a survey.
var ErrOtherCredential = errors.New("the journal was begun with another credential")

// Resume opens a journal to finish what an earlier run began, at the same
// endpoint. With the credential that began it, the inventory is not asked again
// whether it agrees: each key's delete is by its prefix, which Baseten never gives
// to another key. With another one it has to agree; survey may else be nil.
func Resume(path string, o Options, survey *Survey) (*Execution, error) {
	o.Clock = o.Clock.OrSystem()
	j, err := openJournal(path, kindRevoke, o.Credential, o.Clock, o.point)
	if err != nil {
		return nil, err
	}
	var b begun
	err = json.Unmarshal(j.records[0].Data, &b)
	if err == nil && b.Plan == nil {
		err = errors.New("it holds no plan")
	}
	if err == nil {
		err = b.Plan.check()
	}
	if endpoint := endpointOf(o.Client); err == nil && endpoint != b.Plan.Endpoint {
		err = fmt.Errorf("it is for %s, and this is %s", show(b.Plan.Endpoint), show(endpoint))
	}
	if err == nil && o.Self != b.Plan.Credential {
		if err = ErrOtherCredential; survey != nil {
			err = b.Plan.Agree(survey)
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("journal %s: %w", path, err), j.close())
	}
	return newExecution(b.Plan, j, o, b.Credential), nil
}

// newExecution takes the journal's records over; by is the credential of the run that
// began it.
func newExecution(p *Plan, j *journal, o Options, by string) *Execution {
	e := &Execution{plan: p, journal: j, o: o, entries: map[string]*Entry{}, carried: map[string]bool{}}
	for i := range p.Items {
		entry := &Entry{Item: p.Items[i], State: NotAttempted}
		entry.Self = entry.Prefix == o.Self && o.Self != ""
		e.entries[entry.Prefix] = entry
	}
	for _, r := range j.records {
		if r.Step == stepResumed {
			by = r.Credential
		}
		if entry := e.entries[r.Prefix]; entry != nil {
			e.carried[r.Prefix] = true
			entry.take(r, by)
		}
	}
	return e
}

// Plan returns the plan that is being carried out.
func (e *Execution) Plan() *Plan { return e.plan }

// Journal returns the name of the journal's file.
func (e *Execution) Journal() string { return e.journal.path }

// Run revokes every key of the plan that is not done with yet, some at a time,
// and the tool's own key when all others are done. One that fails does not keep
// the others from being revoked; a journal that cannot be written does. The
// journal is closed. The receipt lists every key, whatever the error, which is
// the journal's or ctx's.
func (e *Execution) Run(ctx context.Context) (*Receipt, error) {
	var g errgroup.Group
	g.SetLimit(workers)
	var last *Entry
	for i := range e.plan.Items {
		entry := e.entries[e.plan.Items[i].Prefix]
		if entry.Self {
			last = entry
			if e.o.Probe != nil {
				e.o.Probe.Control(ctx)
			}
			continue
		}
		g.Go(func() error { return e.one(ctx, entry) })
	}
	err := g.Wait()
	if last != nil && err == nil && ctx.Err() == nil {
		if e.failures() == 0 {
			err = e.one(ctx, last)
		} else {
			last.Error = "kept until the others are revoked: it is the key that revokes them"
		}
	}
	if err == nil {
		err = ctx.Err()
	}
	if err == nil && e.failures() == 0 {
		err = e.journal.append(record{Step: stepEnd})
	}
	return e.receipt(), errors.Join(err, e.journal.close())
}

func (e *Execution) failures() (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, entry := range e.entries {
		if !entry.Self && !entry.done {
			n++
		}
	}
	return n
}

// one revokes one key. The error is the journal's: without one nothing is sent.
func (e *Execution) one(ctx context.Context, entry *Entry) error {
	e.mu.Lock()
	done := entry.done && (e.o.Probe == nil || entry.probed)
	e.mu.Unlock()
	if done || ctx.Err() != nil {
		return nil
	}
	err := e.revoke(ctx, entry)
	var refused *failure
	if errors.As(err, &refused) {
		err = e.record(entry, stepFailed, refused.Error())
	}
	e.mu.Lock()
	if err != nil {
		entry.Error = err.Error()
	} else if refused == nil {
		entry.settle(true)
	}
	e.mu.Unlock()
	if e.o.Progress != nil {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.o.Progress(*entry)
	}
	return err
}

// A failure is of one key and leaves the others alone.
type failure struct{ error }

// record writes to the journal and takes the record over.
func (e *Execution) record(entry *Entry, step step, detail string) error {
	r := record{Step: step, Prefix: entry.Prefix, Detail: detail}
	r, err := e.journal.add(r)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	entry.take(r, e.o.Credential)
	return nil
}

func (e *Execution) revoke(ctx context.Context, entry *Entry) error {
	send := !entry.deleted
	if !send && !entry.absent {
		// An earlier run sent the delete and did not see the key gone. As long as the
		// list has it, only another delete can end that.
		there, _, err := listed(ctx, e.o.Client, entry.Facts, entry.Self)
		send = err == nil && there
	}
	if detail := e.o.Rotated[entry.Prefix]; send && detail != "" {
		if there, _, err := listed(ctx, e.o.Client, entry.Facts, entry.Self); err == nil && !there {
			send = false
			if err := e.record(entry, stepSent, detail); err != nil {
				return err
			}
		}
	}
	if send {
		if err := e.delete(ctx, entry); err != nil {
			return err
		}
	}
	if !entry.absent {
		evidence, there, err := waitAbsent(ctx, e.o.Client, e.o.Clock, entry.Facts, entry.Self)
		if err != nil {
			sent := "the delete was accepted"
			if entry.gone {
				sent = answered404
			}
			e.mu.Lock()
			entry.there = there
			e.mu.Unlock()
			return &failure{fmt.Errorf("%s, and %w", sent, err)}
		}
		if err := e.record(entry, stepAbsent, evidence); err != nil {
			return err
		}
	}
	return e.probe(ctx, entry)
}

// answered404 is what a delete came to that found no key.
const answered404 = "Baseten answered the delete with 404, no such key"

// delete sends the delete. The intention is on the disk before, the outcome after.
func (e *Execution) delete(ctx context.Context, entry *Entry) error {
	if err := e.record(entry, stepIntend, ""); err != nil {
		return err
	}
	var err error
	if entry.Kind == GroupKey {
		err = e.o.Client.DeleteGatewayKey(ctx, entry.Group, entry.Prefix)
	} else {
		err = e.o.Client.DeleteKey(ctx, entry.Prefix)
	}
	switch {
	case err == nil:
		return e.record(entry, stepSent, "Baseten accepted the delete")
	case baseten.IsNotFound(err) && e.carried[entry.Prefix]:
		return e.record(entry, stepSent, "an earlier run, which was interrupted, had sent the delete")
	case baseten.IsNotFound(err):
		return e.record(entry, stepGone, answered404)
	case baseten.IsUnauthorized(err) && entry.Self && e.carried[entry.Prefix]:
		return e.record(entry, stepSent, "an earlier run had sent the delete, and Baseten turns the credential away")
	case ctx.Err() != nil:
		return &failure{fmt.Errorf("interrupted: %w", err)}
	}
	// Without a clear refusal the delete may have been carried out all the same.
	if !baseten.Refused(err) {
		if there, _, listErr := listed(ctx, e.o.Client, entry.Facts, entry.Self); listErr == nil && !there {
			return e.record(entry, stepSent, "the answer to the delete was lost, and the list does not have the key any more")
		}
	}
	return &failure{err}
}

// probe confirms with the key itself, if that was asked for. An answer that proves
// nothing is recorded and does not make the key any less revoked, for the list decides;
// the receipt counts it, and a later run asks again.
func (e *Execution) probe(ctx context.Context, entry *Entry) error {
	key, ok := e.o.Keys[entry.Prefix]
	if e.o.Probe == nil || entry.probed {
		return nil
	}
	if !ok {
		return e.record(entry, stepProbed, "not asked: the key itself was not given")
	}
	for _, wait := range waits {
		if err := e.o.Clock.Sleep(ctx, wait); err != nil {
			return &failure{fmt.Errorf("revoked; interrupted before it was asked with: %w", err)}
		}
		verdict := baseten.NewVerifier(nil, e.o.Probe, nil).Verify(ctx, []secret.Secret{key}).Verdicts[key.Digest()]
		switch verdict.Liveness.State {
		case finding.Live, finding.Restricted:
			continue
		}
		return e.record(entry, stepProbed, string(verdict.Liveness.State)+": "+verdict.Liveness.Detail)
	}
	return &failure{fmt.Errorf("the list does not have it, and Baseten still lets the key in after %d tries", len(waits))}
}

// waits are between the looks at the list after a delete.
var waits = [...]time.Duration{0, 500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second}

// listed asks whether Baseten still lists a key. Of the credential's own key the
// answer may be that the credential is turned away, which evidence then says.
func listed(ctx context.Context, c *baseten.Client, f Facts, self bool) (there bool, evidence string, err error) {
	if f.Kind == GroupKey {
		for k, err := range c.GatewayKeys(ctx, f.Group) {
			if err != nil || k.Prefix == f.Prefix {
				return err == nil, "", err
			}
		}
		return false, "the group's list does not have it any more", nil
	}
	keys, err := c.Keys(ctx)
	if self && baseten.IsUnauthorized(err) {
		return false, "Baseten turns the credential away, which is this key", nil
	}
	if err != nil {
		return false, "", err
	}
	for _, k := range keys {
		if k.Prefix == f.Prefix {
			return true, "", nil
		}
	}
	return false, "the list does not have it any more", nil
}

// waitAbsent reads the list until a key is gone from it, a bounded time. there is
// whether the list still had it; the error says why it is not known to be gone.
func waitAbsent(ctx context.Context, c *baseten.Client, by clock.Clock, f Facts, self bool) (evidence string, there bool, err error) {
	for _, wait := range waits {
		if err := by.Sleep(ctx, wait); err != nil {
			return "", there, fmt.Errorf("the run was interrupted before the list was read again: %w", err)
		}
		there, evidence, err = listed(ctx, c, f, self)
		if err == nil && !there {
			return evidence, false, nil
		}
	}
	if err != nil {
		return "", false, fmt.Errorf("the list could not be read again: %w", err)
	}
	return "", true, fmt.Errorf("the list still has the key after %d looks", len(waits))
}
