package revoke

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
)

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// EnvFile is a sink that sets one variable of a file of NAME=VALUE lines, as
// docker, direnv and the dotenv libraries read them. "export" before the name,
// quotation marks, a comment behind the value and every other line stay. A
// variable that is not there is added; one that is there twice is refused.
func EnvFile(path, name string) (*File, error) {
	if !envName.MatchString(name) {
		return nil, fmt.Errorf("%q is not a name for a variable", show(name))
	}
	line, err := regexp.Compile(`(?m)^[ \t]*(?:export[ \t]+)?` + name + `[ \t]*=[ \t]*(.*?)[ \t]*(\r?)$`)
	if err != nil {
		return nil, err
	}
	holds := func(data []byte) []byte {
		if m := line.FindSubmatch(data); m != nil {
			return bytes.Trim(m[1], `"'`)
		}
		return nil
	}
	return &File{Path: path, Holds: holds, Edit: func(old []byte, key string) ([]byte, error) {
		found := line.FindAllSubmatchIndex(old, -1)
		switch len(found) {
		case 0:
			return appendVariable(old, name, key), nil
		case 1:
			return replaceValue(old, found[0][2], found[0][3], name, key)
		}
		return nil, fmt.Errorf("the variable %s is set %d times; remove all but one", name, len(found))
	}}, nil
}

// anyVariable is a line that sets a variable.
var anyVariable = regexp.MustCompile(`(?m)^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*(.*?)[ \t]*\r?$`)

// EnvFileHolding returns the variables of a file whose value is the key with a prefix, and
// nothing besides it, in the order of the file.
func EnvFileHolding(path, prefix string) (list []Holding, err error) {
	data, _, err := (&File{Path: path}).read()
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, m := range anyVariable.FindAllSubmatch(data, -1) {
		value, _, _ := bytes.Cut(m[2], []byte(" #"))
		key, ok := wholeKey(bytes.Trim(bytes.TrimSpace(value), `"'`), prefix)
		if name := string(m[1]); ok && !seen[name] {
			seen[name] = true
			list = append(list, Holding{SinkSpec{Kind: KindDotenv, Path: path, Name: name}, key})
		}
	}
	return list, nil
}

func appendVariable(old []byte, name, key string) []byte {
	end := "\n"
	if bytes.Contains(old, []byte("\r\n")) {
		end = "\r\n"
	}
	out := bytes.Clone(old)
	if len(out) > 0 && out[len(out)-1] != '\n' {
		out = append(out, end...)
	}
	return append(out, name+"="+key+end...)
}

// replaceValue replaces what is between start and end, a value with its comment.
func replaceValue(old []byte, start, end int, name, key string) ([]byte, error) {
	value := old[start:end]
	if len(value) > 0 && (value[0] == '"' || value[0] == '\'') {
		closing := bytes.IndexByte(value[1:], value[0])
		if closing < 0 {
			return nil, fmt.Errorf("the value of %s goes on over more than one line", name)
		}
		start, end = start+1, start+1+closing
	} else if i := bytes.Index(value, []byte(" #")); i >= 0 {
		end = start + len(bytes.TrimRight(value[:i], " \t"))
	} else if bytes.HasSuffix(value, []byte(`\`)) {
		return nil, errors.New("the value of " + name + " goes on over more than one line")
	}
	out := append(bytes.Clone(old[:start]), key...)
	return append(out, old[end:]...), nil
}
