package workstation

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/authfile"
	"github.com/b10lint/b10lint/internal/trussrc"
	"github.com/b10lint/b10lint/rules"
	"github.com/b10lint/b10lint/scanner/source"
	"github.com/b10lint/b10lint/secret"
)

func (in *inspector) use(key secret.Secret, u keyUse) {
	digest := key.Digest()
	if in.shared[digest] == nil {
		in.order = append(in.order, digest)
	}
	u.prefix, u.at.Exposure = key.Prefix(), in.exposure
	in.shared[digest] = append(in.shared[digest], u)
}

// reportShared reports the keys that more than one remote uses.
func (in *inspector) reportShared() {
	rule := rules.KeySharedBetweenRemotes
	for _, digest := range in.order {
		uses := in.shared[digest]
		if len(uses) < 2 {
			continue
		}
		var names []string
		var at []finding.Location
		for _, u := range uses {
			names = append(names, u.name)
			if !slices.ContainsFunc(at, func(l finding.Location) bool { return l.Path == u.at.Path && l.Line == u.at.Line }) {
				at = append(at, u.at)
			}
		}
		f := source.RuleFinding(rule, rule.Severity, digest, "one key serves the remotes "+strings.Join(names, ", "), at...)
		f.Prefix = uses[0].prefix
		in.Findings = append(in.Findings, f)
	}
}

// trussrc judges a .trussrc and reports whether it holds a credential.
func (in *inspector) trussrc(path string, data []byte) (holds bool) {
	f, errs := trussrc.Parse(data)
	var broken []finding.Location
	for _, r := range f.Remotes() {
		if r.Err != nil {
			errs = append(errs, r.Err)
		}
		name := fmt.Sprintf("%q", r.Name)
		if r.Key != nil {
			holds = true
			s := r.Key.Span()
			if key, _, err := f.Get(r.Name, "api_key"); err == nil {
				in.use(secret.New(key), keyUse{name: name, at: spot(path, data, s.Start, s.End)})
			}
		}
		if r.RefreshToken != nil {
			s := r.RefreshToken.Span()
			in.refreshToken(name, spot(path, data, s.Start, s.End))
		}
		holds = holds || r.RefreshToken != nil || r.AccessToken != nil
		if r.URL != "" {
			in.url(name, r.URL, finding.Location{Path: path, Line: r.URLLine})
		}
	}
	for _, err := range errs {
		if e, ok := err.(*trussrc.Error); ok {
			broken = append(broken, finding.Location{Path: path, Line: e.Line})
		}
	}
	if len(broken) > 0 {
		rule := rules.TrussrcInvalid
		in.report(rule, rule.Severity, "", "truss cannot read "+path+": "+errs[0].Error(), broken...)
	}
	return holds
}

func (in *inspector) refreshToken(name string, at finding.Location) {
	rule := rules.OAuthTokenAtRest
	in.report(rule, min(rule.Severity, finding.Low), name, "the OAuth refresh token of "+name+" is kept in a file", at)
}

func (in *inspector) url(name, address string, at finding.Location) {
	if why, severity := rules.InsecureURL(address); why != "" {
		in.report(rules.RemoteURLInsecure, severity, name, "the address of remote "+name+" "+why, at)
	}
}

// authFile judges the baseten command's auth.json and reports whether it holds a
// credential.
func (in *inspector) authFile(path string, data []byte) (holds bool) {
	file, err := authfile.Parse(data)
	if err != nil {
		in.Problems = append(in.Problems, finding.Problem{Path: path, Error: "is no JSON that the baseten command could read", Warning: true})
		return false
	}
	for _, p := range file.Profiles {
		name := fmt.Sprintf("%q", p.Name)
		if p.RemoteURL != "" {
			in.url(name, p.RemoteURL, find(path, data, p.RemoteURL))
		}
		if p.OAuth != nil && p.OAuth.RefreshToken != "" {
			in.refreshToken(name, find(path, data, p.OAuth.RefreshToken))
		}
		if p.APIKey != "" {
			in.use(secret.New(p.APIKey), keyUse{name: name, at: find(path, data, p.APIKey)})
		}
		holds = holds || p.APIKey != "" || p.OAuth != nil && p.OAuth.RefreshToken+p.OAuth.AccessToken != ""
	}
	return holds
}

// find is the place of the first occurrence of a value; of one that is written
// with escapes, the file as a whole.
func find(path string, data []byte, value string) finding.Location {
	i := bytes.Index(data, []byte(value))
	if i < 0 {
		return finding.Location{Path: path}
	}
	return spot(path, data, i, i+len(value))
}
