package workstation

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/regular"
	"github.com/b10lint/b10lint/rules"
	"github.com/b10lint/b10lint/scanner/source/git"
	"github.com/b10lint/b10lint/scanner/source/truss"
)

// maxInspected is the largest file that is judged by what it holds.
const maxInspected = 16 << 20

// InspectHome judges the files at the known places of a home: who may read them,
// whether git has them, where a remote sends its key, which keys serve twice. It
// changes nothing. On Windows, where a file has no mode bits, nothing is said of
// who may read it.
func InspectHome(o Options) Inspection {
	files, _ := Files(o) // the scan of the home reports what cannot be read
	in := newInspector(o)
	for _, f := range files {
		in.exposure, in.subject = finding.Home, f.Path
		in.file(f)
	}
	in.reportShared()
	return in.Inspection
}

// InspectTrussrcs judges .trussrc files that a scan of folders met, slash separated,
// in the same way. It plans no corrections. o says whose workstation it is, as for
// Locate.
func InspectTrussrcs(o Options, met []string) Inspection {
	in := newInspector(o)
	var known []PlaceFile
	if o.Dir != "" && len(met) > 0 {
		known, _ = Files(o)
	}
	states := in.trees.States(met)
	same := map[string]int{}
	for _, s := range states {
		same[s.Rel]++
	}
	for i, path := range met {
		info, err := os.Stat(filepath.FromSlash(path))
		if err != nil {
			continue // the scan reports what it cannot read
		}
		in.foreign, in.exposure, in.subject = true, states[i].Exposure, path
		if slices.ContainsFunc(known, func(k PlaceFile) bool { return os.SameFile(k.Info, info) }) {
			in.exposure = finding.Home
		}
		if same[states[i].Rel] == 1 && states[i].Rel != "" { // wherever the clone is
			in.subject = states[i].Rel
		}
		private := states[i].Exposure != finding.Committed
		in.file(PlaceFile{Place: Place{Kind: KindTrussrc, Private: private}, Path: path, Info: info})
	}
	in.reportShared()
	return in.Inspection
}

func (in *inspector) file(f PlaceFile) {
	kind := f.Place.Kind
	readers := ""
	if runtime.GOOS != "windows" && f.Place.Private {
		readers = rules.Readers(uint32(f.Info.Mode().Perm()))
	}
	always := kind == KindTrussrc || kind == KindBasetenCLI
	if !always && readers == "" || f.Info.Size() > maxInspected {
		return
	}
	data, err := regular.ReadFile(filepath.FromSlash(f.Path), maxInspected)
	if err != nil {
		return // reported by the scan
	}
	holds := false // a key that is more than possible, or what else the kind of file may keep
	rules.Find(f.Path, data, nil, func(m rules.Match) bool {
		holds = m.Confidence > finding.LowConfidence
		return !holds
	})
	switch {
	case kind == KindTrussrc:
		state := in.trees.State(filepath.FromSlash(f.Path))
		if state.Exposure == finding.Committed {
			in.exposure = finding.Committed
		}
		holds = in.trussrc(f.Path, data) || holds
		in.tracked(f.Path, state, holds)
	case kind == KindBasetenCLI:
		holds = in.authFile(f.Path, data) || holds
	case kind == KindTruss && strings.Contains(f.Path, "/.truss/secrets/"):
		holds = holds || len(bytes.TrimSpace(data)) > 0
	case kind == KindTruss:
		config, err := truss.ParseConfig(data)
		holds = holds || err == nil && len(config.SecretValues) > 0
	}
	if holds && readers != "" {
		in.readable(f, readers)
	}
}

// tracked reports a .trussrc that git has or would take.
func (in *inspector) tracked(path string, state git.State, holds bool) {
	if state.Err != nil {
		in.Problems = append(in.Problems, finding.Problem{Path: path, Error: "cannot determine whether git tracks it: " + state.Err.Error()})
		return
	}
	severity, bad := rules.TrackingSeverity(state.Exposure)
	if !bad || !holds && state.Exposure != finding.Committed {
		return
	}
	message := fmt.Sprintf("%s is tracked by the git repository %s", path, filepath.ToSlash(state.Root))
	if state.Exposure == finding.Untracked {
		message = fmt.Sprintf("%s is in the git repository %s and is not ignored", path, filepath.ToSlash(state.Root))
	}
	in.report(rules.TrussrcTracked, severity, "", message, finding.Location{Path: path})
}

func (in *inspector) readable(f PlaceFile, readers string) {
	rule := rules.KeyFileReadable
	if f.Place.Kind == KindTrussrc {
		rule = rules.TrussrcReadable
	}
	who := fs.FileMode(0o001)
	if readers != rules.Everyone {
		who = 0o011
	}
	reachable := Reachable(filepath.FromSlash(f.Path), who)
	perm := f.Info.Mode().Perm()
	message := fmt.Sprintf("%s may read %s (mode %04o), which holds a credential", readers, f.Path, perm)
	if !reachable {
		message += "; for now a folder above keeps them out"
	}
	in.report(rule, rules.ReadableSeverity(readers, reachable), "", message, finding.Location{Path: f.Path})
	if in.foreign {
		return
	}
	in.planMode(f.Path, f.Info)
	if f.Place.Kind == KindTruss || f.Place.Kind == KindBasetenCLI {
		dir := filepath.Dir(filepath.FromSlash(f.Path))
		if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o077 != 0 {
			in.planMode(filepath.ToSlash(dir), info)
		}
	}
}

// A ModeResult is what became of a ModeFix. Err is nil when it was made.
type ModeResult struct {
	ModeFix
	Err error
}

func (in *inspector) planMode(path string, info fs.FileInfo) {
	to := fs.FileMode(0o600)
	if info.IsDir() {
		to = 0o700
	}
	if fix := (ModeFix{path, info.Mode().Perm(), to}); !slices.Contains(in.Modes, fix) {
		in.Modes = append(in.Modes, fix)
	}
}

// FixModes carries out a plan and returns what became of each part, in order. It
// changes nothing but modes, and none of a file whose mode is no longer the one
// that was planned for. The asking is the caller's.
func FixModes(plan []ModeFix) []ModeResult {
	out := make([]ModeResult, 0, len(plan))
	for _, fix := range plan {
		name := filepath.FromSlash(fix.Path)
		info, err := os.Stat(name)
		if err == nil && info.Mode().Perm() != fix.From {
			err = fmt.Errorf("%s: its mode is %04o by now and not %04o; nothing was changed", fix.Path, info.Mode().Perm(), fix.From)
		}
		if err == nil {
			err = os.Chmod(name, fix.To)
		}
		if err == nil {
			info, err = os.Stat(name)
		}
		if err == nil && info.Mode().Perm() != fix.To {
			err = fmt.Errorf("%s: its mode is %04o still; the file system keeps no modes", fix.Path, info.Mode().Perm())
		}
		out = append(out, ModeResult{fix, err})
	}
	return out
}
