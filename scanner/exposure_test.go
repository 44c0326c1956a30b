package scanner

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/internal/gittest"
	"github.com/b10lint/b10lint/scanner/source"
	"github.com/b10lint/b10lint/scanner/source/target"
	"github.com/b10lint/b10lint/scanner/source/truss"
	"github.com/b10lint/b10lint/scanner/source/workstation"
)

// openDir is a folder that everyone on the machine may look into.
func openDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} { // TempDir makes the upper one for its owner alone
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if !workstation.Reachable(filepath.Join(dir, "x"), 0o001) {
		t.Skip("the folder for temporary files is closed to others")
	}
	return dir
}

// The table of exposure and severity, each with a real repository or home.
func TestSeverityByExposure(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no mode bits")
	}
	maker := fakekey.New(21)
	for _, c := range []struct {
		name, file string
		mode       os.FileMode
		set        func(dir string)
		truss      bool
		exposure   finding.Exposure
		severity   finding.Severity
	}{
		{"no repository", "a.py", 0o600, nil, false, finding.Plain, finding.High},
		{"tracked", "a.py", 0o600, func(d string) { gittest.Run(t, d, "init", "-q"); gittest.Run(t, d, "add", ".") }, false, finding.Committed, finding.High},
		{"untracked", "a.py", 0o600, func(d string) { gittest.Run(t, d, "init", "-q") }, false, finding.Untracked, finding.High},
		{"ignored", ".env", 0o600, func(d string) { gittest.Run(t, d, "init", "-q"); write(t, d, ".gitignore", ".env") }, false, finding.Ignored, finding.Low},
		{"ignored, for everyone to read", ".env", 0o644, func(d string) { gittest.Run(t, d, "init", "-q"); write(t, d, ".gitignore", ".env") }, false, finding.Ignored, finding.Medium},
		{"ignored, behind a closed folder", ".env", 0o644, func(d string) {
			gittest.Run(t, d, "init", "-q")
			write(t, d, ".gitignore", ".env")
			if err := os.Chmod(d, 0o700); err != nil {
				t.Fatal(err)
			}
		}, false, finding.Ignored, finding.Low},
		{"ignored and tracked", ".env", 0o600, func(d string) {
			gittest.Run(t, d, "init", "-q")
			write(t, d, ".gitignore", ".env")
			gittest.Run(t, d, "add", "-f", ".env")
		}, false, finding.Committed, finding.High},
		{"shipped", ".env.local", 0o600, func(d string) {
			gittest.Run(t, d, "init", "-q")
			write(t, d, ".gitignore", ".env*")
			write(t, d, "config.yaml", "{}")
		}, true, finding.Shipped, finding.High},
		{"home", ".trussrc", 0o600, nil, false, finding.Home, finding.Low},
		{"home, for everyone to read", ".trussrc", 0o644, nil, false, finding.Home, finding.Medium},
		{"home and tracked", ".trussrc", 0o600, func(d string) { gittest.Run(t, d, "init", "-q"); gittest.Run(t, d, "add", ".") }, false, finding.Committed, finding.High},
	} {
		dir := openDir(t)
		write(t, dir, c.file, "BASETEN_API_KEY="+maker.B10())
		if err := os.Chmod(filepath.Join(dir, c.file), c.mode); err != nil {
			t.Fatal(err)
		}
		if c.set != nil {
			c.set(dir)
		}
		home := workstation.Options{Dir: dir, System: "linux"}
		sources := []source.Source{target.Of(dir, target.Options{NoHistory: true, Home: home})}
		switch {
		case c.truss:
			sources = []source.Source{truss.Uploads(dir, truss.Options{})}
		case c.file == ".trussrc": // by a folder scan and by name alike
			sources = append(sources, workstation.Home(home))
		default:
			home.Dir = ""
			sources = []source.Source{target.Of(dir, target.Options{NoHistory: true})}
		}
		for _, s := range sources {
			r := scan(t, finding.LowConfidence, s)
			if len(r.Findings) != 1 || r.Findings[0].Exposure != c.exposure || r.Findings[0].Severity != c.severity || !r.Summary.Complete {
				t.Errorf("%s: %+v %+v", c.name, r.Findings, r.Problems)
			}
		}
	}
}

// The place that decides stands first.
func TestWidestPlaceFirst(t *testing.T) {
	dir := t.TempDir()
	key := fakekey.New(22).B10()
	write(t, dir, ".env", "BASETEN_API_KEY="+key)
	write(t, dir, ".gitignore", ".env")
	write(t, dir, "z.py", "baseten.login('"+key+"')")
	gittest.Run(t, dir, "init", "-q")
	r := scan(t, finding.LowConfidence, target.Of(dir, target.Options{NoHistory: true}))
	if len(r.Findings) != 1 || filepath.Base(r.place(0, 0).Path) != "z.py" || r.place(0, 1).Exposure != finding.Ignored || r.place(0, 0).Context != "login-call" {
		t.Errorf("%+v", r.Findings)
	}
}
