package baseten

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

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
	if err := o.onlyOne(); err != nil {
		return Credential{}, err
	}
	switch {
	case o.KeyFile != "":
		return fromFile(o.KeyFile)
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

func (o CredentialOptions) onlyOne() error {
	var given []string
	for flag, set := range map[string]bool{"--api-key-file": o.KeyFile != "", "--api-key-stdin": o.KeyStdin != nil,
		"--remote": o.Remote != "", "--profile": o.Profile != ""} {
		if set {
			given = append(given, flag)
		}
	}
	if len(given) > 1 {
		return errors.New("only one of --api-key-file, --api-key-stdin, --remote and --profile can be given")
	}
	return nil
}

func fromFile(path string) (Credential, error) {
	f, err := os.Open(path)
	if err != nil {
		return Credential{}, fmt.Errorf("--api-key-file: %w", err)
	}
	defer f.Close()
	return fromReader(f, "--api-key-file "+path)
}

// fromReader reads one line that holds a key; further lines must be empty.
func fromReader(r io.Reader, from string) (Credential, error) {
	data, err := io.ReadAll(io.LimitReader(bufio.NewReader(r), 4096))
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

// trussrcPath is where truss keeps its remotes.
func (o CredentialOptions) trussrcPath() string {
	if v, ok := o.Env(EnvTrussrc); ok && v != "" {
		return v
	}
	return filepath.Join(o.Home, ".trussrc")
}

// fromTrussrc reads one remote. BASETEN_API_KEY, which truss itself falls back
// to, is not used: the command line named a remote.
func (o CredentialOptions) fromTrussrc() (Credential, error) {
	path := o.trussrcPath()
	data, err := readSmall(path)
	if err != nil {
		return Credential{}, fmt.Errorf("--remote %s: %w", o.Remote, err)
	}
	sections, err := parseTrussrc(data)
	if err != nil {
		return Credential{}, fmt.Errorf("--remote %s: %s: %w", o.Remote, path, err)
	}
	remote, ok := sections[o.Remote]
	if !ok {
		return Credential{}, fmt.Errorf("--remote %s: %s has no such remote", o.Remote, path)
	}
	from := fmt.Sprintf("remote %q of %s", o.Remote, path)
	if strings.EqualFold(remote["auth_type"], "oauth") {
		expiry := unixSeconds(remote["oauth_expires_at"])
		return oauth(remote["oauth_access_token"], expiry, o.Now(), from, remote["remote_url"])
	}
	if remote["api_key"] == "" {
		return Credential{}, fmt.Errorf("%s has no api_key", from)
	}
	c, err := newCredential(remote["api_key"], from)
	c.RemoteURL = remote["remote_url"]
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
