// Command fakebaseten runs the made-up Baseten of package basetentest until it
// is interrupted or terminated. It prints, on standard output, its addresses and
// an admin's key, either as a line of JSON or as lines for a shell:
//
//	fakebaseten -keys 50 -o env > fake.env &
//	set -a; . ./fake.env; baseten org api-key list
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
	"syscall"

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
	requests := f.String("requests", "", "when it ends, write what it was asked to this file")
	form := f.String("o", "json", "what to print: json or env")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 || (*form != "json" && *form != "env") {
		return errors.New("usage: fakebaseten [-o json|env] [-seed N] [-keys N] [-users N] [-audit N] [-usage-days N] [-requests FILE]")
	}
	org := basetentest.NewOrg("Fake Baseten", *seed, nil)
	admin := org.AddUser("admin@example.com", "Admin", true)
	key := org.AddKey(basetentest.KeySpec{Name: "admin", Type: "PERSONAL", Owner: admin, CreatedBy: "admin@example.com"})
	org.AddGatewayKey(org.AddGroup("Demo customers", ""), "demo-customer")
	org.Grow(basetentest.Seed{Users: *users, Keys: *keys, Audit: *audit, UsageDays: *usage})
	server := basetentest.Start(org)
	defer server.Close()
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
