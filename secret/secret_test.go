package secret_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"log"
	"log/slog"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"text/template"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/secret"
)

// checkHidden fails the test when text shows a part of the secret half of key. It
// never prints either.
func checkHidden(t *testing.T, how, key, text string) {
	t.Helper()
	if i := shown(key, text); i >= 0 {
		t.Errorf("%s shows the secret half from its character %d on", how, i)
	}
}

// shown returns where in the secret half of key the first eight characters begin
// that text shows, plain, in hexadecimal or in base64; -1 if it shows none.
func shown(key, text string) int {
	half := key[strings.IndexByte(key, '.')+1:]
	flat := strings.ToLower(strings.NewReplacer(" ", "", "0x", "", ",", "", "\n", "").Replace(text))
	for i := 0; i+8 <= len(half); i++ {
		part := half[i : i+8]
		if strings.Contains(text, part) || strings.Contains(flat, hex.EncodeToString([]byte(part))) ||
			strings.Contains(text, base64.RawStdEncoding.EncodeToString([]byte(part))[:10]) {
			return i
		}
	}
	return -1
}

func TestShown(t *testing.T) {
	key := fakekey.New(10).B10()
	half := []byte(key[13:])
	for how, text := range map[string]string{
		"plain": key, "a part": "x" + string(half[5:13]) + "y", "%x": fmt.Sprintf("%x", half), "%X": fmt.Sprintf("%X", half),
		"% x": fmt.Sprintf("% x", half), "%# x": fmt.Sprintf("%# x", half), "base64": base64.StdEncoding.EncodeToString(half),
	} {
		if shown(key, text) < 0 {
			t.Errorf("the tests of this package would overlook a key that is printed as %s", how)
		}
	}
	if shown(key, key[:13]+"****"+string(half[:7])) >= 0 {
		t.Error("the public part counts as shown")
	}
}

// The shapes in which a Secret may stand when somebody prints too much.
type (
	exported   struct{ Key secret.Secret }
	unexported struct{ key secret.Secret }
	pointer    struct{ Key *secret.Secret }
	hidden     struct{ key *secret.Secret }
	embedded   struct{ secret.Secret }
	deep       struct {
		In  unexported
		in  []exported
		any any
		m   map[string]unexported
	}
)

func shapes(s secret.Secret) map[string]any {
	return map[string]any{
		"secret":              s,
		"pointer":             &s,
		"struct":              exported{s},
		"unexported":          unexported{s},
		"pointer to struct":   &unexported{s},
		"pointer field":       pointer{&s},
		"hidden pointer":      hidden{&s},
		"embedded":            embedded{s},
		"slice":               []secret.Secret{s},
		"slice of pointers":   []*secret.Secret{&s},
		"slice of unexported": []unexported{{s}},
		"array":               [1]secret.Secret{s},
		"map value":           map[string]secret.Secret{"k": s},
		"map key":             map[secret.Secret]int{s: 1},
		"map of unexported":   map[string]unexported{"k": {s}},
		"any":                 []any{s, &s, exported{s}},
		"deep":                deep{unexported{s}, []exported{{s}}, &s, map[string]unexported{"k": {s}}},
		"pointer to deep":     &deep{unexported{s}, []exported{{s}}, hidden{&s}, map[string]unexported{"k": {s}}},
		"error":               fmt.Errorf("bad key %v: %w", s, errors.New("no")),
		"value of reflect":    reflect.ValueOf(s),
	}
}

func TestFmtHidesTheSecret(t *testing.T) {
	key := fakekey.New(1).B10()
	verbs := "vTtbcdoOqxXUeEfFgGspwZ"
	for name, v := range shapes(secret.New(key)) {
		for _, verb := range verbs {
			for _, flags := range []string{"", "+", "#", "-", " ", "0", "+#", "80", ".5", "# ", "-80.40"} {
				format := "%" + flags + string(verb)
				checkHidden(t, name+" as "+format, key, fmt.Sprintf(format, v))
			}
		}
		checkHidden(t, name+" by Sprint", key, fmt.Sprint(v))
		checkHidden(t, name+" by Sprintln", key, fmt.Sprintln(v))
		for _, wrong := range []string{"no verb", "%*d", "%.*f", "%[1]*d", "%!", "%w", "%[3]d"} {
			checkHidden(t, name+" in "+wrong, key, fmt.Sprintf(wrong, v, v))
			checkHidden(t, name+" in an error of "+wrong, key, fmt.Errorf(wrong, v, v).Error())
		}
	}
}

