package truss

import (
	"bytes"
	"errors"
	"fmt"
	"iter"

	"go.yaml.in/yaml/v3"

	"github.com/b10lint/b10lint/internal/regular"
	"github.com/b10lint/b10lint/scanner/source"
)

// A Config is what matters of a truss's config.yaml.
type Config struct {
	// ExternalPackageDirs are folders whose contents are uploaded as well.
	ExternalPackageDirs []string
	// BundledPackagesDir is where they go, "packages" unless it says otherwise.
	BundledPackagesDir string
	// SecretValues are the entries of the secrets map that have a value. The
	// map is there to name secrets: a value in it is uploaded.
	SecretValues []ConfigEntry
}

// A ConfigEntry is the place of a value in config.yaml. It does not hold the value.
type ConfigEntry struct {
	Name         string // of the entry
	Line, Column int    // 1-based, of the value's first character
}

// dummySecret is what truss itself writes for a chain's key when there is none.
const dummySecret = "docker_dummy_key"

// ReadConfig reads a config.yaml. It expands no aliases but follows them, so
// its time is linear in the file.
func ReadConfig(name string) (Config, error) {
	data, err := regular.ReadFile(name, source.SmallFile)
	if err != nil {
		return Config{}, err
	}
	return ParseConfig(data)
}

// ParseConfig reads the text of a config.yaml. The error gives the line and
// quotes no value.
func ParseConfig(data []byte) (Config, error) {
	config := Config{BundledPackagesDir: "packages"}
	var doc yaml.Node
	if len(bytes.TrimSpace(data)) == 0 {
		return config, nil
	}
	if err := yaml.Unmarshal(data, &doc); err != nil {
		// Of the library's error only the line is kept: its words may quote the file.
		place, line := "its structure is broken", 0
		for _, format := range []string{"yaml: line %d:", "yaml: unmarshal errors:\n  line %d:"} {
			if _, scanErr := fmt.Sscanf(err.Error(), format, &line); scanErr == nil {
				place = fmt.Sprintf("see line %d", line)
				break
			}
		}
		return config, errors.New("is not YAML that truss could read: " + place)
	}
	root := follow(&doc)
	if root == nil {
		return config, nil
	}
	if root.Kind != yaml.MappingNode {
		return config, errors.New("is not a YAML mapping")
	}
	for key, value := range entries(root) {
		switch key { // of a key that is there twice, the last counts
		case "external_package_dirs":
			config.ExternalPackageDirs = nil
			for _, n := range value.Content {
				if n = follow(n); value.Kind == yaml.SequenceNode && n != nil && n.Kind == yaml.ScalarNode {
					config.ExternalPackageDirs = append(config.ExternalPackageDirs, n.Value)
				}
			}
		case "bundled_packages_dir":
			if value.Kind == yaml.ScalarNode {
				config.BundledPackagesDir = value.Value
			}
		case "secrets":
			config.SecretValues = nil
			for name, n := range entries(value) {
				if n.Tag == "!!null" || n.Kind == yaml.ScalarNode && (n.Value == "" || n.Value == dummySecret) {
					continue
				}
				config.SecretValues = append(config.SecretValues, ConfigEntry{Name: name, Line: n.Line, Column: n.Column})
			}
		}
	}
	return config, nil
}

// follow returns the node that a document or an alias refers to, nil for none.
func follow(n *yaml.Node) *yaml.Node {
	for range 10 {
		switch {
		case n == nil:
			return nil
		case n.Kind == yaml.DocumentNode && len(n.Content) > 0:
			n = n.Content[0]
		case n.Kind == yaml.AliasNode:
			n = n.Alias
		case n.Kind == 0 || n.Kind == yaml.DocumentNode:
			return nil
		default:
			return n
		}
	}
	return nil
}

// entries yields the pairs of a mapping, in file order; none of what is not a mapping.
func entries(n *yaml.Node) iter.Seq2[string, *yaml.Node] {
	return func(yield func(string, *yaml.Node) bool) {
		for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
			key, value := follow(n.Content[i]), follow(n.Content[i+1])
			if key != nil && value != nil && key.Kind == yaml.ScalarNode && !yield(key.Value, value) {
				return
			}
		}
	}
}
