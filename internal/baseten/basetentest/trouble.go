package basetentest

import (
	"time"

	"github.com/b10lint/b10lint/secret"
)

// Trouble adds what goes wrong in organisations: for every policy of an audit a key that it
// is about. It returns a key that leaked three days before the Org's clock, and was stolen.
func (o *Org) Trouble() (leaked secret.Secret) {
	now := o.now().UTC()
	days := func(n int) time.Time { return now.Add(-time.Duration(n) * 24 * time.Hour) }
	use := func(n int) *time.Time { at := days(n); return &at }
	const admin = "admin@example.com"
	add := func(s KeySpec) secret.Secret {
		if s.CreatedByKey == "" {
			s.CreatedBy = admin
		}
		return o.AddKey(s)
	}
	call := func(k secret.Secret, model string, day int, requests int64) {
		o.AddUsage(k.Prefix(), model, days(day).Add(-time.Hour), requests)
	}

	gone := o.AddUser("left@example.com", "Left", false)
	add(KeySpec{Name: "of-someone-who-left", Type: "PERSONAL", Owner: gone, Created: days(40), LastUsed: use(2)})
	o.RemoveUser("left@example.com", days(10), admin)
	o.AddTeam("platform")
	add(KeySpec{Type: "WORKSPACE_INVOKE", Created: days(20), LastUsed: use(1)}) // without a name
	add(KeySpec{Name: "deploy", Type: "WORKSPACE_INVOKE", Created: days(20), LastUsed: use(1)})
	add(KeySpec{Name: "deploy", Type: "WORKSPACE_INVOKE", Team: "platform", Created: days(20), LastUsed: use(1)})
	add(KeySpec{Name: "staging", Type: "WORKSPACE_INVOKE", EnvScoped: true, Created: days(20), LastUsed: use(1)})
	add(KeySpec{Name: "forgotten", Type: "WORKSPACE_INVOKE", Created: days(30)})
	add(KeySpec{Name: "retired", Type: "WORKSPACE_INVOKE", Created: days(400), LastUsed: use(100)}) // old, legacy and unused

	mighty := add(KeySpec{Name: "only-calls-models", Created: days(45)})
	for day := range 40 {
		call(mighty, "demo-org/demo-large", day, 5)
	}
	machine := add(KeySpec{Name: "laptop", Type: "PERSONAL", Owner: o.AddUser("bot@example.com", "Bot", false), Created: days(45)})
	for hour := range 6 * 24 {
		o.AddUsage(machine.Prefix(), "demo-org/demo-small", now.Add(-time.Duration(hour)*time.Hour), 3)
	}
	sleeper := add(KeySpec{Name: "sleeper", Type: "WORKSPACE_INVOKE", Created: days(300)})
	call(sleeper, "demo-org/demo-large", 80, 5)
	call(sleeper, "demo-org/demo-large", 1, 5)

	leaked = add(KeySpec{Name: "leaked-ci", Created: days(60)})
	for day := 4; day < 30; day++ {
		call(leaked, "demo-org/demo-small", day, 10)
	}
	call(leaked, "demo-org/demo-large", 1, 5000)
	o.AddDeployment(days(20), "", leaked.Prefix(), "API", "truss")
	o.AddDeployment(days(2), "", leaked.Prefix(), "API", "python-requests")
	add(KeySpec{Name: "made-by-a-thief", Created: days(2), LastUsed: use(1), CreatedByKey: leaked.Prefix()})
	return leaked
}
