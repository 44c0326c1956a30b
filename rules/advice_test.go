package rules

import (
	"strings"
	"testing"

	"github.com/b10lint/b10lint/finding"
)

func TestAdvise(t *testing.T) {
	const k = "b10_XXXXXXXX.****"
	cell := func(part string) *finding.Cell { return &finding.Cell{Part: part} }
	used := map[string]bool{}
	for _, c := range []struct {
		want string
		at   finding.Location
		line string
		safe string // what the advice must name
	}{
		{"picture", finding.Location{Path: "shot.png", Decoded: []string{"ocr"}}, k, "Revoke"},
		{"commit-message", finding.Location{Path: "x", Object: "commit"}, k, "Revoke"},
		{"tag-message", finding.Location{Path: "x", Object: "tag"}, k, "Revoke"},
		{"git-note", finding.Location{Path: strings.Repeat("0a", 20), Object: "blob", Refs: []string{"notes/commits"}}, k, "git notes remove"},
		{"environment", finding.Location{Path: "env:BASETEN_API_KEY"}, "BASETEN_API_KEY=" + k, "secret store"},
		{"trussrc", finding.Location{Path: "/home/u/.trussrc"}, "api_key = " + k, "chmod 600"},
		{"trussrc", finding.Location{Path: "/opt/rc", Context: "trussrc"}, "api_key = " + k, "BASETEN_API_KEY"},
		{"truss-local", finding.Location{Path: "/home/u/.truss/secrets/x"}, k, "workspace's secrets"},
		{"baseten-cli", finding.Location{Path: "/home/u/.config/baseten/auth.json"}, `"api_key":"` + k, "keyring"},
		{"shell-history", finding.Location{Path: ".bash_history"}, "truss login --api-key " + k, "truss login"},
		{"shell-history", finding.Location{Path: "C:/x/ConsoleHost_history.txt"}, "", "truss login"},
		{"shell-rc", finding.Location{Path: "/home/u/.zshrc"}, "export BASETEN_API_KEY=" + k, "$("},
		{"agent-config", finding.Location{Path: "proj/.cursor/mcp.json"}, `"Authorization": "Bearer ` + k, "${BASETEN_API_KEY}"},
		{"agent-config", finding.Location{Path: "/home/u/.codex/config.toml"}, "experimental_bearer_token = " + k, "env_key"},
		{"editor-config", finding.Location{Path: ".vscode/settings.json"}, k, "${env:"},
		{"gateway-config", finding.Location{Path: "litellm_config.yaml"}, "api_key: " + k, "os.environ/BASETEN_API_KEY"},
		{"credentials-file", finding.Location{Path: ".netrc"}, "password " + k, "chmod 600"},
		{"dotenv", finding.Location{Path: "app/.env.local"}, "BASETEN_API_KEY=" + k, "b10lint truss-ignore"},
		{"dotenv", finding.Location{Path: "prod.env"}, "BASETEN_API_KEY=" + k, ".gitignore"},
		{"notebook-output", finding.Location{Path: "a.ipynb", Cell: cell("output")}, k, "clear"},
		{"notebook", finding.Location{Path: "a.ipynb", Cell: cell("source")}, `baseten.login("` + k, "getpass"},
		{"public-variable", finding.Location{Path: "next.config.js"}, `NEXT_PUBLIC_BASETEN_KEY: "` + k, "server route"},
		{"public-variable", finding.Location{Path: "src/a.ts"}, `VITE_KEY=` + k, "server route"},
		{"login-call", finding.Location{Path: "a.py"}, `baseten.login("` + k + `")`, "truss login"},
		{"login-call", finding.Location{Path: "a.py"}, `truss.login( "` + k + `")`, "os.environ"},
		{"chain-secret", finding.Location{Path: "chain.py"}, `"baseten_chain_api_key": "` + k, "null"},
		{"environ-default", finding.Location{Path: "a.py"}, `os.environ.get("BASETEN_API_KEY", "` + k, "os.environ["},
		{"environ-default", finding.Location{Path: "a.ts"}, `const k = process.env.KEY || "` + k, "throws"},
		{"environ-default", finding.Location{Path: "a.sh"}, `${BASETEN_API_KEY:-` + k, ":?}"},
		{"github-workflow", finding.Location{Path: ".github/workflows/ci.yml"}, "baseten-api-key: " + k, "${{ secrets."},
		{"gitlab-ci", finding.Location{Path: ".gitlab-ci.yml"}, k, "masked"},
		{"ci-config", finding.Location{Path: ".circleci/config.yml"}, k, "secret store"},
		{"compose", finding.Location{Path: "docker-compose.prod.yml"}, "- BASETEN_API_KEY=" + k, "env_file"},
		{"dockerfile", finding.Location{Path: "Dockerfile"}, "ENV BASETEN_API_KEY " + k, "--mount=type=secret"},
		{"terraform-state", finding.Location{Path: "terraform.tfstate.backup"}, k, "encrypted"},
		{"terraform", finding.Location{Path: "main.tf"}, "api_key = " + k, "sensitive"},
		{"helm", finding.Location{Path: "values-prod.yaml"}, "basetenApiKey: " + k, "secretKeyRef"},
		{"kubernetes", finding.Location{Path: "x.yaml", Decoded: []string{"base64"}}, "BASETEN_API_KEY: ****", "secretKeyRef"},
		{"kubernetes", finding.Location{Path: "k8s/app.yaml"}, k, "External Secrets"},
		{"truss-config", finding.Location{Path: "m/config.yaml", Exposure: finding.Shipped}, k, "null"},
		{"truss-upload", finding.Location{Path: "m/data/x.bin", Exposure: finding.Shipped}, k, ".truss_ignore"},
		{"front-end", finding.Location{Path: "dist/app.js"}, k, "server"},
		{"front-end", finding.Location{Path: "app.4f2.js.map"}, k, "source maps"},
		{"log", finding.Location{Path: "ci/build.log"}, k, "mask"},
		{"url", finding.Location{Path: "a.go"}, "https://user:" + k + "@api.baseten.co", "header"},
		{"url", finding.Location{Path: "a.go"}, "https://x/?api_key=" + k, "header"},
		{"command-line", finding.Location{Path: "run.sh"}, `curl -H "Authorization: Api-Key ` + k, "$BASETEN_API_KEY"},
		{"command-line", finding.Location{Path: "README.md"}, `truss login --api-key ` + k, "--with-api-key"},
		{"tool-config", finding.Location{Path: ".npmrc"}, k, "credential helper"},
		{"jupyter", finding.Location{Path: "runtime/k.json", Context: "jupyter"}, k, "checkpoints"},
		{"python", finding.Location{Path: "a.py"}, `headers = {"Authorization": "Api-Key ` + k, "os.environ["},
		{"javascript", finding.Location{Path: "server/a.ts"}, `apiKey: "` + k, "process.env"},
		{"shell-script", finding.Location{Path: "a.sh"}, "export BASETEN_API_KEY=" + k, ":?"},
		{"source", finding.Location{Path: "main.go"}, `key := "` + k, "environment"},
		{"documentation", finding.Location{Path: "README.md"}, k, "YOUR_BASETEN_API_KEY"},
		{"config-file", finding.Location{Path: "app.toml"}, k, "${BASETEN_API_KEY}"},
		{"archive", finding.Location{Path: "a.zip", Member: "x"}, k, "again"},
		{"kubernetes", finding.Location{Path: "secrets.yaml", Member: "base64 in line 7"}, k, "SOPS"},
		{"python", finding.Location{Path: "a.zip", Member: "b.tar!c/d.py"}, k, "inside an archive"},
		{"python", finding.Location{Path: "d.py", Exposure: finding.Committed, Blob: "1"}, k, "Revoke the key"},
		{"python", finding.Location{Path: "d.py", Exposure: finding.Committed}, k, "If this line was ever committed"},
		{"dotenv", finding.Location{Path: "layer.tar", Member: "app/.env", Exposure: finding.Shipped}, k, "Revoke the key"},
		{"other", finding.Location{Path: "x"}, "", "BASETEN_API_KEY"},
	} {
		context, advice := Advise(c.at, c.line)
		used[context] = true
		if context != c.want || !strings.Contains(advice, c.safe) {
			t.Errorf("%s %q: %s: %s; want %s naming %s", c.at.Path, c.line, context, advice, c.want, c.safe)
		}
	}
	seen := map[string]bool{}
	for _, a := range advices {
		if !used[a.context] {
			t.Errorf("no case for %s", a.context)
		}
		if seen[a.context] || !strings.HasSuffix(a.text, ".") {
			t.Errorf("row %s is there twice or does not end in a full stop", a.context)
		}
		seen[a.context] = true
	}
}

