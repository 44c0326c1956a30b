// Package authfile reads auth.json, in which the baseten command keeps its logins:
// in its present layout (profiles) and in the one before (hosts and their users).
package authfile

import (
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
)

// A File is the logins of one auth.json.
type File struct {
	Current  string    // name of the current profile; empty in the older layout
	Profiles []Profile // those of the present layout first, each layout sorted by name
	hosts    int
}

// A Profile is one login. Its key and tokens are key material: the caller wraps
// each in a secret at once. A login whose key or token is empty keeps it in the
// operating system's keyring.
type Profile struct {
	Name      string // in the older layout USER@HOST
	RemoteURL string // in the older layout that of the host, where the login has none
	APIKey    string
	OAuth     *OAuth // nil for a login with a key

	host   string // in the older layout
	active bool   // the host's active user
}

// OAuth is the tokens of a login.
type OAuth struct {
	AccessToken  string          `json:"access_token"`
	RefreshToken string          `json:"refresh_token"`
	Expiry       json.RawMessage `json:"expiry"` // of the access token, as written
}

// String names the profile, so that to print one by mistake shows no key.
func (p Profile) String() string { return p.Name }

type entry struct {
	RemoteURL string `json:"remote_url"`
	APIKey    string `json:"api_key"`
	OAuth     *OAuth `json:"oauth_credential"`
}

// Parse reads an auth.json. Its error quotes nothing of the file.
func Parse(data []byte) (File, error) {
	var in struct {
		Current  string           `json:"current"`
		Profiles map[string]entry `json:"profiles"`
		Hosts    map[string]struct {
			ActiveUser string           `json:"active_user"`
			Users      map[string]entry `json:"users"`
		} `json:"hosts"`
	}
	if json.Unmarshal(data, &in) != nil {
		return File{}, errors.New("not the JSON that the baseten CLI writes")
	}
	f := File{Current: in.Current, hosts: len(in.Hosts)}
	for _, name := range slices.Sorted(maps.Keys(in.Profiles)) {
		e := in.Profiles[name]
		f.Profiles = append(f.Profiles, Profile{Name: name, RemoteURL: e.RemoteURL, APIKey: e.APIKey, OAuth: e.OAuth})
	}
	for _, host := range slices.Sorted(maps.Keys(in.Hosts)) {
		h, remote := in.Hosts[host], host
		if !strings.Contains(host, "://") {
			remote = "https://" + host
		}
		for _, user := range slices.Sorted(maps.Keys(h.Users)) {
			e := h.Users[user]
			f.Profiles = append(f.Profiles, Profile{Name: user + "@" + host, RemoteURL: cmp.Or(e.RemoteURL, remote), APIKey: e.APIKey,
				OAuth: e.OAuth, host: host, active: user == h.ActiveUser})
		}
	}
	return f, nil
}

// Find returns a profile by name, or the current one for an empty name. In the
// older layout a host stands for its active user, and the only host's is current;
// that layout counts only where the file has no profiles of the present one.
func (f File) Find(name string) (Profile, bool) {
	present := len(f.Profiles) > 0 && f.Profiles[0].host == ""
	for _, p := range f.Profiles {
		switch {
		case present && p.host == "" && p.Name == cmp.Or(name, f.Current),
			!present && (p.Name == name || p.active && (p.host == name || name == "" && f.hosts == 1)):
			return p, true
		}
	}
	return Profile{}, false
}
