package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/drill"
	"github.com/b10lint/b10lint/internal/shell"
	"github.com/b10lint/b10lint/report"
	"github.com/b10lint/b10lint/revoke"
)

// An api is how every command that talks to Baseten finds its address and the key
// to call it with. There is no flag that takes the key itself: a command line is
// in the shell's history and in the list of processes.
type api struct {
	keyFile, remote, profile string
	keyStdin                 bool
	remoteURL, caFile        string
	trace                    func(text string) // of -v
	drill                    *drill.Baseten    // in Baseten's place; nil but in a drill
}

// register adds the flags that all of these commands share.
func (a *api) register(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&a.keyFile, "api-key-file", "", "call Baseten with the key in `FILE` (default: $BASETEN_API_KEY)")
	f.BoolVar(&a.keyStdin, "api-key-stdin", false, "call Baseten with the key on standard input")
	f.StringVar(&a.remote, "remote", "", "call Baseten with the key of this `REMOTE` in ~/.trussrc")
	f.StringVar(&a.profile, "profile", "", "call Baseten with the key of this `PROFILE` of the baseten command")
	f.StringVar(&a.remoteURL, "remote-url", "", "where Baseten is, if not at https://app.baseten.co; the key is sent to this `URL`")
	f.StringVar(&a.caFile, "ca-file", "", "also trust the certificate authorities in this PEM `FILE`")
	_ = c.MarkFlagFilename("api-key-file")
	_ = c.MarkFlagFilename("ca-file")
}

// registerVerbose adds the flag -v of Baseten's own command.
func (a *api) registerVerbose(c *cobra.Command, env Env) {
	c.Flags().BoolFuncP("verbose", "v", "show each request to Baseten on standard error", func(v string) error {
		on, err := strconv.ParseBool(v)
		if a.trace = nil; on {
			a.trace = func(text string) { fmt.Fprintf(env.Stderr, "b10lint: note: %s\n", report.Visible(text)) }
		}
		return err
	})
}

// given returns the first of the flags that was set, or nothing.
func (a *api) given() string {
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"--api-key-file", a.keyFile != ""}, {"--api-key-stdin", a.keyStdin}, {"--remote", a.remote != ""},
		{"--profile", a.profile != ""}, {"--remote-url", a.remoteURL != ""}, {"--ca-file", a.caFile != ""},
	} {
		if f.set {
			return f.name
		}
	}
	return ""
}

// namesKey reports whether a flag names the key to call Baseten with.
func (a *api) namesKey() bool {
	return a.keyFile != "" || a.keyStdin || a.remote != "" || a.profile != ""
}

// credential finds the key to call the API with. A bad one, or none, is a usage
// error: nothing was sent.
func (a *api) credential(env Env) (baseten.Credential, error) {
	if a.drill != nil {
		return baseten.Credential{Key: a.drill.Admin, From: "the drill"}, nil
	}
	o := baseten.CredentialOptions{
		KeyFile: a.keyFile, Remote: a.remote, Profile: a.profile,
		Env: env.Lookup, Home: env.home(), ConfigDir: env.configDir(),
	}
	if a.keyStdin {
		o.KeyStdin = env.Stdin
	}
	c, err := baseten.ResolveCredential(o)
	switch {
	case errors.Is(err, baseten.ErrNoCredential):
		return c, usage("set BASETEN_API_KEY, or pass --api-key-file, --api-key-stdin, --remote or --profile",
			"no Baseten API key to call Baseten with")
	case err != nil:
		return c, usage("the key comes from --api-key-file, --api-key-stdin, --remote, --profile or BASETEN_API_KEY", "%w", err)
	}
	if info, err := os.Stat(a.keyFile); err == nil && runtime.GOOS != "windows" && info.Mode().IsRegular() && info.Mode().Perm()&0o044 != 0 {
		NewUI(env).warn("other users can read "+report.Visible(a.keyFile)+", which holds an API key", "chmod 600 "+shell.Quote(a.keyFile))
	}
	return c, nil
}

