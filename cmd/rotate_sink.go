package cmd

import (
	"context"
	"path/filepath"
	"slices"
	"strconv"
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

// A sinkFlag is a flag with a string, of which value is the default; one without a
// value of its own has isBool.
type sinkFlag struct {
	name, value, usage string
	isBool             bool
}

// sinks are the places that a new key can go to.
var sinks = []sinkKind{
	{
		kind: revoke.KindTrussrc,
		flag: sinkFlag{name: "to-trussrc", usage: "deliver to the api_key of this `SECTION` of ~/.trussrc"},
		spec: func(value, fill func(string) string) revoke.SinkSpec {
			return revoke.SinkSpec{Name: fill(value("to-trussrc"))}
		},
		open: func(_ Env, s revoke.SinkSpec) (revoke.Sink, error) { return revoke.Trussrc(s.Path, s.Name), nil },
	},
	{
		kind: revoke.KindDotenv,
		flag: sinkFlag{name: "to-dotenv", usage: "deliver to a variable of this `FILE` of NAME=VALUE lines"},
		more: []sinkFlag{{name: "variable", value: "BASETEN_API_KEY", usage: "the `NAME` of the variable, for --to-dotenv"}},
		spec: func(value, fill func(string) string) revoke.SinkSpec {
			return revoke.SinkSpec{Path: fill(value("to-dotenv")), Name: fill(value("variable"))}
		},
		open: func(_ Env, s revoke.SinkSpec) (revoke.Sink, error) { return revoke.EnvFile(s.Path, s.Name) },
	},
	{
		kind: "template",
		flag: sinkFlag{name: "to-file", usage: "write this `FILE` from --template"},
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
		kind: revoke.KindExec,
		flag: sinkFlag{name: "exec", usage: "run this `COMMAND` in a shell with the new key on its standard input"},
		spec: func(value, _ func(string) string) revoke.SinkSpec {
			return revoke.SinkSpec{Command: shell.Command(value("exec")), Dir: "."}
		},
		open: func(env Env, s revoke.SinkSpec) (revoke.Sink, error) {
			p := programs(env)
			p.Dir = s.Dir
			return &revoke.Command{Args: s.Command, Program: p}, nil
		},
		shared: true,
	},
	{
		kind: revoke.KindGitHub,
		flag: sinkFlag{name: "to-github", usage: "deliver to this `SECRET` of GitHub Actions, by the gh program"},
		more: []sinkFlag{{name: "repo", usage: "the `OWNER/NAME` of the repository, for --to-github and --to-gitlab (default: the current folder's)"}},
		spec: func(value, fill func(string) string) revoke.SinkSpec {
			return revoke.SinkSpec{Name: fill(value("to-github")), Repo: value("repo"), Dir: "."}
		},
		open: func(env Env, s revoke.SinkSpec) (revoke.Sink, error) {
			return revoke.GitHubSecret(s, programs(env))
		},
	},
	{
		kind: revoke.KindGitLab,
		flag: sinkFlag{name: "to-gitlab", usage: "deliver to this CI/CD `VARIABLE` of a GitLab project, which must be there, by the glab program"},
		more: []sinkFlag{{name: "repo"}},
		spec: func(value, fill func(string) string) revoke.SinkSpec {
			return revoke.SinkSpec{Name: fill(value("to-gitlab")), Repo: value("repo"), Dir: "."}
		},
		open: func(env Env, s revoke.SinkSpec) (revoke.Sink, error) {
			return revoke.GitLabVariable(s, programs(env))
		},
	},
	{
		kind: revoke.KindKubectl,
		flag: sinkFlag{name: "to-kubectl", usage: "deliver to the entry --secret-key of this Kubernetes `SECRET`, which must be there, by kubectl patch; its other entries stay"},
		more: []sinkFlag{
			{name: "secret-key", value: "BASETEN_API_KEY", usage: "the `KEY` within the Secret, for --to-kubernetes and --to-kubectl"},
			{name: "namespace", usage: "the `NAMESPACE` of the Secret, for --to-kubernetes and --to-kubectl"},
		},
		spec: func(value, fill func(string) string) revoke.SinkSpec {
			return revoke.SinkSpec{Name: fill(value("to-kubectl")), Key: fill(value("secret-key")), Namespace: value("namespace")}
		},
		open: func(env Env, s revoke.SinkSpec) (revoke.Sink, error) {
			return revoke.KubernetesSecret(s, programs(env))
		},
	},
	{
		kind: revoke.KindKubernetes,
		flag: sinkFlag{name: "to-kubernetes", usage: "write a new Secret's manifest to this `FILE`; - is standard output, or with --exec the command's standard input"},
		more: []sinkFlag{
			{name: "secret", usage: "the `NAME` of the Secret, for --to-kubernetes"},
			{name: "secret-key", value: "BASETEN_API_KEY"},
			{name: "namespace"},
		},
		pair: "secret", both: "--to-kubernetes FILE --secret NAME",
		spec: func(value, fill func(string) string) revoke.SinkSpec {
			return revoke.SinkSpec{Path: fill(value("to-kubernetes")), Name: fill(value("secret")),
				Key: fill(value("secret-key")), Namespace: value("namespace")}
		},
		open: func(env Env, s revoke.SinkSpec) (revoke.Sink, error) {
			switch {
			case len(s.Command) > 0:
				return revoke.KubernetesCommand(s, programs(env))
			case s.Path == "-":
				return revoke.KubernetesOutput(s, env.Stdout)
			}
			return revoke.KubernetesFile(s)
		},
	},
}

// sinkFlags are the flags that say where a new key is delivered to. Each can be given
// several times: a flag that goes with another holds for all of it when it is given
// once, else one holds for each, in their order.
type sinkFlags struct{ values map[string]*[]string }

func (s *sinkFlags) register(c *cobra.Command) {
	s.values = map[string]*[]string{}
	for _, k := range sinks {
		for _, f := range append([]sinkFlag{k.flag}, k.more...) {
			list := &[]string{}
			if s.values[f.name] != nil {
				continue // of two kinds; the first has its words
			}
			s.values[f.name] = list
			if f.isBool {
				c.Flags().BoolFunc(f.name, f.usage, func(v string) error {
					if on, err := strconv.ParseBool(v); err != nil || !on {
						*list = nil
						return err
					}
					*list = []string{"true"}
					return nil
				})
				continue
			}
			c.Flags().Var((*several)(list), f.name, f.usage)
			if f.value != "" {
				c.Flags().Lookup(f.name).DefValue = f.value
			}
		}
	}
}

// several are the values of a flag that can be repeated.
type several []string

func (l *several) String() string     { return strings.Join(*l, ", ") }
func (l *several) Type() string       { return "string" }
func (l *several) Set(s string) error { *l = append(*l, s); return nil }

// programs is how programs that take the new key are run: without the credential that
// b10lint itself goes by, which may do far more.
func programs(env Env) revoke.Program {
	return revoke.Program{Log: env.Stderr, Env: slices.DeleteFunc(slices.Clone(env.Environ()), func(v string) bool {
		return strings.HasPrefix(v, "BASETEN_API_KEY=")
	})}
}

// A chosenSink is one place that the command line names: the n-th of its kind.
type chosenSink struct {
	sinkKind
	n     int
	flags *sinkFlags
}

// value is a flag's value for this sink.
func (c chosenSink) value(flag string) string {
	values := *c.flags.values[flag]
	switch {
	case c.n < len(values):
		return values[c.n]
	case len(values) > 0:
		return values[0]
	}
	for _, f := range c.more {
		if f.name == flag {
			return f.value
		}
	}
	return ""
}

// given returns the sinks that were named: by kind, then in their order.
func (s *sinkFlags) given() (named []chosenSink) {
	for _, k := range sinks {
		for n := range *s.values[k.flag.name] {
			named = append(named, chosenSink{k, n, s})
		}
	}
	return named
}

// check refuses flags that name no place, or that do not go together. elsewhere is set
// when something else may say where the key goes.
func (s *sinkFlags) check(elsewhere bool) error {
	if len(s.given()) == 0 && !elsewhere {
		var flags []string
		for _, k := range sinks {
			flags = append(flags, "--"+k.flag.name)
		}
		last := len(flags) - 1
		return usage("pass one or more of "+strings.Join(flags[:last], ", ")+" and "+flags[last]+", or --everywhere",
			"nothing says where the new key goes")
	}
	for _, k := range sinks {
		n := len(*s.values[k.flag.name])
		if k.pair != "" && (n == 0) != (len(*s.values[k.pair]) == 0) {
			return usage("pass both: "+k.both, "--%s and --%s go together", k.flag.name, k.pair)
		}
		for _, f := range k.more {
			users := 0
			for _, other := range sinks { // a flag can go with several kinds
				if slices.ContainsFunc(other.more, func(o sinkFlag) bool { return o.name == f.name }) {
					users = max(users, len(*s.values[other.flag.name]))
				}
			}
			switch m := len(*s.values[f.name]); {
			case m > 0 && users == 0 && !(elsewhere && f.name == "repo"):
				return usage("leave it out, or add --"+k.flag.name, "--%s has no use without --%s", f.name, k.flag.name)
			case m > 1 && m != users && users > 0:
				return usage("give it once for all of them, or once for each", "--%s is there %d times, and --%s %d times", f.name, m, k.flag.name, users)
			}
		}
	}
	return nil
}

// openSinks makes the sinks that specs describe.
func openSinks(env Env, specs []revoke.SinkSpec) (list []revoke.Sink, err error) {
	for _, s := range specs {
		i := slices.IndexFunc(sinks, func(k sinkKind) bool { return k.kind == s.Kind })
		if i < 0 {
			return nil, usage("nothing was changed",
				"the journal names a place of the kind %q, which this version does not know", s.Kind)
		}
		sink, err := sinks[i].open(env, s)
		if err != nil {
			return nil, usage("nothing was changed", "%w", err)
		}
		list = append(list, sink)
	}
	return list, nil
}

// perKey reports whether each key of several would go to places of its own.
func (s *sinkFlags) perKey() bool {
	keep, drop := func(v string) string { return v }, strings.NewReplacer("{prefix}", "", "{name}", "").Replace
	named := s.given()
	return len(named) > 0 && !slices.ContainsFunc(named, func(c chosenSink) bool {
		return !c.shared && c.spec(c.value, keep).String() == c.spec(c.value, drop).String()
	})
}

// manifestCommand reports whether --exec is what a Secret's manifest is given to: it is
// then not a place of its own.
func (s *sinkFlags) manifestCommand() bool {
	files := *s.values["to-kubernetes"]
	return len(files) == 1 && files[0] == "-" && len(*s.values["exec"]) == 1
}

// specs describe the sinks for one key.
func (s *sinkFlags) specs(ctx context.Context, env Env, prefix, name string) (list []revoke.SinkSpec, err error) {
	if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		name = prefix // not a name that Baseten gives: unfit for a path
	}
	fill := strings.NewReplacer("{prefix}", prefix, "{name}", name).Replace
	for _, c := range s.given() {
		spec := c.spec(c.value, fill)
		spec.Kind = c.kind
		switch {
		case c.kind == revoke.KindExec && s.manifestCommand():
			continue
		case c.kind == revoke.KindKubernetes && s.manifestCommand():
			spec.Path, spec.Dir, spec.Command = "", ".", shell.Command((*s.values["exec"])[0])
		case c.kind == revoke.KindTrussrc:
			spec.Path = env.trussrc()
		case c.kind == revoke.KindKubectl:
			if spec.Context, err = revoke.KubernetesContext(ctx, programs(env)); err != nil {
				return nil, failed(err, "nothing was changed")
			}
		}
		for _, path := range []*string{&spec.Path, &spec.Template, &spec.Dir} { // good for a run in another folder, too
			if *path == "" || *path == "-" {
				continue
			}
			abs, err := filepath.Abs(*path)
			if err != nil {
				return nil, failed(err)
			}
			*path = abs
		}
		if slices.ContainsFunc(list, func(other revoke.SinkSpec) bool { return other.String() == spec.String() }) {
			return nil, usage("leave one of them out", "the place %s is named twice", spec)
		}
		list = append(list, spec)
	}
	return list, nil
}
