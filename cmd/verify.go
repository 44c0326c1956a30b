package cmd

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/rules"
	"github.com/b10lint/b10lint/scanner"
	"github.com/b10lint/b10lint/secret"
)

const (
	minKey = 32 // characters; a key without a dot has no fewer
	// maxKeyLine bounds a line of standard input, maxKeyLines their number.
	maxKeyLine  = 4096
	maxKeyLines = 1 << 20
)

// verifyOptions are the flags of verify.
type verifyOptions struct {
	api   api
	out   dataOutput
	quiet bool
	cache cacheFolder
	mode  choice
}

func newVerify(env Env, ui *UI) *cobra.Command {
	o := &verifyOptions{mode: choice{byInventory, verifyModes()}}
	c := &cobra.Command{
		Use:   "verify [PREFIX...]",
		Short: "Say whether keys still work",
		Long: `Verify says of each key whether it is live, restricted (it works, and may not do
what was asked), dead or unknown, and how that is known. Without arguments it reads
standard input: a prefix or a whole key on each line. A whole key is not taken as
an argument, where other users and the shell's history see it.

By default keys are looked up in Baseten's list by their prefixes and nothing is
sent. --by probe sends the keys themselves to Baseten, on calls that only read.

Exit status: 1 if any key is live or restricted, else 3 if any is unknown, else 0:
all are dead.`,
		Example: `  b10lint verify abcdefgh
  b10lint verify -f json < suspects.txt
  b10lint verify --by both < suspects.txt`,
		RunE: func(c *cobra.Command, args []string) error {
			// -q was a jq expression before; no key and no prefix begins with a dot.
			if o.quiet && o.out.jq == "" && len(args) > 0 && strings.HasPrefix(args[0], ".") {
				ui.warn("-q is quiet now; for a jq expression write --jq")
				o.quiet, o.out.jq, args = false, args[0], args[1:]
			}
			if err := o.out.prepare(c, "format"); err != nil {
				return err
			}
			if o.quiet {
				o.out.format.value = "none"
			}
			return o.out.to(ui, func(w io.Writer) error { return o.run(c.Context(), env, ui, w, args) })
		},
	}
	o.out.formerly = dataFormats
	o.out.register(c, dataUsage, dataFormats...)
	c.Flags().StringVar(&o.out.jq, "jq", "", "pass the JSON through this jq `EXPRESSION`; implies -f json")
	c.Flags().BoolVarP(&o.quiet, "quiet", "q", false, "write no answer: the exit status says it")
	c.MarkFlagsMutuallyExclusive("quiet", "jq")
	c.MarkFlagsMutuallyExclusive("quiet", "format")
	o.mode.register(c, "by", "", "how to verify")
	o.cache.register(c)
	o.api.register(c)
	return c
}

func (o *verifyOptions) run(ctx context.Context, env Env, ui *UI, w io.Writer, args []string) error {
	suspects, err := o.suspects(env, args)
	if err != nil {
		return err
	}
	v, err := newVerifier(env, &o.api, o.mode.value, o.cache.dir)
	if err != nil {
		return err
	}
	asked := make([]scanner.Suspect, len(suspects))
	for i, s := range suspects {
		asked[i] = s.suspect
	}
	verdicts, problems := v.Verify(ctx, asked)
	answer := verified{Keys: suspects, Problems: problems, Complete: finding.Complete(problems)}
	for i := range suspects {
		verdict := verdicts[asked[i].Key.Digest()]
		suspects[i].Liveness, suspects[i].Key = verdict.Liveness, verdict.Key
	}
	if err := o.out.write(ctx, w, answer, answer.table); err != nil {
		return err
	}
	for _, p := range problems {
		if p.Warning {
			ui.warn(p.Error, p.Hint)
		} else {
			ui.error(p.Error, p.Hint)
		}
	}
	return silent(answer.status(ctx))
}

// suspects reads what to verify from the arguments, or from standard input.
// The same key twice is one.
func (o *verifyOptions) suspects(env Env, args []string) (list []verifiedKey, err error) {
	if len(args) == 0 || len(args) == 1 && args[0] == "-" {
		switch {
		case o.api.keyStdin:
			return nil, usage("give the key in a file: --api-key-file",
				"standard input cannot hold both the API key and what to verify")
		case len(args) == 0 && isTerminal(env.Stdin):
			return nil, usage("pass prefixes, or a file of keys: b10lint verify < FILE", "there is nothing to verify")
		}
		list, err = readSuspects(env.Stdin)
	} else {
		var prefixes []string
		prefixes, err = prefixArguments(args...)
		for _, p := range prefixes {
			list = append(list, verifiedKey{suspect: stub(p), Prefix: p})
		}
	}
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	unique := list[:0]
	for _, s := range list {
		if s.suspect.Confidence == finding.LowConfidence && o.mode.value == byProbe {
			return nil, usage("leave out --by probe",
				"only whole Baseten keys can be probed with, and %s is none: it can be looked up in the inventory", s)
		}
		if digest := s.suspect.Key.Digest(); !seen[digest] {
			seen[digest] = true
			unique = append(unique, s)
		}
	}
	return unique, nil
}

