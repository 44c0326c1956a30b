package baseten

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/b10lint/b10lint/internal/authfile"
	"github.com/b10lint/b10lint/internal/trussrc"
	"github.com/b10lint/b10lint/secret"
)

// EnvAPIKey and the others are the environment variables that credentials come from.
const (
	EnvAPIKey    = "BASETEN_API_KEY"
	EnvProfile   = "BASETEN_PROFILE"
	EnvConfigDir = "BASETEN_CONFIG_DIR"
	EnvTrussrc   = "USER_TRUSSRC_PATH"
)

// ErrNoCredential is returned when nothing was given and nothing was found.
var ErrNoCredential = errors.New("no Baseten API key: set BASETEN_API_KEY, or pass --api-key-file, " +
	"--api-key-stdin or --remote")

// maxCredentialFile bounds the files that credentials are read from.
const maxCredentialFile = 1 << 20

// A Credential is a key to call the API with, and where it came from.
type Credential struct {
	Key    secret.Secret
	Scheme Scheme // empty means Bearer
	From   string // for messages: "BASETEN_API_KEY", "remote \"staging\" of ~/.trussrc"
	// RemoteURL is the remote_url beside the key in the user's own file. See
	// ResolveEndpoints for how far it is trusted.
	RemoteURL string
}

// CredentialOptions say where to look.
type CredentialOptions struct {
	KeyFile  string    // --api-key-file
	KeyStdin io.Reader // --api-key-stdin; nil when not asked for
	Remote   string    // --remote: a section of the trussrc
	Profile  string    // --profile: a profile of the baseten CLI
	Env      Lookup
	Home     string // the user's home folder
	// ConfigDir is what os.UserConfigDir returns; the CLI's folder is below it.
	ConfigDir string
	Now       func() time.Time
}

// ResolveCredential finds the key to call the API with. What the command line
// names comes first, and only one thing may be named there: --api-key-file,
// --api-key-stdin, --remote or --profile. Then BASETEN_API_KEY; then the
// BASETEN_PROFILE of the baseten CLI's profile file, or its current profile.
// When there is none the error is ErrNoCredential.
//
// Only files of the user's own are read: the home and configuration folders, and
// what the command line and environment name. Nothing in a scanned folder is.
func ResolveCredential(o CredentialOptions) (Credential, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	named := 0
	for _, given := range []bool{o.KeyFile != "", o.KeyStdin != nil, o.Remote != "", o.Profile != ""} {
		if given {
			named++
		}
	}
	if named > 1 {
		return Credential{}, errors.New("only one of --api-key-file, --api-key-stdin, --remote and --profile can be given")
	}
	switch {
	case o.KeyFile != "":
		f, err := os.Open(o.KeyFile)
		if err != nil {
			return Credential{}, fmt.Errorf("--api-key-file: %w", err)
		}
		defer f.Close()
		return fromReader(f, "--api-key-file "+o.KeyFile)
	case o.KeyStdin != nil:
		return fromReader(o.KeyStdin, "--api-key-stdin")
	case o.Remote != "":
		return o.fromTrussrc()
	case o.Profile != "":
		return o.fromProfile(o.Profile)
	}
	if v, ok := o.Env(EnvAPIKey); ok && strings.TrimSpace(v) != "" {
		return newCredential(v, EnvAPIKey)
	}
	if v, ok := o.Env(EnvProfile); ok && v != "" {
		return o.fromProfile(v)
	}
	return o.fromProfile("")
}

// fromReader reads one line that holds a key; further lines must be empty.
func fromReader(r io.Reader, from string) (Credential, error) {
	data, err := io.ReadAll(io.LimitReader(r, 4096))
	if err != nil {
		return Credential{}, fmt.Errorf("%s: %w", from, err)
	}
	return newCredential(string(data), from)
}

// newCredential checks the value without ever repeating it.
func newCredential(value, from string) (Credential, error) {
	value = strings.TrimSpace(strings.TrimPrefix(value, "\ufeff"))
	switch {
	case value == "":
		return Credential{}, fmt.Errorf("%s holds no key", from)
	case len(value) >= 4096:
		return Credential{}, fmt.Errorf("%s is too long to be a key", from)
	case strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }):
		return Credential{}, fmt.Errorf("%s holds more than a key: there is a space, a line break or a control character inside", from)
	}
	return Credential{Key: secret.New(value), From: from}, nil
}

