package pack

import (
	"strings"
)

// objectFormat is extensions.objectFormat in the git configuration file at path,
// in lower case; "" when it is not set. git ignores it when it comes from an
// include, and so need we.
func objectFormat(path string) (string, error) {
	b, err := readSmall(path)
	if err != nil {
		return "", err
	}
	format, section := "", ""
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, "["); ok {
			name, after, _ := strings.Cut(rest, "]")
			section, line = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(after)
		}
		key, value, ok := strings.Cut(line, "=")
		if ok && section == "extensions" && strings.EqualFold(strings.TrimSpace(key), "objectformat") {
			value, _, _ = strings.Cut(value, "#")
			value, _, _ = strings.Cut(value, ";")
			format = strings.ToLower(strings.Trim(strings.TrimSpace(value), `"`))
		}
	}
	return format, nil
}
