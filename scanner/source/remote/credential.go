package remote

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// A credential is a name and a password for one server. Nothing prints it.
type credential struct {
	user, password string
	from           string // where it comes from, for messages
}

// String and GoString keep it out of whatever prints the struct that holds it.
func (c *credential) String() string   { return "credential from " + c.from }
func (c *credential) GoString() string { return c.String() }

// tokens are the variables with tokens of well-known forges, the first that is set.
var tokens = []struct {
	host, user string
	names      []string
}{
	{"github.com", "x-access-token", []string{"GH_TOKEN", "GITHUB_TOKEN"}},
	{"gitlab.com", "oauth2", []string{"GITLAB_TOKEN"}},
	{"huggingface.co", "hf", []string{"HF_TOKEN"}},
}

// credentials returns a function that gives one credential after another, in the order
// in which they are tried. What is in the address, and the token of a forge, is sent
// with the first request; the others once the server asked. They go to the host of the
// address alone: go-git drops them where a redirect leads elsewhere.
func (r *Repository) credentials(ctx context.Context) func() (*credential, bool) {
	a := r.address
	if a.Scheme != "http" && a.Scheme != "https" {
		return func() (*credential, bool) { return nil, false }
	}
	left := []func() *credential{
		func() *credential { return r.fromNetrc() },
		func() *credential { return r.fromHelper(ctx) },
	}
	switch token := r.fromEnvironment(); {
	case a.password != "" || a.user != "":
		r.credential = &credential{a.user, a.password, "the URL"}
		if a.password != "" {
			left = nil
		}
	case token != nil:
		r.credential = token
	}
	return func() (*credential, bool) {
		for len(left) > 0 {
			next := left[0]
			left = left[1:]
			if c := next(); c != nil {
				return c, true
			}
		}
		return nil, false
	}
}

// fromEnvironment is the token of the forge at the address. It is sent encrypted or
// not at all.
func (r *Repository) fromEnvironment() *credential {
	a := r.address
	if a.Scheme != "https" || a.Port != 0 && a.Port != 443 {
		return nil
	}
	for _, t := range tokens {
		for _, name := range t.names {
			if v := r.opts.Env(name); v != "" && a.Host == t.host {
				return &credential{t.user, v, name}
			}
		}
	}
	return nil
}

// credentialHint says where a credential for the address would be looked for.
func (r *Repository) credentialHint() string {
	for _, t := range tokens {
		if r.address.Host == t.host {
			return "set " + strings.Join(t.names, " or ") + ", or use git's credential helper or ~/.netrc"
		}
	}
	if r.address.Scheme == "ssh" {
		return "check the user, and that your key may read it"
	}
	return "git's credential helper and ~/.netrc are asked for one"
}

// mostNetrc bounds the file.
const mostNetrc = 1 << 20

// fromNetrc reads ~/.netrc, as curl and so git does: machine, login, password and
// default, without macros. An address without encryption gets none but on this machine.
func (r *Repository) fromNetrc() *credential {
	a := r.address
	if ip := net.ParseIP(a.Host); a.Scheme == "http" && a.Host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil
	}
	name := cmp.Or(r.opts.Env("NETRC"), filepath.Join(r.opts.Home, ".netrc"))
	data, err := os.ReadFile(name)
	if err != nil && runtime.GOOS == "windows" {
		data, err = os.ReadFile(filepath.Join(r.opts.Home, "_netrc"))
	}
	if err != nil || len(data) > mostNetrc {
		return nil
	}
	words := bufio.NewScanner(bytes.NewReader(data))
	words.Split(bufio.ScanWords)
	next := func() string { words.Scan(); return words.Text() }
	c, ours := &credential{from: ".netrc"}, false
	for words.Scan() {
		switch words.Text() {
		case "machine", "default":
			if ours && c.password != "" {
				return c
			}
			ours = words.Text() == "default" || strings.EqualFold(next(), a.Host)
			c.user, c.password = "", ""
		case "login":
			c.user = next()
		case "password":
			c.password = next()
		case "macdef":
			return nil // its lines are not words of the file
		}
	}
	if ours && c.password != "" && (a.user == "" || a.user == c.user) {
		return c
	}
	return nil
}

// fromHelper asks git's credential helpers, which may ask a keyring but not the person.
func (r *Repository) fromHelper(ctx context.Context) *credential {
	if r.opts.Git == nil {
		return nil
	}
	a := r.address
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	c := r.opts.Git(ctx, "credential", "fill")
	path, _ := url.PathUnescape(strings.TrimPrefix(a.Path, "/"))
	ask := "protocol=" + a.Scheme + "\nhost=" + a.hostPort() + "\npath=" + path + "\n"
	if a.user != "" {
		ask += "username=" + a.user + "\n"
	}
	if strings.Count(ask, "\n") > 4 || strings.ContainsAny(ask, "\r\x00") {
		return nil // a line break in the address would say something else
	}
	c.Stdin = strings.NewReader(ask + "\n")
	out, err := c.Output()
	if err != nil {
		return nil
	}
	got := &credential{from: "git's credential helper"}
	for l := range strings.Lines(string(out)) {
		key, value, _ := strings.Cut(strings.TrimRight(l, "\r\n"), "=")
		switch key {
		case "username":
			got.user = value
		case "password":
			got.password = value
		}
	}
	if got.password == "" {
		return nil
	}
	return got
}
