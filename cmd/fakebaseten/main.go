// Command fakebaseten runs the made-up Baseten of package basetentest until it
// is interrupted or terminated. It prints, on standard output, its addresses and
// an admin's key, either as a line of JSON or as lines for a shell:
//
//	fakebaseten -keys 50 -o env > fake.env &
//	set -a; . ./fake.env; baseten org api-key list
//
// Answers can be made slow (-latency 50ms, or 0s-250ms for a random one) and wrong, as in
//
//	fakebaseten -fault 'GET /v1/api_keys 503 x3' -fault 'DELETE /v1/api_keys/ dropped +2'
//
// which is METHOD PATH KIND [xTIMES] [+SKIP]; -old-api leaves out the dates that the list of
// keys has since September 2026. With 100 keys or more, the organisation has the troubles
// that each policy of an audit is about, and -leak writes the key to a file that leaked.
//
// With -requests it writes, when it ends, what it was asked to a file: a line for
// each request with its status, method, path and the prefix of the caller's key.
//
// The keys are made up and known to nobody else.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/b10lint/b10lint/internal/baseten/basetentest"
	"github.com/b10lint/b10lint/secret"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "fakebaseten:", err)
		}
		os.Exit(2)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	f := flag.NewFlagSet("fakebaseten", flag.ContinueOnError)
	f.SetOutput(stderr)
	seed := f.Uint64("seed", 1, "decides all made-up values")
	keys := f.Int("keys", 12, "how many keys the organisation has besides the admin's")
	users := f.Int("users", 5, "how many members")
	audit := f.Int("audit", 0, "how many audit-log entries at least")
	usage := f.Int("usage-days", 30, "days of Model API usage")
	disagree := f.Bool("disagree", false, "let the list of keys contradict usage and audit log about last uses")
	oldAPI := f.Bool("old-api", false, "leave created_at and last_used_at out of the list of keys")
	rate := f.Int("rate", 0, "answer 429 to more requests a second than this, for each key and route; 0 is no limit")
	leak := f.String("leak", "", "with -keys 100 or more: write the key that leaked, as BASETEN_API_KEY=..., to this file")
	var least, most time.Duration
	f.Func("latency", "let every answer wait, for `DURATION` or a random time LEAST-MOST", func(v string) (err error) {
		from, to, spread := strings.Cut(v, "-")
		least, err = time.ParseDuration(from)
		if most = least; spread && err == nil {
			most, err = time.ParseDuration(to)
		}
		if err == nil && (least < 0 || most < least) {
			err = errors.New("the second must not be less than the first")
		}
		return err
	})
	var faults []basetentest.Fault
	f.Func("fault", "let requests go wrong: `METHOD PATH KIND [xTIMES] [+SKIP]`; repeatable", func(v string) error {
		x, err := basetentest.ParseFault(v)
		faults = append(faults, x)
		return err
	})
	requests := f.String("requests", "", "when it ends, write what it was asked to this file")
	form := f.String("o", "json", "what to print: json or env")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 || (*form != "json" && *form != "env") {
		return errors.New("it takes flags only, and -o is json or env: see -help")
	}
	if *leak != "" && *keys < 100 {
		return errors.New("-leak takes -keys 100 or more")
	}
	org := basetentest.NewOrg("Fake Baseten", *seed, nil)
	admin := org.AddUser("admin@example.com", "Admin", true)
	key := org.AddKey(basetentest.KeySpec{Name: "admin", Type: "PERSONAL", Owner: admin, CreatedBy: "admin@example.com"})
	org.AddGatewayKey(org.AddGroup("Demo customers", ""), "demo-customer")
	org.Grow(basetentest.Seed{Users: *users, Keys: *keys, Audit: *audit, UsageDays: *usage, Disagree: *disagree})
	org.OldAPI = *oldAPI
	if *keys >= 100 {
		leaked := org.Trouble()
		if *leak != "" {
			if err := os.WriteFile(*leak, []byte("BASETEN_API_KEY="+leaked.Reveal()+"\n"), 0o600); err != nil {
				return err
			}
		}
	}
	server := basetentest.Start(org)
	defer server.Close()
	server.SetRate(*rate)
	server.SetLatency(least, most)
	for _, x := range faults {
		server.Inject(x)
	}
	if err := announce(stdout, *form, server, key); err != nil {
		return err
	}
	<-ctx.Done()
	if *requests == "" {
		return nil
	}
	return os.WriteFile(*requests, list(server.Requests()), 0o600)
}

func list(all []basetentest.Request) []byte {
	var out []byte
	for _, r := range all {
		out = fmt.Appendf(out, "%d %s %s %s\n", r.Status, r.Method, r.Path, r.KeyPrefix)
	}
	return out
}

// announce prints where the server is and a key for it.
func announce(w io.Writer, form string, s *basetentest.Server, key secret.Secret) error {
	if form == "env" {
		_, err := fmt.Fprintf(w, "BASETEN_MANAGEMENT_API_URL_OVERRIDE=%s\nBASETEN_INFERENCE_BASE_URL_OVERRIDE=%s\nBASETEN_API_KEY=%s\n",
			s.URL, s.InferenceURL, key.Reveal())
		return err
	}
	return json.NewEncoder(w).Encode(map[string]string{"url": s.URL, "inference_url": s.InferenceURL, "api_key": key.Reveal()})
}
