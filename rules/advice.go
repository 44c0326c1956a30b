package rules

import (
	"path"
	"regexp"
	"strings"

	"github.com/b10lint/b10lint/finding"
)

// Advise returns what kind of place a key was found in, as a word that is stable,
// and what to do about a key there. line is the line of the key with every key in
// it masked; it may be empty. It looks at the names and that line alone.
func Advise(at finding.Location, line string) (context, advice string) {
	s := newSite(at, line)
	for _, a := range advices() {
		if a.at(s) {
			context, advice = a.context, a.text
			break
		}
	}
	if at.Exposure == finding.Committed && !strings.HasPrefix(advice, revoke) {
		advice = revoke + "History and every clone keep it, so taking the line out is not enough. " + advice
	}
	if at.Member != "" && context != "archive" {
		advice += " It is packed inside an archive: make the archive anew without it, and withdraw the copies that were given away."
	}
	return context, advice
}

// A site is what Advise decides from.
type site struct {
	at         finding.Location
	path, base string // lower case, of the innermost file
	line       string // lower case
}

func newSite(at finding.Location, line string) site {
	p := at.Path
	if at.Member != "" {
		p = at.Member[strings.LastIndexByte(at.Member, '!')+1:]
	}
	p = "/" + strings.ToLower(strings.TrimLeft(p, "/"))
	return site{at, p, path.Base(p), strings.ToLower(line)}
}

// An advice is one row of the table: the first whose test holds is given.
type advice struct {
	context string
	at      func(site) bool
	text    string
}

const (
	revoke  = "Revoke the key and make a new one. "
	environ = "`os.environ[\"BASETEN_API_KEY\"]`"
)

var (
	defaultCall  = regexp.MustCompile(`(environ\.get|getenv|env\.get|env::var_or)\(\s*['"][^'"]*['"]\s*,|process\.env(\.\w+|\[[^\]]*\])\s*(\|\||\?\?)|\$\{\w+:-`)
	loginCall    = regexp.MustCompile(`\b(baseten|truss)\.(login\s*\(|api_key\s*=)`)
	publicName   = regexp.MustCompile(`\b(next_public|vite|react_app|expo_public|nuxt_public|gatsby|public)_\w*`)
	userinfo     = regexp.MustCompile(`://[^/\s"']*@`)
	queryKey     = regexp.MustCompile(`[?&][\w-]*(key|token|auth\w*)=`)
	bundleFolder = regexp.MustCompile(`/(dist|build|out|public|static|assets|_next|\.next|www|wwwroot)/`)
)

// advices is the table, from the most telling sign to none.
func advices() []advice {
	var all []advice
	for _, part := range [][]advice{objectAdvices(), homeAdvices(), notebookAdvices(), callAdvices(), deployAdvices(), fileAdvices()} {
		all = append(all, part...)
	}
	return all
}

func objectAdvices() []advice {
	return []advice{
		{"picture", func(s site) bool { return len(s.at.Decoded) > 0 && s.at.Decoded[0] == "ocr" },
			revoke + "It can be read in a picture. Characters may be misread, so look the key up by its name or the shape of its prefix. " +
				"Take the picture anew with the key hidden: cropping or painting over is safe only where the program keeps no older layers."},
		{"commit-message", func(s site) bool { return s.at.Object == "commit" },
			revoke + "It stands in a commit message, and rewording the commit leaves the old one in every clone: the key has to go, the message may stay."},
		{"tag-message", func(s site) bool { return s.at.Object == "tag" },
			revoke + "It stands in the message of a tag or a note, which every clone has: the key has to go, the message may stay."},
		{"environment", func(s site) bool { return s.is("environment") || strings.HasPrefix(s.at.Path, "env:") },
			"An environment variable is where a key belongs while a program runs; every program that this one starts is given it too. " +
				"Set it for the one command that needs it, or from a secret store: `BASETEN_API_KEY=$(pass baseten) truss push`."},
	}
}

