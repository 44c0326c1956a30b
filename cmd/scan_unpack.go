package cmd

import (
	"os/exec"
	"time"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/scanner/source"
	"github.com/b10lint/b10lint/scanner/source/unpack"
)

// unpackOptions are the flags of scan on what is inside archives and pictures. Those that
// bound the work have the names that the hints of package unpack give.
type unpackOptions struct {
	noArchives bool
	limits     unpack.Limits
	ocr        bool
	pictures   unpack.PictureOptions
}

func (o *unpackOptions) register(c *cobra.Command) {
	f := c.Flags()
	f.BoolVar(&o.noArchives, "no-archives", false, "scan archives as plain files, without unpacking them")
	f.Var(positive[int]{&o.limits.Depth}, "archive-depth", "unpack archives within at most `N` others")
	f.Var(positive[int64]{&o.limits.Members}, "archive-members", "read at most `N` members of one archive, all levels together")
	f.Var((*size)(&o.limits.Bytes), "archive-bytes", "unpack at most this many bytes of one archive, all levels together")
	f.Var((*size)(&o.limits.MemberBytes), "archive-member-bytes", "read at most this many bytes of each member (0: no limit)")
	f.Var((*size)(&o.limits.Memory), "archive-memory", "hold at most this many bytes of an archive inside another that cannot be read as a stream")
	f.Var(positive[int64]{&o.limits.Ratio}, "archive-ratio", "treat a stream that expands more than `N` times as a decompression bomb")
	o.pictures.Images = 1000
	f.BoolVar(&o.ocr, "ocr", false, "also read the text in pictures; needs tesseract and takes seconds for each")
	f.DurationVar(&o.pictures.Timeout, "ocr-timeout", 30*time.Second, "give up on a picture after this `DURATION`")
	f.Var(positive[int64]{&o.pictures.Images}, "ocr-images", "read at most `N` pictures")
}

// prepare refuses limits that would leave everything out, and finds the program for
// pictures if it is needed.
func (o *unpackOptions) prepare(env Env) error {
	switch {
	case o.limits.Bytes == 0:
		return usage("to leave archives packed use --no-archives", "--archive-bytes 0: must be positive")
	case o.limits.Memory == 0:
		return usage("to leave archives packed use --no-archives", "--archive-memory 0: must be positive")
	case !o.ocr:
		return nil
	}
	if o.pictures.Timeout <= 0 {
		return usage("30s is the default", "--ocr-timeout %s: must be positive", o.pictures.Timeout)
	}
	program, err := exec.LookPath("tesseract")
	if err != nil {
		return usage("install it (apt-get install tesseract-ocr, brew install tesseract, choco install tesseract), or leave out --ocr",
			"--ocr needs the program tesseract, which was not found: %w", err)
	}
	o.pictures.Program = program
	// No more of the environment than the program needs: it may hold keys.
	for _, name := range []string{"PATH", "TESSDATA_PREFIX", "SYSTEMROOT", "TEMP", "TMPDIR"} {
		if v, ok := env.Lookup(name); ok {
			o.pictures.Env = append(o.pictures.Env, name+"="+v)
		}
	}
	o.pictures.Env = append(o.pictures.Env, "OMP_THREAD_LIMIT=1")
	return nil
}

// wrap makes a source hand over what is in its archives, with up to jobs goroutines, and
// the text in its pictures.
func (o *unpackOptions) wrap(s source.Source, jobs int) source.Source {
	if !o.noArchives {
		limits := o.limits
		limits.Jobs = jobs
		s = unpack.Archives(s, limits)
	}
	if o.ocr {
		s = unpack.Pictures(s, o.pictures)
	}
	return s
}
