package report

import (
	"path"
	"strings"

	"github.com/b10lint/b10lint/finding"
)

// HomeURL is where the tool lives; rules are documented under it.
const HomeURL = "https://github.com/b10lint/b10lint"

// Options shape a report. The zero value is right for a file.
type Options struct {
	// Verbose lists every location, fingerprint and what was covered (text).
	Verbose bool
	// Quiet prints one line a finding and one a problem, and no summary (text).
	Quiet bool
	// Hook is what a git hook stops, "commit" or "push": the report is for who has just
	// been stopped (text).
	Hook string
	// Color uses ANSI colours (text).
	Color bool
	// Width is the width of the terminal in columns; 0 means no limit (text).
	Width int
	// Rules is the catalogue for a report without one, such as one that was read back.
	Rules []finding.Rule
	// Dir is the absolute, slash separated folder that relative paths start from, and
	// Roots has the roots of the targets by name, "" being that of a report's only one.
	// Where both are known the formats for CI services (sarif, github, gitlab) give
	// paths from the root, as those services need; of several targets only sarif does.
	// Without them, relative paths start from the root.
	Dir   string
	Roots map[string]Root
}

// A Root is the folder of a target.
type Root struct {
	Path string // absolute and slash separated
	VCS  *VCS   // nil when not known
}

// A VCS is the repository and revision that were scanned.
type VCS struct {
	URI      string // of the remote; without a user name or password
	Revision string
	Branch   string
}

// repoPath gives p from the root of a target where Options let it be known.
func (o Options) repoPath(target, p string) string {
	root := o.Roots[target].Path
	if root == "" {
		return strings.TrimPrefix(p, "./")
	}
	abs := p
	if !isAbs(p) {
		if o.Dir == "" {
			return strings.TrimPrefix(p, "./")
		}
		abs = path.Join(o.Dir, p)
	}
	if rel, ok := strings.CutPrefix(path.Clean(abs), strings.TrimSuffix(path.Clean(root), "/")+"/"); ok {
		return rel
	}
	return p
}

// isAbs reports whether a slash separated path is absolute, here or on Windows.
func isAbs(p string) bool {
	return strings.HasPrefix(p, "/") || hasDrive(p) && strings.HasPrefix(p[2:], "/")
}

func hasDrive(p string) bool {
	return len(p) > 1 && p[1] == ':' && (p[0]|0x20 >= 'a' && p[0]|0x20 <= 'z')
}
