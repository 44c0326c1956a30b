package rules

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/b10lint/b10lint/finding"
)

// Advise returns what kind of place a key was found in, as a word that is stable,
// and what to do about a key there. line is the line of the key with every key in
// it masked; it may be empty. It depends on the location and that line alone.
func Advise(at finding.Location, line string) (context, text string) {
	s := newSite(at, line)
	row := &advices[slices.IndexFunc(advices, func(a advice) bool { return a.fits(s) })] // the last row fits everything
	fix := row.text
	if s.inArchive() {
		if row.place { // of a file that people have, not of a copy in an archive
			fix = ""
		}
		if row.context != "archive" {
			fix = strings.TrimSpace(fix + " It is inside an archive: build the archive again without it, and withdraw the copies that were published.")
		}
	}
	return row.context, byStage(at, row.place, fix)
}

// byStage puts before the way to fix a place what has to be done first, by how far the key got.
// keeps says that keys are kept in such files, so that the file must not be in a repository.
func byStage(at finding.Location, keeps bool, fix string) string {
	own := strings.TrimPrefix(fix, revoke)
	switch message := at.Object == "commit"; {
	case at.Exposure == finding.Staged && message:
		return unsent + "Write the message without the key. " + unseen
	case at.Exposure == finding.Staged && keeps:
		return unsent + "Take the file out of the commit (`git rm --cached`), add it to .gitignore, and commit. " + own + " " + unseen
	case at.Exposure == finding.Staged:
		return unsent + "Take the key out, `git add` the file again, and commit. " + own + " " + unseen
	case at.Exposure == finding.Untracked && at.Cell != nil:
		return "It is not committed yet. " + own + " " + unseen
	case at.Exposure == finding.Ignored && at.Readable:
		return "Others on this machine may read the file: `chmod 600` stops that. " + fix
	case at.Exposure == finding.Dangling:
		return "Nothing but this clone has it, unless it was copied: " + prune + " removes it. " + unseen
	case at.Exposure == finding.Unpushed && stashed(at):
		return "No push sends a stash: `git stash drop " + at.Refs[0] + "`, then " + prune + ". " + own + " " + unseen
	case at.Exposure == finding.Unpushed && message:
		return "The commit is not pushed yet: rewrite its message before you push (`git rebase -i " + short(at.Commit) +
			"^`, mark it `reword`; for the last commit, `git commit --amend`). " + unseen
	case at.Exposure == finding.Unpushed:
		return "The commit is not pushed yet: rewrite it before you push (`git rebase -i " + short(at.Commit) + "^`, mark it `edit`, take the key " +
			"out, `git commit -a --amend`, `git rebase --continue`). A later commit that removes the key is not enough. " + own + " " + unseen
	case at.Exposure == finding.Committed && at.Unreachable && at.Commit != "":
		return "No branch or tag contains the commit any more. If it was ever pushed, revoke the key and make a new one; if not, " + prune +
			" removes it from this clone. " + own
	case at.Exposure == finding.Committed && at.Blob == "":
		return "If this line was ever committed, history and every clone keep it: revoke the key and make a new one. " + own
	case at.Exposure == finding.Committed && own == fix:
		return revoke + kept + own
	case at.Exposure == finding.Shipped && at.Member != "":
		return revoke + own
	}
	return fix
}

// What to do first.
const (
	revoke = "Revoke the key and make a new one. "
	kept   = "History and every clone keep it, so taking the line out is not enough. "
	unsent = "Nothing has left this machine. "
	unseen = "Revoke the key only if someone else may have seen it."
	prune  = "`git reflog expire --expire=now --all && git gc --prune=now`"
)

// stashed reports whether a location is in stashes alone.
func stashed(at finding.Location) bool {
	notStash := func(ref string) bool { return ref != "stash" && !strings.HasPrefix(ref, "stash@") }
	return len(at.Refs) > 0 && !slices.ContainsFunc(at.Refs, notStash)
}

func short(id string) string { return id[:min(len(id), 12)] }

// A site is what Advise decides from.
type site struct {
	at         finding.Location
	path, base string // lower case, of the innermost file
	line       string // lower case
}

func newSite(at finding.Location, line string) site {
	p := at.Path
	if inner := at.Member[strings.LastIndexByte(at.Member, '!')+1:]; inner != "" && !inText(inner) {
		p = inner
	}
	p = "/" + strings.ToLower(strings.TrimLeft(p, "/"))
	return site{at, p, path.Base(p), strings.ToLower(line)}
}