// stub is the suspect for a prefix, which can be looked up and not probed.
func stub(prefix string) scanner.Suspect {
	return scanner.Suspect{Key: baseten.Stub(prefix), Confidence: finding.LowConfidence}
}

// readSuspects reads a prefix or a key from each line. Empty lines are passed
// over. Errors give the number of a line and never its text.
func readSuspects(r io.Reader) (list []verifiedKey, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxKeyLine)
	n := 0
	for lines.Scan() {
		n++
		line := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if line == "" {
			continue
		}
		suspect, prefix, ok := suspectOf(line)
		switch {
		case !ok:
			return nil, usage("each line is a prefix or a whole key, and nothing else",
				"line %d of standard input is neither a prefix nor a key", n)
		case len(list) == maxKeyLines:
			return nil, usage("split the list", "standard input has more than %d keys", maxKeyLines)
		}
		list = append(list, verifiedKey{suspect: suspect, Prefix: prefix, Line: n})
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, usage("each line is a prefix or a whole key, and nothing else",
			"line %d of standard input is longer than any key", n+1)
	case err != nil:
		return nil, failed(fmt.Errorf("standard input: %w", err))
	case len(list) == 0:
		return nil, usage("pass prefixes, or one a line on standard input", "there is nothing to verify")
	}
	return list, nil
}

// suspectOf reads one line. Only what the detector takes for a Baseten key may be sent
// by a probe; other keys, which a gateway's customer brought along, are looked up by
// how they begin.
func suspectOf(line string) (s scanner.Suspect, prefix string, ok bool) {
	if prefix, ok := prefixOf(line); ok {
		return stub(prefix), prefix, true
	}
	if strings.ContainsFunc(line, func(r rune) bool { return r <= ' ' || r > '~' || r == '*' }) {
		return s, "", false
	}
	s = scanner.Suspect{Key: secret.New(line), Confidence: finding.LowConfidence}
	text := []byte("BASETEN_API_KEY=" + line + "\n")
	rules.Find("", text, nil, func(m rules.Match) bool {
		if bytes.Equal(text[m.Start:m.End], []byte(line)) {
			s.Confidence = max(m.Confidence, finding.MediumConfidence)
		}
		return true
	})
	prefix = s.Key.Prefix()
	return s, prefix, len(line) >= minKey && (prefix == "" || isPrefix(prefix))
}

// verified is the answer of verify.
type verified struct {
	Keys     []verifiedKey     `json:"keys"`
	Problems []finding.Problem `json:"problems,omitempty"`
	Complete bool              `json:"complete"` // nothing kept a verdict from being better
}

// A verifiedKey is one key and what is known of it.
type verifiedKey struct {
	suspect  scanner.Suspect
	Prefix   string           `json:"prefix"`         // empty for a key without a dot
	Line     int              `json:"line,omitempty"` // of standard input, where it stood first
	Liveness finding.Liveness `json:"liveness"`
	Key      *finding.Key     `json:"key,omitempty"`
}

// String names the key by its prefix. A key without a dot has no public part, and is
// named by its line.
func (k verifiedKey) String() string {
	if k.Prefix == "" {
		return fmt.Sprintf("line %d", k.Line)
	}
	return k.Prefix + "****"
}

// status is the exit status: live keys outrank unknown ones.
func (v verified) status(ctx context.Context) int {
	if ctx.Err() != nil {
		return ExitInterrupted
	}
	code := ExitClean
	if !v.Complete {
		code = ExitIncomplete // something went wrong, and was printed as an error
	}
	for _, k := range v.Keys {
		switch k.Liveness.State {
		case finding.Live, finding.Restricted:
			return ExitFindings
		case finding.Dead, finding.Forged:
		default:
			code = ExitIncomplete
		}
	}
	return code
}

func (v verified) table(w io.Writer) error {
	var rows [][]string
	for _, k := range v.Keys {
		f := k.Key
		if f == nil {
			f = &finding.Key{}
		}
		rows = append(rows, []string{k.String(), string(k.Liveness.State), k.Liveness.By, f.Name, typeWord(baseten.KeyType(f.Type)), f.Team,
			f.Owner, day(f.CreatedAt), day(f.LastUsedAt), k.Liveness.Detail})
	}
	return table(w, []string{"KEY", "VERDICT", "BY", "NAME", "TYPE", "TEAM", "OWNER", "CREATED", "LAST USED", "DETAIL"}, rows)
}
