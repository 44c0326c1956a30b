//go:build !linux

package disk

import "os"

type openDir struct{ *os.File }

func newOpenDir(path string) (openDir, error) {
	f, err := os.Open(path)
	return openDir{f}, err
}

func (d openDir) descriptor() int { return int(d.Fd()) }

func (d openDir) items(string) ([]item, error) {
	entries, err := d.ReadDir(-1)
	items := make([]item, len(entries))
	for i, e := range entries {
		items[i] = item{e.Name(), e.IsDir(), e.Type().IsRegular()}
	}
	return items, err
}
