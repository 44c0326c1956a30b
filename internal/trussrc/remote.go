package trussrc

import "strings"

// Auth is how a remote proves who its user is.
type Auth string

// The kinds. Keyring means that auth_type is set and the file does not hold all
// that this type needs: truss then asks the operating system's keyring.
const (
	NoAuth      Auth = "none"
	InlineKey   Auth = "api key in the file"
	InlineOAuth Auth = "oauth tokens in the file"
	Keyring     Auth = "keyring"
)

// A Remote is one section of the file, as truss uses it. It holds no key
// material: Key, AccessToken and RefreshToken say where that is, and File.Get
// returns it.
type Remote struct {
	Name     string // the section's
	Line     int    // of its header
	Provider string // remote_provider; truss knows only "baseten"
	// URL is remote_url as written after interpolation. A URL may hold a
	// password before its @: do not print it whole.
	URL     string
	URLLine int // 0 when there is no remote_url
	Team    string
	Auth    Auth
	// Key, AccessToken and RefreshToken are nil where the section neither has
	// nor inherits the option, or where it is empty.
	Key, AccessToken, RefreshToken *Option
	// KeyInherited is set when Key stands in [DEFAULT] and so serves every remote.
	KeyInherited bool
	// Err is set when truss would refuse this section: one of its values cannot
	// be interpolated. The fields that could be read are set all the same.
	Err error
}

// Remotes returns one record for every section but [DEFAULT], in file order. A
// repeated section gives one record, from the first value of each option.
func (f *File) Remotes() []Remote {
	var out []Remote
	percents, steps := f.percents(), 100*maxSteps
	for _, s := range f.doc.sections {
		if s.Name == DefaultSection || s.Duplicate {
			continue
		}
		r := f.remote(s)
		r.Err = f.sectionError(s, percents, &steps)
		out = append(out, r)
	}
	return out
}

func (f *File) remote(s *Section) Remote {
	r := Remote{Name: s.Name, Line: s.Line}
	get := func(name string) (string, *Option) {
		o, _ := f.Lookup(s.Name, name)
		value, _, err := f.Get(s.Name, name)
		if err != nil {
			return "", o
		}
		if value == "" {
			return "", nil
		}
		return value, o
	}
	r.Provider, _ = get("remote_provider")
	var o *Option
	if r.URL, o = get("remote_url"); o != nil {
		r.URLLine = o.Line
	}
	r.Team, _ = get("team")
	_, r.Key = get("api_key")
	_, r.AccessToken = get("oauth_access_token")
	_, r.RefreshToken = get("oauth_refresh_token")
	if r.Key != nil {
		_, r.KeyInherited = f.Lookup(s.Name, "api_key")
	}
	authType, _ := get("auth_type")
	_, expires := get("oauth_expires_at")
	r.Auth = r.auth(authType, expires != nil)
	return r
}

// auth follows truss/remote/remote_factory.py: without auth_type a section is
// used as it stands; with one, what the file does not hold comes from the keyring.
func (r *Remote) auth(authType string, expires bool) Auth {
	switch {
	case authType == "oauth" && r.AccessToken != nil && r.RefreshToken != nil && expires:
		return InlineOAuth
	case authType == "oauth":
		return Keyring
	case r.Key != nil:
		return InlineKey
	case authType == "api_key":
		return Keyring
	}
	return NoAuth
}

// sectionError is the first error that reading every option of the section, its
// own and the inherited ones, gives: truss reads them all. steps bounds the work
// over all sections.
func (f *File) sectionError(s *Section, percents map[string][]*Option, steps *int) error {
	for _, name := range []string{s.Name, DefaultSection} {
		for _, o := range percents[name] {
			used, _ := f.Lookup(s.Name, o.Name)
			if used != o {
				continue
			}
			if _, err := f.interpolate(s.Name, o, steps); err != nil {
				return err
			}
		}
	}
	return nil
}

// percents lists, by section, the options with something to interpolate.
func (f *File) percents() map[string][]*Option {
	out := map[string][]*Option{}
	for _, s := range f.doc.sections {
		for _, o := range s.Options {
			if strings.Contains(f.Raw(o), "%") {
				out[s.Name] = append(out[s.Name], o)
			}
		}
	}
	return out
}
