package cmd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/b10lint/b10lint/internal/baseten/basetentest"
	"github.com/b10lint/b10lint/secret"
)

// A sample is a command of ours in a page of documentation.
type sample struct {
	page, line string
	whole      bool // a line of shell, which can be run
}

func (s sample) String() string { return s.page + ": " + s.line }

var (
	fence  = regexp.MustCompile("(?ms)^ *```(\\w*)\n(.*?)^ *```")
	inline = regexp.MustCompile("`(b10lint [a-z][^`]*)`")
	// ours finds a command in a line of something else than shell: a transcript, a
	// workflow, the shell's own start-up file.
	ours = regexp.MustCompile(`(?:^|[\s('])(b10lint (?:[a-z]+\b|--)[^;&)$']*)`)
)

// samples are all commands of ours that the pages show.
func samples(t *testing.T) (all []sample) {
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil || len(pages) < 15 {
		t.Fatal(len(pages), err)
	}
	for _, name := range append(pages, "../README.md") {
		page := readFile(t, name)
		name = strings.TrimPrefix(name, "../")
		for _, block := range fence.FindAllStringSubmatch(page, -1) {
			for _, line := range strings.Split(strings.TrimSpace(block[2]), "\n") {
				line = strings.ReplaceAll(line, "go run ./cmd/b10lint", "b10lint")
				if block[1] == "sh" && len(calls(line)) > 0 {
					all = append(all, sample{name, line, true})
				} else if m := ours.FindStringSubmatch(line); m != nil && !words(block[1], line) {
					all = append(all, sample{page: name, line: strings.NewReplacer(`"$@" `, "", `"`, "").Replace(m[1])})
				}
			}
		}
		for _, m := range inline.FindAllStringSubmatch(fence.ReplaceAllString(page, ""), -1) {
			all = append(all, sample{page: name, line: strings.ReplaceAll(m[1], "\n", " ")})
		}
	}
	return all
}

// words reports whether a line of a block only tells of commands.
func words(language, line string) bool {
	flag := language == "" && strings.HasPrefix(strings.TrimSpace(line), "-")
	return flag || language == "python" || strings.Contains(line, "[flags]")
}

// Every command that a page shows is one that the program takes: it exists, and so
// do its flags, and their values mean something.
func TestDocumentedCommandsParse(t *testing.T) {
	all := samples(t)
	for _, s := range all {
		for _, args := range calls(s.line) {
			if s.whole {
				parses(t, s.page, args)
			} else if !mentioned(args) {
				parses(t, s.page, args)
			}
		}
	}
	if len(all) < 120 {
		t.Errorf("only %d commands were found", len(all))
	}
}

// mentioned reports whether a sentence names a command that takes arguments without
// giving any.
func mentioned(args []string) bool {
	c, rest, err := tree()[0].Find(args)
	return err == nil && len(rest) == 0 && c.ValidateArgs(nil) != nil
}

// notRun are the commands of the pages that cannot be run here, with the reason.
var notRun = map[string]string{
	"kubectl":             "needs a cluster; what is fed to b10lint by a pipe is run by the script stdin",
	"docker save":         "needs a Docker daemon; the line below it scans such a file",
	"aws s3":              "needs a bucket",
	"--to-github":         "needs GitHub",
	"--until-idle":        "waits for hours; the script rotate waits for less",
	"vault kv":            "needs a vault; the script rotate runs --exec",
	"github.com/acme/app": "needs the server; the script remote scans a repository at a URL",
	"scan git@":           "needs the server; the tests of scanner/source/remote scan one over ssh",
	"truss push":          "needs Baseten itself; the line below it in docs/truss.md is the same scan",
	"--from audit":        "needs the audit of keys that are unused; the script audit runs it",
	"incident":            "works in a folder of its own; the script incident leaves and takes up each step",
	"receipt ver":         "needs a receipt and its journal; the script revoke-resume checks some",
	"--resume":            "needs the journal of a run that broke off; the scripts revoke and rotate do both",
	"action":              "is run by .ci/integration/act, with events",
	"doctor":              "run by the script hook, which has the program in PATH under its own name",
	"hook run pre":        "run by the script hook, from git",
	"hook run com":        "run by the script hook, from git",
}

// Every line of shell runs against a made-up Baseten in a folder like a user's,
// and is neither refused nor incomplete.
func TestDocumentedCommandsRun(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a program for each of some eighty lines")
	}
	if runtime.GOOS == "windows" {
		t.Skip("the lines are for a POSIX shell")
	}
	_, noJQ := exec.LookPath("jq")
	shared, names := userFolder(t, false)
	ran, used := 0, map[string]bool{}
	for _, s := range samples(t) {
		if !s.whole || slices.ContainsFunc(keysOf(notRun), func(part string) bool {
			skip := strings.Contains(s.line, part)
			used[part] = used[part] || skip
			return skip
		}) {
			continue
		}
		ran++
		t.Run(s.page+"/"+s.line, func(t *testing.T) {
			if noJQ != nil && strings.Contains(s.line, "jq ") {
				t.Skip("needs jq")
			}
			dir, standIns := shared, names
			if changes.MatchString(s.line) {
				dir, standIns = userFolder(t, strings.Contains(s.line, "delete"))
			}
			runLine(t, dir, standIns.Replace(unattended(s.line)))
		})
	}
	if ran < 70 {
		t.Errorf("only %d lines were run", ran)
	}
	for part := range notRun {
		if !used[part] {
			t.Errorf("notRun: no line has %q any more", part)
		}
	}
}

