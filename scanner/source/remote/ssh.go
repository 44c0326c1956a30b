package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/kevinburke/ssh_config"
	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/b10lint/b10lint/internal/shell"
)

// A hostKeyError says that a server could not show that it is the one.
type hostKeyError struct{ text, hint string }

func (e *hostKeyError) Error() string { return e.text }

// connectSSH runs git-upload-pack on the server. Of the user's ssh configuration,
// HostName, Port, User, IdentityFile and UserKnownHostsFile hold.
func (r *Repository) connectSSH(ctx context.Context, w *watch) (session, error) {
	cfg, err := r.sshConfig()
	if err != nil {
		return nil, err
	}
	get := func(key string) string { v, _ := cfg.Get(r.address.Host, key); return v }
	for _, key := range []string{"ProxyJump", "ProxyCommand"} {
		if v := get(key); v != "" && v != "none" {
			return nil, fmt.Errorf("the ssh configuration has %s for this host, which is not supported; clone it with git, and scan the clone", key)
		}
	}
	host, port := r.address.Host, r.port(22)
	if v := get("HostName"); v != "" {
		host = strings.ReplaceAll(v, "%h", host)
	}
	if v := get("Port"); v != "" && r.address.Port == 0 {
		port = v
	}
	user := r.address.user
	for _, v := range []string{get("User"), r.opts.Env("USER"), r.opts.Env("USERNAME")} {
		if user == "" {
			user = v
		}
	}
	addr := net.JoinHostPort(host, port)
	known, err := r.knownHosts(get("UserKnownHostsFile"))
	if err != nil {
		return nil, err
	}
	signers, locked, closeAgent := r.sshKeys(cfg)
	defer closeAgent()
	if len(signers) == 0 {
		return nil, errors.New("there is no ssh key to use: no agent at SSH_AUTH_SOCK, and no key file without a passphrase" + locked)
	}
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = conn.Close() }) // whatever it is doing
	var refused *hostKeyError
	c, channels, requests, err := ssh.NewClientConn(conn, addr, &ssh.ClientConfig{
		User: user, Auth: []ssh.AuthMethod{ssh.PublicKeys(signers...)},
		HostKeyAlgorithms: known.HostKeyAlgorithms(addr),
		HostKeyCallback: func(name string, remote net.Addr, key ssh.PublicKey) error {
			if err := known.HostKeyCallback()(name, remote, key); err != nil {
				refused = strange(err, host, port)
				return refused
			}
			return nil
		},
	})
	switch {
	case refused != nil:
		return nil, refused
	case err != nil && strings.Contains(err.Error(), "unable to authenticate"):
		return nil, errors.New("the server accepts none of the ssh keys of " + user + locked)
	case err != nil:
		return nil, err
	}
	client := ssh.NewClient(c, channels, requests)
	s, err := client.NewSession()
	if err != nil {
		return nil, err
	}
	path := r.address.Path
	if strings.HasPrefix(path, "/~") { // someone's home, as git has it
		path = path[1:]
	}
	in, err1 := s.StdinPipe()
	out, err2 := s.StdoutPipe()
	said := &lastWords{}
	s.Stderr = said
	p := &piped{in: in, out: w.reader(out), said: said, end: func() { _ = client.Close(); _ = s.Wait() }}
	return p, errors.Join(err1, err2, s.Start("git-upload-pack "+shell.Quote(path)))
}

// strange words why a host key is not accepted.
func strange(err error, host, port string) *hostKeyError {
	name := host
	if port != "22" {
		name = "-p " + port + " " + host
	}
	switch {
	case knownhosts.IsHostKeyChanged(err):
		return &hostKeyError{"the host key of " + host + " is not the one in known_hosts: someone may be in between",
			"find out why it changed before anything is sent to it; ssh-keygen -R removes the old one"}
	case knownhosts.IsHostUnknown(err):
		return &hostKeyError{"the host key of " + host + " is not in known_hosts", "ssh-keyscan " + name + " shows it; compare it with the one that the host publishes, and add it to ~/.ssh/known_hosts"}
	}
	return &hostKeyError{"the host key of " + host + " was not accepted: " + line(err.Error()), "see ~/.ssh/known_hosts"}
}

// sshConfig reads the user's configuration of ssh; one without a line where there is
// none.
func (r *Repository) sshConfig() (*ssh_config.Config, error) {
	f, err := os.Open(filepath.Join(r.opts.Home, ".ssh", "config"))
	if errors.Is(err, fs.ErrNotExist) {
		return &ssh_config.Config{}, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	cfg, err := ssh_config.Decode(io.LimitReader(f, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("~/.ssh/config cannot be read: %s", line(err.Error()))
	}
	return cfg, nil
}

// knownHosts reads the files of known host keys.
func (r *Repository) knownHosts(set string) (*knownhosts.HostKeyDB, error) {
	names := []string{filepath.Join(r.opts.Home, ".ssh", "known_hosts"), "/etc/ssh/ssh_known_hosts"}
	if set != "" {
		names = strings.Fields(set)
	}
	var here []string
	for _, name := range names {
		if name = r.tilde(name); name != "" {
			if _, err := os.Stat(name); err == nil {
				here = append(here, name)
			}
		}
	}
	if len(here) == 0 {
		return nil, &hostKeyError{"there is no known_hosts file to check the server's host key with",
			"ssh-keyscan shows a host's key; compare it with the one that the host publishes, and add it to ~/.ssh/known_hosts"}
	}
	db, err := knownhosts.NewDB(here...)
	if err != nil {
		return nil, fmt.Errorf("known_hosts cannot be read: %s", line(err.Error()))
	}
	return db, nil
}

func (r *Repository) tilde(name string) string {
	if rest, ok := strings.CutPrefix(name, "~/"); ok {
		return filepath.Join(r.opts.Home, filepath.FromSlash(rest))
	}
	return strings.Trim(name, `"`)
}

// sshKeys are the keys of the agent, and those in files that need no passphrase. locked
// names the files that do.
func (r *Repository) sshKeys(cfg *ssh_config.Config) (signers []ssh.Signer, locked string, closeAgent func()) {
	closeAgent = func() {}
	if at := r.opts.Env("SSH_AUTH_SOCK"); at != "" {
		if conn, err := net.Dial("unix", at); err == nil {
			closeAgent = func() { _ = conn.Close() }
			if held, err := agent.NewClient(conn).Signers(); err == nil {
				signers = append(signers, held...)
			}
		}
	}
	files, _ := cfg.GetAll(r.address.Host, "IdentityFile")
	if len(files) == 0 {
		files = []string{"~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa"}
	}
	var closed []string
	for _, name := range files {
		data, err := os.ReadFile(r.tilde(name))
		if err != nil || len(data) > 1<<20 {
			continue
		}
		s, err := ssh.ParsePrivateKey(data)
		var missing *ssh.PassphraseMissingError
		switch {
		case err == nil:
			signers = append(signers, s)
		case errors.As(err, &missing):
			closed = append(closed, name)
		}
	}
	if len(closed) > 0 {
		locked = "; " + strings.Join(closed, ", ") + " has a passphrase: add it to an agent with ssh-add"
	}
	return signers, locked, closeAgent
}
