package truss

import (
	"fmt"
	"path"
	"path/filepath"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/rules"
	"github.com/b10lint/b10lint/scanner/source"
)

// Inspect judges what `truss push` would upload from a folder: values in the
// secrets map of config.yaml, and files that by their name hold credentials.
func Inspect(dir string, o Options) []finding.Finding {
	entries, _ := UploadSet(dir, o) // the scan of the truss reports the problems
	var out []finding.Finding
	for _, e := range entries {
		file := filepath.ToSlash(e.File)
		if e.Sent {
			config, err := ReadConfig(e.File)
			if err == nil { // an error is a problem of the upload set
				rule := rules.TrussSecretValue
				for _, s := range config.SecretValues {
					at := finding.Location{Path: file, Line: s.Line, Column: s.Column, Exposure: finding.Shipped}
					message := fmt.Sprintf("the secret %q has a value in %s, which truss push uploads", s.Name, file)
					out = append(out, source.RuleFinding(rule, rule.Severity, s.Name, message, at))
				}
			}
		}
		if rules.CredentialsFile(path.Base(e.Path)) && e.Link == "" {
			rule := rules.TrussShipsCredentials
			message := fmt.Sprintf("truss push would upload %s as %s", file, e.Path)
			at := finding.Location{Path: file, Exposure: finding.Shipped}
			out = append(out, source.RuleFinding(rule, rule.Severity, e.Path, message, at))
		}
	}
	return out
}
