package cmd_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/b10lint/b10lint/internal/baseten/basetentest"
	"github.com/b10lint/b10lint/secret"
)

// A fake is the organisation that a script talks to.
type fake struct {
	org    *basetentest.Org
	server *basetentest.Server // nil until the script starts it
}

// basetenCommands are the scripts' commands around a made-up Baseten that listens
// on this machine:
//
//	baseten                     start it; the environment names it, and BASETEN_API_KEY
//	                            is an organisation admin's personal key
//	orgkey NAME [FIELD=VALUE]   add a key; variables as with fakekey. Fields are name,
//	                            type, team, owner (an email address), model, scoped, created and
//	                            used (days ago; never), called (days ago, by Model API usage alone)
//	orgteam ID NAME             add a team; the variable ID is set to its id
//	revoke NAME                 revoke a key in the console
//	fault KIND [METHOD PATH]    let requests go wrong from here on; "heal" ends that
//	requests N METHOD PATH      so many requests of a kind came in since the last forget
//	asked N                     so many came in altogether
//	forget                      forget what came in
//	[!] received NAME...        the keys' secret halves came in, anywhere in the bytes
//	[!] alive NAME              an unrevoked key has this key's prefix
//	trap NAME                   start a server that nobody may talk to; NAME is its address
//	sprung NAME N               the trap was visited N times
func basetenCommands() commands {
	return commands{
		"baseten": startBaseten, "orgkey": orgKey, "orgteam": orgTeam, "revoke": revokeKey, "fault": injectFault, "heal": heal,
		"requests": requests, "asked": asked, "forget": forget, "received": received, "alive": alive, "trap": setTrap, "sprung": sprung,
	}
}

func fakeOf(ts *testscript.TestScript) *fake {
	f := ts.Value("baseten").(*fake)
	need(ts, f.server != nil, "baseten, before anything else that asks it")
	return f
}

func startBaseten(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 0, "baseten")
	f := ts.Value("baseten").(*fake)
	f.org = basetentest.NewOrg("Script", 6, nil)
	f.server = basetentest.Start(f.org)
	ts.Defer(f.server.Close)
	admin := f.org.AddUser("admin@example.com", "Admin", true)
	remember(ts, "ADMIN", f.org.AddKey(basetentest.KeySpec{Name: "admin", Type: "PERSONAL", Owner: admin}))
	ts.Setenv("BASETEN_MANAGEMENT_API_URL_OVERRIDE", f.server.URL)
	ts.Setenv("BASETEN_INFERENCE_BASE_URL_OVERRIDE", f.server.InferenceURL)
	ts.Setenv("BASETEN_API_KEY", ts.Getenv("ADMIN"))
	ts.Setenv("FAKE", f.server.URL)
	ts.Setenv("HOME", ts.MkAbs("home"))
	ts.Setenv("USERPROFILE", ts.MkAbs("home"))
	ts.Check(os.MkdirAll(ts.MkAbs("home"), 0o700))
}

func remember(ts *testscript.TestScript, name string, k secret.Secret) {
	ts.Setenv(name, k.Reveal())
	ts.Setenv(name+"_PREFIX", k.Prefix())
}

func orgKey(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) > 0, "orgkey NAME [FIELD=VALUE...]")
	f := fakeOf(ts)
	ago := func(days string) time.Time {
		n, err := strconv.Atoi(days)
		ts.Check(err)
		return time.Now().AddDate(0, 0, -n)
	}
	spec := basetentest.KeySpec{CreatedBy: "admin@example.com"}
	var called time.Time
	for _, a := range args[1:] {
		field, value, _ := strings.Cut(a, "=")
		switch field {
		case "name":
			spec.Name = value
		case "type":
			spec.Type = value
		case "team":
			spec.Team = value
		case "scoped":
			spec.EnvScoped = true
		case "model":
			spec.ModelIDs = append(spec.ModelIDs, value)
		case "owner":
			spec.Type, spec.Owner = "PERSONAL", f.org.AddUser(value, "", false)
		case "created":
			spec.Created = ago(value)
		case "called":
			called = ago(value)
		case "used":
			at := ago(value)
			spec.LastUsed = &at
		default:
			ts.Fatalf("no field %s", field)
		}
	}
	remember(ts, args[0], f.org.AddKey(spec))
	if !called.IsZero() {
		f.org.AddUsage(ts.Getenv(args[0]+"_PREFIX"), "org/model", called, 3)
		f.org.Untouch(ts.Getenv(args[0] + "_PREFIX"))
	}
}

func orgTeam(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 2, "orgteam ID NAME")
	ts.Setenv(args[0], fakeOf(ts).org.AddTeam(args[1]))
}

func revokeKey(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 1, "revoke NAME")
	ts.Check(fakeOf(ts).org.DeleteKey(ts.Getenv(args[0]+"_PREFIX"), "admin@example.com", time.Now()))
}

func injectFault(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && (len(args) == 1 || len(args) == 3), "fault KIND [METHOD PATH]")
	if len(args) == 1 {
		args = append(args, "*", "*")
	}
	x, err := basetentest.ParseFault(args[1] + " " + args[2] + " " + args[0])
	ts.Check(err)
	x.To, x.After = ts.Getenv("TRAP"), 10*time.Minute
	fakeOf(ts).server.Inject(x)
}

func heal(ts *testscript.TestScript, _ bool, _ []string) { fakeOf(ts).server.Heal() }

func forget(ts *testscript.TestScript, _ bool, _ []string) { fakeOf(ts).server.Forget() }

func requests(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 3, "requests N METHOD PATH")
	if got := fmt.Sprint(fakeOf(ts).server.Count(args[1], args[2])); got != args[0] {
		ts.Fatalf("%s requests %s %s, want %s: %+v", got, args[1], args[2], args[0], fakeOf(ts).server.Requests())
	}
}

func asked(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 1, "asked N")
	if all := fakeOf(ts).server.Requests(); fmt.Sprint(len(all)) != args[0] {
		ts.Fatalf("%d requests, want %s: %+v", len(all), args[0], all)
	}
}

// received takes any variable that holds a key, also one of no organisation.
func received(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, len(args) > 0, "[!] received NAME...")
	for _, name := range args {
		need(ts, ts.Getenv(name) != "", "no key "+name)
		if fakeOf(ts).server.Received(secret.New(ts.Getenv(name))) == neg {
			ts.Fatalf("%s: received is not %v", name, !neg)
		}
	}
}

func alive(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, len(args) == 1, "[!] alive NAME")
	if fakeOf(ts).org.Exists(ts.Getenv(args[0]+"_PREFIX")) == neg {
		ts.Fatalf("%s: alive is not %v", args[0], !neg)
	}
}

// traps counts the visits of a script's traps by address.
type traps map[string]*atomic.Int64

func setTrap(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 1, "trap NAME")
	visits := &atomic.Int64{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		visits.Add(1)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"user_id":"u","keys":[],"models":[],"data":[]}`))
	}))
	ts.Defer(s.Close)
	ts.Value("traps").(traps)[s.URL] = visits
	ts.Setenv(args[0], s.URL)
}

func sprung(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 2, "sprung NAME N")
	visits := ts.Value("traps").(traps)[ts.Getenv(args[0])]
	need(ts, visits != nil, "no trap "+args[0])
	if got := fmt.Sprint(visits.Load()); got != args[1] {
		ts.Fatalf("%s was visited %s times, want %s", args[0], got, args[1])
	}
}
