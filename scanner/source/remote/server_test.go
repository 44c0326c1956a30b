package remote

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/internal/gittest"
	"github.com/b10lint/b10lint/internal/httpc"
	"github.com/b10lint/b10lint/scanner/source/git"
)

// small makes root/small.git, which has a key in the first file of many, and root/other.git.
func small(t *testing.T) (root string) {
	t.Helper()
	root = t.TempDir()
	for i, name := range []string{"small.git", "other.git"} {
		work := filepath.Join(t.TempDir(), "work")
		gittest.Run(t, root, "init", "-q", "-b", "main", work)
		m := fakekey.New(uint64(i))
		for n := range 30 {
			text := m.Word(3000)
			if n == 0 { // the first file by name comes first in the pack
				text = "BASETEN_API_KEY=" + m.B10() + "\n"
			}
			if err := os.WriteFile(filepath.Join(work, fmt.Sprintf("%02d.env", n)), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		gittest.Run(t, work, "add", "-A")
		gittest.Run(t, work, "commit", "-q", "-m", name)
		gittest.Run(t, root, "clone", "-q", "--bare", work, filepath.Join(root, name))
	}
	return root
}

// recorded answers a request with the backend of root, whole.
func recorded(root string, r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	gittest.Backend(root).ServeHTTP(w, r)
	res := w.Result()
	res.Request = r
	return res
}

// answer is a plain answer.
func answer(r *http.Request, status int, kind, body string) *http.Response {
	return &http.Response{StatusCode: status, Status: fmt.Sprint(status, " ", http.StatusText(status)), Request: r,
		Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(body))}
}

const advertisement = "application/x-git-upload-pack-advertisement"

// pkt writes lines as git's protocol frames them; "" is a flush.
func pkt(lines ...string) string {
	var b strings.Builder
	for _, l := range lines {
		if l == "" {
			b.WriteString("0000")
		} else {
			fmt.Fprintf(&b, "%04x%s", len(l)+4, l)
		}
	}
	return b.String()
}

// Whatever a server does, what came of the pack is searched, and what is wrong is a
// problem with words of its own: no such run is complete.
func TestFaultyServers(t *testing.T) {
	root := small(t)
	// The pack is changed by what is behind; before is for the list of references.
	type change func(res *http.Response, body []byte) *http.Response
	with := func(body io.Reader) change {
		return func(res *http.Response, _ []byte) *http.Response { res.Body = io.NopCloser(body); return res }
	}
	cut := func(share float64) change {
		return func(res *http.Response, body []byte) *http.Response {
			res.Body = io.NopCloser(bytes.NewReader(body[:int(float64(len(body))*share)]))
			return res
		}
	}
	list := func(lines ...string) change {
		return with(strings.NewReader(pkt("# service=git-upload-pack\n", "") + pkt(lines...)))
	}
	status := func(code int, kind, body string) change {
		return func(res *http.Response, _ []byte) *http.Response { return answer(res.Request, code, kind, body) }
	}
	page := "<!doctype html><title>Sign in \x1b[31m</title>" + strings.Repeat("secret of the page ", 1e4)
	id := strings.Repeat("1", 40)
	for _, test := range []struct {
		name         string
		before, pack change
		keys         int // that are found
		want         string
	}{
		{"dies in the pack", nil, cut(.9), -1, "the pack breaks off"},
		{"dies before the pack", nil, cut(0), 0, "without an answer"},
		{"dies in the list", cut(.5), nil, 0, "could not be fetched"},
		{"no list at all", cut(0), nil, 0, "without an answer"},
		{"says so in the pack", nil, func(res *http.Response, body []byte) *http.Response {
			return with(strings.NewReader(pkt("NAK\n")+pkt("\x01PACK\x00\x00\x00\x02\x00\x00\x00\x09", "\x03disk \x1b[31mfull\n")))(res, body)
		}, 0, "the server says: disk [31mfull"},
		{"garbage for a pack", nil, with(strings.NewReader(pkt("NAK\n") + pkt("\x01"+strings.Repeat("garbage", 100), ""))), 0, "not a pack"},
		{"garbage for a side band", nil, with(strings.NewReader(pkt("NAK\n") + strings.Repeat("garbage", 100))), 0, "not git's protocol"},
		{"a line that lies about its length", list("ffffshort"), nil, 0, "not git's protocol"},
		{"the pack of another repository", nil, func(res *http.Response, _ []byte) *http.Response {
			other := strings.TrimSpace(string(gittest.Pipe(t, filepath.Join(root, "other.git"), nil, "rev-parse", "main")))
			r := httptest.NewRequest("POST", "/other.git/git-upload-pack", strings.NewReader(pkt("want "+other+" side-band-64k ofs-delta\n", "")+pkt("done\n")))
			r.Header.Set("Content-Type", "application/x-git-upload-pack-request")
			return recorded(root, r)
		}, 1, "the server did not send it"},
		{"only version 2", list("version 2\n", "agent=x\n", "ls-refs\n", ""), nil, 0, "only version 2 of git's protocol"},
		{"ids of SHA-256", list(strings.Repeat("1", 64)+" HEAD\x00object-format=sha256\n", ""), nil, 0, "SHA-256"},
		{"an id that no object has", list(id+" HEAD\x00side-band-64k ofs-delta\n", id+" refs/heads/main\n", ""), nil, 0, "not our ref"},
		{"a page", status(200, "text/html; charset=utf-8", page), nil, 0, "answers with text/html, and not as git"},
		{"a page of the wrong kind", status(200, advertisement, page), nil, 0, "not git's protocol"},
		{"a page for the pack", nil, status(200, "text/html", page), 0, "answers with text/html"},
		{"files without a protocol", status(200, "text/plain", id+"\trefs/heads/main\n"), nil, 0, "a server of files"},
		{"not allowed", status(403, "text/html", page), nil, 0, "refuses access (403)"},
		{"not there", status(404, "text/html", page), nil, 0, "no such repository"},
		{"unauthorised", status(401, "text/html", page), nil, 0, "wants a credential"},
		{"too many", status(429, "text/html", page), nil, 0, "status 429"},
		{"taken down", status(451, "text/html", page), nil, 0, "status 451"},
		{"broken", status(500, "text/html", page), nil, 0, "status 500"},
		{"broken for the pack", nil, status(502, "text/html", page), 0, "status 502"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := open(t, "http://git.example/small.git", options(t))
			r.transport = httpc.RoundTripper(func(req *http.Request) (*http.Response, error) {
				if req.Body == nil {
					req.Body = http.NoBody
				}
				res := recorded(root, req)
				c := test.pack
				if strings.HasSuffix(req.URL.Path, "/info/refs") {
					c = test.before
				}
				if c == nil {
					return res, nil
				}
				body, err := io.ReadAll(res.Body)
				return c(res, body), err
			})
			got, report := scanned(t, r.Source(), r.address.String())
			if len(report.Problems) == 0 || report.Summary.Complete {
				t.Fatalf("no problem: %+v", report.Summary)
			}
			p := report.Problems[0]
			if text := fmt.Sprint(report.Problems); !strings.Contains(p.Error, test.want) || p.Hint == "" || strings.Contains(text, "of the page") || strings.ContainsRune(text, 0x1b) {
				t.Errorf("problems %.300q, want %q", text, test.want)
			}
			if n := len(report.Findings); test.keys >= 0 && n != test.keys {
				t.Errorf("%d findings: %s", n, got)
			}
		})
	}
	t.Run("it works without faults", func(t *testing.T) {
		r := open(t, "http://git.example/small.git", options(t))
		r.transport = httpc.RoundTripper(func(req *http.Request) (*http.Response, error) { return recorded(root, req), nil })
		if _, report := scanned(t, r.Source(), r.address.String()); len(report.Findings) != 1 || !report.Summary.Complete {
			t.Errorf("%v %v", report.Findings, report.Problems)
		}
	})
}

