package cmd

import (
	"context"
	"runtime"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/revoke"
)

// TestSinkFlags: which places a command line names, and whether several keys would go
// to places of their own.
func TestSinkFlags(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the paths and the shell are of other systems")
	}
	env := Env{Environ: func() []string { return nil }, Lookup: func(string) (string, bool) { return "", false }}
	for _, c := range []struct {
		args   []string
		want   string // the places; empty: refused
		perKey bool
	}{
		{nil, "", false},
		{[]string{"--to-trussrc", "{name}"}, "trussrc app", true},
		{[]string{"--to-dotenv", "/a/.env"}, "dotenv BASETEN_API_KEY /a/.env", false},
		{[]string{"--to-dotenv", "/a/.env", "--variable", "KEY_{prefix}"}, "dotenv KEY_p /a/.env", true},
		{[]string{"--to-dotenv", "/false"}, "dotenv BASETEN_API_KEY /false", false},
		{[]string{"--to-dotenv", "/a", "--to-dotenv", "/b"}, "dotenv BASETEN_API_KEY /a, dotenv BASETEN_API_KEY /b", false},
		{[]string{"--to-dotenv", "/a", "--to-dotenv", "/b", "--variable", "K"}, "dotenv K /a, dotenv K /b", false},
		{[]string{"--to-dotenv", "/a", "--to-dotenv", "/a", "--variable", "K", "--variable", "L"}, "dotenv K /a, dotenv L /a", false},
		{[]string{"--to-dotenv", "/a", "--to-dotenv", "/a"}, "", false},
		{[]string{"--to-dotenv", "/a", "--variable", "K", "--variable", "L"}, "", false},
		{[]string{"--variable", "K", "--to-stdout"}, "", false},
		{[]string{"--to-file", "/{prefix}.toml", "--template", "/t"}, "template /t /p.toml", true},
		{[]string{"--to-file", "/x.toml", "--template", "/{prefix}"}, "template /{prefix} /x.toml", false}, // one template for all
		{[]string{"--to-file", "/x.toml"}, "", false},
		{[]string{"--to-stdout"}, "stdout", true},
		{[]string{"--to-stdout=false"}, "", false},
		{[]string{"--exec", "put", "--exec", "set"}, "exec /bin/sh -c put, exec /bin/sh -c set", true},
		{[]string{"--to-github", "KEY"}, "github KEY", false},
		{[]string{"--to-github", "KEY", "--to-gitlab", "KEY", "--repo", "a/b"}, "github KEY a/b, gitlab KEY a/b", false},
		{[]string{"--to-github", "KEY", "--to-github", "KEY", "--repo", "a/b", "--repo", "a/c"}, "github KEY a/b, github KEY a/c", false},
		{[]string{"--to-kubernetes", "-", "--secret", "s-{name}"}, "kubernetes s-app BASETEN_API_KEY -", true},
		{[]string{"--to-kubernetes", "-", "--secret", "s", "--exec", "kubectl apply -f -"},
			"kubernetes s BASETEN_API_KEY /bin/sh -c kubectl apply -f -", false},
		{[]string{"--to-kubernetes", "/m", "--secret", "s", "--exec", "put"}, "exec /bin/sh -c put, kubernetes s BASETEN_API_KEY /m", false},
		{[]string{"--to-kubernetes", "/m"}, "", false},
		{[]string{"--to-stdout", "--to-dotenv", "/a"}, "dotenv BASETEN_API_KEY /a, stdout", false},
	} {
		s, command := &sinkFlags{}, &cobra.Command{}
		s.register(command)
		if err := command.ParseFlags(c.args); err != nil {
			t.Fatal(err)
		}
		err := s.check(false)
		var got []string
		if err == nil {
			specs, specsErr := s.specs(context.Background(), env, "p", "app")
			for _, spec := range specs {
				got = append(got, spec.String())
			}
			err = specsErr
		}
		if (err != nil) != (c.want == "") || err == nil && (strings.Join(got, ", ") != c.want || s.perKey() != c.perKey) {
			t.Errorf("%q: %q, per key %v, %v; want %q, %v", c.args, got, s.perKey(), err, c.want, c.perKey)
		}
	}
}

// TestWithout: only numbers of places leave some out.
func TestWithout(t *testing.T) {
	all := []revoke.SinkSpec{{Name: "1"}, {Name: "2"}, {Name: "3"}}
	for answer, want := range map[string]string{"2": "13", "1, 3": "2", "3 3": "12", "1 2 3": "", "4": "-", "0": "-", "-1": "-", "": "-", "rotat": "-", "1 x": "-"} {
		left, ok := without(all, answer)
		got := ""
		for _, s := range left {
			got += s.Name
		}
		if !ok {
			got = "-"
		}
		if got != want {
			t.Errorf("%q: %s, want %s", answer, got, want)
		}
	}
}
