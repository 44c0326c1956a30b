package scanner

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/b10lint/b10lint/internal/archive/archivetest"
	"github.com/b10lint/b10lint/rules/encodingtest"
)

// An imageFile is a file of an image, with the pages that lie in it by the member
// that they are inside of it.
type imageFile struct {
	archivetest.File
	pages map[string]*page
}

// image makes the files of a container image in OCI's layout, which is also what
// "docker save" writes: keys are in layers, plain and packed, and in the
// configuration's environment and history.
func (c *corpus) image(what string) (files []imageFile) {
	build := archivetest.Builders()
	add := func(data []byte, pages map[string]*page) string {
		name := fmt.Sprintf("blobs/sha256/%x", sha256.Sum256(data))
		files = append(files, imageFile{archivetest.File{Name: name, Data: data}, pages})
		return name
	}
	config := c.page()
	config.text = []byte(`{"architecture": "amd64", "config": {"Env": ["PATH=/bin"`)
	c.each(size(), func(key string) {
		config.entry(",\n\"BASETEN_API_KEY=§\"", "§", key, what+", environment", nil)
	})
	config.text = append(config.text, `]}, "history": [{"created_by": "/bin/sh"}`...)
	c.each(size(), func(key string) {
		config.entry(",\n{\"created_by\": \"RUN |1 BASETEN_API_KEY=§ /bin/sh -c true\"}", "§", key, what+", history", nil)
	})
	config.text = append(config.text, "]}"...)
	layers := []string{add(config.text, map[string]*page{"": config})}
	for _, pack := range []string{"", "gzip", "zstd"} {
		var members []archivetest.File
		pages := map[string]*page{}
		c.each(size(), func(key string) {
			p, name := c.page(), fmt.Sprintf("app/%d/.env", len(members))
			p.entry("# baseten\nKEY=§\n", "§", key, what+", layer "+pack, []encodingtest.Encoding{plainText})
			members, pages[name] = append(members, archivetest.File{Name: name, Data: p.text}), p
		})
		layer := build["tar-pax"](c.t, members...)
		if pack != "" {
			layer = build[pack](c.t, archivetest.File{Data: layer})
		}
		layers = append(layers, add(layer, pages))
	}
	manifest, err := json.Marshal([]map[string]any{{"Config": layers[0], "Layers": layers[1:]}})
	if err != nil {
		c.t.Fatal(err)
	}
	return append(files, imageFile{File: archivetest.File{Name: "manifest.json", Data: manifest}})
}

// Images as a tar, as a packed tar, and as a folder; and a Debian package.
func fillImages(c *corpus) {
	for _, form := range []string{"image.tar", "image.tar.gz"} {
		var plain []archivetest.File
		for _, f := range c.image(form) {
			plain = append(plain, f.File)
			for member, p := range f.pages {
				p.done(form, strings.TrimSuffix(f.Name+"!"+member, "!"))
			}
		}
		data := archivetest.Builders()["tar-ustar"](c.t, plain...)
		if strings.HasSuffix(form, ".gz") {
			data = archivetest.Gzip(c.t, data)
		}
		c.add(form, data)
	}
	for _, f := range c.image("layout") {
		for member, p := range f.pages {
			p.done("layout/"+f.Name, member)
		}
		c.add("layout/"+f.Name, f.Data)
	}
	c.debian()
}

func (c *corpus) debian() {
	build := archivetest.Builders()
	parts := []archivetest.File{{Name: "debian-binary", Data: []byte("2.0\n")}}
	for _, part := range []struct{ name, tar, pack string }{{"control", "control.tar.gz", "gzip"}, {"data", "data.tar.xz", "xz"}} {
		var members []archivetest.File
		c.each(size(), func(key string) {
			p, name := c.page(), fmt.Sprintf("./etc/%d.conf", len(members))
			p.entry("baseten=§\n", "§", key, "deb, "+part.name, nil)
			members = append(members, archivetest.File{Name: name, Data: p.text})
			p.done("x.deb", part.tar+"!"+name)
		})
		parts = append(parts, archivetest.File{Name: part.tar,
			Data: build[part.pack](c.t, archivetest.File{Data: build["tar-gnu"](c.t, members...)})})
	}
	c.add("x.deb", build["ar"](c.t, parts...))
}

// Documents in PDF with streams that are not packed: the keys are in the file's own bytes.
func fillDocuments(c *corpus) {
	p := c.page()
	p.text = []byte("%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n")
	number := 2
	c.each(size(), func(key string) {
		body := "BT (baseten §) Tj ET"
		p.entry(fmt.Sprintf("%d 0 obj\n<< /Length %d >>\nstream\n%s\nendstream\nendobj\n", number, len(body)+len(key)-len("§"), body),
			"§", key, "PDF, plain stream", []encodingtest.Encoding{plainText})
		number++
	})
	c.each(size(), func(key string) {
		p.entry(fmt.Sprintf("%d 0 obj\n<< /Author (baseten §) >>\nendobj\n", number), "§", key, "PDF, string", []encodingtest.Encoding{plainText})
		number++
	})
	p.text = append(p.text, "trailer\n<< /Root 1 0 R >>\n%%EOF\n"...)
	p.file("plain.pdf", "", unpacked)
}
