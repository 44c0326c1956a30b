package cmd

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/b10lint/b10lint/internal/shell"
)

// allHooks are the hooks that git runs in a work tree, which a folder for all
// repositories must hand on.
var allHooks = []string{
	"applypatch-msg", "pre-applypatch", "post-applypatch", "pre-commit", "pre-merge-commit", "prepare-commit-msg", "commit-msg",
	"post-commit", "pre-rebase", "post-checkout", "post-merge", "pre-push", "post-rewrite", "sendemail-validate", "reference-transaction",
	"pre-auto-gc", "post-index-change", "fsmonitor-watchman",
}

// hookScript is the text of a hook. program is where b10lint is; without it the
// script only hands on to the repository's own hook, as it does when chained.
//
// pre-push reads what is pushed from its input, which both hooks want, so it is
// kept in a variable in between: it is a few lines of ids and references.
func hookScript(name, program string, chained bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "#!/bin/sh\n%s\n", hookMarker)
	input := chained && name == "pre-push"
	if input {
		b.WriteString("input=$(cat)\n")
	}
	if program != "" {
		fmt.Fprintf(&b, "b10lint=%s\n", shell.Quote(filepath.ToSlash(program)))
		fmt.Fprintf(&b, `if ! [ -x "$b10lint" ] && ! b10lint=$(command -v b10lint); then
	echo "b10lint: error: the hook %s cannot find b10lint, so nothing was looked at" >&2
	echo "b10lint: hint: install it again, or remove this hook: $0" >&2
	exit 1
fi
`, name)
		run := `"$b10lint" hook run ` + name + ` -- "$@"`
		switch {
		case input:
			fmt.Fprintf(&b, "printf '%%s\\n' \"$input\" | %s || exit\n", run)
		case chained:
			b.WriteString(run + " || exit\n")
		default:
			b.WriteString("exec " + run + "\n")
		}
	}
	if chained {
		fmt.Fprintf(&b, "own=$(git rev-parse --git-common-dir)/hooks/%s\n[ -x \"$own\" ] || exit 0\n", name)
		if input {
			b.WriteString("printf '%s\\n' \"$input\" | \"$own\" \"$@\"\n")
		} else {
			b.WriteString("exec \"$own\" \"$@\"\n")
		}
	}
	return b.String()
}
