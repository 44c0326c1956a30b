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

// A scan that remembers asks for what is new, finds in it what a whole scan finds, and is
// whole whenever what is known may not be enough.
func TestState(t *testing.T) {
	root := t.TempDir()
	work, bare := filepath.Join(root, "work"), filepath.Join(root, "app.git")
	gittest.Run(t, root, "init", "-q", "-b", "main", work)
	gittest.Run(t, root, "init", "-q", "--bare", "-b", "main", bare)
	m := fakekey.New(4)
	run := func(args ...string) string { t.Helper(); return gittest.Run(t, work, args...) }
	commit := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(work, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		run("add", "-A")
		run("commit", "-q", "-m", name)
	}
	push := func(refs ...string) { t.Helper(); run(append([]string{"push", "-q", "-f", bare}, refs...)...) }
	var posts []string
	backend := gittest.Backend(root)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			posts = append(posts, r.URL.Path)
		}
		backend.ServeHTTP(w, r)
	}))
	t.Cleanup(web.Close)
	folder, options1, settings := t.TempDir(), "1", ""
	scan := func(state string) (string, finding.Report) {
		t.Helper()
		o := options(t)
		o.State, o.StateOptions = state, options1
		o.Arrived = func(ctx context.Context, r *Repository) (f source.Filter, p []finding.Problem) {
			text, err := r.File(ctx, "HEAD", "settings", 1000)
			if settings = string(text); err != nil && !errors.Is(err, fs.ErrNotExist) {
				p = append(p, finding.Problem{Error: err.Error()})
			}
			return f, p
		}
		r := open(t, web.URL+"/app.git", o)
		posts = nil
		progress := &scanner.Progress{}
		got, report := scannedWith(t, r.Source(), r.address.String(), progress)
		if err := r.Remember(report.Summary.Complete && progress.Hits.Load() == 0); err != nil {
			t.Fatal(err)
		}
		return got, report
	}
	// want scans, and compares with a scan that remembers nothing.
	want := func(what string, requests int, whole, found bool) {
		t.Helper()
		got, report := scan(folder)
		n, since, had := len(posts), report.Summary.Coverage[0].Scope, settings
		all, _ := scan("")
		if n != requests || (since == "") != whole {
			t.Errorf("%s: %d requests for a pack, want %d; scope %q", what, n, requests, since)
		}
		if got != all || (len(report.Findings) > 0) != found || had != settings {
			t.Errorf("%s: found %s\na whole scan: %s", what, got, all)
		}
		for _, p := range report.Problems {
			if !p.Warning {
				t.Errorf("%s: %v", what, p)
			}
		}
	}
	commit("settings", "exclude nothing")
	commit("a.txt", "one")
	push("main")
	want("the first scan", 1, true, false)
	want("nothing moved", 0, false, false)
	commit("b.txt", "two")
	push("main", "main:refs/heads/side")
	want("new commits", 1, false, false)
	if len(posts) != 1 {
		t.Error("the whole scan asked for nothing")
	}
	push(":refs/heads/side")
	want("a reference is gone", 0, false, false)
	push("main~1:refs/heads/release")
	want("a new reference to an old commit", 2, true, false)
	options1 = "2"
	want("other options", 1, true, false)
	want("and once more", 0, false, false)

	state := filepath.Join(folder, firstName(t, folder))
	text, err := os.ReadFile(state)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(state, []byte(strings.Replace(string(text), "main", "mein", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, report := scan(folder)
	if len(report.Problems) != 1 || !report.Problems[0].Warning || !strings.Contains(report.Problems[0].Error, "is damaged") || len(posts) != 1 {
		t.Errorf("a damaged state: %v, %d requests", report.Problems, len(posts))
	}
	want("after the damage", 0, false, false)

	key := "BASETEN_API_KEY=" + m.B10() + "\n"
	commit("k.env", key)
	clean, leaked := run("rev-parse", "HEAD~1"), run("rev-parse", "HEAD")
	push("main")
	want("a key comes", 1, false, true)
	want("it stays", 1, true, true)
	run("rm", "-q", "k.env")
	run("commit", "-q", "-m", "removed")
	push("main")
	want("it is removed, and in the history", 1, true, true)
	run("revert", "--no-edit", "HEAD")
	push("main")
	want("it comes back with the old blob", 1, true, true)
	run("reset", "-q", "--hard", clean)
	commit("c.txt", "three")
	push("main")
	want("a force push takes it away", 1, true, false)
	want("and nothing moves", 0, false, false)
	run("reset", "-q", "--hard", leaked)
	push("main")
	want("a force push brings the old commit back", 1, false, true)
	run("reset", "-q", "--hard", clean)
	push("main")
	want("gone again", 1, true, false)
	commit("settings", "another")
	push("main")
	want("other settings", 1, false, false)
	if settings != "another" {
		t.Errorf("settings are %q", settings)
	}
	commit("d.txt", "four")
	push("main")
	want("settings that did not come", 1, false, false)
	if settings != "another" {
		t.Errorf("settings are %q", settings)
	}
	if data, err := os.ReadFile(filepath.Join(folder, firstName(t, folder))); err != nil || strings.Contains(string(data), "b10_") {
		t.Errorf("the state has a key in it, or %v", err)
	}
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
