package source

import (
	"context"
	"os"
	"path/filepath"

	"github.com/b10lint/b10lint/finding"
)

// CommitMessage is a Source over the message that a commit is about to get, in the
// file that git gives to the commit-msg hook. What git takes away itself when it is
// told to show the changes below the message is left out.
func CommitMessage(name string) Source { return message(name) }

type message string

func (m message) Walk(_ context.Context, to Sink) error {
	shown := filepath.ToSlash(string(m))
	data, err := readSmall(string(m))
	if err != nil {
		p := unreadable(shown, err)
		if os.IsNotExist(err) {
			p.Hint = "name the file that git gives to the commit-msg hook"
		}
		return to.Problem(p)
	}
	_, err = to.Blob(&Blob{At: finding.Location{Path: shown, Object: "commit", Exposure: finding.Committed}, Data: cutScissors(data)})
	return err
}
