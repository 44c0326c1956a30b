//go:build unix

package pack

import (
	"os"
	"syscall"
)

// temporary creates a file that has no name any more.
func temporary() (*os.File, error) {
	f, err := os.CreateTemp("", "b10lint-pack-")
	if err != nil {
		return nil, err
	}
	return f, os.Remove(f.Name())
}

func discard(f *os.File) error { return f.Close() }

// takeMemory takes memory of the system, which is there once it is written to.
func takeMemory(size int) ([]byte, error) {
	return syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
}

func giveMemory(b []byte) error { return unmapFile(b) }
