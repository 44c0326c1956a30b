package revoke

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"text/template"
)

// Template is a sink that writes a file from a template in the syntax of Go's
// text/template: {{.Key}} is the key and {{.Prefix}} its public part. The whole
// file is written anew each time.
func Template(path, templatePath string) (*File, error) {
	text, err := os.ReadFile(templatePath)
	if err != nil {
		return nil, err
	}
	t, err := template.New("template").Option("missingkey=error").Parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", templatePath, err)
	}
	return &File{Path: path, Edit: func(_ []byte, key string) ([]byte, error) {
		prefix, _, _ := strings.Cut(key, ".")
		var b bytes.Buffer
		if err := t.Execute(&b, map[string]string{"Key": key, "Prefix": prefix}); err != nil {
			return nil, fmt.Errorf("template %s: %w", templatePath, err)
		}
		if !bytes.Contains(b.Bytes(), []byte(key)) {
			return nil, fmt.Errorf("template %s does not write the key: put {{.Key}} where it belongs", templatePath)
		}
		return b.Bytes(), nil
	}}, nil
}