func TestRedactedForm(t *testing.T) {
	m := fakekey.New(2)
	key := m.B10()
	s, prefix := secret.New(key), key[:12]
	for format, want := range map[string]string{
		"%v": prefix + "****", "%s": prefix + "****", "%q": prefix + "****", "%x": prefix + "****", "%d": prefix + "****",
		"%#v": `secret.New("` + prefix + `****")`, "%+v": prefix + "****",
	} {
		if got := fmt.Sprintf(format, s); got != want {
			t.Errorf("%s gives %s, want %s", format, got, want)
		}
	}
	if got := fmt.Sprintf("%+v", exported{s}); got != "{Key:"+prefix+"****}" {
		t.Errorf("in a struct: %s", got)
	}
	for name, empty := range map[string]secret.Secret{"zero": {}, "empty": secret.New(""), "without a dot": secret.New(m.Word(40))} {
		if got := fmt.Sprint(empty); got != "****" {
			t.Errorf("%s prints as %s", name, got)
		}
	}
	var none *secret.Secret
	if got := fmt.Sprint(none); got != "<nil>" {
		t.Errorf("a nil pointer prints as %s", got)
	}
}

func TestEncodersHideTheSecret(t *testing.T) {
	key := fakekey.New(3).B10()
	encoders := map[string]func(v any) ([]byte, error){
		"json": json.Marshal,
		"json indented": func(v any) ([]byte, error) {
			return json.MarshalIndent(v, "", " ")
		},
		"xml":  xml.Marshal,
		"yaml": marshalYAML,
		"gob": func(v any) ([]byte, error) {
			var b bytes.Buffer
			err := gob.NewEncoder(&b).Encode(v)
			return b.Bytes(), err
		},
	}
	for name, v := range shapes(secret.New(key)) {
		for format, encode := range encoders {
			out, err := encode(v)
			checkHidden(t, name+" in "+format, key, string(out))
			if err != nil {
				checkHidden(t, name+" in the error of "+format, key, err.Error())
			}
		}
	}
}

// marshalYAML turns the panic that the package raises for what it cannot encode
// into an error, whose text is looked at too.
func marshalYAML(v any) (out []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %+v", r)
		}
	}()
	return yaml.Marshal(v)
}

func TestEncodedForm(t *testing.T) {
	key := fakekey.New(4).B10()
	s, shown := secret.New(key), key[:12]+"****"
	type attributes struct {
		Key  secret.Secret `xml:"key,attr" json:"key" yaml:"key"`
		Text secret.Secret `xml:",chardata" json:"text" yaml:"text"`
	}
	for format, encode := range map[string]func(any) ([]byte, error){"json": json.Marshal, "xml": xml.Marshal, "yaml": yaml.Marshal} {
		for name, v := range map[string]any{"field": exported{s}, "pointer": pointer{&s}, "attributes": attributes{s, s}} {
			out, err := encode(v)
			if err != nil {
				t.Errorf("%s of %s: %v", format, name, err)
			}
			checkHidden(t, format+" of "+name, key, string(out))
			if !strings.Contains(string(out), shown) {
				t.Errorf("%s of %s does not show the prefix: %s", format, name, out)
			}
		}
	}
	var back secret.Secret
	//lint:ignore SA9005 that nothing can be read into one is what is tested
	if err := json.Unmarshal([]byte(`"`+shown+`"`), &back); err == nil && !back.IsZero() {
		t.Error("a redacted form reads back as a key")
	}
}

func TestLogsHideTheSecret(t *testing.T) {
	key := fakekey.New(5).B10()
	var b bytes.Buffer
	options := &slog.HandlerOptions{Level: slog.LevelDebug, AddSource: true}
	for name, v := range shapes(secret.New(key)) {
		for kind, h := range map[string]slog.Handler{"text": slog.NewTextHandler(&b, options), "json": slog.NewJSONHandler(&b, options)} {
			b.Reset()
			l := slog.New(h).With("with", v).WithGroup("group")
			l.Info("message", "attr", v, slog.Group("inner", "deep", v), slog.Any("pointer", &v))
			l.Debug(fmt.Sprint(v), "unpaired", "x", v)
			if b.Len() == 0 {
				t.Fatalf("the %s handler wrote nothing", kind)
			}
			checkHidden(t, name+" in slog "+kind, key, b.String())
		}
		b.Reset()
		log.New(&b, "", 0).Printf("%v %+v %#v %s", v, v, v, v)
		checkHidden(t, name+" in log", key, b.String())
	}
}

