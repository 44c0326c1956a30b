package git

import (
	"bytes"
	"context"
	"os"
	"path/filepath"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/regular"
	"github.com/b10lint/b10lint/scanner/source"
)

// CommitMessage returns a Source over the message that a commit is about to get, in the
// file that git gives to the commit-msg hook. What git takes away itself when it is
// asked to show the changes below the message is excluded.
func CommitMessage(name string) source.Source {
	shown := filepath.ToSlash(name)
	return source.Source{Walk: func(_ context.Context, to source.Sink) error {
		data, err := regular.ReadFile(name, source.SmallFile)
		if err != nil {
			p := source.Unreadable(shown, err)
			if os.IsNotExist(err) {
				p.Hint = "name the file that git gives to the commit-msg hook"
			}
			return to.Problem(p)
		}
		at := finding.Location{Path: shown, Object: "commit", Exposure: finding.Staged}
		_, err = to.Blob(&source.Blob{At: at, Data: cutScissors(data)})
		return err
	}}
}

// cutScissors drops what git does not take into a message: all from the line on
// that git commit --verbose puts above the changes.
func cutScissors(message []byte) []byte {
	mark := []byte(" ------------------------ >8 ------------------------")
	for from := 0; ; {
		i := bytes.Index(message[from:], mark)
		if i < 0 {
			return message
		}
		start := from + i
		line := bytes.LastIndexByte(message[:start], '\n') + 1
		end := start + len(mark)
		// The line is a comment sign or two, the mark, and nothing else.
		if start > line && start-line <= 4 && (end == len(message) || message[end] == '\n' || message[end] == '\r') {
			return message[:line]
		}
		from = end
	}
}
