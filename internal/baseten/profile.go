package baseten

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// authFile is the baseten CLI's auth.json, in its present layout (profiles) and
// in the one before (hosts).
type authFile struct {
	Current  string             `json:"current"`
	Profiles map[string]profile `json:"profiles"`
	Hosts    map[string]struct {
		ActiveUser string             `json:"active_user"`
		Users      map[string]profile `json:"users"`
	} `json:"hosts"`
}

type profile struct {
	RemoteURL       string `json:"remote_url"`
	AuthType        string `json:"auth_type"`
	APIKey          string `json:"api_key"`
	OAuthCredential *struct {
		AccessToken string `json:"access_token"`
		Expiry      Time   `json:"expiry"`
	} `json:"oauth_credential"`
}

// profilePath is where the CLI keeps its profiles.
func (o CredentialOptions) profilePath() string {
	if v, ok := o.Env(EnvConfigDir); ok && v != "" {
		return filepath.Join(v, "auth.json")
	}
	if o.ConfigDir == "" {
		return ""
	}
	return filepath.Join(o.ConfigDir, "baseten", "auth.json")
}

// fromProfile reads one profile, or with an empty name the current one. Without
// a name, a file that is not there or has no current profile is ErrNoCredential.
func (o CredentialOptions) fromProfile(name string) (Credential, error) {
	path := o.profilePath()
	data, err := readSmall(path)
	if err != nil {
		if name == "" && (path == "" || errors.Is(err, fs.ErrNotExist)) {
			return Credential{}, ErrNoCredential
		}
		return Credential{}, fmt.Errorf("profile %q of the baseten CLI: %w", name, err)
	}
	var file authFile
	if json.Unmarshal(data, &file) != nil {
		return Credential{}, fmt.Errorf("%s is not the JSON that the baseten CLI writes", path)
	}
	p, name, ok := file.find(name)
	switch {
	case !ok && name == "":
		return Credential{}, ErrNoCredential
	case !ok:
		return Credential{}, fmt.Errorf("%s has no profile %q", path, name)
	}
	from := fmt.Sprintf("profile %q of %s", name, path)
	if p.OAuthCredential != nil {
		return oauth(p.OAuthCredential.AccessToken, p.OAuthCredential.Expiry.Time, o.Now(), from, p.RemoteURL)
	}
	if p.APIKey == "" {
		return oauth("", time.Time{}, o.Now(), from, "") // the keyring has it
	}
	c, err := newCredential(p.APIKey, from)
	c.RemoteURL = p.RemoteURL
	return c, err
}

// find looks a profile up by name, or the current one for an empty name. In the
// older layout a profile is named HOST or USER@HOST, and the only host's active
// user is current.
func (f authFile) find(name string) (profile, string, bool) {
	if len(f.Profiles) > 0 {
		if name == "" {
			name = f.Current
		}
		p, ok := f.Profiles[name]
		return p, name, ok
	}
	for host, h := range f.Hosts {
		user := h.ActiveUser
		if u, ok := strings.CutSuffix(name, "@"+host); ok {
			user = u
		} else if name != host && (name != "" || len(f.Hosts) != 1) {
			continue
		}
		if p, ok := h.Users[user]; ok {
			if p.RemoteURL == "" {
				p.RemoteURL = "https://" + strings.TrimPrefix(host, "https://")
			}
			return p, user + "@" + host, true
		}
	}
	return profile{}, name, false
}

// unixSeconds reads a number of seconds since 1970; the zero time when it is none.
func unixSeconds(s string) time.Time {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f <= 0 || f > 1e11 {
		return time.Time{}
	}
	return time.Unix(int64(f), 0)
}
