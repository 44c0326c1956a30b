package revoke

import (
	"context"
	"testing"

	"github.com/b10lint/b10lint/internal/baseten/basetentest"
)

// TestFaultsOfPlanning: whatever goes wrong while the inventory is read, there is
// an error, or the plan has the key; what could not be read is told as a gap.
func TestFaultsOfPlanning(t *testing.T) {
	eachFault(t, 6, func(t *testing.T, x basetentest.Fault) {
		w := newWorld(t)
		defer w.Server.Close()
		k := w.add(basetentest.KeySpec{})
		w.Org.AddGatewayKey(w.Org.AddGroup("Acme", ""), "acme")
		whole := w.survey()
		w.Server.Inject(x)
		s, err := TakeSurvey(context.Background(), w.impatient(), w.Admin.Prefix())
		if err != nil {
			if x.Skip > 0 {
				t.Errorf("%+v: %v", x, err) // the list of keys is the first to be read
			}
			return
		}
		p, err := NewPlan(s, Request{Wanted: wanted(k)})
		if err != nil || len(p.Items) != 1 {
			t.Errorf("%+v: %v %+v", x, err, p)
		}
		complete := s.Me == whole.Me && len(s.Gateway) == len(whole.Gateway) && len(s.History) == len(whole.History)
		if !complete && len(s.Gaps) == 0 {
			t.Errorf("%+v: something is missing and nothing says so", x)
		}
	})
}
