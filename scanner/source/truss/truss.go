// Package truss is the source of what truss push would upload from a folder.
package truss

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/rules"
	"github.com/b10lint/b10lint/scanner/source"
	"github.com/b10lint/b10lint/scanner/source/disk"
)

// Options say how the upload would be made.
type Options struct {
	// Config is the file of truss push --config, which goes up in place of
	// config.yaml; empty for none.
	Config string
}

// Uploads returns a Source of the files that `truss push` would upload from dir: a
// truss (a folder with a config.yaml), a chain (Python files that use
// truss_chains) or a training folder. See UploadSet.
func Uploads(dir string, o Options) source.Source {
	return source.Source{Walk: func(ctx context.Context, to source.Sink) error {
		info, err := os.Stat(dir)
		if err == nil && !info.IsDir() {
			err = errors.New("is not a folder")
		}
		if err != nil {
			return fmt.Errorf("cannot scan the truss %s: %s", dir, source.Reason(err))
		}
		entries, problems := UploadSet(dir, o)
		for _, p := range problems {
			if err := to.Problem(p); err != nil {
				return err
			}
		}
		r := disk.NewFiles(to)
		for _, e := range entries {
			if err := ctx.Err(); err != nil {
				return err
			}
			if e.Link != "" {
				continue // what it leads to stays here
			}
			at := finding.Location{Path: filepath.ToSlash(e.File), Exposure: finding.Shipped}
			if err := r.Send(ctx, at, e.File); err != nil {
				return err
			}
		}
		return nil
	}}
}

// UploadSet lists what `truss push` of truss 0.18 (and `truss chains push` and
// `truss train push`, which archive the same way) would upload from dir, sorted by
// path, with what kept the list from being complete or would make the push fail.
//
// The rules, from truss/util/path.py, truss/remote/baseten, truss_gatherer.py and
// truss_chains/deployment/code_gen.py:
//   - a .truss_ignore at the root replaces the built-in list; .gitignore means nothing;
//   - a link to a file is stored as a link, a link to a folder is excluded;
//   - with external_package_dirs, the truss is first copied with the built-in list,
//     links to files followed, the contents of those folders go below
//     bundled_packages_dir, and then the .truss_ignore applies to the copy;
//   - of a chain, the root is archived like a truss and is also copied, links to files
//     followed and always with the built-in list, into every chainlet;
//   - config.yaml goes into the request whether or not it is archived.
func UploadSet(dir string, o Options) ([]Entry, []finding.Problem) {
	u := &upload{dir: dir, config: o.Config, entries: map[string]Entry{}}
	u.run()
	return slices.SortedFunc(maps.Values(u.entries), func(a, b Entry) int { return cmp.Compare(a.Path, b.Path) }), u.problems
}

// Inspect judges what `truss push` would upload from a folder: values in the
// secrets map of config.yaml, and files that by their name hold credentials.
func Inspect(dir string, o Options) []finding.Finding {
	entries, _ := UploadSet(dir, o) // the scan of the truss reports the problems
	var out []finding.Finding
	for _, e := range entries {
		file := filepath.ToSlash(e.File)
		if e.Sent {
			out = append(out, secretValues(e.File)...)
		}
		if rules.CredentialsFile(path.Base(e.Path)) && e.Link == "" {
			rule := rules.TrussShipsCredentials
			message := fmt.Sprintf("truss push would upload %s as %s", file, e.Path)
			at := finding.Location{Path: file, Exposure: finding.Shipped}
			out = append(out, source.RuleFinding(rule, rule.Severity, e.Path, message, at))
		}
	}
	return append(out, openIgnore(dir, entries)...)
}

// InspectConfig judges a truss that a scan of folders came across, by its config.yaml: the
// values in its secrets map, and a .truss_ignore that lets private files through.
func InspectConfig(config string) []finding.Finding {
	out, dir := secretValues(config), filepath.Dir(config)
	if !disk.Exists(dir, trussIgnoreName) {
		return out
	}
	entries, _ := UploadSet(dir, Options{})
	return append(out, openIgnore(dir, entries)...)
}

func secretValues(file string) (out []finding.Finding) {
	config, err := ReadConfig(file)
	if err != nil { // a problem of the upload set
		return nil
	}
	rule, shown := rules.TrussSecretValue, filepath.ToSlash(file)
	for _, s := range config.SecretValues {
		at := finding.Location{Path: shown, Line: s.Line, Column: s.Column, Exposure: finding.Shipped}
		message := fmt.Sprintf("the secret %q has a value in %s, which truss push uploads", s.Name, shown)
		out = append(out, source.RuleFinding(rule, rule.Severity, s.Name, message, at))
	}
	return out
}

// openIgnore reports a .truss_ignore that lets through what the built-in list keeps back.
func openIgnore(dir string, entries []Entry) []finding.Finding {
	if !disk.Exists(dir, trussIgnoreName) {
		return nil
	}
	var open []string
	for _, e := range entries {
		if top, _, _ := strings.Cut(e.Path, "/"); !e.SentOnly && (e.Path == ".env" || top == ".git") && !slices.Contains(open, top) {
			open = append(open, top)
		}
	}
	if open == nil {
		return nil
	}
	rule, file := rules.TrussIgnoreOpen, filepath.ToSlash(filepath.Join(dir, trussIgnoreName))
	message := fmt.Sprintf("%s lets %s through to truss push", file, strings.Join(open, " and "))
	return []finding.Finding{source.RuleFinding(rule, rule.Severity, strings.Join(open, " "), message, finding.Location{Path: file, Exposure: finding.Shipped})}
}

// Ignore is the text of a .truss_ignore that keeps back what truss does without one, and
// files that by their name hold credentials; see rules.CredentialsFile.
func Ignore() string {
	return "# Made by b10lint truss-ignore. A .truss_ignore replaces the list that is built into truss: this is that\n" +
		"# list, and below it the files that hold credentials. Add your own lines at the end.\n" + builtinIgnore[1:] +
		"\n# Files that hold credentials.\n" + credentialsIgnore[1:]
}

const credentialsIgnore = `
.env.*
*.env
!.env.example
!.env.sample
!.env.template
!.env.dist
!.env.defaults
!example.env
!sample.env
.envrc
.trussrc
.truss/
.netrc
_netrc
.git-credentials
.npmrc
.pypirc
auth.json
.mcp.json
mcp.json
credentials.json
secrets.yaml
secrets.yml
secrets.json
.bash_history
.zsh_history
*.tfstate*
`
