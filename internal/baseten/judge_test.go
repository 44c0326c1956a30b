package baseten

import (
	"strings"
	"testing"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/secret"
)

// TestJudge is the whole table: every control against every answer.
func TestJudge(t *testing.T) {
	names := map[outcome]string{inconclusive: "?", accepted: "200", unpaid: "402", forbidden: "403", refused: "401"}
	want := map[string]finding.LiveState{
		"401 200": finding.Live, "401 402": finding.Live, "401 403": finding.Restricted, "401 401": finding.Dead,
		"403 200": finding.Live,
	}
	for control, c := range names {
		for got, g := range names {
			expect, ok := want[c+" "+g]
			if !ok {
				expect = finding.Unchecked
			}
			if state := judge(control, got); state != expect {
				t.Errorf("control %s, key %s: %s, want %s", c, g, state, expect)
			}
		}
	}
}

// TestConclusions plays whole keys through the routes. Each script gives, for
// each route in order, what the control and the key got.
func TestConclusions(t *testing.T) {
	outcomes := map[string]outcome{"200": accepted, "402": unpaid, "403": forbidden, "401": refused, "?": inconclusive}
	account, gateway, own := evidence{account: true}, evidence{federated: true}, evidence{}
	tests := []struct {
		name   string
		kind   evidence
		script string // me, models, api_keys, me (Api-Key), inference, inference (Api-Key): control:key
		want   finding.LiveState
	}{
		{"all refuse", account, "401:401 401:401 401:401 401:401 401:401 401:401", finding.Dead},
		{"known nowhere, inference public", account, "401:401 401:401 401:401 401:401 200:200 200:200", finding.Dead},
		{"the same for an unknown form", own, "401:401 401:401 401:401 401:401 200:200 200:200", finding.Unknown},
		{"the same for a gateway key", gateway, "401:401 401:401 401:401 401:401 200:200 200:200", finding.Unknown},
		{"gateway key refused under both schemes", gateway, "?:? ?:? ?:? ?:? 401:401 401:401", finding.Dead},
		{"gateway key with the other scheme", gateway, "?:? ?:? ?:? ?:? 401:401 401:200", finding.Live},
		{"inference gave no answer", account, "401:401 401:401 401:401 401:401 401:? 401:?", finding.Unknown},
		{"inference answered under one scheme", account, "401:401 401:401 401:401 401:401 401:401 401:?", finding.Unknown},
		{"management gave no answer", account, "401:? 401:? 401:? 401:? 401:401 401:401", finding.Unknown},
		{"the unstable route is gone", account, "?:? 401:401 401:401 ?:? 401:401 401:401", finding.Unknown},
		{"everything forbidden to everybody", account, "403:403 403:403 403:403 403:403 403:403 403:403", finding.Unknown},
		{"forbidden, and a random key refused", account, "401:403 401:403 401:403 401:403 401:401 401:401", finding.Restricted},
		{"let in at the last", account, "401:403 401:403 401:403 401:403 401:401 401:200", finding.Live},
		{"payment", account, "401:402 401:401 401:401 401:401 401:401 401:401", finding.Live},
		{"everything is public", account, "200:200 200:200 200:200 200:200 200:200 200:200", finding.Unknown},
		{"controls fail", account, "?:200 ?:200 ?:200 ?:200 ?:200 ?:200", finding.Unknown},
		{"control forbidden, key refused", account, "403:401 403:401 403:401 403:401 403:401 403:401", finding.Unknown},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := test.kind
			for i, step := range strings.Fields(test.script) {
				r := routes()[i]
				if e.settled(r) {
					continue
				}
				c, g, _ := strings.Cut(step, ":")
				e.add(r, answer{outcome: outcomes[c]}, answer{outcome: outcomes[g]})
			}
			state, detail := e.conclusion()
			if state != test.want || detail == "" {
				t.Errorf("%s (%s), want %s", state, detail, test.want)
			}
		})
	}
}

func TestLookalike(t *testing.T) {
	m := fakekey.New(1)
	for _, k := range []secret.Secret{secret.New(m.B10()), secret.New(m.Legacy()), secret.New(m.Federated()), secret.New("a-b_" + m.Word(40))} {
		form, random := lookalike(k)
		again, _ := lookalike(random)
		if form != again || random.Equal(k) || isAccountKey(k) != isAccountKey(random) {
			t.Errorf("the lookalike of %s has another form: %s, %s", k, form, again)
		}
		_, half, _ := strings.Cut(k.Reveal(), ".")
		if half != "" && strings.Contains(random.Reveal(), half) {
			t.Errorf("the lookalike of %s repeats its secret half", k)
		}
	}
	for _, k := range []string{"", "b10_", m.Word(8) + "." + m.Word(31), m.Word(9) + "." + m.Word(32), "b10_b10_" + m.Legacy(), m.Word(7) + "-." + m.Word(32)} {
		if isAccountKey(secret.New(k)) {
			t.Errorf("a value of %d bytes passes for an account key", len(k))
		}
	}
}