// options are those of a client or a probe that goes by a credential, which may
// be empty for a probe.
func (a *api) options(env Env, c baseten.Credential) (baseten.Options, error) {
	if a.drill != nil {
		endpoints, err := baseten.ResolveEndpoints("", "", func(string) (string, bool) { return drill.URL, true })
		return baseten.Options{Endpoints: endpoints, Credential: c, UserAgent: "b10lint/" + tool().Version, Transport: a.drill}, err
	}
	endpoints, err := baseten.ResolveEndpoints(a.remoteURL, c.RemoteURL, env.Lookup)
	if err != nil {
		return baseten.Options{}, usage("--remote-url names the host that the key may be sent to", "%w", err)
	}
	return baseten.Options{Endpoints: endpoints, Credential: c, CAFile: a.caFile, UserAgent: "b10lint/" + tool().Version,
		Trace: a.trace, Waiting: env.waiting()}, nil
}

// An account is what commands that manage keys work with: a client of the management
// API, and the credential that it goes by.
type account struct {
	client     *baseten.Client
	credential baseten.Credential
	options    baseten.Options
	env        Env
}

// open returns the account that the flags name. It sends nothing.
func (a *api) open(env Env) (*account, error) {
	c, err := a.credential(env)
	if err != nil {
		return nil, err
	}
	o, err := a.options(env, c)
	if err != nil {
		return nil, err
	}
	client, err := baseten.New(o)
	if err != nil {
		return nil, usage("", "%w", err)
	}
	return &account{client, c, o, env}, nil
}

// self is the prefix of the credential, and nothing for a login token.
func (a *account) self() string {
	if p := a.credential.Key.Prefix(); isPrefix(p) {
		return p
	}
	return ""
}

// name is what receipts and journals call the credential.
func (a *account) name() string {
	if p := a.self(); p != "" {
		return p + " from " + a.credential.From
	}
	return a.credential.From
}

// probe returns a probe that goes by the credential where a probe needs one.
func (a *account) probe() (*baseten.Probe, error) { return baseten.NewProbe(a.options, 0) }

// survey reads what Baseten knows of its keys.
func (a *account) survey(ctx context.Context, doing string) (*revoke.Survey, error) {
	stop := a.env.busy(doing)
	s, err := revoke.TakeSurvey(ctx, a.client, a.self())
	stop()
	if err != nil {
		return nil, apiFailed(ctx, doing, err)
	}
	return s, nil
}

// waiting says on a terminal that a request is tried again later; elsewhere it is nil.
func (e Env) waiting() func(text string) {
	if !isTerminal(e.Stderr) {
		return nil
	}
	return func(text string) { fmt.Fprintf(e.Stderr, "\r\x1b[Kb10lint: note: %s\n", report.Visible(text)) }
}

// busy shows on a terminal what is being done, from the first second on, until stop is called.
func (e Env) busy(doing string) (stop func()) {
	if !isTerminal(e.Stderr) {
		return func() {}
	}
	quit, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for n := 1; ; n++ {
			select {
			case <-quit:
				if n > 1 {
					fmt.Fprint(e.Stderr, "\r\x1b[K")
				}
				return
			case <-tick.C:
				fmt.Fprintf(e.Stderr, "\r\x1b[K%s: %d s", doing, n)
			}
		}
	}()
	return sync.OnceFunc(func() { close(quit); <-gone })
}

// home is the user's home folder, or nothing.
func (e Env) home() string {
	if runtime.GOOS == "windows" {
		return e.get("USERPROFILE")
	}
	return e.get("HOME")
}

// trussrc is where truss keeps its remotes, or nothing where there is no home.
func (e Env) trussrc() string {
	if v := e.get(baseten.EnvTrussrc); v != "" || e.home() == "" {
		return v
	}
	return filepath.Join(e.home(), ".trussrc")
}

// configDir is where programs keep their settings: what os.UserConfigDir returns,
// by this Env's variables.
func (e Env) configDir() string {
	dir := e.get("XDG_CONFIG_HOME")
	switch home := e.home(); {
	case runtime.GOOS == "windows":
		return e.get("AppData")
	case home == "" || filepath.IsAbs(dir) && runtime.GOOS != "darwin":
		return dir
	case runtime.GOOS == "darwin":
		return filepath.Join(home, "Library", "Application Support")
	default:
		return filepath.Join(home, ".config")
	}
}
