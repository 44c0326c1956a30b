package cmd_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/cmd"
	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/scanner/source/workstation"
)

// A homeReport is what -f json says, as far as these tests ask.
type homeReport struct {
	Findings []finding.Finding
	Problems []finding.Problem
	Summary  finding.Summary
}

// scanHome runs scan --home=DIR for a home that is not the process's own.
func scanHome(t *testing.T, dir string) (int, homeReport) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := cmd.Main(context.Background(), cmd.Env{
		Args: []string{"scan", "--home=" + dir, "-f", "json"}, Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
		Lookup: func(string) (string, bool) { return "", false }, Environ: func() []string { return nil },
	})
	return code, parseReport(t, stdout.Bytes(), stderr.String())
}

func parseReport(t *testing.T, data []byte, stderr string) (r homeReport) {
	t.Helper()
	if err := json.Unmarshal(data, &r); err != nil || stderr != "" {
		t.Fatalf("%v: %.300s: %s", err, data, stderr)
	}
	return r
}

// plant puts a file at every place of the table and returns their paths. secret
// makes what is kept in each.
func plant(t *testing.T, dir string, secret func(name string) string) (names []string) {
	t.Helper()
	seen := map[string]bool{}
	for _, p := range workstation.Places(workstation.Options{Dir: filepath.ToSlash(dir)}) {
		name := strings.ReplaceAll(p.Path, "*", "x")
		if seen[name] {
			continue
		}
		seen[name] = true
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		value := secret(name)
		text := "[baseten]\nremote_provider = baseten\nremote_url = https://app.baseten.co\napi_key = " + value + "\n"
		if strings.HasSuffix(name, ".json") {
			text = fmt.Sprintf("{\n\"api_key\": %q}", value)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	return names
}

func none(string) string { return "" }

func TestHomeWithEveryPlacePlanted(t *testing.T) {
	dir, keys := t.TempDir(), fakekey.New(41)
	planted := map[string]string{} // the prefix of the key, by path
	names := plant(t, dir, func(name string) string {
		key := keys.B10()
		planted[name], _, _ = strings.Cut(key, ".")
		return key
	})
	code, r := scanHome(t, dir)
	if code != cmd.ExitClean || !r.Summary.Complete || len(r.Findings) != len(names) || len(names) < 100 {
		t.Errorf("exit %d, %d findings in %d places, %+v", code, len(r.Findings), len(names), r.Problems)
	}
	advice := map[string]string{}
	for _, f := range r.Findings {
		at := f.Locations[0]
		if f.Rule != "leaked-key" || f.Prefix != planted[at.Path] || f.Exposure != finding.Home || f.Severity != finding.Low || f.Advice == "" {
			t.Errorf("%s: %s %s %s", at.Path, f.Rule, f.Exposure, f.Severity)
		}
		advice[strings.TrimPrefix(at.Path, filepath.ToSlash(dir)+"/")] = f.Advice
	}
	for name, say := range map[string]string{
		".trussrc": "chmod 600 ~/.trussrc", ".bash_history": "Delete the line from the history", ".bashrc": "Start-up files", ".claude/settingsx.json": "${BASETEN_API_KEY}",
		".netrc": "curl and git send", ".docker/config.json": "credential helper", ".litellm/config.yaml": "os.environ/BASETEN_API_KEY", ".truss/secrets/x": "~/.truss", ".env": "dotenv file",
	} {
		if a, found := advice[name]; !found || !strings.Contains(a, say) {
			t.Errorf("%s: advice %q", name, a)
		}
	}
}

func TestHomeWithNothingPlanted(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, none)
	if code, r := scanHome(t, dir); code != cmd.ExitClean || len(r.Findings)+len(r.Problems) != 0 || !r.Summary.Complete {
		t.Errorf("exit %d, %+v", code, r)
	}
	if code, r := scanHome(t, t.TempDir()); code != cmd.ExitClean || len(r.Findings)+len(r.Problems) != 0 || r.Summary.Files != 0 {
		t.Errorf("an empty home: exit %d, %+v", code, r)
	}
}

// Every second file may not be read. Run as root, it runs the program as nobody.
func TestHomeHalfUnreadable(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no mode bits")
	}
	dir := t.TempDir()
	names := plant(t, dir, none)
	closed := map[string]bool{}
	for i, name := range names {
		if i%2 == 0 {
			closed[name] = true
			if err := os.Chmod(name, 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	stdout, stderr, code := runUnprivileged(t, dir, "scan", "--home="+dir, "-f", "json")
	r := parseReport(t, stdout, stderr)
	if code != cmd.ExitIncomplete || r.Summary.Complete || len(r.Findings) != 0 || len(r.Problems) != len(closed) || r.Summary.Files != int64(len(names)-len(closed)) {
		t.Errorf("exit %d, %d problems of %d, %d findings, %+v", code, len(r.Problems), len(closed), len(r.Findings), r.Summary)
	}
	for _, p := range r.Problems {
		if !closed[p.Path] || !strings.Contains(p.Error, "permission denied") {
			t.Errorf("%+v", p)
		}
	}
	stdout, _, _ = runUnprivileged(t, dir, "scan", "--home="+dir)
	if !strings.Contains(string(stdout), "INCOMPLETE") {
		t.Errorf("%s", stdout)
	}
}

// A home of many files: only those of the table are looked at. The count, and not a
// time, is held; bench/home.sh measures.
func TestHomeReadsItsTableAlone(t *testing.T) {
	dir, keys := t.TempDir(), fakekey.New(42)
	for i := range 3000 {
		name := filepath.Join(dir, "src", fmt.Sprint(i%50), fmt.Sprintf("%d.env", i))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("BASETEN_API_KEY="+keys.B10()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	names := plant(t, dir, none)
	if code, r := scanHome(t, dir); code != cmd.ExitClean || len(r.Findings) != 0 || r.Summary.Files != int64(len(names)) {
		t.Errorf("exit %d, %d findings, %d files of %d", code, len(r.Findings), r.Summary.Files, len(names))
	}
}

// openTo gives everyone on the machine a folder, with what it holds; files keep
// their modes.
func openTo(t *testing.T, dir string, owner int) {
	t.Helper()
	for _, d := range []string{dir, filepath.Dir(dir)} { // TempDir makes the upper one for its owner alone
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	err := filepath.WalkDir(dir, func(name string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(name, owner, owner)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Every command of the two pages runs, on a home and a truss like a user's.
func TestPlacesPagesCommands(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the pages' commands are for a POSIX shell")
	}
	work, pushed := t.TempDir(), ""
	for name, text := range map[string]string{
		"home/.trussrc": "[baseten]\nremote_provider = baseten\napi_key = " + fakekey.New(43).B10() + "\n", "ada/.bashrc": "",
		"my-model/config.yaml": "model_name: x\n", "prod.yaml": "model_name: y\n",
		"bin/truss": "#!/bin/sh\necho \"$@\" >pushed\n", // stands for a program that is not here
	} {
		full := filepath.Join(work, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("HOME", filepath.Join(work, "home"))
	t.Setenv("PATH", filepath.Join(work, "bin")+string(filepath.ListSeparator)+os.Getenv("PATH"))
	ran := 0
	for _, page := range []string{"../docs/home.md", "../docs/truss.md"} {
		for _, line := range shellLines(readFile(t, page)) {
			ran++
			c := exec.CommandContext(t.Context(), "sh", "-c", strings.ReplaceAll(line, "/mnt/home/ada", "ada"))
			c.Dir = work
			out, err := c.CombinedOutput()
			exit := (*exec.ExitError)(nil)
			if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != cmd.ExitFindings) || strings.Contains(string(out), "error:") || len(out) == 0 {
				t.Errorf("%s: %v\n%s", line, err, out)
			}
		}
	}
	if data, err := os.ReadFile(filepath.Join(work, "pushed")); err == nil {
		pushed = string(data)
	}
	if ran != 10 || pushed != "push my-model\n" {
		t.Errorf("%d commands, pushed %q", ran, pushed)
	}
	if info, err := os.Stat(filepath.Join(work, "home", ".trussrc")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("--fix: %v %v", info, err)
	}
}
