package cmd

import (
	"os/exec"
	"time"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/scanner/source"
	"github.com/b10lint/b10lint/scanner/source/unpack"
)

// ocrOptions are the flags of scan that have text in pictures read.
type ocrOptions struct {
	on     bool
	limits unpack.PictureOptions
}

func (o *ocrOptions) register(c *cobra.Command) {
	o.limits.Images = 1000
	f := c.Flags()
	f.BoolVar(&o.on, "ocr", false, "read the text in pictures, too; needs tesseract, and takes seconds for each")
	f.DurationVar(&o.limits.Timeout, "ocr-timeout", 30*time.Second, "give up on a picture after this time")
	f.Var(positive[int64]{&o.limits.Images}, "ocr-images", "read this many pictures at most")
}

// find looks for the program, once it is asked for.
func (o *ocrOptions) find(env Env) error {
	if !o.on {
		return nil
	}
	if o.limits.Timeout <= 0 {
		return usage("30s is the default", "--ocr-timeout %s: must be positive", o.limits.Timeout)
	}
	program, err := exec.LookPath("tesseract")
	if err != nil {
		return usage("install it (apt-get install tesseract-ocr, brew install tesseract, choco install tesseract), or leave out --ocr",
			"--ocr needs the program tesseract, which was not found: %w", err)
	}
	o.limits.Program = program
	// No more of the environment than the program needs: it may hold keys.
	for _, name := range []string{"PATH", "TESSDATA_PREFIX", "SYSTEMROOT", "TEMP", "TMPDIR"} {
		if v, ok := env.Lookup(name); ok {
			o.limits.Env = append(o.limits.Env, name+"="+v)
		}
	}
	o.limits.Env = append(o.limits.Env, "OMP_THREAD_LIMIT=1")
	return nil
}

// wrap makes a source hand over the text in its pictures.
func (o *ocrOptions) wrap(s source.Source) source.Source {
	if !o.on {
		return s
	}
	return unpack.Pictures(s, o.limits)
}
