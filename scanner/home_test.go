package scanner

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/scanner/source"
	"github.com/b10lint/b10lint/scanner/source/truss"
	"github.com/b10lint/b10lint/scanner/source/workstation"
)

// plantKeys writes a file with a key of its own at every place of a home. It
// returns the kind of each place by path.
func plantKeys(t *testing.T, o workstation.Options, withKeys bool) map[string]string {
	t.Helper()
	keys := fakekey.New(11)
	kinds := map[string]string{}
	for _, p := range workstation.Places(o) {
		if strings.HasPrefix(p.Path, source.EnvironmentPath) {
			continue
		}
		name := strings.ReplaceAll(p.Path, "*", "x")
		if kinds[name] != "" {
			continue
		}
		kinds[name] = string(p.Kind)
		switch { // the file's own kind says more than its folder's
		case strings.HasSuffix(name, "mcp.json"):
			kinds[name] = "agent-config"
		case strings.HasSuffix(name, ".ipynb"):
			kinds[name] = "notebook"
		}
		text := "[baseten]\nremote_provider = baseten\n"
		if withKeys {
			text += "api_key = " + keys.B10() + "\n"
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return kinds
}

func TestHomeWithEveryPlacePlanted(t *testing.T) {
	keys := fakekey.New(12)
	for _, system := range []string{"linux", "darwin", "windows"} {
		o := workstation.Options{Dir: filepath.ToSlash(t.TempDir()), System: system, Environ: []string{"BASETEN_API_KEY=" + keys.B10(), "HOME=/x"}}
		kinds := plantKeys(t, o, true)
		kinds["env:BASETEN_API_KEY"] = "environment"
		r := scan(t, finding.LowConfidence, workstation.Home(o))
		if len(r.Findings) != len(kinds) || !r.Summary.Complete {
			t.Errorf("%s: %d findings of %d places: %+v", system, len(r.Findings), len(kinds), r.Problems)
		}
		for _, f := range r.Findings {
			at := f.Locations[0]
			if f.Exposure != finding.Home || f.Severity != finding.Low || f.Advice == "" {
				t.Errorf("%s: %s: %s %s", system, at.Path, f.Exposure, f.Severity)
			}
			if at.Context != kinds[at.Path] {
				t.Errorf("%s: %s: advice for %q, want %q", system, at.Path, at.Context, kinds[at.Path])
			}
		}
	}
}

func TestHomeWithNothingPlanted(t *testing.T) {
	o := workstation.Options{Dir: filepath.ToSlash(t.TempDir()), Environ: []string{"PATH=/bin"}}
	plantKeys(t, o, false)
	r := scan(t, finding.LowConfidence, workstation.Home(o))
	if len(r.Findings) != 0 || len(r.Problems) != 0 || !r.Summary.Complete {
		t.Errorf("%+v %+v", r.Findings, r.Problems)
	}
}

func TestTrussScan(t *testing.T) {
	dir := t.TempDir()
	keys := fakekey.New(13)
	up, stays := keys.B10(), keys.B10()
	write(t, dir, "config.yaml", "model_name: x\nenvironment_variables:\n  BASETEN_API_KEY: "+up+"\n")
	write(t, dir, ".env", "BASETEN_API_KEY="+stays+"\n")
	write(t, dir, ".env.local", "BASETEN_API_KEY="+up+"\n")
	r := scan(t, finding.LowConfidence, truss.Uploads(dir, truss.Options{}))
	if len(r.Findings) != 1 || r.Findings[0].Exposure != finding.Shipped || r.Findings[0].Severity != finding.High {
		t.Fatalf("%+v", r.Findings)
	}
	var contexts []string
	for _, l := range r.Findings[0].Locations {
		contexts = append(contexts, filepath.Base(l.Path)+" "+l.Context)
	}
	if !slices.Equal(contexts, []string{".env.local dotenv", "config.yaml truss-config"}) {
		t.Errorf("%q", contexts)
	}
}
