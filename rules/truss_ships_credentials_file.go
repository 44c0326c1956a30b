package rules

import "github.com/b10lint/b10lint/finding"

// TrussShipsCredentialsFile is the rule for a file that `truss push` would upload
// and that by its name holds credentials, whether or not a key was found in it.
func TrussShipsCredentialsFile() finding.Rule {
	return finding.Rule{
		ID:       "truss-ships-credentials-file",
		Title:    "truss push would upload a credentials file",
		Severity: finding.Low,
		Tags:     []string{"security", "truss", "baseten"},
		Text: "The built-in ignore list of truss leaves out `.env` and no other file of the kind: .trussrc, .env.local, .env.production, .netrc and their like go up. " +
			"A .truss_ignore replaces that list, and then .env goes up as well; .gitignore is not looked at.",
		Remedy: "Name the file in .truss_ignore (copy the built-in list into it), or move it out of the truss.",
	}
}