func homeAdvices() []advice {
	return []advice{
		{"trussrc", func(s site) bool { return s.is("trussrc") || s.base == ".trussrc" },
			"truss keeps its key here in clear; that is its way. Keep the file to yourself (`chmod 600 ~/.trussrc`) and in the home only, never in a repository or a truss. " +
				"On a shared machine and in CI set `BASETEN_API_KEY` instead."},
		{"truss-local", func(s site) bool { return s.is("truss-local") || s.in("/.truss/") },
			"truss keeps local secrets and copies of pushed models below ~/.truss in clear. Remove what is no longer used, keep the folder to yourself (`chmod -R go= ~/.truss`), " +
				"and put values that a deployed model needs into the workspace's secrets."},
		{"baseten-cli", func(s site) bool { return s.is("baseten-cli") || strings.HasSuffix(s.path, "/baseten/auth.json") },
			"The baseten command wrote the key here because there was no keyring, or it was told to use --insecure-storage. Run `baseten auth login` again with a keyring at hand, or set `BASETEN_API_KEY`."},
		{"shell-history", func(s site) bool {
			return s.is("shell-history") || strings.HasSuffix(s.base, "_history") || s.base == "consolehost_history.txt" || s.base == ".zhistory" || s.base == "history.sqlite"
		},
			"Delete the line from the history, in every open shell too, and do not give keys as arguments: `truss login` without --api-key asks for the key, " +
				"and scripts read `$BASETEN_API_KEY`. Others on the machine may have seen it in the process list: make a new key and revoke this one."},
		{"shell-rc", func(s site) bool {
			return s.is("shell-rc") || anyOf(s.base, ".bashrc", ".bash_profile", ".zshrc", ".zshenv", ".zprofile", ".profile", "config.fish") || strings.HasSuffix(s.base, "profile.ps1")
		},
			"Start-up files get copied, synchronised and shown. Have the shell fetch the key when it is needed: `export BASETEN_API_KEY=\"$(security find-generic-password -w -s baseten)\"`, or `pass`, `op read`, and keep the file out of dotfile repositories."},
		{"agent-config", func(s site) bool {
			return s.is("agent-config") || s.in("/.claude/", "/.codex/", "/.cursor/", "/.continue/", "/.cline/", "/.gemini/", "/goose/", "/opencode/") ||
				anyOf(s.base, ".claude.json", "mcp.json", ".mcp.json", "mcp_config.json", "claude_desktop_config.json", "opencode.json", "opencode.jsonc", "cline_mcp_settings.json")
		},
			"Agents and MCP clients read a reference as well as a key: write `\"Authorization\": \"Bearer ${BASETEN_API_KEY}\"` (Claude, Cursor, VS Code inputs), `{env:BASETEN_API_KEY}` (OpenCode) or `env_key = \"BASETEN_API_KEY\"` (Codex), " +
				"keep the file out of the repository, and give the agent a key of its own that may only call models."},
		{"editor-config", func(s site) bool {
			return s.is("editor-config") || s.in("/.vscode/", "/.zed/", "/zed/", "/.idea/")
		},
			"Editor settings are synchronised and often committed. Use the editor's secret store or a reference such as `${env:BASETEN_API_KEY}` or `${input:baseten-key}`."},
		{"gateway-config", func(s site) bool {
			return s.is("gateway-config") || strings.Contains(s.base, "litellm") || s.in("/baseten-switch/")
		},
			"Let the gateway read the key from its environment: `api_key: os.environ/BASETEN_API_KEY` for LiteLLM, `${BASETEN_API_KEY}` for baseten-switch."},
		{"credentials-file", func(s site) bool {
			return s.is("credentials-file") || anyOf(s.base, ".netrc", "_netrc", ".git-credentials", ".curlrc")
		},
			"curl and git send what stands here to the host that is named beside it. Keep the file to yourself (`chmod 600`), and prefer `-H \"Authorization: Bearer $BASETEN_API_KEY\"` with the key in the environment."},
		{"dotenv", func(s site) bool {
			return s.is("dotenv") || s.base == ".env" || strings.HasPrefix(s.base, ".env.") || strings.HasSuffix(s.base, ".env") || s.base == ".envrc"
		},
			"A dotenv file is a place for a key only while it stays on this machine: name it in .gitignore, .dockerignore and .truss_ignore (truss uploads .env.local and every other name but .env), and share a .env.example with `BASETEN_API_KEY=` left empty."},
	}
}

func notebookAdvices() []advice {
	return []advice{
		{"notebook-output", func(s site) bool { return s.at.Cell != nil && anyOf(s.at.Cell.Part, "output", "error") },
			revoke + "The notebook stores what it printed: clear the outputs before saving (`jupyter nbconvert --clear-output --inplace`, or nbstripout as a git filter) and do not print the key or the request's headers."},
		{"notebook", func(s site) bool { return s.at.Cell != nil || strings.HasSuffix(s.base, ".ipynb") },
			"Take the key from the environment (" + environ + "), ask for it (`getpass.getpass()`), or in Colab use `userdata.get(\"BASETEN_API_KEY\")`. Checkpoints and exported copies hold it as well."},
	}
}