// A repository without a commit is scanned, and empty.
func TestEmptyRepository(t *testing.T) {
	root := t.TempDir()
	gittest.Run(t, root, "init", "-q", "--bare", "empty.git")
	web := httptest.NewServer(gittest.Backend(root))
	t.Cleanup(web.Close)
	for _, address := range []string{web.URL + "/empty.git", "file://" + root + "/empty.git"} {
		_, report := scanned(t, open(t, address, options(t)).Source(), address)
		if len(report.Problems) > 0 || !report.Summary.Complete || len(report.Summary.Coverage) != 1 {
			t.Errorf("%s: %+v", address, report)
		}
	}
}

// A server that stalls, trickles or goes on without end is left, and what came of the
// pack is searched. No clock but the test's runs here.
func TestSlowServers(t *testing.T) {
	root := small(t)
	post := httptest.NewRequest("POST", "/small.git/git-upload-pack", nil)
	var list, pack []byte
	{
		r := open(t, "http://git.example/small.git", options(t))
		r.transport = httpc.RoundTripper(func(req *http.Request) (*http.Response, error) {
			if req.Body == nil {
				req.Body = http.NoBody
			}
			res := recorded(root, req)
			body, err := io.ReadAll(res.Body)
			res.Body = io.NopCloser(bytes.NewReader(body))
			if req.Method == post.Method {
				pack = body
			} else {
				list = body
			}
			return res, err
		})
		if _, report := scanned(t, r.Source(), r.address.String()); len(report.Findings) != 1 {
			t.Fatal(report.Problems)
		}
	}
	for _, test := range []struct {
		name       string
		list, pack int           // bytes that come at once
		step       time.Duration // between the bytes that follow; 0: none follow
		limits     Limits
		want       string
		after      time.Duration
	}{
		{"stalls at once", -1, 0, 0, Limits{}, "sent nothing for 1m0s", time.Minute},
		{"stalls in the list", 10, 0, 0, Limits{}, "sent nothing for 1m0s", time.Minute},
		{"stalls before the pack", 1 << 20, -1, 0, Limits{}, "sent nothing for 1m0s", time.Minute},
		{"stalls in the pack", 1 << 20, 60_000, 0, Limits{}, "sent nothing for 1m0s", time.Minute},
		{"trickles", 1 << 20, 60_000, time.Second, Limits{}, "less than 1000 bytes a second", 3 * time.Minute},
		{"goes on", 1 << 20, 60_000, time.Second, Limits{Least: 1, Whole: 30 * time.Minute}, "not done within 30m0s", 30*time.Minute + time.Second},
		{"a list without end", 1 << 20, 0, 0, Limits{Listed: 200}, "list of references is larger", time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &Repository{address: Address{Scheme: "http", Host: "git.example", Path: "/small.git"},
					opts: Options{Env: func(string) string { return "" }, Limits: test.limits.withDefaults(), Home: t.TempDir()}}
				r.history = git.NewReceived(r.address.String(), &r.received, git.Options{})
				r.transport = httpc.RoundTripper(func(req *http.Request) (*http.Response, error) {
					body, at, kind := list, test.list, advertisement
					if req.Method == "POST" {
						body, at, kind = pack, test.pack, "application/x-git-upload-pack-result"
					}
					if at < 0 {
						<-req.Context().Done()
						return nil, req.Context().Err()
					}
					at = min(at, len(body))
					res := answer(req, 200, kind, "")
					slow := &slowBody{ctx: req.Context(), now: body[:at], step: test.step}
					if at == len(body) {
						slow = nil
						res.Body = io.NopCloser(bytes.NewReader(body))
					} else {
						res.Body = slow
					}
					return res, nil
				})
				start := time.Now()
				_, report := scanned(t, r.Source(), r.address.String())
				if len(report.Problems) == 0 || !strings.Contains(report.Problems[0].Error, test.want) || report.Summary.Complete {
					t.Errorf("problems %v, want %q", report.Problems, test.want)
				}
				if d := time.Since(start); d > test.after {
					t.Errorf("it took %v", d)
				}
				if test.pack == 60_000 && len(report.Findings) != 1 {
					t.Errorf("what came was not searched: %d findings", len(report.Findings))
				}
			})
		})
	}
}

