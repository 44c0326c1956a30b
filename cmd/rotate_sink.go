package cmd

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/internal/shell"
	"github.com/b10lint/b10lint/revoke"
)

// A sinkKind is one row of the table of places that a new key can go to.
type sinkKind struct {
	kind string     // as journals name it
	flag sinkFlag   // chooses it
	more []sinkFlag // go with it
	// pair is the one of more without which flag has no use, and both on a command line.
	pair, both string
	// spec describes the sink by the values of the flags. fill puts a key's prefix and
	// name in place of {prefix} and {name}.
	spec func(value, fill func(string) string) revoke.SinkSpec
	open func(env Env, s revoke.SinkSpec) (revoke.Sink, error)
	// shared says that several keys can go there one after another.
	shared bool
}

// A sinkFlag is a flag with a string; one whose value is a bool has isBool.
type sinkFlag struct {
	name, value, usage string
	isBool             bool
}

// sinks are the places that a new key can go to. The first one needs no flag when the
// key is named by --remote.
var sinks = []sinkKind{
	{
		kind: "trussrc",
		flag: sinkFlag{name: "to-trussrc", usage: "deliver to the api_key of this `SECTION` of ~/.trussrc"},
		spec: func(value, fill func(string) string) revoke.SinkSpec {
			return revoke.SinkSpec{Name: fill(value("to-trussrc"))}
		},
		open: func(_ Env, s revoke.SinkSpec) (revoke.Sink, error) { return revoke.Trussrc(s.Path, s.Name), nil },
	},
	{
		kind: "dotenv",
		flag: sinkFlag{name: "to-dotenv", usage: "deliver to a variable of this `FILE` of NAME=VALUE lines"},
		more: []sinkFlag{{name: "variable", value: "BASETEN_API_KEY", usage: "the `NAME` of the variable, for --to-dotenv"}},
		spec: func(value, fill func(string) string) revoke.SinkSpec {
			return revoke.SinkSpec{Path: fill(value("to-dotenv")), Name: fill(value("variable"))}
		},
		open: func(_ Env, s revoke.SinkSpec) (revoke.Sink, error) { return revoke.EnvFile(s.Path, s.Name) },
	},
	{
		kind: "template",
		flag: sinkFlag{name: "to-file", usage: "write this `FILE` anew from --template"},
		more: []sinkFlag{{name: "template", usage: "a text with {{.Key}} in it (and {{.Prefix}}), for --to-file"}},
		pair: "template", both: "--to-file FILE --template FILE",
		spec: func(value, fill func(string) string) revoke.SinkSpec {
			return revoke.SinkSpec{Path: fill(value("to-file")), Template: value("template")}
		},
		open: func(_ Env, s revoke.SinkSpec) (revoke.Sink, error) { return revoke.Template(s.Path, s.Template) },
	},
	{
		kind:   "stdout",
		flag:   sinkFlag{name: "to-stdout", usage: "print the new key, and nothing else, on standard output", isBool: true},
		spec:   func(_, _ func(string) string) revoke.SinkSpec { return revoke.SinkSpec{} },
		open:   func(env Env, _ revoke.SinkSpec) (revoke.Sink, error) { return &revoke.Output{W: env.Stdout}, nil },
		shared: true,
	},
	{
		kind: "exec",
		flag: sinkFlag{name: "exec", usage: "run this `COMMAND` in a shell with the new key on its standard input"},
		spec: func(value, _ func(string) string) revoke.SinkSpec {
			return revoke.SinkSpec{Command: shell.Command(value("exec"))}
		},
		open: func(env Env, s revoke.SinkSpec) (revoke.Sink, error) {
			return &revoke.Command{Args: s.Command, Env: withoutCredential(env), Log: env.Stderr}, nil
		},
		shared: true,
	},
	{
		kind: "github",
		flag: sinkFlag{name: "to-github", usage: "deliver to this `SECRET` of GitHub Actions, by the gh program"},
		more: []sinkFlag{{name: "repo", usage: "the `OWNER/NAME` of the repository, for --to-github (default: the current folder's)"}},
		spec: func(value, fill func(string) string) revoke.SinkSpec {
			return revoke.SinkSpec{Name: fill(value("to-github")), Repo: value("repo")}
		},
		open: func(env Env, s revoke.SinkSpec) (revoke.Sink, error) {
			return revoke.GitHubSecret(s.Name, s.Repo, withoutCredential(env), env.Stderr)
		},
	},
	{
		kind: "kubernetes",
		flag: sinkFlag{name: "to-kubernetes", usage: "write a Secret's manifest to this `FILE` (- is standard output)"},
		more: []sinkFlag{
			{name: "secret", usage: "the `NAME` of the Secret, for --to-kubernetes"},
			{name: "secret-key", value: "BASETEN_API_KEY", usage: "the `KEY` within the Secret, for --to-kubernetes"},
			{name: "namespace", usage: "the `NAMESPACE` of the Secret, for --to-kubernetes"},
		},
		pair: "secret", both: "--to-kubernetes FILE --secret NAME",
		spec: func(value, fill func(string) string) revoke.SinkSpec {
			return revoke.SinkSpec{Path: fill(value("to-kubernetes")), Name: fill(value("secret")),
				Key: fill(value("secret-key")), Namespace: value("namespace")}
		},
		open: func(env Env, s revoke.SinkSpec) (revoke.Sink, error) {
			if s.Path == "-" {
				return revoke.KubernetesOutput(s, env.Stdout)
			}
			return revoke.KubernetesFile(s)
		},
	},
}