// inText reports whether a level of a member's path is what a text holds in an encoding, or
// a row of a database.
func inText(level string) bool {
	starts := func(with string) bool { return strings.HasPrefix(level, with) }
	return slices.ContainsFunc([]string{"base64 in line ", "hex in line ", "table ", "page "}, starts)
}

func (s site) inArchive() bool { return s.at.Member != "" && !inText(s.at.Member) }

// A list of words, lower case.
type list []string

// An advice is one row of the table. It fits where one of its signs does, and the first
// row that fits is given.
type advice struct {
	context string
	place   bool // the source may have named the place so
	in      list // parts of the path
	name    list // the base name, as are the next
	start   list
	end     list
	part    list
	ext     list // its extension
	line    *lineSign
	when    func(site) bool
	text    string
}

func (a *advice) fits(s site) bool {
	any := func(words list, has func(s, word string) bool) bool {
		return slices.ContainsFunc(words, func(w string) bool { return has(s.base, w) })
	}
	return a.place && s.at.Context == a.context || s.in(a.in...) || anyOf(s.base, a.name...) || any(a.start, strings.HasPrefix) ||
		any(a.end, strings.HasSuffix) || any(a.part, strings.Contains) || s.ext(a.ext...) ||
		a.line != nil && a.line.in(s.line) || a.when != nil && a.when(s)
}

const environ = "`os.environ[\"BASETEN_API_KEY\"]`"

// A lineSign is a form that a masked line may have. One of the words stands in every such
// line: they are looked for first, as the forms take long and keys may be many.
type lineSign struct {
	words list
	form  *regexp.Regexp // nil where a word suffices
}

func (l *lineSign) in(line string) bool {
	return slices.ContainsFunc(l.words, func(w string) bool { return strings.Contains(line, w) }) &&
		(l.form == nil || l.form.MatchString(line))
}

var (
	defaultCall = &lineSign{list{"getenv", "env.get", "environ.get", "env::var_or", "process.env", "${"},
		regexp.MustCompile(`(environ\.get|getenv|env\.get|env::var_or)\(\s*['"][^'"]*['"]\s*,|` +
			`process\.env(\.\w+|\[[^\]]*\])\s*(\|\||\?\?)|\$\{\w+:-`)}
	loginCall   = &lineSign{list{"baseten.", "truss."}, regexp.MustCompile(`\b(baseten|truss)\.(login\s*\(|api_key\s*=)`)}
	publicName  = &lineSign{list{"public_", "vite_", "react_app_", "gatsby_"}, regexp.MustCompile(`\b(next_public|vite|react_app|expo_public|nuxt_public|gatsby|public)_\w*`)}
	chainSecret = &lineSign{words: list{"baseten_chain_api_key"}}
	keyInURL    = &lineSign{list{"://", "?", "&"}, regexp.MustCompile(`://[^/\s"']*@|[?&][\w-]*(key|token|auth\w*)=`)}
	commandLine = &lineSign{list{"curl", "--api-key", "--header", "authorization"}, regexp.MustCompile(`curl|--api-key|--header|-h ["']authorization`)}

	bundleFolder = regexp.MustCompile(`/(dist|build|out|public|static|assets|_next|\.next|www|wwwroot)/`)
)

