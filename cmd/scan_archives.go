package cmd

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/b10lint/b10lint/internal/archive"
	"github.com/b10lint/b10lint/scanner/source"
	"github.com/b10lint/b10lint/scanner/source/unpack"
)

// archiveOptions are the flags of scan that bound the work on archives. They have
// the names that the hints of source.Unpack give.
type archiveOptions struct {
	off    bool
	limits unpack.Limits
}

func (o *archiveOptions) register(c *cobra.Command) {
	o.limits = archive.DefaultLimits()
	f := c.Flags()
	f.BoolVar(&o.off, "no-archives", false, "scan archives as plain files, without unpacking them")
	f.Var(positive[int]{&o.limits.Depth}, "archive-depth", "unpack archives that lie in this many others at most")
	f.Var(positive[int64]{&o.limits.Members}, "archive-members", "look at this many members of one archive at most, all levels together")
	f.Var((*size)(&o.limits.Bytes), "archive-bytes", "unpack this many bytes of one archive at most, all levels together")
	f.Var((*size)(&o.limits.MemberBytes), "archive-member-bytes", "read this many bytes of each member at most (0: no limit)")
	f.Var((*size)(&o.limits.Memory), "archive-memory", "hold this many bytes at most of an archive that must be read at random inside another")
	f.Var(positive[int64]{&o.limits.Ratio}, "archive-ratio", "take a stream that unpacks to more than this many times its size for a bomb")
}

// check refuses limits that would leave everything out.
func (o *archiveOptions) check() error {
	for _, l := range []struct {
		name  string
		value int64
	}{{"bytes", o.limits.Bytes}, {"memory", o.limits.Memory}} {
		if l.value == 0 {
			return usage("to leave archives packed use --no-archives", "--archive-%s 0: must be positive", l.name)
		}
	}
	return nil
}

// wrap makes sources unpack what they hand over.
func (o *archiveOptions) wrap(sources []source.Source) []source.Source {
	if o.off {
		return sources
	}
	out := make([]source.Source, len(sources))
	for i, s := range sources {
		out[i] = unpack.Archives(s, o.limits)
	}
	return out
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

var _ pflag.Value = (*size)(nil)

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
