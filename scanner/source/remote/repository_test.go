package remote

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/internal/gittest"
	"github.com/b10lint/b10lint/scanner"
	"github.com/b10lint/b10lint/scanner/source"
	"github.com/b10lint/b10lint/scanner/source/git"
	"github.com/b10lint/b10lint/scanner/source/target"
	"github.com/b10lint/b10lint/scanner/source/unpack"
)

// manyShapes makes a bare repository, root/shapes.git, in which keys are wherever git
// can have them, and returns it with a commit that no reference leads to any more.
func manyShapes(t *testing.T, root string) (dir, lost string) {
	t.Helper()
	work, m := filepath.Join(root, "work"), fakekey.New(18)
	run := func(args ...string) string { t.Helper(); return gittest.Run(t, work, args...) }
	gittest.Run(t, root, "init", "-q", "-b", "main", work)
	write := func(name, text string) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(work, name)), 0o755), os.WriteFile(filepath.Join(work, name), []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	commit := func(message string) {
		t.Helper()
		run("add", "-A")
		run("commit", "-q", "--allow-empty", "-m", message)
	}
	env := func(n int) string {
		return fmt.Sprintf("%sBASETEN_API_KEY=%s\n", strings.Repeat("# a line\n", n), m.B10())
	}
	kept, old := env(3), env(300)
	write("at head/k.env", kept)
	write("old.env", old)
	write("config.py", strings.Repeat("x = 1\n", 500))
	commit("first")
	write("old.env", old+"more\n") // a delta that inherits its key
	write("sub/copy.env", old)
	commit("second with " + m.B10())
	run("rm", "-q", "old.env")
	run("mv", "sub/copy.env", "sub/moved.env")
	commit("removed and renamed")
	run("checkout", "-q", "-b", "side", "HEAD~1")
	write("side.txt", m.B10()+" baseten\n")
	var z bytes.Buffer
	w := zip.NewWriter(&z)
	f, _ := w.Create("inner/.env")
	fmt.Fprint(f, env(0))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	write("dist.zip", z.String())
	write("nb.ipynb", `{"cells":[{"cell_type":"code","source":["key = '`+m.B10()+`'\n"],"outputs":[]}],"nbformat":4,"nbformat_minor":5,"metadata":{}}`)
	commit("side")
	run("checkout", "-q", "main")
	run("merge", "-q", "--no-ff", "-m", "merged", "side")
	run("tag", "-a", "-m", "release with "+m.B10(), "v1")
	run("tag", "light", "HEAD~1")
	run("notes", "add", "-m", "note with "+m.B10(), "HEAD")
	run("update-ref", "refs/blob", strings.TrimSpace(string(gittest.Pipe(t, work, []byte(env(1)), "hash-object", "-w", "--stdin"))))
	run("update-ref", "refs/tree", run("rev-parse", "HEAD~1:sub"))
	run("checkout", "-q", "-b", "pull")
	write("pull.env", env(2))
	commit("pull request")
	run("update-ref", "refs/pull/7/head", "HEAD")
	run("update-ref", "refs/merge-requests/2/head", "HEAD~1")
	write("lost.env", env(4))
	commit("lost by a force push")
	lost = run("rev-parse", "HEAD")
	run("checkout", "-q", "main")
	run("branch", "-q", "-D", "pull")
	write(".gitmodules", "[submodule \"lib\"]\n\tpath = lib\n\turl = ../lib\n")
	run("update-index", "--add", "--cacheinfo", "160000,"+strings.Repeat("1", 40)+",lib")
	run("add", ".gitmodules")
	run("commit", "-q", "-m", "a submodule")
	for i := range 20 {
		write("config.py", strings.Repeat("x = 1\n", 200+10*i)+strings.Repeat("y = 2\n", i))
		commit(fmt.Sprint("edit ", i))
	}
	dir = filepath.Join(root, "shapes.git")
	gittest.Run(t, root, "clone", "-q", "--mirror", work, dir)
	gittest.Run(t, dir, "fetch", "-q", work, lost) // it is here, and no reference leads to it
	gittest.Run(t, dir, "repack", "-adfq", "--depth=50", "--window=50", "--keep-unreachable")
	gittest.Run(t, dir, "config", "uploadpack.allowAnySHA1InWant", "true")
	return dir, lost
}

