package b10lint_test

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

var (
	codeBlock  = regexp.MustCompile("(?ms)^ *```.*?^ *```[ \t]*$")
	codeSpan   = regexp.MustCompile("`[^`\n]*`")
	pageLink   = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading    = regexp.MustCompile(`(?m)^#{1,6} (.+?)[ \t]*$`)
	headLink   = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	pageInCode = regexp.MustCompile(`\bdocs/[a-z-]+\.md(#[\w-]+)?`)
)

// ourTree is the address of a file of this repository on GitHub, for pages of the site
// that name one outside docs.
const ourTree = "https://github.com/b10lint/b10lint/blob/main/"

// markdown returns every page that people read, by its path from the root.
func markdown(t *testing.T) map[string]string {
	t.Helper()
	pages := map[string]string{}
	for _, name := range files(t) {
		if strings.HasSuffix(name, ".md") && (path.Dir(name) == "." || path.Dir(name) == "docs") {
			pages[name] = string(read(t, name))
		}
	}
	if len(pages) < 20 {
		t.Fatalf("only %d pages", len(pages))
	}
	return pages
}

// A link leads to a file, by its path from the root, and perhaps to an anchor there.
type link struct {
	file, anchor string
	relative     bool // not the address of the file on GitHub
}

// links returns the links of a page to this repository.
func links(name, text string) (all []link) {
	text = codeSpan.ReplaceAllString(codeBlock.ReplaceAllString(text, ""), "code")
	for _, m := range pageLink.FindAllStringSubmatch(text, -1) {
		target, ours := strings.CutPrefix(m[1], ourTree)
		file, anchor, _ := strings.Cut(target, "#")
		switch {
		case !ours && strings.Contains(target, "://"):
			continue
		case file == "":
			file = name
		case !ours:
			file = path.Join(path.Dir(name), file)
		}
		all = append(all, link{file, anchor, !ours})
	}
	return all
}

// anchors returns the anchors of a page's headings that GitHub and MkDocs make alike.
func anchors(text string) map[string]bool {
	seen := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(codeBlock.ReplaceAllString(text, ""), -1) {
		words := strings.ToLower(headLink.ReplaceAllString(m[1], "$1"))
		words = regexp.MustCompile(`[^\w\s-]`).ReplaceAllString(words, "")
		github := strings.ReplaceAll(strings.TrimSpace(words), " ", "-")
		mkdocs := regexp.MustCompile(`[-\s]+`).ReplaceAllString(strings.TrimSpace(words), "-")
		if github == mkdocs {
			seen[github] = true
		}
	}
	return seen
}

// Every link between the pages leads to a file and a heading that are there, on GitHub and on
// the site that MkDocs builds of docs.
func TestLinks(t *testing.T) {
	pages, tree := markdown(t), map[string]bool{}
	for _, name := range files(t) {
		for dir := name; dir != "."; dir = path.Dir(dir) {
			tree[dir] = true
		}
	}
	for name, text := range pages {
		for _, l := range links(name, text) {
			switch {
			case !tree[l.file]:
				t.Errorf("%s: a link leads to %s, which is not there", name, l.file)
			case l.anchor != "" && !anchors(pages[l.file])[l.anchor]:
				t.Errorf("%s: %s has no heading for the anchor #%s", name, l.file, l.anchor)
			case l.relative && strings.HasPrefix(name, "docs/") && !strings.HasPrefix(l.file, "docs/"):
				t.Errorf("%s: the link to %s leads out of the site; write %s%s", name, l.file, ourTree, l.file)
			}
		}
	}
}

// Messages and comments name pages and headings that are there.
func TestPagesNamedInCode(t *testing.T) {
	pages := markdown(t)
	for _, name := range goFiles(t) {
		for _, named := range pageInCode.FindAllString(string(read(t, name)), -1) {
			file, anchor, _ := strings.Cut(named, "#")
			if text, ok := pages[file]; !ok || anchor != "" && !anchors(text)[anchor] {
				t.Errorf("%s names %s, which is not there", name, named)
			}
		}
	}
}

// Each page is two links from the README at most, and in the table of contents of the site.
func TestEveryPageIsFound(t *testing.T) {
	pages := markdown(t)
	near := map[string]bool{"README.md": true}
	for range 2 {
		for _, name := range slices.Collect(maps.Keys(near)) {
			for _, l := range links(name, pages[name]) {
				near[l.file] = true
			}
		}
	}
	var site struct{ Nav []any }
	if err := yaml.Unmarshal(read(t, "mkdocs.yml"), &site); err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	var list func(v any)
	list = func(v any) {
		switch v := v.(type) {
		case string:
			listed["docs/"+v] = true
		case []any:
			for _, x := range v {
				list(x)
			}
		case map[string]any:
			for _, x := range v {
				list(x)
			}
		}
	}
	list(site.Nav)
	for name := range pages {
		if !near[name] {
			t.Errorf("%s is more than two links from README.md", name)
		}
		if strings.HasPrefix(name, "docs/") && !listed[name] {
			t.Errorf("%s is not in the table of contents, mkdocs.yml", name)
		}
	}
	for name := range listed {
		if _, ok := pages[name]; !ok {
			t.Errorf("mkdocs.yml lists %s, which is not there", name)
		}
	}
}
