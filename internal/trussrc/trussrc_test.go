package trussrc

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// texts is the table: what truss meets in the wild, then the corners of the grammar.
var texts = []string{
	"[baseten]\nremote_provider = baseten\nremote_url = https://app.baseten.co\napi_key = one\n",
	"[baseten]\nremote_provider=baseten\napi_key:two\n\n[staging]\nAPI_Key : three\n",
	"# head\n[DEFAULT]\napi_key = shared\n; note\n[a]\nremote_provider = baseten\n[b]\napi_key = own\n",
	"[a]\nx = value # not a comment\ny = value ; neither\n",
	"[a]\nx = one\n  two\n\n  three\n# between\n\tfour\ny = z\n",
	"[a]\nx =\n  below\n",
	"[a]\n  x = 1\n  y = 2\n    more\n   z = 3\n",
	"[a]\nx = 50%%\ny = %(x)s!\nz = %(Y)s\n",
	"[a]\nx = 50%\n", "[a]\nx = %(nope)s\n", "[a]\nx = %(x\n", "[a]\nx = %()s\n", "[a]\nx = %(x)s\n", "[a]\nx = %d\n",
	"[DEFAULT]\nhost = h\n[a]\nurl = https://%(host)s/\n[b]\nhost = i\n url = %(host)s\n",
	"[a]\nx = 1\n[a]\ny = 2\n", "[a]\nx = 1\nX = 2\n", "[DEFAULT]\nx=1\n[DEFAULT]\ny=1\n", "[DEFAULT]\nx=1\n[DEFAULT]\nx=1\n",
	"x = 1\n[a]\ny = 2\n", "\ufeff[a]\nx = 1\n", "[a]\nnonsense\nx = 1\nmore nonsense\n",
	"[a]\r\nx = 1\r\n y\r\n", "[a]\rx = 1\ry = 2\r", "[a]\n= 1\n", "[]\nx=1\n", "[a]b]\nx=1\n", "[a] tail\nx=1\n",
	"[a]\nx\u00a0=\u00a01\u00a0\n", "[a]\nx = \x1c1\x1c\n", "[a]\nx ==:= 1\n", "[ a ]\nx = 1\n", "[a]\nx = [b]\n[b]\n", "[a]\nx = 1\n [b]\ny = 2\n",
	"", "\n\n", "[a]", "[a]\nx", "[a]\nx =", "[a]\nx = 1\n#\n;\n \n", "[a]\n\n\n  x = 1\n", "[a]\nx = a\n\n\n\ny = b\n",
	"[a]\nx = 1\n  # comment in value\n  2\n", "[default]\nx=1\n[DEFAULT]\ny=%(x)s\n", "[a]\nx = 1\n  y = 2\n", "[a]\nx=%%(y)s\n",
	"[a]\nremote_provider = baseten\nauth_type = oauth\noauth_access_token = t\noauth_refresh_token = r\noauth_expires_at = 1\n",
}

// A view is everything that can be asked of a file.
type view struct {
	Fatal    string // what makes Python refuse the file, and where
	Sections map[string]map[string]string
}

func viewOf(data []byte) view {
	f, errs := Parse(data)
	if e := fatal(errs); e != "" {
		return view{Fatal: e}
	}
	v := view{Sections: map[string]map[string]string{}}
	for _, s := range f.doc.sections {
		if s.name == defaultSection {
			continue
		}
		values := map[string]string{}
		v.Sections[s.name] = values
		for _, t := range f.doc.sections {
			if t != s && t.name != defaultSection {
				continue
			}
			for _, o := range t.options {
				value, _, err := f.Get(s.name, o.name)
				if err != nil {
					value = "error: " + string(err.(*Error).kind)
				}
				values[o.name] = value
			}
		}
	}
	return v
}

// fatal is the error that Python would raise: the first that stops it, else
// the bad lines together.
func fatal(errs []error) string {
	var bad []string
	for _, err := range errs {
		e := err.(*Error)
		switch e.kind {
		case badLine:
			bad = append(bad, fmt.Sprint(e.Line))
		case badEncoding:
			return string(badEncoding)
		default:
			return fmt.Sprintf("%s %d", e.kind, e.Line)
		}
	}
	if bad != nil {
		return string(badLine) + " " + strings.Join(bad, " ")
	}
	return ""
}

func TestParseReportsAndReadsOn(t *testing.T) {
	f, errs := Parse([]byte("stray\n[a]\nx = 1\nx = 2\n[a]\ny = 3\nnonsense\n[b]\nz = \xff\n"))
	var got []string
	for _, err := range errs {
		got = append(got, fmt.Sprintf("%d %s", err.(*Error).Line, err.(*Error).kind))
	}
	want := []string{"1 missing section header", "4 duplicate option", "5 duplicate section", "7 line that is not an assignment", "9 not UTF-8"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	if o, _ := f.lookup("b", "Z"); o == nil || o.line != 9 {
		t.Errorf("option after the errors: %+v", o)
	}
	if n := len(f.doc.sections); n != 3 || !f.doc.sections[1].duplicate {
		t.Errorf("%d sections", n)
	}
}

func TestErrorsQuoteNoValue(t *testing.T) {
	long := strings.Repeat("s3cret", 8)
	for _, text := range []string{
		long + "\n", "[a]\n" + long + "\n", "[a]\n" + long + " = 1\n" + long + " = 2\n", "[" + long + "]\n[" + long + "]\n",
		"[a]\nx = %(" + long + ")s\n", "[a]\nx = %" + long + "\n", "[a]\nx = " + long + "%\n",
	} {
		f, errs := Parse([]byte(text))
		for _, r := range f.Remotes() {
			errs = append(errs, r.Err)
		}
		if len(errs) == 0 {
			t.Errorf("%q: no error", text)
		}
		for _, err := range errs {
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error quotes the text: %v", err)
			}
		}
		if s := fmt.Sprintf("%v %+v %#v", f, *f, *f); strings.Contains(s, "s3cret") {
			t.Errorf("printing a File shows its text")
		}
	}
}

func TestInterpolationIsBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("[a]\nx0 = " + strings.Repeat("v", 100) + "\n")
	for i := range 9 {
		fmt.Fprintf(&b, "x%d = %s\n", i+1, strings.Repeat(fmt.Sprintf("%%(x%d)s", i), 100))
	}
	f, _ := Parse([]byte(b.String()))
	if _, _, err := f.Get("a", "x9"); err == nil || err.(*Error).kind != interpolationTooLarge {
		t.Errorf("got %v", err)
	}
	if r := f.Remotes(); r[0].Err == nil {
		t.Error("the remote has no error")
	}
}

func TestRemotes(t *testing.T) {
	f, errs := Parse([]byte(`[DEFAULT]
remote_provider = baseten
[inline]
remote_url = https://app.%(team)s.example
team = research
api_key = k
[oauth]
auth_type = oauth
oauth_access_token = a
oauth_refresh_token = r
oauth_expires_at = 1
[half]
auth_type = oauth
oauth_refresh_token = r
[ring]
auth_type = api_key
[none]
[broken]
api_key = k%
`))
	if errs != nil {
		t.Fatal(errs)
	}
	type row struct {
		Name, URL         string
		Key, Access, Refr bool
		Err               bool
	}
	var got []row
	for _, r := range f.Remotes() {
		got = append(got, row{r.Name, r.URL, r.Key != nil, r.AccessToken != nil, r.RefreshToken != nil, r.Err != nil})
	}
	want := []row{
		{"inline", "https://app.research.example", true, false, false, false},
		{"oauth", "", false, true, true, false},
		{"half", "", false, false, true, false},
		{"ring", "", false, false, false, false},
		{"none", "", false, false, false, false},
		{"broken", "", true, false, false, true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestInheritedKey(t *testing.T) {
	f, _ := Parse([]byte("[a]\n[DEFAULT]\napi_key = k\n[b]\napi_key = l\n"))
	r := f.Remotes()
	if len(r) != 2 || r[0].Key.line != 3 || r[1].Key.line != 5 {
		t.Errorf("%+v", r)
	}
}

func TestSetValue(t *testing.T) {
	for _, c := range []struct{ name, in, section, option, value, want, err string }{
		{"plain", "# c\n[a]\nAPI_key  =  old \n; d\nx=1\n[b]\napi_key=b\n", "a", "api_key", "new", "# c\n[a]\nAPI_key  =  new \n; d\nx=1\n[b]\napi_key=b\n", ""},
		{"crlf", "[a]\r\napi_key: old\r\nx=1\r\n", "a", "API_KEY", "new", "[a]\r\napi_key: new\r\nx=1\r\n", ""},
		{"percent", "[a]\nk=old", "a", "k", "50%", "[a]\nk=50%%", ""},
		{"comment-like", "[a]\nk=old", "a", "k", "#x", "[a]\nk=#x", ""},
		{"continued", "[a]\nk = one\n  two\n# keep\n\n  three\nx=1\n", "a", "k", "new", "[a]\nk = new\n# keep\nx=1\n", ""},
		{"value below", "[a]\nk =\n  old\nx=1\n", "a", "k", "new", "[a]\nk = new\nx=1\n", ""},
		{"empty", "[a]\nk=\n", "a", "k", "new", "[a]\nk=new\n", ""},
		{"default", "[DEFAULT]\nk=old\n[a]\n", "DEFAULT", "k", "new", "[DEFAULT]\nk=new\n[a]\n", ""},
		{"inherited", "[DEFAULT]\nk=old\n[a]\n", "a", "k", "new", "", "inherits"},
		{"absent", "[a]\n", "a", "k", "new", "", "no option"},
		{"no section", "[a]\n", "b", "k", "new", "", "no section"},
		{"twice", "[a]\nk=1\nk=2\n", "a", "k", "new", "", "is twice in section \"a\", on lines 2 and 3"},
		{"line break", "[a]\nk=1\n", "a", "k", "x\ny", "", "line break"},
		{"space", "[a]\nk=1\n", "a", "k", " x", "", "space"},
	} {
		f, _ := Parse([]byte(c.in))
		got, err := f.SetValue(c.section, c.option, c.value)
		if (err != nil) != (c.err != "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.err)
		}
		if string(got) != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range texts { // each row is one corner of the grammar
		f.Add([]byte(text), "new")
	}
	f.Fuzz(func(t *testing.T, data []byte, value string) {
		file, _ := Parse(data)
		if len(data) > 2000 {
			return // editing every option of a large file is quadratic
		}
		for _, s := range file.doc.sections {
			for _, o := range s.options {
				if sp := o.Span(); sp.Start < 0 || sp.Start > sp.End || sp.End > len(data) {
					t.Fatalf("span %v of %d bytes", sp, len(data))
				}
				_, _, _ = file.Get(s.name, o.name)
				out, err := file.SetValue(s.name, o.name, value)
				if err != nil {
					continue
				}
				g, _ := Parse(out)
				if got, ok, err := g.Get(s.name, o.name); err != nil || !ok || got != value {
					t.Fatalf("set %q, got %q %v %v", value, got, ok, err)
				}
			}
		}
		file.Remotes()
	})
}