// mirrored are the findings in a mirror clone of dir, as JSON, and its coverage.
func mirrored(t *testing.T, dir string, scope git.Scope) (string, finding.Report) {
	t.Helper()
	mirror := filepath.Join(t.TempDir(), "mirror.git")
	gittest.Run(t, filepath.Dir(mirror), "clone", "-q", "--mirror", "file://"+dir, mirror)
	t.Chdir(mirror)
	return scanned(t, target.Of(".", target.Options{History: git.Options{Scope: scope}, NoFiles: true}), ".")
}

// scanned are the findings of a source, as JSON, with the repository's name taken out.
func scanned(t *testing.T, s source.Source, name string) (string, finding.Report) {
	t.Helper()
	return scannedWith(t, s, name, nil)
}

func scannedWith(t *testing.T, s source.Source, name string, p *scanner.Progress) (string, finding.Report) {
	t.Helper()
	r, _, err := scanner.Scan(t.Context(), source.Target{Name: name, Source: unpack.Archives(s, unpack.Limits{})}, scanner.Options{Progress: p})
	if err != nil {
		t.Fatal(err)
	}
	for i := range r.Findings {
		for j := range r.Findings[i].Locations {
			if l := &r.Findings[i].Locations[j]; l.Repository == name {
				l.Repository = "REPOSITORY"
			} else {
				t.Errorf("a location in %q, not %q", l.Repository, name)
			}
		}
	}
	out, err := json.MarshalIndent(r.Findings, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out), r
}

// options are those of a user with an empty home.
func options(t *testing.T) Options {
	home := t.TempDir()
	return Options{Home: home, Env: func(string) string { return "" }, Git: func(ctx context.Context, args ...string) *exec.Cmd {
		c := gittest.Command(t, home, args...)
		return c
	}}
}

func open(t *testing.T, address string, o Options) *Repository {
	t.Helper()
	a, err := ParseAddress(address)
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(a, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// listen serves each connection with a program that speaks on its standard input and
// output, as inetd does, and returns the address.
func listen(t *testing.T, command func(ctx context.Context) *exec.Cmd) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			f, err := conn.(*net.TCPConn).File()
			conn.Close()
			if err == nil {
				c := command(t.Context())
				c.Stdin, c.Stdout = f, f
				if c.Start() == nil {
					go c.Wait()
				}
				f.Close()
			}
		}
	}()
	return l.Addr().String()
}

// Over each kind of connection, the findings are those of a mirror clone.
func TestAsInMirror(t *testing.T) {
	root := t.TempDir()
	dir, _ := manyShapes(t, root)
	web := httptest.NewServer(gittest.Backend(root))
	t.Cleanup(web.Close)
	daemon := listen(t, func(ctx context.Context) *exec.Cmd {
		c := gittest.Command(t, root, "daemon", "--inetd", "--export-all", "--base-path="+root)
		return c
	})
	want, local := mirrored(t, dir, git.Scope{})
	if n := len(local.Findings); n < 9 {
		t.Fatalf("%d findings in the mirror", n)
	}
	for _, address := range []string{web.URL + "/shapes.git", "file://" + dir, "git://" + daemon + "/shapes.git"} {
		t.Run(address[:4], func(t *testing.T) {
			r := open(t, address, options(t))
			got, report := scanned(t, r.Source(), r.address.String())
			if got != want {
				t.Errorf("got %s\n\nin the mirror: %s", got, want)
			}
			if len(report.Problems) > 0 || !report.Summary.Complete {
				t.Errorf("problems: %v", report.Problems)
			}
			a, b := report.Summary.Coverage[0], local.Summary.Coverage[0]
			if fmt.Sprint(a.Kinds) != fmt.Sprint(b.Kinds) || a.Refs != b.Refs || fmt.Sprint(a.Submodules) != fmt.Sprint(b.Submodules) {
				t.Errorf("coverage %+v, in the mirror %+v", a, b)
			}
		})
	}
}

