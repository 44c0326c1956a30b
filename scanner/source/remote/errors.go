package remote

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"

	"github.com/b10lint/b10lint/finding"
)

// explain words why a repository could not be fetched. No word is the server's but for
// one line, which is shown as such; a page that it sent is not.
func (r *Repository) explain(err error) finding.Problem {
	p := finding.Problem{Path: r.address.String()}
	p.Error, p.Hint = r.words(err)
	return p
}

func (r *Repository) words(err error) (text, hint string) {
	var limit *errLimit
	var page *notGit
	var said *serverError
	var pkt *pktline.ErrorLine
	var data *packp.ErrUnexpectedData
	var status *githttp.Err
	var network net.Error
	var hostKey *hostKeyError
	const mirror = "clone it with git clone --mirror, and scan the clone"
	unwrapped := err
	var unexpected *plumbing.UnexpectedError
	if errors.As(err, &unexpected) {
		unwrapped = unexpected.Err
	}
	switch {
	case errors.As(err, &limit):
		return "was not read to its end: " + limit.text, "scan again; if it stays so, " + mirror
	case errors.As(err, &hostKey):
		return hostKey.Error(), hostKey.hint
	case errors.As(err, &page):
		if page.kind == "text/plain" {
			return page.Error() + ": a server of files without git's own protocol does so", mirror
		}
		return page.Error(), "web pages cannot be scanned yet; for a repository, give the address that git clone takes"
	case errors.Is(err, transport.ErrAuthenticationRequired):
		if r.credential != nil {
			return "the server refused the credential from " + r.credential.from, "check that it has not ended, and may read the repository"
		}
		return "the server wants a credential, or has no such repository", r.credentialHint()
	case errors.Is(err, transport.ErrAuthorizationFailed):
		return "the server refuses access (403)", "check what the token may read, and whether it has to be authorised for single sign-on"
	case errors.Is(err, transport.ErrRepositoryNotFound):
		return "the server has no such repository, or does not show it", "check the address; " + r.credentialHint()
	case errors.As(unwrapped, &status):
		return "the server answers with status " + line(status.Response.Status), statusHint(status.StatusCode())
	case errors.As(err, &pkt):
		return r.refused(pkt.Text)
	case errors.As(err, &said):
		return r.refused(said.text)
	case errors.As(err, &data):
		return malformed(data.Data)
	case errors.Is(err, pktline.ErrInvalidPktLen):
		return malformed(nil)
	case errors.Is(err, packp.ErrEmptyInput), errors.Is(err, transport.ErrEmptyUploadPackRequest), errors.Is(err, errNoAnswer):
		return errNoAnswer.Error(), "check the address; scan again"
	case errors.As(err, &network) && network.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return "no connection within the time there is", "check the address and the network"
	}
	return "could not be fetched: " + line(r.hide(unwrapped.Error())), "check the address and the network, and whether git ls-remote can read it"
}

// hide takes a password out of the words of a library, if it should have put it there.
func (r *Repository) hide(text string) string {
	for _, c := range []*credential{{password: r.address.password}, r.credential} {
		if c != nil && c.password != "" {
			text = strings.ReplaceAll(text, c.password, "…")
		}
	}
	return text
}

// inPack words what ends a pack before its end.
func inPack(err error) error {
	if text, ok := strings.CutPrefix(err.Error(), "unexpected error: "); ok { // go-git's word for the server's own
		return &serverError{line(text)}
	}
	switch {
	case errors.Is(err, pktline.ErrInvalidPktLen):
		return errors.New("the answer is not git's protocol")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the connection ended early")
	}
	return err
}

// refused words what a server says in git's own protocol.
func (r *Repository) refused(text string) (string, string) {
	text = strings.TrimPrefix(line(text), "fatal: ")
	switch {
	case strings.Contains(text, "not our ref"):
		return "the server does not hand a commit out that no reference leads to: " + text, "leave --commit out, or scan a clone that has it"
	case strings.Contains(text, "dubious ownership"):
		return "git does not read a repository of another user: " + text, "scan its path, without file://"
	}
	return "the server says: " + text, "check the address, and whether git ls-remote can read it"
}

// malformed words a first line that is not a list of references as protocol 0 has it.
func malformed(data []byte) (string, string) {
	const mirror = "clone it with git clone --mirror, and scan the clone"
	switch {
	case strings.HasPrefix(string(data), "version 2"):
		return "the server speaks only version 2 of git's protocol, which cannot be read yet", mirror
	case hexLength(data) == 64 || strings.Contains(string(data), "object-format=sha256"):
		return "the repository has SHA-256 ids, which cannot be fetched yet", mirror
	}
	return "the answer is not git's protocol", "web pages cannot be scanned yet; for a repository, give the address that git clone takes"
}

func hexLength(b []byte) int {
	for i, c := range b {
		if !strings.ContainsRune("0123456789abcdef", rune(c)) {
			return i
		}
	}
	return len(b)
}

func statusHint(code int) string {
	switch {
	case code == 429 || code == 503:
		return "wait, and scan again"
	case code == 451:
		return "the repository was taken down; its owner may have a clone"
	case code >= 500:
		return "scan again later"
	}
	return "check the address"
}
