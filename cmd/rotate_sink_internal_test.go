package cmd

import (
	"testing"

	"github.com/spf13/cobra"
)

// TestSinkFlags: which sink a command line chooses, and whether several keys would go
// to places of their own.
func TestSinkFlags(t *testing.T) {
	for _, c := range []struct {
		args   []string
		kind   string
		perKey bool
	}{
		{nil, "trussrc", false},
		{[]string{"--to-trussrc", "{name}"}, "trussrc", true},
		{[]string{"--to-dotenv", ".env"}, "dotenv", false},
		{[]string{"--to-dotenv", ".env", "--variable", "KEY_{prefix}"}, "dotenv", true},
		{[]string{"--to-dotenv", "false"}, "dotenv", false},
		{[]string{"--to-file", "{prefix}.toml", "--template", "t"}, "template", true},
		{[]string{"--to-file", "x.toml", "--template", "{prefix}"}, "template", false}, // one template for all
		{[]string{"--to-stdout"}, "stdout", true},
		{[]string{"--exec", "put"}, "exec", true},
		{[]string{"--to-github", "KEY"}, "github", false},
		{[]string{"--to-kubernetes", "-", "--secret", "s-{name}"}, "kubernetes", true},
	} {
		s, command := &sinkFlags{}, &cobra.Command{}
		s.register(command)
		if err := command.ParseFlags(c.args); err != nil {
			t.Fatal(err)
		}
		if err := s.check("remote"); err != nil {
			t.Errorf("%q: %v", c.args, err)
		}
		if got := s.chosen().kind; got != c.kind || s.perKey() != c.perKey {
			t.Errorf("%q: %s, per key %v; want %s, %v", c.args, got, s.perKey(), c.kind, c.perKey)
		}
	}
}