func TestTemplatesHideTheSecret(t *testing.T) {
	key := fakekey.New(6).B10()
	const page = `{{.}} {{printf "%x %q %#v" . . .}} {{print .}} {{html .}} {{js .}} {{urlquery .}}`
	const web = `<a href="/{{.}}" title="{{.}}" onclick="f({{.}})" style="color:{{.}}">{{.}}</a><script>var x = {{.}}; var y = "{{.}}";</script><!-- {{.}} -->`
	for name, v := range shapes(secret.New(key)) {
		var b bytes.Buffer
		if err := template.Must(template.New("").Parse(page)).Execute(&b, v); err != nil {
			checkHidden(t, name+" in the error of text/template", key, err.Error())
		}
		if err := htmltemplate.Must(htmltemplate.New("").Parse(web)).Execute(&b, v); err != nil {
			checkHidden(t, name+" in the error of html/template", key, err.Error())
		}
		checkHidden(t, name+" in a template", key, b.String())
	}
}

// Tests print differences; go-cmp looks into everything it is given.
func TestDifferencesHideTheSecret(t *testing.T) {
	m := fakekey.New(7)
	a, b := m.B10(), m.B10()
	all := cmp.Exporter(func(reflect.Type) bool { return true })
	other := shapes(secret.New(b))
	for name, v := range shapes(secret.New(a)) {
		if name == "error" || name == "value of reflect" {
			continue // cmp would look into the runtime's own memory
		}
		text := cmp.Diff(v, other[name], all)
		checkHidden(t, name+" in a difference", a, text)
		checkHidden(t, name+" in a difference", b, text)
	}
}

// The panics of this table run in a process of their own, whose dying words are
// looked at.
var panics = map[string]func(s secret.Secret){
	"secret":           func(s secret.Secret) { panic(s) },
	"pointer":          func(s secret.Secret) { panic(&s) },
	"struct":           func(s secret.Secret) { panic(unexported{s}) },
	"formatted":        func(s secret.Secret) { panic(fmt.Sprintf("%v %+v %#v", s, unexported{s}, &exported{s})) },
	"error":            func(s secret.Secret) { panic(fmt.Errorf("key %v in %+v", s, unexported{s})) },
	"wrapped":          func(s secret.Secret) { panic(errors.Join(fmt.Errorf("key %s", s), errors.New("x"))) },
	"while panicking":  func(s secret.Secret) { defer func() { panic(fmt.Sprint(recover(), s)) }(); panic(s) },
	"argument":         func(s secret.Secret) { explode(s, exported{s}, []secret.Secret{s}) },
	"index from panic": func(s secret.Secret) { _ = []int{}[len(s.Prefix())] },
}

//go:noinline
func explode(s secret.Secret, e exported, list []secret.Secret) { panic(len(list)) }

const panicVariable = "B10LINT_TEST_PANIC"

func TestPanicsHideTheSecret(t *testing.T) {
	key := fakekey.New(8).B10()
	if name := os.Getenv(panicVariable); name != "" {
		panics[name](secret.New(key))
	}
	for name := range panics {
		c := exec.Command(os.Args[0], "-test.run=^TestPanicsHideTheSecret$")
		c.Env = append(os.Environ(), panicVariable+"="+name, "GOTRACEBACK=all")
		out, err := c.CombinedOutput()
		if err == nil || !bytes.Contains(out, []byte("panic")) {
			t.Errorf("%s: did not panic", name)
		}
		checkHidden(t, "panic with "+name, key, string(out))
	}
}

func TestValue(t *testing.T) {
	m := fakekey.New(9)
	key := m.Legacy()
	s := secret.New(key)
	if s.Reveal() != key {
		t.Error("Reveal does not return what New was given")
	}
	if s.Prefix() != key[:8] {
		t.Errorf("the prefix is %q", s.Prefix())
	}
	if !s.Equal(secret.New(strings.Clone(key))) || s.Equal(secret.New(m.Legacy())) || s.Equal(secret.Secret{}) {
		t.Error("Equal does not compare values")
	}
	if sum := sha256.Sum256([]byte(key)); s.Digest() != hex.EncodeToString(sum[:]) {
		t.Error("Digest is not the SHA-256 of the value")
	}
	if s.IsZero() || !(secret.Secret{}).IsZero() || !secret.New("").IsZero() {
		t.Error("IsZero is wrong")
	}
	if got := (secret.Secret{}).Reveal(); got != "" {
		t.Errorf("the zero Secret reveals %q", got)
	}
}
