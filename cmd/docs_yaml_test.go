package cmd_test

import (
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/b10lint/b10lint/internal/config"
)

// The YAML that pages show is YAML, without a name twice, and of the shape that its
// reader takes. GitHub's workflows are checked by .ci/integration/snippets.
func TestDocumentedYAML(t *testing.T) {
	checks := map[string]func(t *testing.T, text string){
		"# .pre-commit-config.yaml": func(t *testing.T, text string) { preCommit(t, text) },
		"# .gitlab-ci.yml":          func(t *testing.T, text string) { gitLab(t, text) },
		"version: 2.1":              func(t *testing.T, text string) { circleCI(t, text) },
		"exclude:":                  settingsPage,
	}
	seen := 0
	for _, page := range []string{"../docs/ci.md", "../docs/config.md"} {
		for _, block := range fence.FindAllStringSubmatch(readFile(t, page), -1) {
			if block[1] != "yaml" {
				continue
			}
			var any map[string]any
			if err := yaml.Unmarshal([]byte(block[2]), &any); err != nil {
				t.Errorf("%s: %v\n%s", page, err, block[2])
			}
			for begin, check := range checks {
				if strings.HasPrefix(block[2], begin) {
					seen++
					check(t, block[2])
				}
			}
		}
	}
	if seen != len(checks) {
		t.Errorf("%d blocks were checked, want %d", seen, len(checks))
	}
}

// strictly reads YAML into a value that has a field for every name there may be.
func strictly(t *testing.T, text string, into any) {
	t.Helper()
	d := yaml.NewDecoder(strings.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
}

func preCommit(t *testing.T, text string) {
	var c struct {
		Version string   `yaml:"minimum_pre_commit_version"`
		Types   []string `yaml:"default_install_hook_types"`
		Repos   []struct {
			Repo, Rev string
			Hooks     []struct {
				ID           string
				Args, Stages []string
			}
		}
	}
	strictly(t, text, &c)
	var ours []struct{ ID string }
	if err := yaml.Unmarshal([]byte(readFile(t, "../.pre-commit-hooks.yaml")), &ours); err != nil {
		t.Fatal(err)
	}
	stages := map[string]int{"commit-msg": 1} // as the manifest says
	for _, h := range c.Repos[0].Hooks {
		for _, s := range h.Stages {
			stages[s]++
		}
		if (len(h.Stages) == 0) != (h.ID == "b10lint-commit-msg") {
			t.Errorf("%s: stages %v", h.ID, h.Stages)
		}
		if !slices.Contains(ours, struct{ ID string }{h.ID}) {
			t.Errorf("there is no hook %s", h.ID)
		}
	}
	for s, n := range stages {
		if n > 1 {
			t.Errorf("%d processes in the stage %s", n, s)
		}
	}
}

func gitLab(t *testing.T, text string) {
	var c map[string]struct {
		Image     string
		Variables map[string]string
		Rules     []struct{ If string }
		Script    []string
		Artifacts struct {
			When    string
			Reports map[string]string
		}
	}
	strictly(t, text, &c)
	job := c["b10lint"]
	for kind, file := range job.Artifacts.Reports {
		if !strings.Contains(strings.Join(job.Script, "\n"), "="+file) {
			t.Errorf("no command writes the report %s, %s", kind, file)
		}
	}
}

func circleCI(t *testing.T, text string) {
	type job struct {
		Docker []struct{ Image string }
		Steps  []any // names, or a name with its settings
	}
	var c struct {
		Version   string
		Jobs      map[string]job
		Workflows map[string]struct{ Jobs []string }
	}
	strictly(t, text, &c)
	for name, flow := range c.Workflows {
		for _, j := range flow.Jobs {
			if len(c.Jobs[j].Steps) == 0 {
				t.Errorf("the workflow %s has no job %s", name, j)
			}
		}
	}
}

func settingsPage(t *testing.T, text string) {
	if _, err := config.Parse(config.Name, []byte(text)); err != nil {
		t.Error(err)
	}
}
