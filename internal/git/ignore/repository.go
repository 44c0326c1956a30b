package ignore

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
)

// Discover returns the Options that git uses for the work tree at root: the
// repository's info/exclude and core.excludesFile, which the system's, the user's
// and the repository's configuration may name, and else is git/ignore in the user's
// configuration folder. env is os.Getenv or a stand-in. Include directives and
// values that git's configuration continues on a next line are not followed.
func Discover(root string, env func(string) string) Options {
	_, common := GitDir(root)
	home := env("HOME")
	if home == "" {
		home = env("USERPROFILE")
	}
	config := env("XDG_CONFIG_HOME")
	if config == "" && home != "" {
		config = filepath.Join(home, ".config")
	}
	files := []string{"/etc/gitconfig"}
	if config != "" {
		files = append(files, filepath.Join(config, "git", "config"))
	}
	if home != "" {
		files = append(files, filepath.Join(home, ".gitconfig"))
	}
	if common != "" {
		files = append(files, filepath.Join(common, "config"))
	}
	core := map[string]string{}
	for _, f := range files {
		readCore(f, core)
	}
	var o Options
	o.IgnoreCase = isTrue(core["ignorecase"])
	o.Compose = isTrue(core["precomposeunicode"])
	if common != "" {
		o.Excludes = append(o.Excludes, filepath.Join(common, "info", "exclude"))
	}
	excludes, set := core["excludesfile"]
	if !set && config != "" {
		excludes = filepath.Join(config, "git", "ignore")
	}
	if rest, ok := strings.CutPrefix(excludes, "~/"); ok {
		excludes = filepath.Join(home, rest)
	}
	if excludes != "" {
		o.Excludes = append(o.Excludes, excludes)
	}
	return o
}

func isTrue(value string) bool {
	switch strings.ToLower(value) {
	case "true", "yes", "on", "1":
		return true
	}
	return false
}

// GitDir returns the folder with a work tree's index and HEAD, and the one with its
// config and info/exclude: both are .git, unless that is a file, as in a linked
// work tree or a submodule. Both are empty when root is no work tree.
func GitDir(root string) (own, common string) {
	git := filepath.Join(root, ".git")
	info, err := os.Stat(git)
	if err != nil {
		return "", ""
	}
	if !info.IsDir() {
		rest, ok := strings.CutPrefix(firstLine(git), "gitdir: ")
		if !ok {
			return "", ""
		}
		git = resolve(root, rest)
	}
	if common := firstLine(filepath.Join(git, "commondir")); common != "" {
		return git, resolve(git, common)
	}
	return git, git
}

func resolve(base, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(base, name)
}

func firstLine(name string) string {
	f, err := os.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Scan()
	return strings.TrimRight(s.Text(), "\r")
}

// readCore adds the variables of a configuration file's [core] section.
func readCore(name string, core map[string]string) {
	f, err := os.Open(name)
	if err != nil {
		return // git goes on as well when a configuration file is not there
	}
	defer f.Close()
	in := false
	for s := bufio.NewScanner(f); s.Scan(); {
		line := strings.TrimSpace(s.Text())
		if strings.HasPrefix(line, "[") {
			head, rest, _ := strings.Cut(line, "]")
			in = strings.EqualFold(strings.TrimSpace(head[1:]), "core")
			line = strings.TrimSpace(rest)
		}
		if !in || line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		key, value, found := strings.Cut(line, "=")
		if !found {
			value = "true"
		}
		core[strings.ToLower(strings.TrimSpace(key))] = unquote(strings.TrimSpace(value))
	}
}

// unquote takes a value out of its quotes and drops a comment behind it.
func unquote(value string) string {
	var b strings.Builder
	quoted := false
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && i+1 < len(value):
			i++
			b.WriteByte(value[i])
		case !quoted && (c == '#' || c == ';'):
			return strings.TrimSpace(b.String())
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
