package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestDocumentationIsFresh(t *testing.T) {
	t.Chdir("../..")
	pages, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range pages {
		got, err := os.ReadFile(name)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what the code says; run: go run ./cmd/gendocs", name)
		}
	}
	man, err := filepath.Glob("docs/man/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range man {
		if pages[filepath.ToSlash(name)] == nil {
			t.Errorf("%s is of a command that is gone; remove it", name)
		}
	}
}
