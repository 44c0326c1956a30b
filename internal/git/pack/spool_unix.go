//go:build unix

package pack

import "os"

// temporary creates a file that has no name any more.
func temporary() (*os.File, error) {
	f, err := os.CreateTemp("", "b10lint-pack-")
	if err != nil {
		return nil, err
	}
	return f, os.Remove(f.Name())
}

func discard(f *os.File) error { return f.Close() }
