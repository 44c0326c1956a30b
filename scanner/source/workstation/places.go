package workstation

// A PlaceKind says what sort of place on a workstation a file is. It becomes the
// Context of a finding's location, from which the advice follows.
type PlaceKind string

// The kinds.
const (
	KindTrussrc      PlaceKind = "trussrc"
	KindTruss        PlaceKind = "truss-local"    // below ~/.truss
	KindBasetenCLI   PlaceKind = "baseten-cli"    // auth.json of the baseten command
	KindGateway      PlaceKind = "gateway-config" // LiteLLM, baseten-switch
	KindShellHistory PlaceKind = "shell-history"  // also of interpreters
	KindShellRC      PlaceKind = "shell-rc"
	KindAgent        PlaceKind = "agent-config"
	KindEditor       PlaceKind = "editor-config"
	KindCredentials  PlaceKind = "credentials-file" // .netrc and its like
	KindTool         PlaceKind = "tool-config"      // Docker, pip
	KindJupyter      PlaceKind = "jupyter"
	KindDotenv       PlaceKind = "dotenv"
	KindEnvironment  PlaceKind = "environment"
)

// A row is one line of the table: the only files that a scan of the home reads.
type row struct {
	kind PlaceKind
	// paths are where the file may be. "~" is the home; $NAME is a variable, and
	// a path whose variable is not set is excluded; a first word "linux:",
	// "darwin:" or "windows:" limits it to one system; * matches within one
	// element, and never a folder above or below it.
	paths  []string
	reason string // why a key may be there
	fact   string // how we know
	// private is set when no one but the owner has a reason to read the file.
	private bool
}

// Where a fact comes from.
const (
	fromTruss    = "truss source (remote_factory.py, local_config_handler.py)"
	fromCLI      = "baseten-cli source (internal/auth/store.go)"
	fromHarness  = "baseten-cli source (harness setup)"
	fromSwitch   = "baseten-switch source"
	fromSkills   = "baseten-skills source (add-mcp line)"
	fromClaude   = "baseten-claude-code source"
	fromMemory   = "the tool's documentation, from memory"
	fromVariable = "the operating system"
)