// advices is the table, from the most telling sign to none.
var advices = []advice{
	{context: "picture", when: func(s site) bool { return len(s.at.Decoded) > 0 && s.at.Decoded[0] == "ocr" },
		text: revoke + "It can be read in a picture. Characters may be misread, so look the key up by its name or the shape " +
			"of its prefix. Take the picture again with the key hidden: cropping or painting over is safe only where the " +
			"program keeps no older layers."},
	{context: "commit-message", when: func(s site) bool { return s.at.Object == "commit" },
		text: revoke + "Every clone has the commit message; there is no need to rewrite it."},
	{context: "git-note", when: func(s site) bool { return s.at.NoteOn() != "" },
		text: revoke + "It is in a git note, whose history is kept too: `git notes remove` takes it out of the newest notes only."},
	{context: "tag-message", when: func(s site) bool { return s.at.Object == "tag" },
		text: revoke + "Every clone has the message of the tag; there is no need to rewrite it."},
	{context: "environment", place: true, when: func(s site) bool { return strings.HasPrefix(s.at.Path, "env:") },
		text: "An environment variable is where a key belongs while a program runs; every program that this one starts " +
			"inherits it. Set it for the one command that needs it, or from a secret store: `BASETEN_API_KEY=$(pass " +
			"baseten) truss push`."},
	{context: "trussrc", place: true, name: list{".trussrc"},
		text: "truss stores its key here in plain text; this is expected. Keep the file to yourself (`chmod 600 ~/.trussrc`) " +
			"and in the home only, never in a repository or a truss. On a shared machine and in CI set `BASETEN_API_KEY` instead."},
	{context: "truss-local", place: true, in: list{"/.truss/"},
		text: "truss keeps local secrets and copies of pushed models below ~/.truss in plain text. Remove what is no longer used, " +
			"keep the folder to yourself (`chmod -R go= ~/.truss`), and put values that a deployed model needs into the " +
			"workspace's secrets."},
	{context: "baseten-cli", place: true, when: func(s site) bool { return strings.HasSuffix(s.path, "/baseten/auth.json") },
		text: "The baseten command wrote the key here because there was no keyring, or because of --insecure-storage. " +
			"Run `baseten auth login` again where a keyring is available, or set `BASETEN_API_KEY`."},
	{context: "shell-history", place: true, name: list{"consolehost_history.txt", ".zhistory", "history.sqlite"}, end: list{"_history"},
		text: "Delete the line from the history, in every open shell too, and do not give keys as arguments: `truss login` " +
			"without --api-key asks for the key, and scripts read `$BASETEN_API_KEY`. Others on the machine may have seen " +
			"it in the process list: make a new key and revoke this one."},
	{context: "shell-rc", place: true, name: list{".bashrc", ".bash_profile", ".zshrc", ".zshenv", ".zprofile", ".profile", "config.fish"}, end: list{"profile.ps1"},
		text: "Start-up files get copied, synchronised and shown. Have the shell fetch the key when it is needed: `export " +
			"BASETEN_API_KEY=\"$(security find-generic-password -w -s baseten)\"`, or `pass`, `op read`, and keep the file " +
			"out of dotfile repositories."},
	{context: "agent-config", place: true, in: list{"/.claude/", "/.codex/", "/.cursor/", "/.continue/", "/.cline/", "/.gemini/", "/goose/", "/opencode/"},
		name: list{".claude.json", "mcp.json", ".mcp.json", "mcp_config.json", "claude_desktop_config.json", "opencode.json", "opencode.jsonc", "cline_mcp_settings.json"},
		text: "Agents and MCP clients read a reference as well as a key: write `\"Authorization\": \"Bearer " +
			"${BASETEN_API_KEY}\"` (Claude, Cursor, VS Code inputs), `{env:BASETEN_API_KEY}` (OpenCode) or `env_key = " +
			"\"BASETEN_API_KEY\"` (Codex), keep the file out of the repository, and give the agent a key of its own that " +
			"may only call models."},
	{context: "editor-config", place: true, in: list{"/.vscode/", "/.zed/", "/zed/", "/.idea/"},
		text: "Editor settings are synchronised and often committed. Use the editor's secret store or a reference such as " +
			"`${env:BASETEN_API_KEY}` or `${input:baseten-key}`."},
	{context: "gateway-config", place: true, in: list{"/baseten-switch/"}, part: list{"litellm"},
		text: "Let the gateway read the key from its environment: `api_key: os.environ/BASETEN_API_KEY` for LiteLLM, " +
			"`${BASETEN_API_KEY}` for baseten-switch."},
	{context: "credentials-file", place: true, name: list{".netrc", "_netrc", ".git-credentials", ".curlrc"},
		text: "curl and git send these credentials to the host that is named beside them. Keep the file to yourself (`chmod " +
			"600`), and prefer `-H \"Authorization: Bearer $BASETEN_API_KEY\"` with the key in the environment."},
	{context: "dotenv", place: true, name: list{".envrc"}, start: list{".env."}, end: list{".env"},
		text: "A dotenv file is a place for a key only while it stays on this machine: keep it in .gitignore and " +
			".dockerignore, and share a .env.example with `BASETEN_API_KEY=` left empty. In a truss, `b10lint truss-ignore " +
			"> .truss_ignore` keeps it out of the upload."},
	{context: "notebook-output", when: func(s site) bool { return s.at.Cell != nil && anyOf(s.at.Cell.Part, "output", "error") },
		text: revoke + "The notebook stores what it printed: clear the outputs before saving (`jupyter nbconvert " +
			"--clear-output --inplace`, or nbstripout as a git filter) and do not print the key or the request's headers."},
	{context: "notebook", end: list{".ipynb"}, when: func(s site) bool { return s.at.Cell != nil },
		text: "Take the key from the environment (" + environ + "), ask for it (`getpass.getpass()`), or in Colab use " +
			"`userdata.get(\"BASETEN_API_KEY\")`. Checkpoints and exported copies hold it as well."},
	{context: "public-variable", line: publicName,
		text: revoke + "A variable with this prefix is built into the page and every visitor can read it. Call Baseten from a " +
			"server route that reads `BASETEN_API_KEY`, without the prefix, and let the page call that route."},
	{context: "login-call", line: loginCall,
		text: "Drop the call: truss and the clients read `BASETEN_API_KEY` themselves, and `truss login`, typed once, keeps " +
			"the key in ~/.trussrc. Where a call is needed, pass " + environ + "."},
	{context: "chain-secret", line: chainSecret,
		text: "A chain's key belongs in the workspace's secrets under the name baseten_chain_api_key; in the code and in " +
			"config.yaml only the name appears (`baseten_chain_api_key: null`)."},
	{context: "environ-default", line: defaultCall,
		text: "The fallback value is the leak: it is used, unnoticed, wherever the variable is missing. Fail instead: " + environ + " " +
			"in Python, a check that throws in JavaScript, `${BASETEN_API_KEY:?}` in a shell."},
	{context: "github-workflow", in: list{"/.github/workflows/", "/.github/actions/"},
		text: "Store the key as an encrypted secret of the repository or organisation and refer to it: `baseten-api-key: ${{ " +
			"secrets.BASETEN_API_KEY }}`."},
	{context: "gitlab-ci", in: list{"/.gitlab/"}, part: list{".gitlab-ci."},
		text: "Make it a masked, protected CI/CD variable of the project and refer to it as `$BASETEN_API_KEY`."},
	{context: "ci-config", in: list{"/.circleci/", "/.buildkite/", "/.drone"},
		name: list{"azure-pipelines.yml", "bitbucket-pipelines.yml", "jenkinsfile", ".travis.yml", "cloudbuild.yaml", "buildspec.yml"},
		text: "Use the secret store of the CI system (a context, a credential, a secured variable) and refer to " +
			"`$BASETEN_API_KEY`."},
	{context: "compose", when: func(s site) bool {
		return (strings.Contains(s.base, "compose") || s.base == "stack.yml") && s.ext(".yml", ".yaml")
	},
		text: "Pass the variable through without its value (`environment: [BASETEN_API_KEY]`), or use `env_file:` with a file " +
			"that git ignores, or `secrets:`."},
	{context: "dockerfile", part: list{"dockerfile", "containerfile"},
		text: "ENV and ARG stay in the image and its history. Pass the key when the container runs (`docker run -e " +
			"BASETEN_API_KEY`), and for a build step mount it: `RUN --mount=type=secret,id=baseten …`. Images that were " +
			"pushed still contain it."},
	{context: "terraform-state", part: list{".tfstate"},
		text: "Terraform keeps `baseten_api_key.*.api_key` in plain text in its state. Keep state in an encrypted remote backend " +
			"with few readers, never in git, and remove local copies and backups."},
	{context: "terraform", ext: list{".tf", ".tfvars", ".hcl", ".tofu"}, end: list{".tf.json"},
		text: "Declare a variable with `sensitive = true` and set it as TF_VAR_baseten_api_key or from a secret store's data " +
			"source."},
	{context: "helm", in: list{"/charts/", "/helm/"}, when: func(s site) bool { return strings.HasPrefix(s.base, "values") && s.ext(".yaml", ".yml") },
		text: "Do not put it in values: name an existing Secret (`existingSecret`), created by External Secrets or Sealed " +
			"Secrets, and read it with `secretKeyRef`."},
	{context: "kubernetes", when: func(s site) bool {
		return s.ext(".yaml", ".yml", ".json") && (s.in("/k8s/", "/kubernetes/", "/manifests/", "/kustomize/", "/deploy/", "/overlays/") ||
			strings.Contains(s.base, "configmap") || strings.Contains(s.base, "secret") || len(s.at.Decoded) > 0 && s.at.Decoded[0] == "base64")
	},
		text: "base64 in a Secret is no protection, and a ConfigMap is open to more readers. Create the Secret outside git " +
			"(External Secrets, Sealed Secrets, SOPS, `kubectl create secret`) and refer to it with `secretKeyRef`."},
	{context: "truss-config", when: func(s site) bool {
		return s.base == "config.yaml" && (s.at.Context == "truss-config" || s.at.Exposure == finding.Shipped || strings.Contains(s.line, "hf_access_token") || strings.Contains(s.line, "secret"))
	},
		text: "config.yaml is uploaded twice, in the archive and as text. Put the value into the workspace's secrets and " +
			"leave `name: null` under `secrets:`; the model reads it from `self._secrets[\"name\"]`. Do not use " +
			"`environment_variables` or `build.arguments` for it."},
	{context: "truss-upload", when: func(s site) bool { return s.at.Exposure == finding.Shipped && s.at.Member == "" },
		text: "`truss push` would upload this file, and everyone in the workspace could download it. Move it out of the truss, " +
			"or name it in .truss_ignore (`b10lint truss-ignore > .truss_ignore` makes one: truss's built-in list, which " +
			"the file replaces, and files with credentials), and give the model the value as a workspace secret."},
	{context: "front-end", ext: list{".html", ".htm", ".map", ".jsx", ".tsx", ".vue", ".svelte", ".astro"}, part: list{".min.", ".bundle."},
		when: func(s site) bool { return s.ext(".js", ".mjs", ".css") && bundleFolder.MatchString(s.path) },
		text: revoke + "What a browser loads, every visitor can read. Call Baseten from a server that holds the key and let " +
			"the page call that server; purge the bundles and source maps that were published."},
	{context: "log", ext: list{".log", ".out"}, in: list{"/logs/", "/log/"},
		text: revoke + "Logs are copied to more places than can be cleaned. Have CI mask the value and programs log no " +
			"headers and no output of `baseten org api-key create`; `b10lint redact` cleans a stream."},
	{context: "url", line: keyInURL,
		text: revoke + "A key in a URL ends up in histories, proxies and server logs. Send it as a header: `Authorization: " +
			"Bearer $BASETEN_API_KEY`."},
	{context: "command-line", line: commandLine,
		text: "Let the shell put the key in: `curl -H \"Authorization: Bearer $BASETEN_API_KEY\" …` in double quotes; pass " +
			"keys to `baseten auth login` on standard input (`--with-api-key`)."},
	{context: "tool-config", place: true, name: list{"pip.conf", ".npmrc", ".pypirc", ".gitconfig"},
		text: "Refer to the environment where the tool can (`${BASETEN_API_KEY}`), use its credential helper, and keep the " +
			"file to yourself (`chmod 600`)."},
	{context: "jupyter", place: true,
		text: "Jupyter keeps configuration and checkpoints in the home. Take the key out, and delete checkpoints of notebooks " +
			"that held one."},
	{context: "python", ext: list{".py", ".pyi", ".pyx"},
		text: "Read it when the program runs: " + environ + ". In a truss use the model's secrets (`self._secrets[\"name\"]`)."},
	{context: "javascript", ext: list{".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"},
		text: "Read it on the server: `process.env.BASETEN_API_KEY`, and make sure that no bundler carries the file to the " +
			"browser."},
	{context: "shell-script", ext: list{".sh", ".bash", ".zsh", ".fish", ".ps1", ".bat", ".cmd"}, name: list{"makefile"},
		text: "Take it from the environment and stop when it is missing: `: \"${BASETEN_API_KEY:?set it first}\"`."},
	{context: "source", ext: list{".go", ".rs", ".java", ".kt", ".scala", ".rb", ".php", ".cs", ".c", ".cc", ".cpp", ".h", ".swift", ".dart", ".lua", ".r", ".jl",
		".ex", ".exs", ".sql"},
		text: "Read it from the environment variable `BASETEN_API_KEY` or a secret store when the program runs."},
	{context: "documentation", ext: list{".md", ".mdx", ".rst", ".txt", ".adoc", ".org", ".tex", ".pdf", ".docx"},
		text: "Write the variable in examples (`$BASETEN_API_KEY`), or a placeholder that cannot be taken for a key " +
			"(`YOUR_BASETEN_API_KEY`)."},
	{context: "config-file", ext: list{".yaml", ".yml", ".json", ".jsonc", ".json5", ".toml", ".ini", ".cfg", ".conf", ".properties", ".xml", ".plist"},
		text: "Keep the name of the variable in the file (`${BASETEN_API_KEY}` or what its program understands) and the value " +
			"in the environment or a secret store."},
	{context: "archive", when: func(s site) bool { return s.inArchive() || s.at.Exposure == finding.Shipped },
		text: revoke + "It is inside something that is published: build it again without the key and withdraw the copies."},
	{context: "other", when: func(site) bool { return true },
		text: "Take the key out and read it from the environment variable `BASETEN_API_KEY` or a secret store. If anyone " +
			"else could read this file, create a new key and revoke this one."},
}

func (s site) in(folders ...string) bool {
	for _, f := range folders {
		if strings.Contains(s.path, f) {
			return true
		}
	}
	return false
}

func (s site) ext(exts ...string) bool { return anyOf(path.Ext(s.base), exts...) }

func anyOf(s string, words ...string) bool { return slices.Contains(words, s) }
