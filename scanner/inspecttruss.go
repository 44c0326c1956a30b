package scanner

import (
	"fmt"
	"path"
	"path/filepath"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/rules"
	"github.com/b10lint/b10lint/scanner/source"
)

// InspectTruss judges what `truss push` would upload from a folder: values in the
// secrets map of config.yaml, and files that by their name hold credentials.
func InspectTruss(dir string, o source.TrussOptions) []finding.Finding {
	entries, _ := source.UploadSet(dir, o) // the scan of the truss reports the problems
	var out []finding.Finding
	for _, e := range entries {
		file := filepath.ToSlash(e.File)
		if e.Sent {
			config, err := source.ReadTrussConfig(e.File)
			if err == nil { // an error is a problem of the upload set
				out = append(out, secretValues(file, config)...)
			}
		}
		if rules.CredentialsFile(path.Base(e.Path)) && e.Link == "" {
			rule := rules.TrussShipsCredentials
			message := fmt.Sprintf("truss push would upload %s as %s", file, e.Path)
			at := finding.Location{Path: file, Exposure: finding.Shipped}
			out = append(out, ruleFinding(rule, rule.Severity, e.Path, message, at))
		}
	}
	return out
}

func secretValues(file string, config source.TrussConfig) []finding.Finding {
	rule := rules.TrussSecretValue
	var out []finding.Finding
	for _, s := range config.SecretValues {
		at := finding.Location{Path: file, Line: s.Line, Column: s.Column, Exposure: finding.Shipped}
		message := fmt.Sprintf("the secret %q has a value in %s, which truss push uploads", s.Name, file)
		out = append(out, ruleFinding(rule, rule.Severity, s.Name, message, at))
	}
	return out
}