// table is the table of places. It is a function so that no one can change it.
func table() []row {
	return []row{
		{KindTrussrc, []string{"$USER_TRUSSRC_PATH", "~/.trussrc"},
			"truss login writes the API key here in plain text", fromTruss, true},
		{KindTruss, []string{"~/.truss/config.yaml"},
			"local secrets, often baseten_chain_api_key, in plain text", fromTruss, true},
		{KindTruss, []string{"~/.truss/secrets/*"},
			"one file a local secret, in plain text", fromTruss, true},
		{KindTruss, []string{"~/.truss/models/*/config.yaml", "~/.truss/shadow_trusses/*/config.yaml"},
			"copies of pushed models and their configuration", fromTruss, false},
		{KindTruss, []string{"$XDG_CONFIG_HOME/truss/settings.toml", "~/.config/truss/settings.toml"},
			"truss's settings; no key belongs here", fromTruss, false},
		{KindBasetenCLI, []string{"$BASETEN_CONFIG_DIR/auth.json", "linux:$XDG_CONFIG_HOME/baseten/auth.json", "linux:~/.config/baseten/auth.json",
			"darwin:~/Library/Application Support/baseten/auth.json", "windows:$AppData/baseten/auth.json", "windows:~/AppData/Roaming/baseten/auth.json"},
			"the baseten command keeps keys and tokens here when there is no keyring", fromCLI, true},
		{KindGateway, []string{"~/.config/baseten-switch/env", "~/.config/baseten-switch/gateway.yaml"},
			"baseten-switch reads BASETEN_API_KEY from here", fromSwitch, true},
		{KindAgent, []string{"$CODEX_HOME/baseten.config.toml", "~/.codex/baseten.config.toml"},
			"baseten-switch's profile for Codex", fromSwitch, true},
		{KindGateway, []string{"~/litellm_config.yaml", "~/litellm_config.yml", "~/.litellm/config.yaml", "~/.config/litellm/config.yaml"},
			"LiteLLM's api_key of a baseten model may be a literal", fromClaude, true},
		{KindShellHistory, []string{"$HISTFILE", "~/.bash_history", "~/.zsh_history", "~/.zhistory", "~/.histfile", "~/.sh_history", "~/.ash_history", "~/.history"},
			"truss login --api-key and curl lines put the key into the history", fromTruss, true},
		{KindShellHistory, []string{"$XDG_DATA_HOME/fish/fish_history", "~/.local/share/fish/fish_history"},
			"the history of fish", fromMemory, true},
		{KindShellHistory, []string{"windows:$AppData/Microsoft/Windows/PowerShell/PSReadLine/ConsoleHost_history.txt",
			"windows:~/AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/ConsoleHost_history.txt",
			"$XDG_DATA_HOME/powershell/PSReadLine/ConsoleHost_history.txt", "~/.local/share/powershell/PSReadLine/ConsoleHost_history.txt"},
			"the history of PowerShell", fromMemory, true},
		{KindShellHistory, []string{"~/.python_history", "~/.node_repl_history", "~/.ipython/profile_default/history.sqlite"},
			"baseten.login and OpenAI(api_key=…) typed into an interpreter", fromMemory, true},
		{KindShellRC, []string{"~/.bashrc", "~/.bash_profile", "~/.bash_login", "~/.bash_aliases", "~/.profile", "$ZDOTDIR/.zshrc", "$ZDOTDIR/.zshenv",
			"~/.zshrc", "~/.zshenv", "~/.zprofile", "~/.zlogin", "$XDG_CONFIG_HOME/fish/config.fish", "~/.config/fish/config.fish", "~/.config/fish/fish_variables",
			"~/.config/fish/conf.d/*.fish", "~/.xprofile", "~/.xsessionrc", "~/.pam_environment", "~/.tcshrc", "~/.cshrc"},
			"export BASETEN_API_KEY=…; the Claude Code set-up writes one here", fromClaude, false},
		{KindShellRC, []string{"windows:~/Documents/PowerShell/*profile.ps1", "windows:~/Documents/WindowsPowerShell/*profile.ps1", "~/.config/powershell/*profile.ps1"},
			"$env:BASETEN_API_KEY = …", fromMemory, false},
		{KindDotenv, []string{"~/.env", "~/.env.*", "~/.envrc", "$XDG_CONFIG_HOME/direnv/direnvrc", "~/.config/direnv/direnvrc", "~/.direnvrc"},
			"environment files of the home itself and of direnv", fromMemory, true},
		{KindEnvironment, []string{"linux:$XDG_CONFIG_HOME/environment.d/*.conf", "linux:~/.config/environment.d/*.conf",
			"linux:$XDG_CONFIG_HOME/systemd/user/*.service", "linux:~/.config/systemd/user/*.service", "linux:~/.config/systemd/user/*.service.d/*.conf",
			"darwin:~/Library/LaunchAgents/*.plist"},
			"the environment of the user's services", fromMemory, false},
		{KindAgent, []string{"$CLAUDE_CONFIG_DIR/settings*.json", "~/.claude/settings*.json", "$CLAUDE_CONFIG_DIR/.claude.json", "~/.claude.json", "~/.claude.json.backup"},
			"harness setup writes ANTHROPIC_AUTH_TOKEN here; MCP headers; backups of replaced settings", fromHarness, true},
		{KindAgent, []string{"$CODEX_HOME/config.toml", "~/.codex/config.toml", "$CODEX_HOME/auth.json", "~/.codex/auth.json"},
			"experimental_bearer_token and MCP http_headers", fromHarness, true},
		{KindAgent, []string{"$XDG_CONFIG_HOME/opencode/opencode.json*", "~/.config/opencode/opencode.json*", "$XDG_DATA_HOME/opencode/auth.json", "~/.local/share/opencode/auth.json"},
			"provider options.apiKey, MCP headers and stored keys of OpenCode", fromHarness, true},
		{KindAgent, []string{"~/.mcp.json", "~/.cursor/mcp.json", "~/.codeium/windsurf/mcp_config.json", "~/.gemini/settings.json",
			"linux:~/.config/Claude/claude_desktop_config.json", "darwin:~/Library/Application Support/Claude/claude_desktop_config.json",
			"windows:$AppData/Claude/claude_desktop_config.json", "windows:~/AppData/Roaming/Claude/claude_desktop_config.json"},
			"the MCP install line stores the expanded Authorization header", fromSkills, true},
		{KindAgent, []string{"~/.continue/config.yaml", "~/.continue/config.json", "~/.continue/.env"},
			"apiKey of a model in Continue", fromMemory, true},
		{KindAgent, []string{"~/.cline/data/secrets.json", "~/.cline/data/globalState.json", "~/.cline/data/settings/cline_mcp_settings.json"},
			"basetenApiKey of the Cline command", fromMemory, true},
		{KindAgent, []string{"$XDG_CONFIG_HOME/goose/config.yaml", "~/.config/goose/config.yaml", "~/.config/goose/secrets.yaml", "windows:$AppData/Block/goose/config/config.yaml"},
			"Goose's extensions and, without a keyring, its secrets", fromMemory, true},
		{KindAgent, []string{"~/.aider.conf.yml", "~/.gemini/.env", "~/.config/io.datasette.llm/keys.json", "darwin:~/Library/Application Support/io.datasette.llm/keys.json"},
			"keys of other command-line agents", fromMemory, true},
		{KindEditor, []string{"linux:~/.config/Code*/User/settings.json", "linux:~/.config/Code*/User/mcp.json", "linux:~/.config/Cursor/User/settings.json",
			"darwin:~/Library/Application Support/Code*/User/settings.json", "darwin:~/Library/Application Support/Code*/User/mcp.json",
			"darwin:~/Library/Application Support/Cursor/User/settings.json", "windows:$AppData/Code*/User/settings.json", "windows:$AppData/Code*/User/mcp.json",
			"windows:$AppData/Cursor/User/settings.json", "windows:~/AppData/Roaming/Code*/User/settings.json", "windows:~/AppData/Roaming/Code*/User/mcp.json",
			"~/.vscode-server/data/Machine/settings.json", "~/.vscode/mcp.json"},
			"MCP headers and extension settings of VS Code and Cursor", fromMemory, true},
		{KindEditor, []string{"linux:~/.config/Code*/User/globalStorage/*/settings/*mcp_settings.json",
			"darwin:~/Library/Application Support/Code*/User/globalStorage/*/settings/*mcp_settings.json",
			"windows:$AppData/Code*/User/globalStorage/*/settings/*mcp_settings.json"},
			"MCP headers of Cline, Roo and Kilo", fromMemory, true},
		{KindEditor, []string{"$XDG_CONFIG_HOME/zed/settings.json", "~/.config/zed/settings.json", "windows:$AppData/Zed/settings.json"},
			"context_servers of Zed", fromMemory, true},
		{KindCredentials, []string{"$NETRC", "~/.netrc", "~/_netrc", "~/.git-credentials", "~/.config/git/credentials", "~/.curlrc", "~/.authinfo", "~/.pgpass"},
			"a key given to curl or git as a password", fromMemory, true},
		{KindTool, []string{"$DOCKER_CONFIG/config.json", "~/.docker/config.json", "~/.docker/daemon.json"},
			"credentials and proxy variables of Docker", fromMemory, true},
		{KindTool, []string{"$PIP_CONFIG_FILE", "~/.pip/pip.conf", "~/.config/pip/pip.conf", "darwin:~/Library/Application Support/pip/pip.conf", "windows:$AppData/pip/pip.ini",
			"~/.pypirc", "~/.npmrc", "~/.gitconfig", "~/.ssh/config", "~/.config/uv/uv.toml"},
			"a key inside an index or remote URL, or an environment line", fromMemory, false},
		{KindJupyter, []string{"~/.jupyter/*.json", "~/.jupyter/*.py", "linux:~/.local/share/jupyter/runtime/*.json", "darwin:~/Library/Jupyter/runtime/*.json",
			"windows:$AppData/jupyter/runtime/*.json", "~/.ipynb_checkpoints/*.ipynb", "~/.ipython/profile_default/startup/*.py"},
			"Jupyter's configuration, runtime folder and checkpoints", fromMemory, false},
		{KindTool, []string{"~/.terraformrc", "~/.terraform.d/credentials.tfrc.json", "~/.config/rclone/rclone.conf", "~/.kube/config"},
			"configuration of tools that are given keys", fromMemory, true},
	}
}
