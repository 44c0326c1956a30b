package revoke

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/b10lint/b10lint/internal/atomicfile"
)

// maxPlanFile bounds a plan that is read: some 2 KB for each key and far more
// keys than any plan has.
const maxPlanFile = 64 << 20

// Save writes the plan as JSON, readable by the user alone, whole or not at all.
func (p *Plan) Save(path string) error {
	data, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(path, append(data, '\n'), atomicfile.Mode{Perm: 0o600, Force: true})
}

// LoadPlan reads a plan that Save wrote. One that was edited, or that is of
// another version, is refused.
func LoadPlan(path string) (*Plan, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxPlanFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxPlanFile {
		return nil, fmt.Errorf("%s: larger than %d bytes: this is not a plan", path, maxPlanFile)
	}
	p, err := parsePlan(data)
	for i := 0; err == nil && i < len(p.Items); i++ {
		if it := &p.Items[i]; it.Proof == "" {
			err = fmt.Errorf("the plan does not say what shows that %s is the key that was found: an older version made it; make a new one", show(it.Prefix))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

func parsePlan(data []byte) (*Plan, error) {
	p := &Plan{}
	if err := json.Unmarshal(data, p); err != nil {
		return nil, errors.New("this is not a plan of b10lint")
	}
	return p, p.check()
}

// check refuses what no plan that was made here can be.
func (p *Plan) check() error {
	switch {
	case p.Version == 0:
		return errors.New("this is not a plan of b10lint")
	case p.Version != planVersion:
		return fmt.Errorf("plan version %d is not known; this version of b10lint writes %d", p.Version, planVersion)
	case p.Digest != digest(p.Items):
		return errors.New("the plan was changed after it was made: its digest does not fit; make a new one")
	}
	seen := map[string]bool{}
	for i, it := range p.Items {
		switch {
		case seen[it.Prefix]:
			return fmt.Errorf("the plan names %s twice", show(it.Prefix))
		case it.Prefix == "" || (it.Kind != AccountKey && it.Kind != GroupKey) || it.Kind == GroupKey && it.Group == "":
			return fmt.Errorf("item %d of the plan does not say which key it is", i+1)
		case it.Self && i != len(p.Items)-1:
			return errors.New("the plan does not leave the tool's own key to the last")
		}
		seen[it.Prefix] = true
	}
	return nil
}

// A DisagreeError says how the inventory differs from a saved plan.
type DisagreeError struct{ Differences []string }

// Error lists the differences.
func (e *DisagreeError) Error() string {
	return "the inventory no longer agrees with the plan: " + strings.Join(e.Differences, "; ")
}

// Agree checks a saved plan against the inventory of now. Every key must be as it
// was and pass the guards again; one that was planned because it is unused must
// not have been used since. A key that is gone agrees when the same credential
// saw it before, or when the audit log has its deletion. The error is a *DisagreeError.
func (p *Plan) Agree(s *Survey) error {
	var diffs []string
	if p.Endpoint != s.Endpoint {
		diffs = append(diffs, fmt.Sprintf("it was made for %s, and this is %s", show(p.Endpoint), show(s.Endpoint)))
	}
	index := s.items()
	for i := range p.Items {
		if d := p.Items[i].differs(p, s, index[p.Items[i].Prefix]); d != "" {
			diffs = append(diffs, show(p.Items[i].Prefix)+" "+d)
		}
	}
	if diffs != nil {
		return &DisagreeError{diffs}
	}
	return nil
}

func (it *Item) differs(p *Plan, s *Survey, found []*Item) string {
	switch {
	case len(found) == 0 && (p.Credential == s.Self || s.History[it.Prefix].Gone):
		return ""
	case len(found) == 0:
		return "is not seen by this credential"
	case len(found) > 1:
		return "is now the prefix of more than one key"
	}
	f := found[0]
	switch {
	case !reflect.DeepEqual(f.normal(), it.normal()):
		return "is not the key that was planned: its " + strings.Join(f.changed(it.Facts), ", ") + " changed"
	case f.Self && !it.Self:
		return "is now the key that b10lint itself uses"
	case it.Unused && (f.NeverUsed != it.NeverUsed || !equalTimes(f.LastUsedAt, it.LastUsedAt)):
		return "was planned because it is unused, and was used since"
	}
	f.Leaked, f.Proof = it.Leaked, it.Proof
	if reason, _ := guard(f, s, p.IncludeSelf, p.ForceActive); reason != "" {
		return "is kept back now: " + reason
	}
	it.Self = f.Self
	return ""
}

func equalTimes(a, b *time.Time) bool { return a == b || a != nil && b != nil && a.Equal(*b) }

// normal brings what JSON does not keep apart to one form.
func (f Facts) normal() Facts {
	if len(f.ModelIDs) == 0 {
		f.ModelIDs = nil
	}
	if f.CreatedAt != nil {
		at := f.CreatedAt.UTC().Round(0)
		f.CreatedAt = &at
	}
	return f
}

// changed names the fields in which two keys differ.
func (f Facts) changed(old Facts) (names []string) {
	a, b := reflect.ValueOf(f.normal()), reflect.ValueOf(old.normal())
	for i := range a.NumField() {
		if !reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()) {
			names = append(names, strings.ToLower(a.Type().Field(i).Name))
		}
	}
	return names
}
