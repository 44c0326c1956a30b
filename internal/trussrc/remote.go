package trussrc

import "strings"

// A Remote is one section of the file, as truss uses it. It holds no key
// material: Key, AccessToken and RefreshToken say where that is, and File.Get
// returns it.
type Remote struct {
	Name string // the section's
	// URL is remote_url as written after interpolation. A URL may hold a
	// password before its @: do not print it whole.
	URL     string
	URLLine int // 0 when there is no remote_url
	// Key, AccessToken and RefreshToken are nil where the section neither has
	// nor inherits the option, or where it is empty.
	Key, AccessToken, RefreshToken *Option
	// Err is set when truss would refuse this section: one of its values cannot
	// be interpolated. The fields that could be read are set all the same.
	Err error
}

// Remotes returns one record for every section but [DEFAULT], in file order. A
// repeated section gives one record, from the first value of each option.
func (f *File) Remotes() []Remote {
	references := map[string][]*Option{} // by section, the options to interpolate
	for _, s := range f.doc.sections {
		for _, o := range s.options {
			if strings.Contains(f.raw(o), "%") {
				references[s.name] = append(references[s.name], o)
			}
		}
	}
	var out []Remote
	steps := 100 * maxSteps // bounds the work over all sections
	for _, s := range f.doc.sections {
		if s.name == defaultSection || s.duplicate {
			continue
		}
		get := func(name string) (string, *Option) {
			o, _ := f.lookup(s.name, name)
			value, _, err := f.Get(s.name, name)
			if err == nil && value == "" {
				return "", nil
			}
			return value, o
		}
		r := Remote{Name: s.name}
		var url *Option
		if r.URL, url = get("remote_url"); url != nil {
			r.URLLine = url.line
		}
		_, r.Key = get("api_key")
		_, r.AccessToken = get("oauth_access_token")
		_, r.RefreshToken = get("oauth_refresh_token")
		// truss reads every option of a section, the inherited ones too, so any of
		// them makes it refuse the section.
		for _, name := range []string{s.name, defaultSection} {
			for _, o := range references[name] {
				if used, _ := f.lookup(s.name, o.name); used == o && r.Err == nil {
					_, r.Err = f.interpolate(s.name, o, &steps)
				}
			}
		}
		out = append(out, r)
	}
	return out
}
