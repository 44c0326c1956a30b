package cmd

import (
	"encoding"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/report"
)

// A choice is a flag that takes one of a few words.
type choice struct {
	value string
	words []string
}

// register adds the flag, with its words for shell completion. short may be empty.
func (c *choice) register(to *cobra.Command, name, short, usage string) {
	to.Flags().VarP(c, name, short, usage)
	_ = to.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(c.words, cobra.ShellCompDirectiveNoFileComp))
}

func (c *choice) String() string { return c.value }
func (c *choice) Type() string   { return strings.Join(c.words, "|") }
func (c *choice) Set(s string) error {
	if !slices.Contains(c.words, s) {
		return fmt.Errorf("%q is not one of %s", s, strings.Join(c.words, ", "))
	}
	c.value = s
	return nil
}

// A level is a flag whose value is one of finding's ordered words.
type level[T any, P interface {
	*T
	encoding.TextUnmarshaler
	encoding.TextMarshaler
}] struct{ value T }

func (l *level[T, P]) Set(s string) error { return P(&l.value).UnmarshalText([]byte(s)) }
func (l *level[T, P]) Type() string       { return "LEVEL" }
func (l *level[T, P]) String() string {
	text, _ := P(&l.value).MarshalText()
	return string(text)
}

// A duration is a flag that takes days and weeks beside what Go's durations have.
// A day is 24 hours.
type duration struct {
	value time.Duration
	text  string
}

func (d *duration) String() string { return d.text }
func (d *duration) Type() string   { return "DURATION" }

// Set takes 90d, 2w, 12h, 1h30m.
func (d *duration) Set(s string) error {
	value, err := time.ParseDuration(s)
	for unit, length := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if number, ok := strings.CutSuffix(s, unit); ok {
			var n int
			if n, err = strconv.Atoi(number); err == nil && n <= 100_000 {
				value = time.Duration(n) * length
			}
		}
	}
	if err != nil || value <= 0 {
		return fmt.Errorf("%q is not a span of time: write 90d, 2w or 12h", s)
	}
	d.value, d.text = value, s
	return nil
}

// positive is a flag whose value is a whole number above zero.
type positive[T int | int64] struct{ n *T }

func (p positive[T]) Type() string   { return "N" }
func (p positive[T]) String() string { return strconv.FormatInt(int64(*p.n), 10) }
func (p positive[T]) Set(s string) error {
	n, err := strconv.ParseInt(s, 10, 0)
	if err != nil || n <= 0 {
		return fmt.Errorf("%q is not a whole number above zero", s)
	}
	*p.n = T(n)
	return nil
}

// A size is a flag whose value is a number of bytes, with or without a unit.
type size int64

// units are those of IEC 80000-13 and the SI, largest first.
var units = []struct {
	name  string
	bytes int64
}{
	{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
	{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"B", 1},
}

func (z *size) Type() string { return "SIZE" }

// String gives the size in the largest unit that needs no fraction.
func (z *size) String() string {
	if *z == 0 {
		return "0"
	}
	for _, u := range units {
		if int64(*z)%u.bytes == 0 {
			return strconv.FormatInt(int64(*z)/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(int64(*z), 10)
}

// Set reads a whole number of bytes or of a unit, such as 64MiB, 64 mib or 64M;
// one letter stands for the unit of 1024.
func (z *size) Set(s string) error {
	digits := strings.TrimRight(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ")
	unit, factor := strings.TrimSpace(s[len(digits):]), int64(1)
	if len(unit) == 1 && !strings.EqualFold(unit, "B") {
		unit += "iB"
	}
	known := unit == ""
	for _, u := range units {
		if strings.EqualFold(unit, u.name) {
			factor, known = u.bytes, true
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if !known || err != nil || n < 0 || n > math.MaxInt64/factor {
		return fmt.Errorf("%q is not a size: give bytes, or a number with KiB, MiB or GiB", s)
	}
	*z = size(n * factor)
	return nil
}

// An outputList is the reports that a command writes: -f FORMAT[=FILE], repeatable.
type outputList []output

func (l *outputList) Type() string { return "FORMAT[=FILE]" }
func (l *outputList) String() string {
	var words []string
	for _, o := range *l {
		words = append(words, strings.TrimSuffix(o.format+"="+o.file, "="))
	}
	return strings.Join(words, ",")
}

// Set takes FORMAT or FORMAT=FILE; the file "-" is standard output.
func (l *outputList) Set(s string) error {
	format, file, _ := strings.Cut(s, "=")
	if _, err := report.Lookup(format); err != nil {
		return err
	}
	if file == "-" {
		file = ""
	}
	*l = append(*l, output{format, file})
	return nil
}

// count returns how many of the conditions hold.
func count(conditions ...bool) (n int) {
	for _, c := range conditions {
		if c {
			n++
		}
	}
	return n
}

// A cacheFolder is the one place on disk where a command may keep what saves work
// next time: nothing is kept without it.
type cacheFolder struct{ dir string }

func (f *cacheFolder) register(c *cobra.Command) {
	c.Flags().StringVar(&f.dir, "cache", "", "cache results in `FOLDER` to speed up later runs (keys are never stored)")
	_ = c.MarkFlagDirname("cache")
}