func callAdvices() []advice {
	return []advice{
		{"public-variable", func(s site) bool { return publicName.MatchString(s.line) },
			revoke + "A variable with this prefix is built into the page and every visitor can read it. Call Baseten from a server route that reads `BASETEN_API_KEY`, without the prefix, and let the page call that route."},
		{"login-call", func(s site) bool { return loginCall.MatchString(s.line) },
			"Drop the call: truss and the clients read `BASETEN_API_KEY` themselves, and `truss login`, typed once, keeps the key in ~/.trussrc. Where a call is needed, pass " + environ + "."},
		{"chain-secret", func(s site) bool { return strings.Contains(s.line, "baseten_chain_api_key") },
			"A chain's key belongs into the workspace's secrets under the name baseten_chain_api_key; in the code and in config.yaml only the name appears (`baseten_chain_api_key: null`)."},
		{"environ-default", func(s site) bool { return defaultCall.MatchString(s.line) },
			"The fallback value is the leak: it is used wherever the variable is missing and nobody notices. Fail instead: " + environ + " in Python, a check that throws in JavaScript, `${BASETEN_API_KEY:?}` in a shell."},
	}
}

func deployAdvices() []advice {
	return []advice{
		{"github-workflow", func(s site) bool { return s.in("/.github/workflows/", "/.github/actions/") },
			"Store the key as an encrypted secret of the repository or organisation and refer to it: `baseten-api-key: ${{ secrets.BASETEN_API_KEY }}`."},
		{"gitlab-ci", func(s site) bool { return strings.Contains(s.base, ".gitlab-ci.") || s.in("/.gitlab/") },
			"Make it a masked, protected CI/CD variable of the project and refer to it as `$BASETEN_API_KEY`."},
		{"ci-config", func(s site) bool {
			return s.in("/.circleci/", "/.buildkite/", "/.drone") || anyOf(s.base, "azure-pipelines.yml", "bitbucket-pipelines.yml", "jenkinsfile", ".travis.yml", "cloudbuild.yaml", "buildspec.yml")
		},
			"Use the secret store of the CI system (a context, a credential, a secured variable) and refer to `$BASETEN_API_KEY`."},
		{"compose", func(s site) bool {
			return (strings.Contains(s.base, "compose") || s.base == "stack.yml") && s.ext(".yml", ".yaml")
		},
			"Pass the variable through without its value (`environment: [BASETEN_API_KEY]`), or use `env_file:` with a file that git ignores, or `secrets:`."},
		{"dockerfile", func(s site) bool {
			return strings.Contains(s.base, "dockerfile") || strings.Contains(s.base, "containerfile")
		},
			"ENV and ARG stay in the image and its history. Give the key when the container runs (`docker run -e BASETEN_API_KEY`), and for a build step mount it: `RUN --mount=type=secret,id=baseten …`. Images that were pushed hold it still."},
		{"terraform-state", func(s site) bool { return strings.Contains(s.base, ".tfstate") },
			"Terraform keeps `baseten_api_key.*.api_key` in its state in clear. Keep state in an encrypted remote backend with few readers, never in git, and remove local copies and backups."},
		{"terraform", func(s site) bool {
			return s.ext(".tf", ".tfvars", ".hcl", ".tofu") || strings.HasSuffix(s.base, ".tf.json")
		},
			"Declare a variable with `sensitive = true` and give it as TF_VAR_baseten_api_key or from a secret store's data source."},
		{"helm", func(s site) bool {
			return s.in("/charts/", "/helm/") || strings.HasPrefix(s.base, "values") && s.ext(".yaml", ".yml")
		},
			"Do not put it in values: name an existing Secret (`existingSecret`), made by External Secrets or Sealed Secrets, and read it with `secretKeyRef`."},
		{"kubernetes", func(s site) bool {
			return s.ext(".yaml", ".yml", ".json") && (s.in("/k8s/", "/kubernetes/", "/manifests/", "/kustomize/", "/deploy/", "/overlays/") ||
				strings.Contains(s.base, "configmap") || strings.Contains(s.base, "secret") || len(s.at.Decoded) > 0 && s.at.Decoded[0] == "base64")
		},
			"base64 in a Secret is no protection, and a ConfigMap is open to more readers. Make the Secret outside git (External Secrets, Sealed Secrets, SOPS, `kubectl create secret`) and refer to it with `secretKeyRef`."},
		{"truss-config", func(s site) bool {
			return s.base == "config.yaml" && (s.at.Exposure == finding.Shipped || strings.Contains(s.line, "hf_access_token") || strings.Contains(s.line, "secret"))
		},
			"config.yaml is uploaded twice, in the archive and as text. Put the value into the workspace's secrets and leave `name: null` under `secrets:`; the model reads it from `self._secrets[\"name\"]`. Do not use `environment_variables` or `build.arguments` for it."},
		{"truss-upload", func(s site) bool { return s.at.Exposure == finding.Shipped && s.at.Member == "" },
			"`truss push` would upload this file, and everyone in the workspace could download it. Name it in .truss_ignore (which replaces the built-in list: copy that list into it), move it out of the truss, and give the model the value as a workspace secret."},
	}
}

