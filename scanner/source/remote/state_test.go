package remote

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/internal/gittest"
	"github.com/b10lint/b10lint/scanner"
	"github.com/b10lint/b10lint/scanner/source"
)

// A remembered repository is one on a server that scans with a state are made of.
type remembered struct {
	*testing.T
	work, bare, url, folder string
	options                 string
	settings                string // as the last scan read them
	posts                   int    // requests for a pack in the last scan
}

func newRemembered(t *testing.T) *remembered {
	root := t.TempDir()
	x := &remembered{T: t, work: filepath.Join(root, "work"), bare: filepath.Join(root, "app.git"), folder: t.TempDir()}
	gittest.Run(t, root, "init", "-q", "-b", "main", x.work)
	gittest.Run(t, root, "init", "-q", "--bare", "-b", "main", x.bare)
	backend := gittest.Backend(root)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			x.posts++
		}
		backend.ServeHTTP(w, r)
	}))
	t.Cleanup(web.Close)
	x.url = web.URL + "/app.git"
	return x
}

func (x *remembered) git(args ...string) string { x.Helper(); return gittest.Run(x.T, x.work, args...) }

func (x *remembered) commit(name, text string) {
	x.Helper()
	if err := os.WriteFile(filepath.Join(x.work, name), []byte(text), 0o644); err != nil {
		x.Fatal(err)
	}
	x.git("add", "-A")
	x.git("commit", "-q", "-m", name)
}

func (x *remembered) push(refs ...string) {
	x.Helper()
	x.git(append([]string{"push", "-q", "-f", x.bare}, refs...)...)
}

func (x *remembered) scan(state string) (string, finding.Report) {
	x.Helper()
	o := options(x.T)
	o.State, o.StateOptions = state, x.options
	o.Arrived = func(ctx context.Context, r *Repository) (f source.Filter, p []finding.Problem) {
		text, err := r.File(ctx, "HEAD", "settings", 1000)
		if x.settings = string(text); err != nil && !errors.Is(err, fs.ErrNotExist) {
			p = append(p, finding.Problem{Error: err.Error()})
		}
		return f, p
	}
	r := open(x.T, x.url, o)
	x.posts = 0
	progress := &scanner.Progress{}
	got, report := scannedWith(x.T, r.Source(), r.address.String(), progress)
	if err := r.Remember(report.Summary.Complete && progress.Hits.Load() == 0); err != nil {
		x.Fatal(err)
	}
	return got, report
}

// want scans, and compares with a scan that remembers nothing.
func (x *remembered) want(what string, requests int, whole, found bool) {
	x.Helper()
	got, report := x.scan(x.folder)
	n, since, had := x.posts, report.Summary.Coverage[0].Scope, x.settings
	all, _ := x.scan("")
	if n != requests || (since == "") != whole {
		x.Errorf("%s: %d requests for a pack, want %d; scope %q", what, n, requests, since)
	}
	if got != all || (len(report.Findings) > 0) != found || had != x.settings {
		x.Errorf("%s: found %s\na whole scan: %s", what, got, all)
	}
	for _, p := range report.Problems {
		if !p.Warning {
			x.Errorf("%s: %v", what, p)
		}
	}
}

// A scan that remembers asks for what is new, and is whole whenever what is known may not
// be enough.
func TestState(t *testing.T) {
	x := newRemembered(t)
	x.commit("settings", "exclude nothing")
	x.commit("a.txt", "one")
	x.push("main")
	x.want("the first scan", 1, true, false)
	x.want("nothing moved", 0, false, false)
	x.commit("b.txt", "two")
	x.push("main", "main:refs/heads/side")
	x.want("new commits", 1, false, false)
	x.push(":refs/heads/side")
	x.want("a reference is gone", 0, false, false)
	x.push("main~1:refs/heads/release")
	x.want("a new reference to an old commit", 2, true, false)
	x.commit("settings", "another")
	x.push("main")
	x.want("other settings", 1, false, false)
	x.commit("d.txt", "four")
	x.push("main")
	if x.want("settings that did not come", 1, false, false); x.settings != "another" {
		t.Errorf("settings are %q", x.settings)
	}
	x.options = "2"
	x.want("other options", 1, true, false)
	x.want("and once more", 0, false, false)

	state := filepath.Join(x.folder, firstName(t, x.folder))
	text, err := os.ReadFile(state)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(state, []byte(strings.Replace(string(text), "main", "mein", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, report := x.scan(x.folder)
	if len(report.Problems) != 1 || !report.Problems[0].Warning || !strings.Contains(report.Problems[0].Error, "is damaged") || x.posts != 1 {
		t.Errorf("a damaged state: %v, %d requests", report.Problems, x.posts)
	}
	x.want("after the damage", 0, false, false)
}

// A key is found by a scan of what is new as by a whole one, and a repository that has one
// is scanned whole until it has none.
func TestStateWithKey(t *testing.T) {
	x := newRemembered(t)
	x.commit("a.txt", "one")
	x.push("main")
	x.want("the first scan", 1, true, false)
	x.commit("k.env", "BASETEN_API_KEY="+fakekey.New(4).B10()+"\n")
	clean, leaked := x.git("rev-parse", "HEAD~1"), x.git("rev-parse", "HEAD")
	x.push("main")
	x.want("a key comes", 1, false, true)
	x.want("it stays", 1, true, true)
	x.git("rm", "-q", "k.env")
	x.git("commit", "-q", "-m", "removed")
	x.push("main")
	x.want("it is removed, and in the history", 1, true, true)
	x.git("revert", "--no-edit", "HEAD")
	x.push("main")
	x.want("it comes back with the old blob", 1, true, true)
	x.git("reset", "-q", "--hard", clean)
	x.commit("c.txt", "three")
	x.push("main")
	x.want("a force push takes it away", 1, true, false)
	x.want("and nothing moves", 0, false, false)
	if data, err := os.ReadFile(filepath.Join(x.folder, firstName(t, x.folder))); err != nil || strings.Contains(string(data), "b10_") {
		t.Errorf("the state has a key in it, or %v", err)
	}
	x.git("reset", "-q", "--hard", leaked)
	x.push("main")
	x.want("a force push brings the old commit back", 1, false, true)
}

func firstName(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatal(fmt.Sprint(entries), err)
	}
	return entries[0].Name()
}

// A scan that was not whole is not remembered.
func TestStateOfPart(t *testing.T) {
	root := small(t)
	o := options(t)
	o.State = t.TempDir()
	r := open(t, "file://"+root+"/none.git", o)
	_, report := scanned(t, r.Source(), r.address.String())
	if report.Summary.Complete {
		t.Error("it is complete")
	}
	if err := r.Remember(true); err != nil {
		t.Fatal(err)
	}
	if entries, _ := os.ReadDir(o.State); len(entries) != 0 {
		t.Errorf("%v is remembered", entries)
	}
}
