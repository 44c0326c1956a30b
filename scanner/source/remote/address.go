package remote

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// An Address is where a repository is: a URL, or user@host:path as ssh has it.
type Address struct {
	Scheme string // https, http, ssh, git or file
	Host   string // without a port
	Port   int    // 0 is that of the scheme
	Path   string
	// User and password are those in the URL. They are in no other field.
	user, password string
}

// scpLike is user@host:path; git wants no slash before the colon.
var scpLike = regexp.MustCompile(`^([\w.~-]+)@([\w.-]+|\[[0-9a-fA-F:]+\]):([^:].*)$`)

// schemeOf is the start of a URL; a drive of Windows has one letter.
var schemeOf = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]+)://`)

// IsAddress reports whether a word of the command line is meant as an address, whether
// or not it is a sound one. A file in the current folder can be named ./user@host:path.
func IsAddress(word string) bool { return schemeOf.MatchString(word) || scpLike.MatchString(word) }

// ParseAddress reads an address. An error shows no password.
func ParseAddress(word string) (Address, error) {
	if !schemeOf.MatchString(word) {
		m := scpLike.FindStringSubmatch(word)
		if m == nil {
			return Address{}, errors.New("want a URL, or user@host:path")
		}
		return Address{Scheme: "ssh", user: m[1], Host: strings.Trim(m[2], "[]"), Path: m[3]}, nil
	}
	u, err := url.Parse(word)
	if err != nil {
		var e *url.Error
		if errors.As(err, &e) { // it quotes the whole
			err = e.Err
		}
		return Address{}, fmt.Errorf("the URL is malformed: %w", err)
	}
	a := Address{Scheme: strings.ToLower(u.Scheme), Host: strings.ToLower(u.Hostname()), Path: u.EscapedPath()}
	a.user = u.User.Username()
	a.password, _ = u.User.Password()
	if u.Port() != "" {
		if a.Port, err = strconv.Atoi(u.Port()); err != nil || a.Port < 1 || a.Port > 65535 {
			return Address{}, fmt.Errorf("port %q is not one", u.Port())
		}
	}
	switch a.Scheme {
	case "http", "https":
		if u.RawQuery != "" || u.Fragment != "" {
			return Address{}, errors.New("the address of a repository has no ? and no #")
		}
	case "ssh", "git", "file":
		a.Path = u.Path // as a program gets it, which knows no escapes
	case "git+ssh", "ssh+git":
		a.Scheme, a.Path = "ssh", u.Path
	default:
		return Address{}, fmt.Errorf("%s:// is not a scheme that can be scanned", u.Scheme)
	}
	switch {
	case a.Scheme == "file" && a.Host != "" && a.Host != "localhost":
		return Address{}, errors.New("a file:// URL has three slashes, and then the path")
	case a.Scheme == "file":
		a.Host = ""
	case a.Host == "":
		return Address{}, errors.New("the URL has no host")
	case strings.HasPrefix(a.Host, "-"):
		return Address{}, errors.New("a host cannot begin with a dash")
	}
	if strings.Trim(a.Path, "/") == "" {
		return Address{}, errors.New("the URL has no path of a repository")
	}
	return a, nil
}

// String is the address without a password, and without a user where that is part of a
// credential: as it may be shown, stored and compared.
func (a Address) String() string {
	u := url.URL{Scheme: a.Scheme, Host: a.hostPort(), Path: a.Path}
	switch a.Scheme {
	case "ssh":
		if a.user != "" {
			u.User = url.User(a.user)
		}
		if !strings.HasPrefix(a.Path, "/") {
			return a.user + "@" + a.hostPort() + ":" + a.Path
		}
	case "http", "https":
		u.Path, u.RawPath = mustUnescape(a.Path), a.Path
	}
	return u.String()
}

func mustUnescape(p string) string {
	if s, err := url.PathUnescape(p); err == nil {
		return s
	}
	return p
}

func (a Address) hostPort() string {
	host := a.Host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if a.Port != 0 {
		host += ":" + strconv.Itoa(a.Port)
	}
	return host
}

// Name is the address as people say it: host/path, without .git.
func (a Address) Name() string {
	name := strings.TrimSuffix(strings.Trim(mustUnescape(a.Path), "/"), ".git")
	if a.Scheme == "file" {
		return "/" + strings.Trim(mustUnescape(a.Path), "/")
	}
	return a.hostPort() + "/" + name
}
