package baseten

import (
	"fmt"
	"maps"
	"strings"
)

// parseTrussrc reads an INI file as Python's configparser does with its default
// settings, as far as a trussrc needs it: option names without regard to case,
// "=" or ":" as separator, comments on lines of their own only, indented lines
// continue a value, [DEFAULT] is inherited, a section or option given twice is
// an error, "%%" stands for a percent sign and "%(name)s" for another option of
// the section. Errors tell the line and never repeat it.
// See the Python documentation, "configparser", "Supported INI File Structure".
func parseTrussrc(data []byte) (map[string]map[string]string, error) {
	p := iniParser{sections: map[string]map[string]string{}, defaults: map[string]string{}}
	text := strings.TrimPrefix(string(data), "\ufeff")
	for i, line := range strings.Split(text, "\n") {
		if err := p.line(strings.TrimRight(line, "\r")); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	for name, section := range p.sections {
		whole := maps.Clone(p.defaults)
		maps.Copy(whole, section)
		for option, value := range whole {
			budget := maxExpansions
			v, err := interpolate(value, whole, 0, &budget)
			if err != nil {
				return nil, fmt.Errorf("option %s of [%s]: %w", clean(option), clean(name), err)
			}
			section[option] = v
		}
	}
	return p.sections, nil
}

type iniParser struct {
	sections map[string]map[string]string
	defaults map[string]string
	section  map[string]string // the one being filled
	option   string            // the one that an indented line continues
	indent   int               // of that option's line
}

func (p *iniParser) line(line string) error {
	text := strings.TrimSpace(line)
	if text == "" {
		return nil
	}
	if text[0] == '#' || text[0] == ';' {
		return nil
	}
	indent := len(line) - len(strings.TrimLeft(line, " \t\f\v"))
	if p.option != "" && indent > p.indent {
		p.section[p.option] = strings.TrimSpace(p.section[p.option] + "\n" + text)
		return nil
	}
	if text[0] == '[' {
		return p.header(text)
	}
	i := strings.IndexAny(text, "=:")
	if i <= 0 || p.section == nil {
		return fmt.Errorf("neither a [section] nor an option with a = or : sign")
	}
	p.option, p.indent = strings.ToLower(strings.TrimSpace(text[:i])), indent
	if _, twice := p.section[p.option]; twice {
		return fmt.Errorf("option %s is given twice", clean(p.option))
	}
	p.section[p.option] = strings.TrimSpace(text[i+1:])
	return nil
}

func (p *iniParser) header(text string) error {
	end := strings.LastIndexByte(text, ']')
	if end < 2 {
		return fmt.Errorf("a section without a name")
	}
	name := text[1:end]
	p.option = ""
	if name == "DEFAULT" {
		p.section = p.defaults
		return nil
	}
	if _, twice := p.sections[name]; twice {
		return fmt.Errorf("section [%s] is given twice", clean(name))
	}
	p.section = map[string]string{}
	p.sections[name] = p.section
	return nil
}

// maxExpansions bounds the work of one value, which could otherwise grow with
// the tenth power of its length.
const maxExpansions = 1000

// interpolate replaces %% and %(name)s. depth is bounded as configparser does it.
func interpolate(value string, options map[string]string, depth int, budget *int) (string, error) {
	if !strings.Contains(value, "%") {
		return value, nil
	}
	if *budget--; depth >= 10 || *budget < 0 {
		return "", fmt.Errorf("%%(…)s refers to itself")
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(value, "%")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		if after, ok := strings.CutPrefix(rest, "%"); ok {
			b.WriteByte('%')
			value = after
			continue
		}
		name, after, ok := strings.Cut(strings.TrimPrefix(rest, "("), ")s")
		other, known := options[strings.ToLower(name)]
		if !strings.HasPrefix(rest, "(") || !ok || !known {
			return "", fmt.Errorf("%% is not followed by another %% or the (name)s of an option")
		}
		v, err := interpolate(other, options, depth+1, budget)
		if err != nil {
			return "", err
		}
		if b.Len()+len(v) > maxCredentialFile {
			return "", fmt.Errorf("the value is too long")
		}
		b.WriteString(v)
		value = after
	}
}