func fileAdvices() []advice {
	return []advice{
		{"front-end", func(s site) bool {
			return s.ext(".html", ".htm", ".map", ".jsx", ".tsx", ".vue", ".svelte", ".astro") || strings.Contains(s.base, ".min.") || strings.Contains(s.base, ".bundle.") ||
				s.ext(".js", ".mjs", ".css") && bundleFolder.MatchString(s.path)
		},
			revoke + "What a browser loads, every visitor can read. Call Baseten from a server that holds the key and let the page call that server; purge the bundles and source maps that were published."},
		{"log", func(s site) bool { return s.ext(".log", ".out") || s.in("/logs/", "/log/") },
			revoke + "Logs are copied to more places than can be cleaned. Have CI mask the value and programs log no headers and no output of `baseten org api-key create`; `b10lint redact` cleans a stream."},
		{"url", func(s site) bool { return userinfo.MatchString(s.line) || queryKey.MatchString(s.line) },
			revoke + "A key in a URL ends up in histories, proxies and server logs. Send it as a header: `Authorization: Bearer $BASETEN_API_KEY`."},
		{"command-line", func(s site) bool {
			return strings.Contains(s.line, "curl") || strings.Contains(s.line, "--api-key") || strings.Contains(s.line, "--header") || strings.Contains(s.line, "-h \"authorization") || strings.Contains(s.line, "-h 'authorization")
		},
			"Let the shell put the key in: `curl -H \"Authorization: Bearer $BASETEN_API_KEY\" …` in double quotes; pass keys to `baseten auth login` on standard input (`--with-api-key`)."},
		{"tool-config", func(s site) bool {
			return s.is("tool-config") || anyOf(s.base, "pip.conf", ".npmrc", ".pypirc", ".gitconfig")
		},
			"Refer to the environment where the tool can (`${BASETEN_API_KEY}`), use its credential helper, and keep the file to yourself (`chmod 600`)."},
		{"jupyter", func(s site) bool { return s.is("jupyter") },
			"Jupyter keeps configuration and checkpoints in the home. Take the key out, and delete checkpoints of notebooks that held one."},
		{"python", func(s site) bool { return s.ext(".py", ".pyi", ".pyx") },
			"Read it when the program runs: " + environ + ". In a truss use the model's secrets (`self._secrets[\"name\"]`)."},
		{"javascript", func(s site) bool { return s.ext(".js", ".mjs", ".cjs", ".ts", ".mts", ".cts") },
			"Read it on the server: `process.env.BASETEN_API_KEY`, and make sure that no bundler carries the file to the browser."},
		{"shell-script", func(s site) bool {
			return s.ext(".sh", ".bash", ".zsh", ".fish", ".ps1", ".bat", ".cmd") || s.base == "makefile"
		},
			"Take it from the environment and stop when it is missing: `: \"${BASETEN_API_KEY:?set it first}\"`."},
		{"source", func(s site) bool {
			return s.ext(".go", ".rs", ".java", ".kt", ".scala", ".rb", ".php", ".cs", ".c", ".cc", ".cpp", ".h", ".swift", ".dart", ".lua", ".r", ".jl", ".ex", ".exs", ".sql")
		},
			"Read it from the environment variable `BASETEN_API_KEY` or a secret store when the program runs."},
		{"documentation", func(s site) bool {
			return s.ext(".md", ".mdx", ".rst", ".txt", ".adoc", ".org", ".tex", ".pdf", ".docx")
		},
			"Write the variable in examples (`$BASETEN_API_KEY`), or a placeholder nobody can take for a key (`YOUR_BASETEN_API_KEY`)."},
		{"config-file", func(s site) bool {
			return s.ext(".yaml", ".yml", ".json", ".jsonc", ".json5", ".toml", ".ini", ".cfg", ".conf", ".properties", ".xml", ".plist")
		},
			"Keep the name of the variable in the file (`${BASETEN_API_KEY}` or what its program understands) and the value in the environment or a secret store."},
		{"archive", func(s site) bool { return s.at.Member != "" || s.at.Exposure == finding.Shipped },
			revoke + "It is inside something that is given away: make it anew without the key and withdraw the copies."},
		{"other", func(site) bool { return true },
			"Take the key out and read it from the environment variable `BASETEN_API_KEY` or a secret store. If anybody else could read this place, make a new key and revoke this one."},
	}
}

// is reports whether the source named the kind of place.
func (s site) is(kind string) bool { return s.at.Context == kind }

func (s site) in(folders ...string) bool {
	for _, f := range folders {
		if strings.Contains(s.path, f) {
			return true
		}
	}
	return false
}

func (s site) ext(exts ...string) bool { return anyOf(path.Ext(s.base), exts...) }

func anyOf(s string, words ...string) bool {
	for _, w := range words {
		if s == w {
			return true
		}
	}
	return false
}
