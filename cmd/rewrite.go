package cmd

import (
	"fmt"
	"strings"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/atomicfile"
	"github.com/b10lint/b10lint/internal/english"
	"github.com/b10lint/b10lint/internal/shell"
	"github.com/b10lint/b10lint/report"
	"github.com/b10lint/b10lint/scanner"
)

// writeRewrite writes the file name: the replacements that take the found keys out of a
// repository's history, in the form of git filter-repo --replace-text (a line each:
// literal:TEXT==>REPLACEMENT; there are no comments in it), and says what to run.
// It is the one file that has to hold the keys themselves.
func writeRewrite(env Env, name string, findings []finding.Finding, found *scanner.Found) error {
	var b strings.Builder
	n, encoded := 0, 0
	for _, f := range findings {
		key, ok := found.Keys[f.Fingerprint]
		if !ok {
			continue
		}
		n++
		fmt.Fprintf(&b, "literal:%s==>***REMOVED %s***\n", key.Reveal(), f.Prefix)
		for _, l := range f.Locations {
			if len(l.Decoded) > 0 || l.Member != "" {
				encoded++
			}
		}
	}
	if n == 0 {
		fmt.Fprintf(env.Stderr, "no key was found: %s is not written\n", report.Visible(name))
		return nil
	}
	if err := atomicfile.WriteFile(name, []byte(b.String()), atomicfile.Mode{Perm: 0o600, Force: true}); err != nil {
		return failed(err, "the replacements were not written")
	}
	quoted := report.Visible(shell.Quote(name))
	fmt.Fprintf(env.Stderr, `%s holds %d found %s themselves: keep it to yourself and delete it afterwards.
In a fresh clone of the repository, with everybody told:
  git filter-repo --replace-text %s
  git push --force --mirror REMOTE
  rm %s
Rewriting does not make a leaked key safe: revoke it first. Forks, caches and clones
keep what they have.
`, quoted, n, english.Plural(n, "key", "keys"), quoted, quoted)
	if encoded > 0 {
		fmt.Fprintf(env.Stderr, "%d %s the key encoded or inside an archive, where git filter-repo does not find it: remove those files with --path FILE --invert-paths.\n",
			encoded, english.Plural(encoded, "place holds", "places hold"))
	}
	return nil
}
