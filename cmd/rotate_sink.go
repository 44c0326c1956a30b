package cmd

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/shell"
	"github.com/b10lint/b10lint/internal/trussrc"
	"github.com/b10lint/b10lint/revoke"
	"github.com/b10lint/b10lint/secret"
)

// The kinds of sinks, as journals name them.
const (
	sinkTrussrc    = "trussrc"
	sinkDotenv     = "dotenv"
	sinkTemplate   = "template"
	sinkStdout     = "stdout"
	sinkExec       = "exec"
	sinkGitHub     = "github"
	sinkKubernetes = "kubernetes"
)

// sinkFlags say where a new key is delivered to.
type sinkFlags struct {
	trussrc, dotenv, variable   string
	template, file              string
	stdout                      bool
	exec                        string
	github, repo                string
	kubernetes, secret, dataKey string
	namespace                   string
}

func (s *sinkFlags) register(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&s.trussrc, "to-trussrc", "", "deliver to the api_key of this `SECTION` of ~/.trussrc")
	f.StringVar(&s.dotenv, "to-dotenv", "", "deliver to a variable of this `FILE` of NAME=VALUE lines")
	f.StringVar(&s.variable, "variable", "BASETEN_API_KEY", "the `NAME` of the variable, for --to-dotenv")
	f.StringVar(&s.file, "to-file", "", "write this `FILE` anew from --template")
	f.StringVar(&s.template, "template", "", "a text with {{.Key}} in it (and {{.Prefix}}), for --to-file")
	f.BoolVar(&s.stdout, "to-stdout", false, "print the new key, and nothing else, on standard output")
	f.StringVar(&s.exec, "exec", "", "run this `COMMAND` in a shell with the new key on its standard input")
	f.StringVar(&s.github, "to-github", "", "deliver to this `SECRET` of GitHub Actions, by the gh program")
	f.StringVar(&s.repo, "repo", "", "the `OWNER/NAME` of the repository, for --to-github (default: the current folder's)")
	f.StringVar(&s.kubernetes, "to-kubernetes", "", "write a Secret's manifest to this `FILE` (- is standard output)")
	f.StringVar(&s.secret, "secret", "", "the `NAME` of the Secret, for --to-kubernetes")
	f.StringVar(&s.dataKey, "secret-key", "BASETEN_API_KEY", "the `KEY` within the Secret, for --to-kubernetes")
	f.StringVar(&s.namespace, "namespace", "", "the `NAMESPACE` of the Secret, for --to-kubernetes")
}

// given counts the sinks that were named.
func (s *sinkFlags) given() (n int) {
	for _, set := range []bool{s.trussrc != "", s.dotenv != "", s.file != "", s.stdout, s.exec != "", s.github != "", s.kubernetes != ""} {
		if set {
			n++
		}
	}
	return n
}

// perKey reports whether each key of several would go to a place of its own.
func (s *sinkFlags) perKey() bool {
	for _, place := range []string{s.trussrc, s.dotenv, s.variable, s.file, s.github, s.kubernetes, s.secret, s.dataKey} {
		if strings.Contains(place, "{prefix}") || strings.Contains(place, "{name}") {
			return true
		}
	}
	return s.stdout || s.exec != ""
}

// check refuses flags that name no place, or more than one. remote is the
// section that the key is taken from, if any.
func (s *sinkFlags) check(remote string) error {
	n := s.given()
	switch {
	case n > 1 || n == 0 && remote == "":
		return usage("pass one of --to-trussrc, --to-dotenv, --to-file, --to-stdout, --exec, --to-github and --to-kubernetes",
			"%d places say where the new key goes; it takes one", n)
	case (s.template != "") != (s.file != ""):
		return usage("pass both: --to-file FILE --template FILE", "--to-file and --template go together")
	case (s.secret == "") != (s.kubernetes == ""):
		return usage("pass both: --to-kubernetes FILE --secret NAME", "--to-kubernetes and --secret go together")
	}
	return nil
}