// fromTrussrc reads one remote. BASETEN_API_KEY, which truss itself falls back
// to, is not used: the command line named a remote.
func (o CredentialOptions) fromTrussrc() (Credential, error) {
	path, _ := o.Env(EnvTrussrc)
	if path == "" {
		path = filepath.Join(o.Home, ".trussrc")
	}
	data, err := readSmall(path)
	if err != nil {
		return Credential{}, fmt.Errorf("--remote %s: %w", o.Remote, err)
	}
	file, errs := trussrc.Parse(bytes.TrimPrefix(data, []byte("\ufeff")))
	get := func(option string) string {
		value, _, err := file.Get(o.Remote, option)
		if err != nil {
			errs = append(errs, err)
		}
		return value
	}
	from := fmt.Sprintf("remote %q of %s", o.Remote, path)
	key, url, authType := get("api_key"), get("remote_url"), get("auth_type")
	token, expires := get("oauth_access_token"), get("oauth_expires_at")
	switch {
	case len(errs) > 0:
		return Credential{}, fmt.Errorf("--remote %s: %s: %w", o.Remote, path, errs[0])
	case !slices.ContainsFunc(file.Remotes(), func(r trussrc.Remote) bool { return r.Name == o.Remote }):
		return Credential{}, fmt.Errorf("--remote %s: %s has no such remote", o.Remote, path)
	case strings.EqualFold(authType, "oauth"):
		var expiry time.Time // of a number of seconds; anything else is not one
		if f, err := strconv.ParseFloat(expires, 64); err == nil && f > 0 && f <= 1e11 {
			expiry = time.Unix(int64(f), 0)
		}
		return oauth(token, expiry, o.Now(), from, url)
	case key == "":
		return Credential{}, fmt.Errorf("%s has no api_key", from)
	}
	c, err := newCredential(key, from)
	c.RemoteURL = url
	return c, err
}

// fromProfile reads one profile of the baseten CLI, or with an empty name the
// current one. Without a name, a file that is not there or has no current profile
// is ErrNoCredential.
func (o CredentialOptions) fromProfile(name string) (Credential, error) {
	path := ""
	if v, ok := o.Env(EnvConfigDir); ok && v != "" {
		path = filepath.Join(v, "auth.json")
	} else if o.ConfigDir != "" {
		path = filepath.Join(o.ConfigDir, "baseten", "auth.json")
	}
	data, err := readSmall(path)
	if err != nil {
		if name == "" && (path == "" || errors.Is(err, fs.ErrNotExist)) {
			return Credential{}, ErrNoCredential
		}
		return Credential{}, fmt.Errorf("profile %q of the baseten CLI: %w", name, err)
	}
	file, err := authfile.Parse(data)
	if err != nil {
		return Credential{}, fmt.Errorf("%s is %w", path, err)
	}
	p, ok := file.Find(name)
	if name = cmp.Or(name, file.Current); !ok && name == "" {
		return Credential{}, ErrNoCredential
	} else if !ok {
		return Credential{}, fmt.Errorf("%s has no profile %q", path, name)
	}
	from := fmt.Sprintf("profile %q of %s", p.Name, path)
	if p.OAuth != nil {
		var expiry Time
		_ = expiry.UnmarshalJSON(p.OAuth.Expiry) // which never fails
		return oauth(p.OAuth.AccessToken, expiry.Time, o.Now(), from, p.RemoteURL)
	}
	if p.APIKey == "" {
		return oauth("", time.Time{}, o.Now(), from, "") // the keyring has it
	}
	c, err := newCredential(p.APIKey, from)
	c.RemoteURL = p.RemoteURL
	return c, err
}

// oauth returns an access token as a credential, unless it has expired.
func oauth(token string, expiry, now time.Time, from, remoteURL string) (Credential, error) {
	if token == "" {
		return Credential{}, fmt.Errorf("%s keeps its login outside the file, in the system's keyring, "+
			"which is not read: set BASETEN_API_KEY instead", from)
	}
	if !expiry.IsZero() && !now.Before(expiry) {
		return Credential{}, fmt.Errorf("%s: the login expired on %s: log in again, or set BASETEN_API_KEY",
			from, expiry.UTC().Format(time.DateTime))
	}
	c, err := newCredential(token, from)
	c.RemoteURL = remoteURL
	return c, err
}

// readSmall reads a whole file of bounded size.
func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxCredentialFile+1))
	if err == nil && len(data) > maxCredentialFile {
		err = fmt.Errorf("%s is larger than %d bytes", path, maxCredentialFile)
	}
	return data, err
}
