package workstation

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/internal/gittest"
	"github.com/b10lint/b10lint/scanner"
	"github.com/b10lint/b10lint/scanner/source"
	"github.com/b10lint/b10lint/scanner/source/disk"
	"github.com/b10lint/b10lint/scanner/source/truss"
)

// A files is a made folder: names, with "/" for folders, to texts.
type files map[string]string

func (f files) make(t *testing.T, dir string, mode fs.FileMode) {
	t.Helper()
	for name, text := range f {
		full := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(full, mode); err != nil {
			t.Fatal(err)
		}
	}
}

// brief is one finding in a line: rule, severity, where.
func brief(dir string, fs []finding.Finding) []string {
	out := []string{}
	for _, f := range fs {
		var at []string
		for _, l := range f.Locations {
			at = append(at, fmt.Sprintf("%s:%d:%d", strings.TrimPrefix(l.Path, filepath.ToSlash(dir)+"/"), l.Line, l.Column))
		}
		out = append(out, fmt.Sprintf("%s %s %s", f.Rule, f.Severity, strings.Join(at, " ")))
	}
	slices.Sort(out)
	return out
}

// noSecrets checks that nothing that is reported holds one of the keys.
func noSecrets(t *testing.T, in any, secrets ...string) {
	t.Helper()
	data, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range secrets {
		_, half, found := strings.Cut(s, ".")
		if !found {
			half = s
		}
		if strings.Contains(string(data), half) || strings.Contains(fmt.Sprintf("%+v", in), half) {
			t.Errorf("a secret is in the report")
		}
	}
}

