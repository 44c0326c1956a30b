package cmd

import (
	"github.com/spf13/cobra"

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

// wrap makes a source unpack what it hands over, with up to jobs goroutines.
func (o *archiveOptions) wrap(s source.Source, jobs int) source.Source {
	if o.off {
		return s
	}
	o.limits.Jobs = jobs
	return unpack.Archives(s, o.limits)
}