// A scope, a lost commit and a file of the default branch are as in the mirror.
func TestPartsAsInMirror(t *testing.T) {
	root := t.TempDir()
	dir, lost := manyShapes(t, root)
	address := "file://" + dir
	for _, scope := range []git.Scope{{Range: "light..v1"}, {Since: "v1~1"}, {Since: "2020-01-01"}, {Range: "main~3..main"}} {
		t.Run(scope.String(), func(t *testing.T) {
			want, _ := mirrored(t, dir, scope)
			o := options(t)
			o.History.Scope = scope
			r := open(t, address, o)
			if got, report := scanned(t, r.Source(), address); got != want || len(report.Problems) > 0 {
				t.Errorf("got %s\n\nin the mirror: %s\nproblems %v", got, want, report.Problems)
			}
		})
	}
	t.Run("a lost commit", func(t *testing.T) {
		plain, _ := scanned(t, open(t, address, options(t)).Source(), address)
		o := options(t)
		o.Commits = []string{lost}
		o.Arrived = func(ctx context.Context, r *Repository) (source.Filter, []finding.Problem) {
			head, branch := r.Head()
			text, err := r.File(ctx, "HEAD", "at head/k.env", 1000)
			if want := gittest.Run(t, dir, "rev-parse", "main"); head != want || branch != "main" || !strings.Contains(string(text), "# a line") || err != nil {
				t.Errorf("head %s, branch %s, file %.20q, %v", head, branch, text, err)
			}
			if _, err := r.File(ctx, "HEAD", "none", 1000); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("no file: %v", err)
			}
			f, err := source.NewFilter([]string{"at head/**"}, nil)
			return f, []finding.Problem{{Warning: true, Error: fmt.Sprint("a warning", err)}}
		}
		got, report := scanned(t, open(t, address, o).Source(), address)
		if !strings.Contains(got, "lost.env") || strings.Contains(plain, "lost.env") || strings.Contains(got, "at head/") || len(report.Problems) != 1 {
			t.Errorf("got %s\nproblems %v", got, report.Problems)
		}
	})
}

// A server that has a shallow clone cannot give the whole, which is a problem.
func TestShallowServer(t *testing.T) {
	root := t.TempDir()
	dir, _ := manyShapes(t, root)
	gittest.Run(t, root, "clone", "-q", "--mirror", "--depth=2", "file://"+dir, "shallow.git")
	address := "file://" + filepath.Join(root, "shallow.git")
	_, report := scanned(t, open(t, address, options(t)).Source(), address)
	if len(report.Problems) != 1 || !strings.Contains(report.Problems[0].Error, "is a shallow clone") || report.Summary.Complete {
		t.Errorf("problems %v", report.Problems)
	}
}

