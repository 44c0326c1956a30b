// Command gendocs makes the documentation that repeats what the code says:
// docs/rules.md, docs/usage.md, the manual pages in docs/man, and the output shown
// in README.md. Run it at the root of the repository:
//
//	go run ./cmd/gendocs
//
// A test beside it fails when what lies there is not what it makes. It is a
// program of its own so that b10lint does not carry a manual writer.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "gendocs:", err)
		os.Exit(1)
	}
}

func run() error {
	pages, err := generate()
	if err != nil {
		return err
	}
	for name, text := range pages {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generate returns every page by its path from the root of the repository, which
// must be the current folder.
func generate() (map[string][]byte, error) {
	pages := map[string][]byte{
		"docs/rules.md": rulesPage(),
		"docs/usage.md": usagePage(),
	}
	if err := manPages(pages, "docs/man"); err != nil {
		return nil, err
	}
	readme, err := readmePage("README.md")
	pages["README.md"] = readme
	return pages, err
}
