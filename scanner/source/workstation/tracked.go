package workstation

import (
	"fmt"
	"path/filepath"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/rules"
	"github.com/b10lint/b10lint/scanner/source/git"
)

// tracked reports a .trussrc that git has or would take.
func (in *inspector) tracked(path string, state git.State, holds bool) {
	if state.Err != nil {
		in.problem(path, fmt.Errorf("cannot tell whether git tracks it: %w", state.Err))
		return
	}
	severity, bad := rules.TrackingSeverity(state.Exposure)
	if !bad || !holds && state.Exposure != finding.Committed {
		return
	}
	message := fmt.Sprintf("%s is tracked by the git repository %s", path, filepath.ToSlash(state.Root))
	if state.Exposure == finding.Untracked {
		message = fmt.Sprintf("%s lies in the git repository %s and is not ignored", path, filepath.ToSlash(state.Root))
	}
	in.report(rules.TrussrcTracked, severity, "", message, finding.Location{Path: path})
}
