package cmd_test

import (
	"strings"
	"testing"
)

// Every command of the runbook's is one that the program takes. The scripts
// revoke, scan-revoke and rotate run one of each kind.
func TestIncidentCommands(t *testing.T) {
	n := 0
	for _, line := range shellLines(readFile(t, "../docs/incident.md")) {
		for _, args := range calls(line) {
			n++
			parses(t, "docs/incident.md", args)
		}
	}
	if n < 15 {
		t.Errorf("only %d commands were found", n)
	}
	if page := readFile(t, "../docs/incident.md"); !strings.Contains(page, "\n$ b10lint scan --revoke") {
		t.Error("the recording is missing; run docs/record/incident.sh")
	}
}