// sinkFlags are the flags that say where a new key is delivered to.
type sinkFlags struct{ values map[string]fmt.Stringer }

func (s *sinkFlags) register(c *cobra.Command) {
	s.values = map[string]fmt.Stringer{}
	for _, k := range sinks {
		for _, f := range append([]sinkFlag{k.flag}, k.more...) {
			if f.isBool {
				c.Flags().Bool(f.name, false, f.usage)
			} else {
				c.Flags().Var(&once{value: f.value}, f.name, f.usage)
			}
			s.values[f.name] = c.Flags().Lookup(f.name).Value
		}
	}
}

// once is a string that can be given once: of two, neither must be dropped in silence.
type once struct {
	value string
	given bool
}

func (o *once) String() string { return o.value }
func (o *once) Type() string   { return "string" }

// Set refuses a second value.
func (o *once) Set(s string) error {
	if o.given {
		return errors.New("it was given twice, and a key is delivered to one place")
	}
	o.value, o.given = s, true
	return nil
}

// withoutCredential is the environment for a program that takes the new key: not with the
// credential that b10lint itself goes by, which may do far more.
func withoutCredential(env Env) []string {
	return slices.DeleteFunc(slices.Clone(env.Environ()), func(v string) bool {
		return strings.HasPrefix(v, "BASETEN_API_KEY=")
	})
}

func (s *sinkFlags) value(flag string) string { return s.values[flag].String() }

// given returns the sinks that were named.
func (s *sinkFlags) given() (named []sinkKind) {
	for _, k := range sinks {
		if v := s.value(k.flag.name); v != "" && !(k.flag.isBool && v == "false") {
			named = append(named, k)
		}
	}
	return named
}

// chosen is the sink that was named; without one it is the remote's own section.
func (s *sinkFlags) chosen() sinkKind { return append(s.given(), sinks[0])[0] }

// check refuses flags that name no place, or more than one. remote is the section
// that the key is taken from, if any.
func (s *sinkFlags) check(remote string) error {
	if n := len(s.given()); n > 1 || n == 0 && remote == "" {
		var flags []string
		for _, k := range sinks {
			flags = append(flags, "--"+k.flag.name)
		}
		last := len(flags) - 1
		return usage("pass one of "+strings.Join(flags[:last], ", ")+" and "+flags[last],
			"%d places say where the new key goes; it takes one", n)
	}
	for _, k := range sinks {
		if k.pair != "" && (s.value(k.flag.name) == "") != (s.value(k.pair) == "") {
			return usage("pass both: "+k.both, "--%s and --%s go together", k.flag.name, k.pair)
		}
	}
	return nil
}

// openSink makes the sink that a spec describes.
func openSink(env Env, s revoke.SinkSpec) (revoke.Sink, error) {
	i := slices.IndexFunc(sinks, func(k sinkKind) bool { return k.kind == s.Kind })
	if i < 0 {
		return nil, usage("nothing was changed",
			"the journal names a place of the kind %q, which this version does not know", s.Kind)
	}
	sink, err := sinks[i].open(env, s)
	if err != nil {
		return nil, usage("nothing was changed", "%w", err)
	}
	return sink, nil
}

// perKey reports whether each key of several would go to a place of its own.
func (s *sinkFlags) perKey() bool {
	kind := s.chosen()
	keep, drop := func(v string) string { return v }, strings.NewReplacer("{prefix}", "", "{name}", "").Replace
	return kind.shared || kind.spec(s.value, keep).String() != kind.spec(s.value, drop).String()
}

// spec describes the sink for one key.
func (s *sinkFlags) spec(env Env, remote, prefix, name string) (revoke.SinkSpec, error) {
	if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		name = prefix // not a name that Baseten gives: unfit for a path
	}
	fill := strings.NewReplacer("{prefix}", prefix, "{name}", name).Replace
	kind := s.chosen()
	spec := kind.spec(s.value, fill)
	spec.Kind = kind.kind
	if kind.kind == sinks[0].kind {
		spec.Path = env.trussrc()
		if spec.Name == "" {
			spec.Name = remote
		}
	}
	for _, path := range []*string{&spec.Path, &spec.Template} { // good for a run in another folder, too
		if *path == "" || *path == "-" {
			continue
		}
		abs, err := filepath.Abs(*path)
		if err != nil {
			return spec, failed(err)
		}
		*path = abs
	}
	return spec, nil
}
