package cmd_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/b10lint/b10lint/cmd"
	"github.com/b10lint/b10lint/internal/fakekey"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"b10lint": func() {
			os.Exit(cmd.Main(context.Background(), cmd.Env{
				Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
				Lookup: os.LookupEnv, Environ: os.Environ,
			}))
		},
		"gh": standIn("gh", gh), "glab": standIn("glab", glab), "kubectl": standIn("kubectl", kubectl),
	})
}

// Each script is a session at the command line. Beside the commands of testscript
// there are:
//
//	fakekey b10|legacy|federated NAME   make a key; NAME is set to it, NAME_PREFIX to
//	                                    its public part, NAME_BASE64 to its base64
//	expand FILE...                      put the variables in ${…} into files
//	status N COMMAND...                 run a command that must exit with N
//	hidden NAME FILE...                 no part of the key's secret half is in the files
//	                                    (stdout and stderr are files, too)
//	schema json|sarif FILE              the file follows the schema
//	lines N FILE                        the file has N lines
//
// and those of basetenCommands and proxyCommands.
func TestScripts(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("REPOSITORY", root)
			e.Setenv("NO_COLOR", "")
			e.Setenv("TERM", "xterm")
			e.Values["keys"], e.Values["baseten"], e.Values["traps"], e.Values["proxy"] = fakekey.New(2026), &fake{}, traps{}, new(*proxy)
			return nil
		},
		Condition: func(c string) (bool, error) {
			if c == "sarif-schema" {
				return sarifSchema(root) != "", nil
			}
			return false, errors.New("unknown condition " + c)
		},
		Cmds: merged(basetenCommands(), proxyCommands(), commands{
			"fakekey": makeKey, "expand": expand, "status": status, "hidden": hidden, "lines": lines,
			"schema": func(ts *testscript.TestScript, neg bool, args []string) { schema(ts, root, args) },
		}),
	})
}

type commands = map[string]func(ts *testscript.TestScript, neg bool, args []string)

func merged(sets ...commands) commands {
	all := commands{}
	for _, set := range sets {
		maps.Copy(all, set)
	}
	return all
}

func makeKey(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 2, "fakekey b10|legacy|federated NAME")
	m := ts.Value("keys").(*fakekey.Maker)
	kinds := map[string]func() string{"b10": m.B10, "legacy": m.Legacy, "federated": m.Federated}
	kind, ok := kinds[args[0]]
	need(ts, ok, "no key kind "+args[0])
	key := kind()
	prefix, _, _ := strings.Cut(key, ".")
	ts.Setenv(args[1], key)
	ts.Setenv(args[1]+"_PREFIX", prefix)
	ts.Setenv(args[1]+"_BASE64", base64.StdEncoding.EncodeToString([]byte(key)))
}

func expand(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) > 0, "expand FILE...")
	for _, name := range args {
		text := os.Expand(ts.ReadFile(name), func(v string) string {
			if strings.HasPrefix(v, "KEY") || v == "TRAP" {
				return ts.Getenv(v)
			}
			return "${" + v + "}"
		})
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o644))
	}
}

func status(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) > 1, "status N COMMAND...")
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

func hidden(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) > 1, "hidden NAME FILE...")
	key := ts.Getenv(args[0])
	_, half, _ := strings.Cut(key, ".")
	need(ts, half != "", "no key "+args[0])
	for _, name := range args[1:] {
		text := ts.ReadFile(name)
		for i := 0; i+8 <= len(half); i++ {
			if strings.Contains(text, half[i:i+8]) {
				ts.Fatalf("%s shows a part of the secret half of %s", name, args[0])
			}
		}
	}
}

func lines(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 2, "lines N FILE")
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := strings.Count(ts.ReadFile(args[1]), "\n"); got != want {
		ts.Fatalf("%s has %d lines, want %d", args[1], got, want)
	}
}

func schema(ts *testscript.TestScript, root string, args []string) {
	need(ts, len(args) == 2, "schema json|sarif FILE")
	name := filepath.Join(root, "docs", "json.schema.json")
	if args[0] == "sarif" {
		name = sarifSchema(root)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := c.Compile(name)
	ts.Check(err)
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(ts.ReadFile(args[1]))))
	ts.Check(err)
	ts.Check(s.Validate(v))
}

// sarifSchema returns where the standard's schema lies beside the repository, or
// nothing: it is not kept in it.
func sarifSchema(root string) string {
	for _, up := range []string{"..", "../.."} {
		name := filepath.Join(root, up, "shared", "facts", "sarif-schema-2.1.0.json")
		if _, err := os.Stat(name); err == nil {
			return name
		}
	}
	return ""
}

func need(ts *testscript.TestScript, ok bool, usage string) {
	if !ok {
		ts.Fatalf("usage: %s", usage)
	}
}