// Over ssh: a key in a file, a key in an agent, and hosts that are not known or are not
// who they were. The server is sshd.
func TestSSH(t *testing.T) {
	sshd, err := exec.LookPath("sshd")
	if err != nil {
		if sshd, err = exec.LookPath("/usr/sbin/sshd"); err != nil {
			t.Skip("sshd is not installed")
		}
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	root, etc := t.TempDir(), t.TempDir()
	dir, _ := manyShapes(t, root)
	want, _ := mirrored(t, dir, git.Scope{})
	keygen := func(name string) string {
		t.Helper()
		file := filepath.Join(etc, name)
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file).CombinedOutput(); err != nil {
			t.Skipf("ssh-keygen: %v %s", err, out)
		}
		return file
	}
	read := func(file string) string {
		t.Helper()
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	host, other, mine := keygen("host"), keygen("other"), keygen("mine")
	config := filepath.Join(etc, "sshd_config")
	text := "HostKey " + host + "\nAuthorizedKeysFile " + mine + ".pub\nStrictModes no\nUsePAM no\nPidFile none\nLogLevel QUIET\nPermitRootLogin yes\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_ = os.MkdirAll("/run/sshd", 0o755) // where it is run by root
	addr := listen(t, func(ctx context.Context) *exec.Cmd { return exec.CommandContext(ctx, sshd, "-i", "-f", config) })
	hostName, port, _ := net.SplitHostPort(addr)
	known := func(key string) string { return "[" + hostName + "]:" + port + " " + read(key+".pub") }
	address := "ssh://" + me.Username + "@" + addr + dir
	home := func(files map[string]string) Options {
		o := options(t)
		for name, text := range files {
			file := filepath.Join(o.Home, ".ssh", name)
			if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(text), 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		return o
	}
	withAgent := home(map[string]string{"known_hosts": known(host)})
	socket := agentWith(t, read(mine))
	withAgent.Env = func(name string) string { return map[string]string{"SSH_AUTH_SOCK": socket}[name] }
	alias := "Host box\n  HostName " + hostName + "\n  Port " + port + "\n  User " + me.Username + "\n  IdentityFile " + mine + "\n"
	for _, test := range []struct {
		name, address string
		opts          Options
		problem       string
	}{
		{"a key file", address, home(map[string]string{"known_hosts": known(host), "id_ed25519": read(mine)}), ""},
		{"an agent", address, withAgent, ""},
		{"the configuration", "ssh://box" + dir, home(map[string]string{"known_hosts": known(host), "config": alias}), ""},
		{"as scp", me.Username + "@box:" + dir, home(map[string]string{"known_hosts": known(host), "config": alias}), ""},
		{"a proxy", "ssh://box" + dir, home(map[string]string{"known_hosts": known(host), "config": alias + "  ProxyJump gate\n"}), "ProxyJump"},
		{"no key", address, home(map[string]string{"known_hosts": known(host)}), "no ssh key to use"},
		{"another key", address, home(map[string]string{"known_hosts": known(host), "id_ed25519": read(other)}), "accepts none of the ssh keys"},
		{"no known hosts", address, home(map[string]string{"id_ed25519": read(mine)}), "known_hosts"},
		{"an unknown host", address, home(map[string]string{"known_hosts": "elsewhere " + read(host+".pub"), "id_ed25519": read(mine)}), "is not in known_hosts"},
		{"a changed host", address, home(map[string]string{"known_hosts": known(other), "id_ed25519": read(mine)}), "someone may be in between"},
		{"no such repository", address + "x", home(map[string]string{"known_hosts": known(host), "id_ed25519": read(mine)}), "does not appear to be a git repository"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := open(t, test.address, test.opts)
			got, report := scanned(t, r.Source(), r.address.String())
			switch {
			case test.problem == "" && (got != want || len(report.Problems) > 0):
				t.Errorf("got %s\nproblems %v", got, report.Problems)
			case test.problem != "" && (len(report.Problems) != 1 || !strings.Contains(report.Problems[0].Error, test.problem) || report.Summary.Complete):
				t.Errorf("problems %v, want %q", report.Problems, test.problem)
			}
		})
	}
}

// agentWith runs an agent that holds a key, and returns its socket.
func agentWith(t *testing.T, key string) (socket string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "agent")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	ring := agent.NewKeyring()
	secret, err := ssh.ParseRawPrivateKey([]byte(key))
	if err := errors.Join(err, ring.Add(agent.AddedKey{PrivateKey: secret})); err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go agent.ServeAgent(ring, conn)
		}
	}()
	return socket
}
