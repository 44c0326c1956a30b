package revoke

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"text/template"

	"github.com/b10lint/b10lint/internal/atomicfile"
	"github.com/b10lint/b10lint/internal/regular"
	"github.com/b10lint/b10lint/internal/trussrc"
	"github.com/b10lint/b10lint/secret"
)

// maxSinkFile bounds a file that a key is put into.
const maxSinkFile = 16 << 20

// A File is a sink that edits a file in one step: what is not the key stays as it
// was, and so do the mode and, where allowed, the owner. A file that is not there
// is created with mode 0600, if Edit allows.
type File struct {
	Path string
	// Edit returns the file's new text with a key in it. old is nil when there is
	// no file. Its error must not quote the text.
	Edit func(old []byte, key string) ([]byte, error)
	// Holds returns the value that a delivery would replace: of the one place that this is,
	// for other sinks may be places of the same file.
	Holds func(data []byte) []byte

	before    []byte
	after     []byte
	existed   bool
	delivered bool
}

// Ready tries the edit on a key that was made up, and whether the folder takes a
// new file.
func (f *File) Ready(context.Context) error {
	old, _, err := f.read()
	if err != nil {
		return err
	}
	if _, err := f.Edit(old, "ready"); err != nil {
		return fmt.Errorf("%s: %w", f.Path, err)
	}
	w, err := atomicfile.Create(f.Path, atomicfile.Mode{Perm: 0o600})
	if err != nil {
		return err
	}
	return w.Abandon()
}

func (f *File) read() (data []byte, exists bool, err error) {
	data, err = regular.ReadFile(f.Path, maxSinkFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	return data, err == nil, err
}

// String is the file's path.
func (f *File) String() string { return f.Path }

// Held returns the value that a delivery would replace.
func (f *File) Held(context.Context) ([]byte, error) {
	data, exists, err := f.read()
	if err != nil || !exists {
		return nil, err
	}
	return f.Holds(data), nil
}

// Deliver replaces the file by one with the key.
func (f *File) Deliver(_ context.Context, key secret.Secret) error {
	old, exists, err := f.read()
	if err != nil {
		return err
	}
	data, err := f.Edit(old, key.Reveal())
	if err != nil {
		return fmt.Errorf("%s: %w", f.Path, err)
	}
	if !f.delivered {
		f.before, f.existed = old, exists
	}
	f.delivered, f.after = true, data
	return atomicfile.WriteFile(f.Path, data, atomicfile.Mode{Perm: 0o600})
}

// Read looks for the key in its place of the file.
func (f *File) Read(_ context.Context, prefix string) (key secret.Secret, ok, readable bool, err error) {
	data, _, err := f.read()
	if err != nil {
		return secret.Secret{}, false, true, err
	}
	key, ok = findKey(f.Holds(data), prefix)
	return key, ok, true, nil
}

// Restore puts the file back that Deliver replaced.
func (f *File) Restore(context.Context) (undone bool, err error) {
	if !f.delivered {
		return false, nil
	}
	now, exists, err := f.read()
	switch {
	case err != nil:
		return false, err
	case exists == f.existed && bytes.Equal(now, f.before):
	case !bytes.Equal(now, f.after):
		return false, fmt.Errorf("%s was changed by someone else", f.Path)
	case !f.existed:
		err = os.Remove(f.Path)
	default:
		err = atomicfile.WriteFile(f.Path, f.before, atomicfile.Mode{Perm: 0o600})
	}
	return err == nil, err
}

// Leftovers says which files that sinks edit would still hold the key with a prefix, in
// other variables or sections, when each has the new one.
func Leftovers(sinks []Sink, prefix string) (warnings []string) {
	texts := map[string][]byte{}
	var paths []string
	for _, sink := range sinks {
		f, ok := sink.(*File)
		if !ok {
			continue
		}
		text, seen := texts[f.Path]
		if !seen {
			paths = append(paths, f.Path)
			text, _, _ = f.read() // one that cannot be read is refused by Ready
		}
		if edited, err := f.Edit(text, "new"); err == nil {
			text = edited
		}
		texts[f.Path] = text
	}
	for _, path := range paths {
		var lines []string
		for i, line := range bytes.Split(texts[path], []byte("\n")) {
			if bytes.Contains(line, []byte(prefix+".")) {
				lines = append(lines, strconv.Itoa(i+1))
			}
		}
		if lines != nil {
			warnings = append(warnings, fmt.Sprintf("%s also holds the old key on line %s, where it stops working: name that place too, or use --everywhere",
				path, strings.Join(lines, ", ")))
		}
	}
	return warnings
}

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
	whole := func(data []byte) []byte { return data }
	return &File{Path: path, Holds: whole, Edit: func(_ []byte, key string) ([]byte, error) {
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

// Trussrc is a sink that sets the api_key of one section of a .trussrc. Every other
// byte of the file stays. A file that truss could not read is refused.
func Trussrc(path, section string) *File {
	holds := func(data []byte) []byte {
		f, _ := trussrc.Parse(data)
		value, _, _ := f.Get(section, "api_key") // one that cannot be read is refused by Edit
		return []byte(value)
	}
	return &File{Path: path, Holds: holds, Edit: func(old []byte, key string) ([]byte, error) {
		f, errs := trussrc.Parse(old)
		if len(errs) > 0 {
			return nil, fmt.Errorf("truss could not read it: %w", errs[0])
		}
		return f.SetValue(section, "api_key", key)
	}}
}

// TrussrcHolding returns the sections of a .trussrc whose own api_key is the key with a
// prefix. A file that is not there has none.
func TrussrcHolding(path, prefix string) (list []Holding, err error) {
	data, _, err := (&File{Path: path}).read()
	if err != nil {
		return nil, err
	}
	f, _ := trussrc.Parse(data)
	for _, name := range f.Setting("api_key") {
		value, _, err := f.Get(name, "api_key")
		if key, ok := wholeKey([]byte(value), prefix); ok && err == nil {
			list = append(list, Holding{SinkSpec{Kind: KindTrussrc, Path: path, Name: name}, key})
		}
	}
	return list, nil
}