// A slowBody gives its first bytes at once and then one for each step, or none.
type slowBody struct {
	ctx  context.Context
	now  []byte
	step time.Duration
}

func (b *slowBody) Read(p []byte) (int, error) {
	if n := copy(p, b.now); n > 0 {
		b.now = b.now[n:]
		return n, nil
	}
	var tick <-chan time.Time
	if b.step > 0 {
		tick = time.After(b.step)
	}
	select {
	case <-b.ctx.Done():
		return 0, b.ctx.Err()
	case <-tick:
		p[0] = '0'
		return 1, nil
	}
}

func (b *slowBody) Close() error { return nil }

// Credentials come from the URL, a forge's variable, .netrc and git's helper; they are
// sent to the host of the address alone, and shown nowhere.
func TestCredentials(t *testing.T) {
	root := small(t)
	m := fakekey.New(99)
	word := m.Word(30)
	type sent struct{ host, user, password string }
	for _, test := range []struct {
		name, address string
		env           map[string]string
		netrc, helper string
		redirect      string // where the list of references is
		want          []sent
		problem       string
	}{
		{name: "the URL", address: "https://me:" + word + "@git.example/small.git",
			want: []sent{{"git.example", "me", word}, {"git.example", "me", word}}},
		{name: "a token", address: "https://github.com/small.git", env: map[string]string{"GITHUB_TOKEN": word},
			want: []sent{{"github.com", "x-access-token", word}, {"github.com", "x-access-token", word}}},
		{name: "the token of another forge", address: "https://git.example/small.git", env: map[string]string{"GITHUB_TOKEN": word, "GITLAB_TOKEN": word, "HF_TOKEN": word},
			want: []sent{{host: "git.example"}}, problem: "wants a credential"},
		{name: "a token is not sent in plain text", address: "http://github.com/small.git", env: map[string]string{"GITHUB_TOKEN": word},
			want: []sent{{host: "github.com"}}, problem: "wants a credential"},
		{name: "netrc", address: "https://git.example/small.git", netrc: "machine elsewhere login no password no\nmachine git.example\n login me\n password " + word + "\ndefault login x password y\n",
			want: []sent{{host: "git.example"}, {"git.example", "me", word}, {"git.example", "me", word}}},
		{name: "netrc in plain text", address: "http://git.example/small.git", netrc: "default login me password " + word,
			want: []sent{{host: "git.example"}}, problem: "wants a credential"},
		{name: "git's helper", address: "https://git.example/small.git", helper: word,
			want: []sent{{host: "git.example"}, {"git.example", "me", word}, {"git.example", "me", word}}},
		{name: "a refused one, and another", address: "https://git.example/small.git", netrc: "default login me password wrong", helper: word,
			want: []sent{{host: "git.example"}, {"git.example", "me", "wrong"}, {"git.example", "me", word}, {"git.example", "me", word}}},
		{name: "a refused one", address: "https://me:wrong" + word + "@git.example/small.git",
			want: []sent{{"git.example", "me", "wrong" + word}}, problem: "refused the credential from the URL"},
		{name: "a redirect to another host", address: "https://me:" + word + "@git.example/small.git", redirect: "https://evil.example/small.git/info/refs?service=git-upload-pack",
			want: []sent{{"git.example", "me", word}, {host: "evil.example"}}, problem: "refused the credential"},
		{name: "a redirect to a subdomain", address: "https://me:" + word + "@git.example/small.git", redirect: "https://evil.git.example/small.git/info/refs?service=git-upload-pack",
			want: []sent{{"git.example", "me", word}, {host: "evil.git.example"}}, problem: "refused the credential"},
		{name: "a redirect to plain text", address: "https://me:" + word + "@git.example/small.git", redirect: "http://git.example/small.git/info/refs?service=git-upload-pack",
			want: []sent{{"git.example", "me", word}}, problem: "changes scheme"},
		{name: "a redirect on the same host", address: "https://me:" + word + "@git.example/old.git", redirect: "https://git.example/small.git/info/refs?service=git-upload-pack",
			want: []sent{{"git.example", "me", word}, {"git.example", "me", word}, {"git.example", "me", word}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := options(t)
			o.Env = func(name string) string { return test.env[name] }
			if err := os.WriteFile(filepath.Join(o.Home, ".netrc"), []byte(test.netrc), 0o600); err != nil {
				t.Fatal(err)
			}
			withHelper(&o, test.helper)
			var mu sync.Mutex
			var got []sent
			r := open(t, test.address, o)
			r.transport = httpc.RoundTripper(func(req *http.Request) (*http.Response, error) {
				s := sent{host: req.URL.Host}
				s.user, s.password, _ = req.BasicAuth()
				mu.Lock()
				got = append(got, s)
				first := len(got) == 1
				mu.Unlock()
				for name, values := range req.Header {
					text := strings.Join(values, " ")
					if name != "Authorization" && (strings.Contains(text, word) || strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(word)))) {
						t.Errorf("the password is in %s", name)
					}
				}
				if strings.Contains(req.URL.String(), word) {
					t.Error("the password is in the URL that was asked for")
				}
				if first && test.redirect != "" {
					res := answer(req, 302, "text/html", "")
					res.Header.Set("Location", test.redirect)
					return res, nil
				}
				if s.password != word {
					return answer(req, 401, "text/html", ""), nil
				}
				if req.Body == nil {
					req.Body = http.NoBody
				}
				return recorded(root, req), nil
			})
			_, report := scanned(t, r.Source(), r.address.String())
			if fmt.Sprint(got) != fmt.Sprint(test.want) {
				t.Errorf("sent %v, want %v", got, test.want)
			}
			all := fmt.Sprintf("%+v %+v %#v", report, r.credential, r.credential)
			if strings.Contains(all, word) || strings.Contains(all, "wrong") {
				t.Error("the password is in the report")
			}
			switch {
			case test.problem == "" && (len(report.Findings) != 1 || len(report.Problems) > 0):
				t.Errorf("%d findings, problems %v", len(report.Findings), report.Problems)
			case test.problem != "" && (len(report.Problems) != 1 || !strings.Contains(report.Problems[0].Error, test.problem)):
				t.Errorf("problems %v, want %q", report.Problems, test.problem)
			}
		})
	}
}

