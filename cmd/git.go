package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A git is one way to call the git program, for what only git can answer: where hooks
// are depends on configuration files that include others, and nobody but git reads
// them right. Its zero value, with env and dir set, reads the work tree around dir.
//
// The repository may be an attacker's: a folder of a pull request, laid out as a bare
// repository, brings its own configuration, which can name programs for git to run. So
// a call runs nothing that a repository's configuration names, and reaches no other
// repository, unless its caller asks for it here. docs/threat-model.md lists the calls.
type git struct {
	env Env
	dir string // git runs here

	repository string // use this .git, and not what git finds from dir or from its variables
	bare       bool   // dir may be a bare repository
	userHooks  bool   // core.hooksPath is what the user set it to
	fetch      bool   // fetch, over http, https, ssh or file
	ownFolder  bool   // dir is the user's own, and no repository above it counts
	// made says that b10lint made the repository: its configuration holds, its hooks run.
	made bool
}

// gitLocal are the variables that point git to a repository, as git rev-parse
// --local-env-vars lists them. A hook has them from git.
var gitLocal = []string{"GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_CONFIG", "GIT_DIR", "GIT_GRAFT_FILE",
	"GIT_IMPLICIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_NAMESPACE", "GIT_NO_REPLACE_OBJECTS", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX",
	"GIT_QUARANTINE_PATH", "GIT_REPLACE_REF_BASE", "GIT_SHALLOW_FILE", "GIT_WORK_TREE"}

// gitForeign are variables that name programs for git to run, or hold keys.
var gitForeign = []string{"GIT_ASKPASS", "GIT_EDITOR", "GIT_EXTERNAL_DIFF", "GIT_PAGER", "GIT_PROXY_COMMAND", "GIT_SEQUENCE_EDITOR",
	"GIT_ALLOW_PROTOCOL", "SSH_ASKPASS", "BASETEN_API_KEY", "B10LINT_API_KEY"}

// run calls git and returns what it prints, without the line end. The error has what
// it and its hooks printed.
func (g git) run(args ...string) (string, error) {
	c := g.command(context.Background(), args...)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	out := strings.TrimRight(stdout.String(), "\r\n")
	if text := strings.TrimSpace(out + "\n" + stderr.String()); err != nil && text != "" {
		err = errors.New(text) // says more than the exit status
	}
	if err != nil {
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
	return out, nil
}

// command makes a call of git, which ends with ctx.
func (g git) command(ctx context.Context, args ...string) *exec.Cmd {
	var env []string
	for _, v := range g.env.Environ() {
		name, _, _ := strings.Cut(v, "=")
		// GIT_CONFIG_GLOBAL, _SYSTEM and _NOSYSTEM stay: they say which files are the user's.
		configured := strings.HasPrefix(name, "GIT_CONFIG_") && name != "GIT_CONFIG_GLOBAL" && !strings.HasSuffix(name, "SYSTEM")
		local := configured || slices.Contains(gitLocal, name)
		switch {
		case (g.made || g.repository != "") && local:
		case g.made && strings.HasPrefix(name, "PRE_COMMIT"):
		case !g.made && slices.Contains(gitForeign, name):
		default:
			env = append(env, v)
		}
	}
	env = append(env, "GIT_TERMINAL_PROMPT=0")
	var options []string
	if !g.made { // else its hooks would see what is set here
		protocols := "" // a repository that lacks objects would have them fetched when they are read
		set := []string{"core.fsmonitor=false", "gc.auto=0", "maintenance.auto=false", "protocol.ext.allow=never"}
		if !g.bare {
			set = append(set, "safe.bareRepository=explicit") // git 2.38; callers that matter also look for .git
		}
		if !g.userHooks {
			set = append(set, "core.hooksPath="+os.DevNull)
		}
		if g.fetch {
			protocols = "http:https:ssh:file"
			set = append(set, "core.sshCommand=ssh", "core.alternateRefsCommand=:", "credential.helper=")
		}
		env = append(env, "GIT_ASKPASS=", "GIT_NO_LAZY_FETCH=1", "GIT_ALLOW_PROTOCOL="+protocols)
		options = append(options, "--no-pager")
		if g.repository != "" {
			options = append(options, "--git-dir", g.repository)
		}
		for _, s := range set { // they outweigh every configuration file
			options = append(options, "-c", s)
		}
	}
	if g.ownFolder {
		env = append(env, "GIT_CEILING_DIRECTORIES="+filepath.Dir(g.dir))
	}
	c := exec.CommandContext(ctx, "git", append(options, args...)...)
	c.Dir, c.Env = g.dir, env
	return c
}
