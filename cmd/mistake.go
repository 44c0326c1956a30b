package cmd

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/b10lint/b10lint/internal/english"
	"github.com/b10lint/b10lint/report"
)

// refused gives the error of a command line that cobra refused our words, and the name
// that was meant where one is near. at is the command that refused it.
func refused(at *cobra.Command, err error) *exitError {
	say := func(hint, format string, args ...any) *exitError { return usage(hint, format, args...).(*exitError) }
	help := "run '" + at.CommandPath() + " --help'"
	text := err.Error()
	if m := argumentCount.FindStringSubmatch(text); m != nil {
		least := "needs "
		if strings.HasPrefix(text, "requires") {
			least = "needs at least "
		}
		n, _ := strconv.Atoi(m[1])
		return say("it is used as: "+at.UseLine(), "%s %s%s, and was given %s", at.CommandPath(), least, plural(n, "argument"), m[2])
	}
	if m := exclusive.FindStringSubmatch(text); m != nil {
		flags := strings.Fields(m[1])
		return say("leave all but one of them out; "+help+" for what they do",
			"--%s cannot be used together", strings.Join(flags, " and --"))
	}
	if m := unknownCommand.FindStringSubmatch(text); m != nil {
		if !at.HasAvailableSubCommands() {
			return say("it is used as: "+at.UseLine(), "%s takes no argument %q", at.CommandPath(), m[1])
		}
		return say(didYouMean(m[1], "", commandNames(at))+help+" for the commands", "%w", err)
	}
	return say(help+" for the commands and flags", "%w", err)
}

// The words of cobra and pflag that refused knows.
var (
	argumentCount  = regexp.MustCompile(`^(?:accepts|requires at least) (\d+) arg\(s\), (?:only )?received (\d+)$`)
	exclusive      = regexp.MustCompile(`^if any flags in the group .* none of the others can be; \[(.*)\] were all set$`)
	unknownCommand = regexp.MustCompile(`^unknown command "(.*)" for `)
)

// refusedFlag is the error of a flag that was refused.
func refusedFlag(c *cobra.Command, err error) error {
	hint := "run '" + c.CommandPath() + " --help' for its flags"
	if flagsWithMore(c) {
		hint = strings.Replace(hint, "--help'", "--help-all'", 1)
	}
	if value, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		f, cause := value.GetFlag(), value.Unwrap().Error()
		if f.Value.Type() == "int" {
			cause = strconv.Quote(value.GetValue()) + " is not a whole number"
		}
		words := strings.Split(f.Value.Type(), "|")
		if f.Name == "format" && len(words) == 1 {
			words = nil
			for _, x := range report.Formats() {
				words = append(words, x.Name)
			}
		}
		given, _, _ := strings.Cut(value.GetValue(), "=")
		return usage(didYouMean(given, "", words)+hint, "--%s: %s", f.Name, cause)
	}
	if strings.HasPrefix(err.Error(), "unknown shorthand flag: 'o'") && c.Flags().Lookup("format") != nil {
		hint = "-f FORMAT=FILE writes a report to a file: -f sarif=out.sarif"
	}
	if name, ok := strings.CutPrefix(err.Error(), "unknown flag: --"); ok {
		var names []string
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				names = append(names, f.Name)
			}
		})
		hint = didYouMean(name, "--", names) + hint
	}
	return usage(hint, "%w", err)
}

// didYouMean is the beginning of a hint with the name that a word is nearest to, if one is near.
func didYouMean(word, before string, names []string) string {
	if best := english.Nearest(word, names); best != "" {
		return "did you mean " + before + best + "? Or "
	}
	return ""
}

// unknownRule is the error of a rule that is not among ids.
func unknownRule(id string, ids []string) error {
	return usage(didYouMean(id, "", ids)+"run 'b10lint rules' for their list", "there is no rule %q", id)
}

func commandNames(c *cobra.Command) (names []string) {
	for _, sub := range c.Commands() {
		if !sub.Hidden {
			names = append(names, sub.Name())
		}
	}
	return append(names, "help")
}

func plural(n int, word string) string {
	return fmt.Sprintf("%d %s", n, english.Plural(n, word, word+"s"))
}
