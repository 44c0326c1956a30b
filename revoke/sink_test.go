package revoke

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/secret"
)

func TestEnvFile(t *testing.T) {
	key := fakekey.New(1).B10()
	for name, c := range map[string]struct{ old, want string }{
		"none":               {"", "K=@\n"},
		"others":             {"A=1\n", "A=1\nK=@\n"},
		"no line end":        {"A=1", "A=1\nK=@\n"},
		"windows":            {"A=1\r\nK=old\r\nB=2\r\n", "A=1\r\nK=@\r\nB=2\r\n"},
		"plain":              {"K=old\nB=2\n", "K=@\nB=2\n"},
		"empty":              {"K=\n", "K=@\n"},
		"exported, quoted":   {"  export K = 'old' # c\n", "  export K = '@' # c\n"},
		"comment":            {"K=old # mine\n", "K=@ # mine\n"},
		"longer name":        {"KK=1\nXK=2\n", "KK=1\nXK=2\nK=@\n"},
		"commented out":      {"#K=1\n", "#K=1\nK=@\n"},
		"twice":              {"K=1\nK=2\n", ""},
		"over several lines": {"K=\"a\nb\"\n", ""},
	} {
		path := filepath.Join(t.TempDir(), ".env")
		f, err := EnvFile(path, "K")
		if err != nil {
			t.Fatal(err)
		}
		got, err := f.Edit([]byte(c.old), key)
		if want := strings.ReplaceAll(c.want, "@", key); string(got) != want || (err != nil) != (want == "") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := EnvFile("x", "not a name"); err == nil {
		t.Error("a bad name was taken")
	}
}

// TestSinksReadBack: each sink that is a file gives back what was delivered, and
// then what was there before.
func TestSinksReadBack(t *testing.T) {
	key := secret.New(fakekey.New(1).B10())
	dir := t.TempDir()
	template := filepath.Join(dir, "template")
	if err := os.WriteFile(template, []byte("[x]\nprefix = {{.Prefix}}\nkey = \"{{.Key}}\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	kube := SinkSpec{Name: "baseten", Key: "api-key", Namespace: "ml", Path: filepath.Join(dir, "secret.yaml")}
	for name, open := range map[string]func() (*File, error){
		"dotenv":     func() (*File, error) { return EnvFile(filepath.Join(dir, ".env"), "K") },
		"template":   func() (*File, error) { return Template(filepath.Join(dir, "out.toml"), template) },
		"kubernetes": func() (*File, error) { return KubernetesFile(kube) },
	} {
		ctx := context.Background()
		for _, before := range []bool{false, true} {
			f, err := open()
			if err != nil {
				t.Fatal(err)
			}
			if err := f.Ready(ctx); err != nil {
				t.Errorf("%s: not ready: %v", name, err)
			}
			if err := f.Deliver(ctx, key); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			got, ok, readable, err := f.Read(ctx, key.Prefix())
			if !ok || !readable || err != nil || !got.Equal(key) {
				t.Errorf("%s: read back: %v %v %v", name, ok, readable, err)
			}
			info, err := os.Stat(f.Path)
			if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
				t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
			}
			if before {
				continue
			}
			if undone, err := f.Restore(ctx); !undone || err != nil {
				t.Errorf("%s: restore: %v %v", name, undone, err)
			}
			if _, err := os.Stat(f.Path); err == nil {
				t.Errorf("%s: a file is left", name)
			}
		}
	}
	if got := manifestOf(t, kube.Path); !strings.HasPrefix(got, "apiVersion: v1\nkind: Secret\nmetadata:\n  name: \"baseten\"\n  namespace: \"ml\"\n") {
		t.Error("the manifest has another form")
	}
	if err := os.WriteFile(kube.Path, []byte("kind: ConfigMap\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, _ := KubernetesFile(kube)
	if err := f.Ready(context.Background()); err == nil {
		t.Error("a file with something else would be overwritten")
	}
}

func manifestOf(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestTemplateWithoutKey(t *testing.T) {
	template := filepath.Join(t.TempDir(), "template")
	for text, says := range map[string]string{"nothing": "{{.Key}}", "{{.Key": "template", "{{.Other}}": "template"} {
		if err := os.WriteFile(template, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := Template(filepath.Join(t.TempDir(), "out"), template)
		if err == nil {
			err = f.Ready(context.Background())
		}
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestCommandSecrecy: the key is nowhere in the list of processes while the
// command runs, and masked in what it prints.
func TestCommandSecrecy(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs /proc")
	}
	key := secret.New(fakekey.New(uint64(os.Getpid()) + 1<<40).B10()) // no other process has it: other tests run, too
	dir := t.TempDir()
	var log bytes.Buffer
	c := &Command{Program: Program{Log: &log}, Args: []string{"/bin/sh", "-c",
		`cat > "$0/got"; cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ > "$0/ps" 2> /dev/null; cat "$0/got"; base64 -w 0 "$0/got" >&2; exit 0`, dir}}
	if err := c.Ready(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := c.Deliver(context.Background(), key); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "got"))
	if err != nil || !bytes.Equal(got, []byte(key.Reveal())) {
		t.Errorf("the command got %d bytes, %v", len(got), err)
	}
	ps, err := os.ReadFile(filepath.Join(dir, "ps"))
	if err != nil || !bytes.Contains(ps, []byte(dir)) {
		t.Errorf("the list of processes has %d bytes, %v", len(ps), err)
	}
	hidden(t, "the list of processes", string(ps), key)
	hidden(t, "the command's words", log.String(), key)
	if !strings.Contains(log.String(), "****") {
		t.Error("what the command printed did not come through")
	}
	c.Args = []string{"/bin/sh", "-c", "exit 3"}
	if err := c.Deliver(context.Background(), key); err == nil || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("%v", err)
	}
}

// TestGitHubSecret runs gh, or a stand-in that takes what gh takes.
func TestGitHubSecret(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil || runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
	dir := t.TempDir()
	script := "#!/bin/sh\necho \"$@\" > '" + dir + "/args'\ncat > '" + dir + "/got'\n"
	if err := os.WriteFile(filepath.Join(dir, "gh"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	key := secret.New(fakekey.New(1).B10())
	c, err := GitHubSecret(SinkSpec{Name: "BASETEN_API_KEY", Repo: "acme/app"}, Program{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Deliver(context.Background(), key); err != nil {
		t.Fatal(err)
	}
	args, _ := os.ReadFile(filepath.Join(dir, "args"))
	got, _ := os.ReadFile(filepath.Join(dir, "got"))
	if string(args) != "secret set BASETEN_API_KEY --repo acme/app\n" || string(got) != key.Reveal() {
		t.Errorf("gh was called with %q and got %d bytes", args, len(got))
	}
	for _, bad := range [][2]string{{"A B", ""}, {"A", "--body"}, {"A", "x"}, {"-A", "a/b"}, {"A", "a/--web"}, {"A", "a/b\n"}} {
		if _, err := GitHubSecret(SinkSpec{Name: bad[0], Repo: bad[1]}, Program{}); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// TestProgramSecrecy: what a program says of its input is not repeated in the error.
func TestProgramSecrecy(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
	key := fakekey.New(1).B10()
	text := key + " " + base64.StdEncoding.EncodeToString([]byte(key)) + " end"
	_, err := Program{}.run(context.Background(), []byte(text), "sh", "-c", "cat >&2; exit 3")
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.HasSuffix(err.Error(), " end") || errors.Is(err, ErrUncertain) {
		t.Error(err)
	}
	hidden(t, "the error", err.Error()+fmt.Sprintf("%+v", err), secret.New(key))
	if _, err := (Program{}).run(context.Background(), nil, "sh", "-c", "kill -9 $$"); !errors.Is(err, ErrUncertain) {
		t.Error(err)
	}
}

// FuzzEnvFile: whatever the file, the edit changes one line at most and holds
// the key, or is refused.
func FuzzEnvFile(f *testing.F) {
	f.Add([]byte("A=1\nexport K=\"old\" # c\n")) // in the middle
	f.Add([]byte("K='open\n"))                   // a value that does not end
	f.Add([]byte("K=a\\\nb\n"))                  // continued
	key := fakekey.New(1).B10()
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := EnvFile("x", "K")
		if err != nil {
			t.Fatal(err)
		}
		out, err := file.Edit(data, key)
		if err != nil {
			return
		}
		if !bytes.Contains(out, []byte(key)) {
			t.Error("the key is not in it")
		}
		if before, after := bytes.Count(data, []byte("\n")), bytes.Count(out, []byte("\n")); after < before || after > before+2 {
			t.Errorf("%d lines, then %d", before, after)
		}
	})
}
