package drill

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Repository makes a git repository in a new folder, in which the leaked key is in a commit
// of two days ago, and in a git-ignored .env file: where it leaked, and where it is used.
// The objects are written here, loose, so that no program is run.
func (b *Baseten) Repository(dir string, now time.Time) error {
	key := b.Leaked.Reveal()
	var tree, raw []byte
	files := map[string]string{}
	store := func(kind string, data []byte) error {
		object := fmt.Appendf(nil, "%s %d\x00%s", kind, len(data), data)
		sum := sha1.Sum(object) // git's own name for an object
		raw = sum[:]
		var packed bytes.Buffer
		z := zlib.NewWriter(&packed)
		if _, err := z.Write(object); err != nil {
			return err
		}
		err := z.Close()
		name := hex.EncodeToString(raw)
		files[".git/objects/"+name[:2]+"/"+name[2:]] = packed.String()
		return err
	}
	for _, f := range [][2]string{ // in git's order
		{".gitignore", ".env\n"},
		{"deploy.py", "import truss\n\ntruss.login(\"" + key + "\")  # made up for the drill\n"},
	} {
		files[f[0]] = f[1]
		if err := store("blob", []byte(f[1])); err != nil {
			return err
		}
		tree = append(fmt.Appendf(tree, "100644 %s\x00", f[0]), raw...)
	}
	if err := store("tree", tree); err != nil {
		return err
	}
	who := fmt.Sprintf("Drill <you@drill.invalid> %d +0000", now.Add(-48*time.Hour).Unix())
	if err := store("commit", fmt.Appendf(nil, "tree %x\nauthor %s\ncommitter %s\n\ndeploy from a script\n", raw, who, who)); err != nil {
		return err
	}
	files[".env"] = "# made up for the drill\nBASETEN_API_KEY=" + key + "\n"
	files[".git/HEAD"] = "ref: refs/heads/main\n"
	files[".git/refs/heads/main"] = hex.EncodeToString(raw) + "\n"
	files[".git/config"] = "[core]\n\trepositoryformatversion = 0\n\tbare = false\n"
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}