// changes matches the lines that change a key, a file that others read, or the hooks. The
// rest only read, and share a folder.
var changes = regexp.MustCompile(`b10lint (.* )?(revoke|rotate|keys|baseline|hook|--revoke|--fix)\b`)

func keysOf(m map[string]string) (all []string) {
	for k := range m {
		all = append(all, k)
	}
	return all
}

// unattended gives --yes to what asks before it changes anything.
func unattended(line string) string {
	asks := regexp.MustCompile(`b10lint (revoke|rotate|keys delete|scan --revoke)\b`)
	if strings.Contains(line, "--yes") || strings.Contains(line, "--dry-run") {
		return line
	}
	return asks.ReplaceAllString(line, "$0 --yes")
}

// userFolder makes a repository, a home and an organisation as the pages take them to
// be, and says what stands for the values that they made up. ci is whether there is a
// key of that name, which some pages make and some delete.
func userFolder(t *testing.T, ci bool) (dir string, standIns *strings.Replacer) {
	t.Helper()
	org := basetentest.NewOrg("Pages", 8, nil)
	server := basetentest.Start(org)
	t.Cleanup(server.Close)
	admin := org.AddUser("admin@example.com", "Admin", true)
	mine := org.AddKey(basetentest.KeySpec{Name: "admin", Type: "PERSONAL", Owner: admin, CreatedBy: "admin@example.com"})
	if ci {
		org.AddKey(basetentest.KeySpec{Name: "ci", CreatedBy: "admin@example.com"})
	}
	org.AddKey(basetentest.KeySpec{Name: "ci-1", CreatedBy: "admin@example.com"})
	org.AddTeam("research")
	leaked := org.AddKey(basetentest.KeySpec{Name: "ci-deploy", CreatedBy: "admin@example.com"})
	other := org.AddKey(basetentest.KeySpec{Name: "other", CreatedBy: "admin@example.com"})
	model := org.AddModel("whisper")
	idle := time.Now().AddDate(0, 0, -120)
	org.AddKey(basetentest.KeySpec{Name: "idle", Created: idle, LastUsed: &idle, CreatedBy: "admin@example.com"})

	top := t.TempDir()
	dir = filepath.Join(top, "work")
	for name, value := range map[string]string{
		"HOME": filepath.Join(top, "home"), "XDG_STATE_HOME": "", "XDG_CONFIG_HOME": "", "GIT_CONFIG_NOSYSTEM": "1", "NO_COLOR": "1",
		"GIT_AUTHOR_NAME": "x", "GIT_AUTHOR_EMAIL": "x@example.com", "GIT_COMMITTER_NAME": "x", "GIT_COMMITTER_EMAIL": "x@example.com",
		"BASETEN_MANAGEMENT_API_URL_OVERRIDE": server.URL, "BASETEN_INFERENCE_BASE_URL_OVERRIDE": server.InferenceURL,
		"BASETEN_API_KEY": mine.Reveal(),
	} {
		t.Setenv(name, value)
	}
	lay(t, top, map[string]string{
		"home/.trussrc":             "[baseten]\nremote_provider = baseten\nremote_url = " + server.URL + "\napi_key = " + leaked.Reveal() + "\n",
		"home/ada/x":                "x\n",
		"work/src/app.py":           "key = '" + other.Reveal() + "'\n",
		"work/deploy.py":            strings.Repeat("#\n", 11) + "truss.login('" + leaked.Reveal() + "')\n",
		"work/notebooks/run.ipynb":  "{}\n",
		"work/key.txt":              mine.Reveal() + "\n",
		"work/suspects.txt":         leaked.Prefix() + "\n",
		"work/my-model/config.yaml": "model_name: x\n",
		"work/my-model/prod.yaml":   "model_name: x\n",
		"work/app.toml.tmpl":        "key = \"{{.Key}}\"\n",
		"work/session.log":          "all is well\n",
		"work/Makefile":             "test:\n\t@echo fine\n",
		"work/.gitignore":           "*.json\nkey.txt\nout.sarif\n",
	})
	for _, line := range []string{
		"cp -r ../home .. 2>/dev/null; chmod 600 ../home/.trussrc key.txt; git init -q -b main && git add . && git commit -qm start && git update-ref refs/remotes/origin/main HEAD && git commit -q --allow-empty -m next",
		"b10lint scan --verify=probe -f json=scan.json . && exit; for f in report app models; do cp scan.json $f.json; done",
		"b10lint audit -f json=last.json; cp last.json audit.json; b10lint baseline -q 2>/dev/null; b10lint baseline; b10lint revoke --unused 90d --plan plan.json --dry-run",
		"mkdir -p testdata bucket && cp -r src testdata/demo && git clone -q --mirror . mirrors/app.git && tar -cf image.tar src",
	} {
		runLine(t, dir, line)
	}
	for _, k := range []secret.Secret{leaked, other} { // the report's probe used them
		org.Touch(k.Prefix(), idle.AddDate(0, 0, 100))
	}
	return dir, strings.NewReplacer("b10_abcdefgh", leaked.Prefix(), "abcdefgh", leaked.Prefix(), "abcd1234", model,
		"/mnt/home/ada", filepath.Join(top, "home", "ada"), "…", mine.Reveal())
}

func lay(t *testing.T, top string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		name = filepath.Join(top, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
