package unpack

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/archive/archivetest"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/scanner/source"
	"github.com/b10lint/b10lint/scanner/source/disk"
)

// An image in the layout of OCI: an index, and blobs by digest.
type ociImage struct{ files []archivetest.File }

func (i *ociImage) blob(data []byte) string {
	name := fmt.Sprintf("blobs/sha256/%x", sha256.Sum256(data))
	i.files = append(i.files, archivetest.File{Name: name, Data: data})
	return name
}

func (i *ociImage) json(t *testing.T, name string, v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if name != "" {
		i.files = append(i.files, archivetest.File{Name: name, Data: b})
	}
	return b
}

// makeImage makes what "docker save" writes: also manifest.json, and layers that
// are plain, gzip and zstd. Each key lies elsewhere.
func makeImage(t *testing.T, m *fakekey.Maker) (files []archivetest.File, where map[string]string) {
	build := archivetest.Tar(tar.FormatPAX)
	img, where := &ociImage{}, map[string]string{}
	key := func() string { return m.B10() }
	env, arg, deleted, jar, trussrc := key(), key(), key(), key(), key()
	config := img.blob(img.json(t, "", map[string]any{
		"config":  map[string]any{"Env": []string{"PATH=/bin", "BASETEN_API_KEY=" + env}},
		"history": []map[string]string{{"created_by": "RUN |1 KEY=" + arg + " /bin/sh -c true"}},
	}))
	where[env], where[arg] = config, config
	plain := img.blob(build(t, archivetest.File{Name: "app/.env", Data: []byte("K=" + deleted)}))
	where[deleted] = plain + "!app/.env"
	inner := archivetest.Builders()["zip"](t, archivetest.File{Name: "BOOT-INF/app.yaml", Data: []byte("key: " + jar)})
	gz := img.blob(archivetest.Gzip(t, build(t, archivetest.File{Name: "app/.wh..env"}, archivetest.File{Name: "app/app.jar", Data: inner})))
	where[jar] = gz + "!app/app.jar!BOOT-INF/app.yaml"
	zst := img.blob(archivetest.Zstd(t, build(t, archivetest.File{Name: "root/.trussrc", Data: []byte("api_key = " + trussrc)})))
	where[trussrc] = zst + "!root/.trussrc"
	img.json(t, "manifest.json", []map[string]any{{"Config": config, "Layers": []string{plain, gz, zst}}})
	img.json(t, "index.json", map[string]any{"schemaVersion": 2})
	return img.files, where
}

func TestImages(t *testing.T) {
	files, where := makeImage(t, fakekey.New(11))
	var keys []string
	for key := range where {
		keys = append(keys, key)
	}
	saved := archivetest.Tar(tar.FormatUSTAR)(t, files...)
	dir := t.TempDir()
	for _, f := range files {
		path := filepath.Join(dir, "layout", filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for what, data := range map[string][]byte{"image.tar": saved, "image.tar.gz": archivetest.Gzip(t, saved)} {
		got := run(t, blobs(&source.Blob{At: finding.Location{Path: what}, Data: data}), Limits{}, keys...)
		for key, want := range where {
			if !slices.ContainsFunc(got.places[key], func(at finding.Location) bool { return at.Member == want }) {
				t.Errorf("%s: %v, want %s", what, got.places[key], want)
			}
		}
		if len(got.problems) > 0 {
			t.Errorf("%s: %v", what, got.problems)
		}
	}
	// The same as an OCI layout in a folder: the layers are files there.
	got := run(t, disk.Dir(filepath.Join(dir, "layout"), disk.Options{}), Limits{}, keys...)
	for key, want := range where {
		path, member, _ := strings.Cut(want, "!")
		if !slices.ContainsFunc(got.places[key], func(at finding.Location) bool {
			return strings.HasSuffix(at.Path, path) && at.Member == member
		}) {
			t.Errorf("layout: %v, want %s", got.places[key], want)
		}
	}
}
