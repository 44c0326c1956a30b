package trussrc

import (
	"strings"
)

const (
	maxDepth = 10 // configparser.MAX_INTERPOLATION_DEPTH
	// maxValue and maxSteps bound what Python does not: references that double
	// at every level.
	maxValue = 1 << 16
	maxSteps = 10000
)

// Get returns the value of an option as truss sees it: inherited where the
// section has none of its own, its references replaced. ok is false when neither
// has it. The error is an *Error that quotes no value. The value may be key
// material: the caller wraps it in a secret at once.
func (f *File) Get(section, name string) (value string, ok bool, err error) {
	o, _ := f.lookup(section, name)
	if o == nil {
		return "", false, nil
	}
	steps := maxSteps
	value, err = f.interpolate(section, o, &steps)
	return value, true, err
}

func (f *File) interpolate(section string, o *Option, steps *int) (string, error) {
	in := &interpolation{f: f, section: section, option: o, steps: steps}
	if err := in.expand(f.raw(o), 1); err != nil {
		return "", err
	}
	return in.out.String(), nil
}

// An interpolation expands one value.
type interpolation struct {
	f       *File
	section string
	option  *Option
	out     strings.Builder
	steps   *int
}

func (in *interpolation) fail(kind kind, text string) error {
	return &Error{in.option.line, "option " + safeName(in.option.name) + " " + text, kind}
}

func (in *interpolation) expand(rest string, depth int) error {
	if depth > maxDepth {
		return in.fail(interpolationTooDeep, "refers to itself or through more than ten others; write the value out")
	}
	for rest != "" {
		if *in.steps--; *in.steps < 0 || in.out.Len() > maxValue {
			return in.fail(interpolationTooLarge, "grows without bound when its references are replaced; write the value out")
		}
		plain, after, found := strings.Cut(rest, "%")
		in.out.WriteString(plain)
		if !found {
			return nil
		}
		switch {
		case strings.HasPrefix(after, "%"):
			in.out.WriteByte('%')
			rest = after[1:]
		case strings.HasPrefix(after, "("):
			name, tail, _ := strings.Cut(after[1:], ")")
			tail, closed := strings.CutPrefix(tail, "s") // "" where there is no bracket
			if !closed || name == "" {
				return in.fail(interpolationSyntax, "has a %( that is no %(name)s; write %% for a single %")
			}
			o, _ := in.f.lookup(in.section, name)
			if o == nil {
				return in.fail(interpolationMissing, "refers to an option that neither its section nor [DEFAULT] has")
			}
			if raw := in.f.raw(o); !strings.Contains(raw, "%") {
				in.out.WriteString(raw)
			} else if err := in.expand(raw, depth+1); err != nil {
				return err
			}
			rest = tail
		default:
			return in.fail(interpolationSyntax, "has a single %, which truss cannot read; write %% for one")
		}
	}
	return nil
}
