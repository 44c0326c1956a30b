package scanner

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/internal/archive/archivetest"
	"github.com/b10lint/b10lint/rules/encodingtest"
)

// Every container, with one key in each of its members, or each line of the one that
// a stream has, and the names that zip goes by.
func fillContainers(c *corpus) {
	builders := archivetest.Builders()
	kinds := map[string]string{}
	for name := range builders {
		kinds["pack/"+name] = name
	}
	for _, suffix := range []string{"jar", "whl", "docx", "xlsx", "apk", "egg"} {
		kinds["pack/family."+suffix] = "zip"
	}
	for _, file := range slices.Sorted(maps.Keys(kinds)) {
		c.packed(file, "container "+file, size(), kinds[file])
	}
}

// Every container in every other.
func fillNestedContainers(c *corpus) {
	names := slices.Sorted(maps.Keys(archivetest.Builders()))
	for i, outer := range names {
		for j, inner := range names {
			if testing.Short() && (i+j)%2 > 0 {
				continue
			}
			c.packed("nest/"+outer+" "+inner, "", max(1, size()/20), outer, inner)
		}
	}
}

// Containers three to five deep, drawn.
func fillDeepContainers(c *corpus) {
	names := slices.Sorted(maps.Keys(archivetest.Builders()))
	for depth := 3; depth <= 5; depth++ {
		for i := range 20 {
			kinds := make([]string, depth)
			for j := range kinds {
				if kinds[j] = names[c.m.IntN(len(names))]; kinds[j] == "rpm" && depth > 3 {
					kinds[j] = "cpio" // which is in an rpm, packed: three levels
				}
			}
			c.packed(fmt.Sprintf("deep/%d %d", depth, i), fmt.Sprintf("containers %d deep", depth), size()/20+1, kinds...)
		}
	}
}

// packed adds a file with n keys of each format in a chain of containers, outermost first.
// Every third key is encoded as well.
func (c *corpus) packed(file, kind string, n int, kinds ...string) {
	encodings := encodingtest.All()
	var pages []*page
	var names []string
	innermost, also := kinds[len(kinds)-1], []string(nil)
	if kind == "" {
		kind, also = "container about another: "+kinds[0], []string{"container in another: " + innermost}
	}
	c.each(n, func(key string) {
		if len(pages) == 0 || !isStream(innermost) {
			pages, names = append(pages, c.page()), append(names, memberName(innermost, len(pages)))
		}
		chain := []encodingtest.Encoding{plainText}
		if e := encodings[c.m.IntN(len(encodings))]; len(pages)%3 == 0 && !strings.HasPrefix(e.Name, "utf") {
			chain[0] = e
		}
		pages[len(pages)-1].entry("\n\nbaseten: '§';\n", "baseten §", key, kind, chain, also...)
	})
	for i, p := range pages {
		for j := range p.keys {
			// An object has no name that what is in a stream could go by.
			p.keys[j].place.inObject = memberPath(kinds, "data", names[i])
		}
		p.done(file, memberPath(kinds, file, names[i]))
	}
	pack := func(text func(i int) []byte) []byte {
		var files []archivetest.File
		for i, name := range names {
			if data := text(i); len(data) > 0 {
				files = append(files, archivetest.File{Name: name, Data: data})
			}
		}
		return c.pack(kinds, files)
	}
	half := func(from, to int) []byte {
		return pack(func(i int) []byte {
			switch {
			case isStream(innermost):
				return pages[i].blank(from*len(pages[i].ends)/5, to*len(pages[i].ends)/5)
			case i >= from*len(pages)/5 && i < to*len(pages)/5 && innermost != "pdf": // whose streams are named by number
				return nil
			}
			return pages[i].text
		})
	}
	c.addVersions(file, pack(func(i int) []byte { return pages[i].text }), [2][]byte{half(3, 5), half(0, 2)})
}

// pack builds a chain of containers. Inside another, a container is called "in".
func (c *corpus) pack(kinds []string, files []archivetest.File) []byte {
	for i := len(kinds) - 1; i > 0; i-- {
		files = []archivetest.File{{Name: memberName(kinds[i-1], 0), Data: archivetest.Builders()[kinds[i]](c.t, files...)}}
		if strings.HasPrefix(kinds[i-1], "pdf") || isStream(kinds[i-1]) {
			continue
		}
		files[0].Name = "in"
	}
	return archivetest.Builders()[kinds[0]](c.t, files...)
}

func isStream(kind string) bool {
	return slices.Contains([]string{"gzip", "bzip2", "xz", "zstd", "lzma"}, kind)
}

// readAtRandom are the containers that are shown as files of their own, too, wherever
// they are not the file itself.
func readAtRandom(kind string) bool {
	return strings.HasPrefix(kind, "zip") || strings.HasPrefix(kind, "7z") || kind == "pdf"
}

// memberName is what the ith member is called; a document names its streams itself.
func memberName(kind string, i int) string {
	if kind == "pdf" {
		return fmt.Sprintf("object %d", i+2)
	}
	return fmt.Sprintf("folder/%d/baseten.env", i)
}

// memberPath is how a member is shown in a chain of containers. What a stream holds
// goes by the stream's own name; a container is a level of the path, a stream only where
// its content is the member itself or is read at random.
func memberPath(kinds []string, file, last string) string {
	path, base := "", file[strings.LastIndexByte(file, '/')+1:]
	shown := "" // what a content that is no container would be shown as
	below := func(name string) string { return strings.TrimPrefix(path+"!"+name, "!") }
	for i, kind := range kinds {
		name := "in"
		switch {
		case i == len(kinds)-1:
			name = last
		case kind == "pdf":
			name = memberName(kind, 0)
		}
		if isStream(kind) {
			shown = below(base)
			continue
		}
		if i > 0 && readAtRandom(kind) {
			path = shown
		}
		path = below(name)
		shown, base = path, name[strings.LastIndexByte(name, '/')+1:]
	}
	return shown
}