// spec describes the sink for one key.
func (s *sinkFlags) spec(env Env, remote, prefix, name string) (revoke.SinkSpec, error) {
	for _, r := range name {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' {
			name = prefix // not a name that Baseten gives: unfit for a path
			break
		}
	}
	fill := strings.NewReplacer("{prefix}", prefix, "{name}", name).Replace
	var spec revoke.SinkSpec
	switch {
	case s.dotenv != "":
		spec = revoke.SinkSpec{Kind: sinkDotenv, Path: fill(s.dotenv), Name: fill(s.variable)}
	case s.file != "":
		spec = revoke.SinkSpec{Kind: sinkTemplate, Path: fill(s.file), Template: s.template}
	case s.stdout:
		return revoke.SinkSpec{Kind: sinkStdout}, nil
	case s.exec != "":
		return revoke.SinkSpec{Kind: sinkExec, Command: shell.Command(s.exec)}, nil
	case s.github != "":
		return revoke.SinkSpec{Kind: sinkGitHub, Name: fill(s.github), Repo: s.repo}, nil
	case s.kubernetes != "":
		spec = revoke.SinkSpec{Kind: sinkKubernetes, Path: fill(s.kubernetes), Name: fill(s.secret), Key: fill(s.dataKey), Namespace: s.namespace}
	default:
		section := fill(s.trussrc)
		if section == "" {
			section = remote
		}
		spec = revoke.SinkSpec{Kind: sinkTrussrc, Path: trussrcPath(env), Name: section}
	}
	err := absolute(&spec.Path, &spec.Template)
	return spec, err
}

// absolute makes names of files good for a run in another folder.
func absolute(paths ...*string) error {
	for _, p := range paths {
		if *p == "" || *p == "-" {
			continue
		}
		abs, err := filepath.Abs(*p)
		if err != nil {
			return failed(err)
		}
		*p = abs
	}
	return nil
}

// openSink makes the sink that a spec describes.
func openSink(env Env, s revoke.SinkSpec) (revoke.Sink, error) {
	var sink revoke.Sink
	var err error
	switch s.Kind {
	case sinkTrussrc:
		sink = trussrcSink(s.Path, s.Name)
	case sinkDotenv:
		sink, err = revoke.EnvFile(s.Path, s.Name)
	case sinkTemplate:
		sink, err = revoke.Template(s.Path, s.Template)
	case sinkStdout:
		sink = &revoke.Output{W: env.Stdout}
	case sinkExec:
		sink = &revoke.Command{Args: s.Command, Env: env.Environ(), Log: env.Stderr}
	case sinkGitHub:
		sink, err = revoke.GitHubSecret(s.Name, s.Repo, env.Stderr)
	case sinkKubernetes:
		if s.Path == "-" {
			sink, err = revoke.KubernetesOutput(s, env.Stdout)
		} else {
			sink, err = revoke.KubernetesFile(s)
		}
	default:
		err = fmt.Errorf("the journal names a place of the kind %q, which this version does not know", s.Kind)
	}
	if err != nil {
		return nil, usage("nothing was changed", "%w", err)
	}
	return sink, nil
}

// trussrcSink sets the api_key of one section of a trussrc; every other byte of
// it, and its mode, stay. It is here, and not in package revoke, because that
// package may not know the file's grammar.
func trussrcSink(path, section string) *revoke.File {
	return &revoke.File{Path: path, Edit: func(old []byte, key string) ([]byte, error) {
		f, err := parseTrussrc(old)
		if err != nil {
			return nil, err
		}
		return f.SetValue(section, "api_key", key)
	}}
}

// parseTrussrc reads a trussrc that truss itself would read.
func parseTrussrc(data []byte) (*trussrc.File, error) {
	f, errs := trussrc.Parse(data)
	if len(errs) > 0 {
		return nil, fmt.Errorf("truss could not read it: %w", errs[0])
	}
	return f, nil
}

// trussrcPath is where truss keeps its remotes.
func trussrcPath(env Env) string {
	if v := env.get(baseten.EnvTrussrc); v != "" {
		return v
	}
	return filepath.Join(env.home(), ".trussrc")
}

// remotePrefix is the prefix of the key of a remote in the trussrc.
func remotePrefix(env Env, remote string) (string, error) {
	path := trussrcPath(env)
	data, err := os.ReadFile(path)
	if err != nil {
		return "", usage("--remote names a section of ~/.trussrc", "%w", err)
	}
	f, err := parseTrussrc(data)
	if err != nil {
		return "", usage("--remote names a section of ~/.trussrc", "%s: %w", path, err)
	}
	value, ok, err := f.Get(remote, "api_key")
	if err == nil && (!ok || secret.New(value).Prefix() == "") {
		err = errors.New("it has no api_key that is a Baseten key")
	}
	if err != nil {
		return "", usage("--remote names a section of ~/.trussrc that holds a key", "%s: section %q: %w", path, remote, err)
	}
	return secret.New(value).Prefix(), nil
}