// withHelper gives git a credential helper that knows a password, or none.
func withHelper(o *Options, password string) {
	command, helper := o.Git, ""
	if password != "" {
		helper = "!f() { echo username=me; echo password=" + password + "; }; f"
	}
	o.Git = func(ctx context.Context, args ...string) *exec.Cmd {
		c := command(ctx, append([]string{"-c", "credential.helper=" + helper}, args...)...)
		c.Env = append(c.Env, "GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=")
		return c
	}
}

func TestParseAddress(t *testing.T) {
	word := fakekey.New(5).Word(20)
	for _, test := range []struct{ word, shown, name, err string }{
		{"https://GitHub.com/acme/app.git", "https://github.com/acme/app.git", "github.com/acme/app", ""},
		{"https://me:" + word + "@h:8443/a%20b/c", "https://h:8443/a%20b/c", "h:8443/a b/c", ""},
		{"git@github.com:acme/app.git", "git@github.com:acme/app.git", "github.com/acme/app", ""},
		{"ssh://git@h:2222/acme/app", "ssh://git@h:2222/acme/app", "h:2222/acme/app", ""},
		{"git+ssh://git@h/~me/app", "ssh://git@h/~me/app", "h/~me/app", ""},
		{"git://[::1]:99/x", "git://[::1]:99/x", "[::1]:99/x", ""},
		{"file:///srv/git/x.git", "file:///srv/git/x.git", "/srv/git/x.git", ""},
		{"https://h/a?token=" + word, "", "", "has no ?"},
		{"https:///a", "", "", "no host"},
		{"https://h/", "", "", "no path"},
		{"https://h:99999/a", "", "", "port"},
		{"https://me:" + word + "@h:a/b", "", "", "malformed"},
		{"https://me:" + word + "%zz@h/b", "", "", "malformed"},
		{"ftp://h/a", "", "", "not a scheme"},
		{"ssh://-oProxyCommand=x/a", "", "", "dash"},
		{"file://h/a", "", "", "three slashes"},
	} {
		a, err := ParseAddress(test.word)
		if !IsAddress(test.word) {
			t.Errorf("%s is not an address", test.word)
		}
		switch {
		case test.err != "":
			if err == nil || !strings.Contains(err.Error(), test.err) || strings.Contains(err.Error(), word) {
				t.Errorf("%s: %v, want %q", test.word, err, test.err)
			}
		case err != nil:
			t.Errorf("%s: %v", test.word, err)
		case a.String() != test.shown || a.Name() != test.name:
			t.Errorf("%s is %s, %s", test.word, a, a.Name())
		}
	}
	for _, path := range []string{".", "a:b", "C:\\x", "./git@h:x", "/a/b@c:d", "-", "a@b", "dir/a@b:c"} {
		if IsAddress(path) {
			t.Errorf("%s is an address", path)
		}
	}
}