func TestInspectHome(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no mode bits")
	}
	keys := fakekey.New(1)
	k1, k2, token := keys.B10(), keys.Legacy(), keys.Word(64)
	dir := t.TempDir()
	files{
		".trussrc": "[baseten]\nremote_provider = baseten\nremote_url = https://app.baseten.co\napi_key = " + k1 + "\n" +
			"[lan]\nremote_url = http://10.0.0.1:8000\napi_key = " + k1 + "\n[sso]\nauth_type = oauth\noauth_refresh_token = " + token + "\n[odd]\nteam = 50%\n",
		".config/baseten/auth.json":      `{"version":1,"profiles":{"ci":{"remote_url":"https://app.baseten.co","auth_type":"api_key","api_key":"` + k1 + `"}}}`,
		".truss/secrets/hf":              "anything",
		".truss/config.yaml":             "secrets:\n  a: b\n",
		".claude/settings.json":          `{"env":{"ANTHROPIC_BASE_URL":"https://inference.baseten.co","ANTHROPIC_AUTH_TOKEN":"` + k2 + `"}}`,
		".codex/config.toml":             "model = \"x\"\n", // readable, but there is no key in it
		".config/opencode/opencode.json": "{}",
	}.make(t, dir, 0o644)
	o := Options{Dir: dir, System: "linux"}
	in := InspectHome(o)
	noSecrets(t, in, k1, k2, token)
	want := []string{
		"key-file-readable medium .claude/settings.json:0:0",
		"key-file-readable medium .config/baseten/auth.json:0:0",
		"key-file-readable medium .truss/config.yaml:0:0",
		"key-file-readable medium .truss/secrets/hf:0:0",
		"key-shared-between-remotes low .trussrc:4:11 .trussrc:7:11 .config/baseten/auth.json:1:103",
		"oauth-token-at-rest low .trussrc:10:23",
		"remote-url-insecure high .trussrc:6:0",
		"trussrc-invalid low .trussrc:12:0",
		"trussrc-readable medium .trussrc:0:0",
	}
	got := brief(dir, in.Findings)
	if !Reachable(filepath.Join(dir, ".trussrc"), 0o001) { // the test's own folder is closed
		for i := range want {
			want[i] = strings.Replace(want[i], "readable medium", "readable low", 1)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	checkFixes(t, o, in)
}

func checkFixes(t *testing.T, o Options, in Inspection) {
	t.Helper()
	before := listing(t, o.Dir)
	for _, r := range FixModes(in.Modes) {
		if r.Err != nil || r.From&0o044 == 0 || r.To&0o077 != 0 {
			t.Errorf("%+v", r)
		}
	}
	if diff := cmp.Diff(before, listing(t, o.Dir)); diff != "" {
		t.Errorf("a fix changed more than modes:\n%s", diff)
	}
	again := InspectHome(o)
	for _, f := range again.Findings {
		if strings.Contains(f.Rule, "readable") {
			t.Errorf("still there: %s", f.Message)
		}
	}
	if len(again.Modes) != 0 {
		t.Errorf("still planned: %+v", again.Modes)
	}
	for _, r := range FixModes(in.Modes) {
		if r.Err == nil || !strings.Contains(r.Err.Error(), "by now") {
			t.Errorf("a plan that is out of date was carried out: %+v", r)
		}
	}
}

// listing is the names and contents of a folder.
func listing(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		out[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestInspectQuietHome(t *testing.T) {
	dir := t.TempDir()
	files{
		".trussrc":          "[baseten]\nremote_provider = baseten\nremote_url = https://app.baseten.co\napi_key = " + fakekey.New(2).B10() + "\n",
		".truss/secrets/hf": "x",
	}.make(t, dir, 0o600)
	if in := InspectHome(Options{Dir: dir}); len(in.Findings)+len(in.Problems)+len(in.Modes) != 0 {
		t.Errorf("%+v", in)
	}
	if in := InspectHome(Options{Dir: t.TempDir()}); len(in.Findings)+len(in.Problems) != 0 {
		t.Errorf("empty home: %+v", in)
	}
}

func TestInspectOldAuthFile(t *testing.T) {
	dir := t.TempDir()
	token := fakekey.New(3).Word(50)
	files{".config/baseten/auth.json": `{"version":1,"hosts":{"evil.example":{"users":{"me":{"auth_type":"oauth","oauth_credential":{"refresh_token":"` + token + `"}}}}}}`}.make(t, dir, 0o600)
	in := InspectHome(Options{Dir: dir, System: "linux"})
	noSecrets(t, in, token)
	want := []string{"oauth-token-at-rest low .config/baseten/auth.json:1:111", "remote-url-insecure medium .config/baseten/auth.json:0:0"}
	if diff := cmp.Diff(want, brief(dir, in.Findings)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	files{".config/baseten/auth.json": "{"}.make(t, dir, 0o600)
	if in := InspectHome(Options{Dir: dir, System: "linux"}); len(in.Problems) != 1 {
		t.Errorf("%+v", in)
	}
}

func TestInspectTracked(t *testing.T) {
	rc := files{".trussrc": "[baseten]\napi_key = " + fakekey.New(4).B10() + "\n"}
	for _, c := range []struct {
		name, want string
		set        func(dir string)
	}{
		{"no repository", "", func(string) {}},
		{"tracked", "high", func(d string) { gittest.Run(t, d, "init", "-q"); gittest.Run(t, d, "add", ".trussrc") }},
		{"tracked and ignored", "high", func(d string) {
			gittest.Run(t, d, "init", "-q")
			files{".gitignore": ".trussrc\n"}.make(t, d, 0o644)
			gittest.Run(t, d, "add", "-f", ".trussrc")
		}},
		{"untracked", "medium", func(d string) { gittest.Run(t, d, "init", "-q") }},
		{"ignored", "", func(d string) { gittest.Run(t, d, "init", "-q"); files{".gitignore": ".t*\n"}.make(t, d, 0o644) }},
		{"excluded", "", func(d string) {
			gittest.Run(t, d, "init", "-q")
			files{".git/info/exclude": ".trussrc\n"}.make(t, d, 0o644)
		}},
		{"link into a dotfiles repository", "high", func(d string) {
			if runtime.GOOS == "windows" {
				t.Skip("no links")
			}
			dots := filepath.Join(d, "dots")
			rc.make(t, dots, 0o600)
			gittest.Run(t, dots, "init", "-q")
			gittest.Run(t, dots, "add", ".trussrc")
			if err := os.Remove(filepath.Join(d, ".trussrc")); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("dots/.trussrc", filepath.Join(d, ".trussrc")); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		dir := t.TempDir()
		rc.make(t, dir, 0o600)
		c.set(dir)
		in := InspectHome(Options{Dir: dir})
		got := ""
		for _, f := range in.Findings {
			got += f.Severity.String()
			if f.Rule != "trussrc-tracked" {
				t.Errorf("%s: %s", c.name, f.Message)
			}
		}
		if got != c.want || len(in.Problems) != 0 {
			t.Errorf("%s: %q, want %q %+v", c.name, got, c.want, in.Problems)
		}
	}
	dir := t.TempDir()
	rc.make(t, dir, 0o600)
	gittest.Run(t, dir, "init", "-q")
	files{".git/index": "broken"}.make(t, dir, 0o600)
	if in := InspectHome(Options{Dir: dir}); len(in.Problems) != 1 || len(in.Findings) != 0 {
		t.Errorf("broken index: %+v", in)
	}
}

func TestInspectTruss(t *testing.T) {
	dir := t.TempDir()
	files{
		"config.yaml":     "model_name: x\nsecrets:\n  hf_access_token: s3cret-value\n  other: null\n",
		".env":            "", // the built-in list leaves it out
		".env.production": "A=1", ".env.example": "A=", "data/.trussrc": "", "model.py": "",
	}.make(t, dir, 0o644)
	got := truss.Inspect(dir, truss.Options{})
	noSecrets(t, got, "s3cret-value")
	want := []string{"truss-secret-value high config.yaml:3:20", "truss-ships-credentials-file low .env.production:0:0", "truss-ships-credentials-file low data/.trussrc:0:0"}
	if diff := cmp.Diff(want, brief(dir, got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, f := range got {
		if f.Exposure != finding.Shipped || f.Locations[0].Exposure != finding.Shipped || f.Advice == "" {
			t.Errorf("%+v", f)
		}
	}
	files{".truss_ignore": "data\n"}.make(t, dir, 0o644)
	if got := brief(dir, truss.Inspect(dir, truss.Options{})); len(got) != 4 || got[0] != "truss-ignore-open medium .truss_ignore:0:0" || got[2] != "truss-ships-credentials-file low .env.production:0:0" || got[3] != "truss-ships-credentials-file low .env:0:0" {
		t.Errorf("with an own list: %q", got)
	}
}

// A .trussrc in a folder is judged as one in the home is, once for each file.
func TestTrussrcMet(t *testing.T) {
	dir := t.TempDir()
	m := fakekey.New(23)
	key := m.B10()
	files{"tracked/.trussrc": "[baseten]\nremote_url = http://10.0.0.1\napi_key = " + key + "\n"}.make(t, dir, 0o600)
	files{"new/.trussrc": "[a]\nremote_url = https://app.baseten.co\napi_key = " + key + "\n"}.make(t, dir, 0o600)
	files{"ignored/.trussrc": "[b]\nauth_type = oauth\noauth_refresh_token = " + m.Word(64) + "\n"}.make(t, dir, 0o600)
	files{"empty/.trussrc": ""}.make(t, dir, 0o600)
	files{".gitignore": "ignored\n"}.make(t, dir, 0o600)
	for _, name := range []string{"tracked", "new", "ignored", "empty"} {
		if err := os.Chmod(filepath.Join(dir, name, ".trussrc"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	gittest.Run(t, dir, "init", "-q")
	gittest.Run(t, dir, "add", "tracked")
	locate := func(ctx context.Context, hits []source.Hit) (out [][]finding.Location, err error) {
		for _, hit := range hits {
			found, err := Locate(ctx, Options{}, []finding.Location{hit.At})
			if err != nil {
				return nil, err
			}
			out = append(out, found)
		}
		return out, nil
	}
	src := source.Source{Walk: disk.Dir(dir, disk.Options{SkipGit: true}).Walk, Locate: locate}
	r, found, err := scanner.Scan(t.Context(), source.Target{Source: src}, scanner.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r.Findings = append(r.Findings, InspectTrussrcs(Options{}, found.TrussFiles).Findings...)
	want := []string{
		"key-shared-between-remotes low new/.trussrc:3:11 tracked/.trussrc:3:11",
		"leaked-key high tracked/.trussrc:3:11 new/.trussrc:3:11",
		"oauth-token-at-rest low ignored/.trussrc:3:23",
		"remote-url-insecure high tracked/.trussrc:2:0",
		"trussrc-tracked high tracked/.trussrc:0:0",
		"trussrc-tracked medium new/.trussrc:0:0",
	}
	if diff := cmp.Diff(want, brief(dir, r.Findings)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !r.Summary.Complete || r.Findings[0].Rule != "leaked-key" {
		t.Errorf("%+v", r.Summary)
	}
	noSecrets(t, r.Findings, key)
}
