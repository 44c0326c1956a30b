package workstation

import (
	"bytes"
	"io/fs"
	"unicode/utf8"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/scanner/source"
	"github.com/b10lint/b10lint/scanner/source/git"
)

// An inspector collects one Inspection.
type inspector struct {
	Inspection
	trees  *git.WorkTrees
	shared map[string][]keyUse // by digest
	order  []string            // of the digests
	// Of the file that is being inspected:
	exposure finding.Exposure
	subject  string // what it goes by in fingerprints
	foreign  bool   // no correction is planned for it
}

func newInspector(o Options) *inspector {
	return &inspector{trees: git.NewWorkTrees(o.Lookup), shared: map[string][]keyUse{}}
}

// report adds a finding about the file that is being inspected. what, with the rule
// and the file, distinguishes it from others.
func (in *inspector) report(rule finding.Rule, severity finding.Severity, what, message string, at ...finding.Location) {
	subject := in.subject
	if what != "" {
		subject += "\x00" + what
	}
	for i := range at {
		at[i].Exposure = in.exposure
	}
	in.Findings = append(in.Findings, source.RuleFinding(rule, severity, subject, message, at...))
}

// spot is the place of a range of bytes in a file.
func spot(path string, data []byte, start, end int) finding.Location {
	before := data[:start]
	line := bytes.Count(before, []byte{'\n'}) + 1
	column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
	at := finding.Location{Path: path, Line: line, Column: column}
	if text := data[start:end]; !bytes.ContainsRune(text, '\n') {
		at.EndLine, at.EndColumn = line, column+utf8.RuneCount(text)
	}
	return at
}

// An Inspection lists problems with how keys are kept on a workstation, other than
// that they are there.
type Inspection struct {
	Findings []finding.Finding
	Problems []finding.Problem
	// Modes are the corrections of file modes that FixModes would make.
	Modes []ModeFix
}

// A keyUse is one remote or profile that a key serves.
type keyUse struct {
	name   string // of the remote, quoted
	prefix string
	at     finding.Location
}

// A ModeFix is one correction: the rights of everyone but the owner are removed.
type ModeFix struct {
	Path     string      // slash separated
	From, To fs.FileMode // permission bits
}