// What to do first depends on how far the key got: nothing that has not left the machine
// is called published.
func TestAdviceByStage(t *testing.T) {
	const commit = "84e69f4e0000000000000000"
	for _, c := range []struct {
		at            finding.Location
		message, says string
		severity      finding.Severity
		revokes       bool // it begins so
	}{
		{finding.Location{Path: "a.py", Object: "index", Blob: "1", Exposure: finding.Staged}, "in what you are about to commit", "Nothing has left this machine", finding.High, false},
		{finding.Location{Path: "a.ipynb", Cell: &finding.Cell{Part: "output"}, Object: "index", Blob: "1", Exposure: finding.Staged}, "in what you are about to commit", "clear the outputs", finding.High, false},
		{finding.Location{Path: "a.ipynb", Cell: &finding.Cell{Part: "output"}, Exposure: finding.Untracked}, "in an untracked file", "not committed yet", finding.High, false},
		{finding.Location{Path: ".env", Exposure: finding.Ignored, Readable: true}, "that everyone on the machine may read", "`chmod 600`", finding.Medium, false},
		{finding.Location{Path: "MSG", Object: "commit", Exposure: finding.Staged}, "in the message of the commit you are about to make", "Write the message", finding.High, false},
		{finding.Location{Path: "a.py", Object: "blob", Blob: "1", Commit: commit, Refs: []string{"main"}, Exposure: finding.Unpushed}, "in a commit that is not pushed", "git rebase -i 84e69f4e0000^", finding.High, false},
		{finding.Location{Object: "commit", Blob: commit, Commit: commit, Refs: []string{"main"}, Exposure: finding.Unpushed}, "in a commit that is not pushed", "`reword`", finding.High, false},
		{finding.Location{Path: "a.py", Object: "blob", Blob: "1", Commit: commit, Refs: []string{"stash"}, Exposure: finding.Unpushed}, "in a stash", "git stash drop stash", finding.High, false},
		{finding.Location{Object: "blob", Blob: "1", Unreachable: true, Exposure: finding.Dangling}, "in an object of this clone that no commit refers to",
			"git reflog expire --expire=now --all && git gc --prune=now", finding.Medium, false},
		{finding.Location{Path: "a.py", Object: "blob", Blob: "1", Commit: commit, Unreachable: true, Exposure: finding.Committed}, "in a commit that no branch or tag has", "If it was ever pushed", finding.High, false},
		{finding.Location{Path: "a.py", Object: "blob", Blob: "1", Commit: commit, Refs: []string{"origin/main"}, Exposure: finding.Committed}, "in the repository's history", "every clone keep it", finding.High, true},
		{finding.Location{Path: "i.tar", Member: "l.tar!app/.env", Exposure: finding.Shipped}, "in an archive or image", "withdraw the copies", finding.High, true},
	} {
		f := finding.Finding{Format: finding.B10, Confidence: finding.HighConfidence, Locations: []finding.Location{c.at}}
		r := finding.Report{Findings: []finding.Finding{f}}
		Derive(&r)
		f = r.Findings[0]
		if !strings.HasSuffix(f.Message, c.message) || !strings.Contains(f.Advice, c.says) || f.Severity != c.severity || strings.HasPrefix(f.Advice, revoke) != c.revokes {
			t.Errorf("%s %s: %s: %s: %s", c.at.Exposure, c.at.Path, f.Severity, f.Message, f.Advice)
		}
		if c.at.Exposure != finding.Committed && strings.Contains(f.Advice, "every clone") {
			t.Errorf("%s: %s", c.at.Exposure, f.Advice)
		}
		f.Liveness = &finding.Liveness{State: finding.Dead}
		r.Findings[0] = f
		if Derive(&r); strings.Contains(r.Findings[0].Advice, "Revoke the key") {
			t.Errorf("%s, revoked: %s", c.at.Exposure, r.Findings[0].Advice)
		}
	}
}
