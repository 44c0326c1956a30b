package rules

import (
	"fmt"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/fakekey"
)

// contexts are the places where keys are met. § stands for a key of either format,
// ¤ for one of the new format only, where a legacy key would stand with
// nothing about it that names Baseten. The first field is the file's name.
var contexts = [][2]string{
	{"run.sh", "curl -X POST https://model-abcd1234.api.baseten.co/production/predict -H 'Authorization: Api-Key §' -d '{}'"},
	{"run.sh", "curl https://inference.baseten.co/v1/models \\\n  --header \"Authorization: Bearer §\""},
	{"run.sh", "curl -s \\\n  -H \"Authorization: Api-Key §\" \\\n  $URL"},
	{"run.sh", "curl -H \"Authorization: Bearer ¤\" $URL"},
	{"client.py", "headers = {\"Authorization\": \"Api-Key §\"}"},
	{"client.py", "requests.post(\"https://model-abcd1234.api.baseten.co/environments/production/predict\", headers={\"Authorization\": f\"Api-Key §\"})"},
	{"client.py", "client = OpenAI(api_key=\"§\", base_url=\"https://inference.baseten.co/v1\")"},
	{"client.py", "client = OpenAI(\n    base_url=\"https://inference.baseten.co/v1\",\n    timeout=30,\n    api_key='§',\n)"},
	{"client.py", "from baseten_performance_client import PerformanceClient\nc = PerformanceClient(base_url=url, api_key=\"§\")"},
	{"client.py", "llm = ChatBaseten(baseten_api_key=\"§\")"},
	{"client.py", "import truss\ntruss.login(\"§\")"},
	{"client.py", "baseten.login(\"§\")"},
	{"client.py", "key = os.environ.get(\"BASETEN_API_KEY\", \"§\")"},
	{"client.py", "baseten.api_key = '§'"},
	{"app.ts", "fetch(\"https://model-x.api.baseten.co/production/predict\",{headers:{Authorization:\"Api-Key §\"}})"},
	{"app.ts", "new OpenAI({apiKey:\"§\",baseURL:\"https://inference.baseten.co/v1\"})"},
	{"app.ts", "const basetenApiKey = `§`;"},
	{".env", "BASETEN_API_KEY=§\n"},
	{".env", "export MY_BASETEN_API_KEY=\"§\"\r\n"},
	{".env.local", "NEXT_PUBLIC_BASETEN_KEY=§"},
	{"profile.ps1", "$env:BASETEN_API_KEY = \"§\""},
	{"config.fish", "set -x BASETEN_API_KEY §"},
	{"Dockerfile", "FROM python:3.12\nENV BASETEN_API_KEY §\n"},
	{"Dockerfile", "ARG BASETEN_API_KEY=§"},
	{"compose.yaml", "services:\n  app:\n    environment:\n      - BASETEN_API_KEY=§\n"},
	{"litellm_config.yaml", "model_list:\n  - model_name: x\n    litellm_params:\n      model: baseten/abc\n      api_key: §\n"},
	{"values.yaml", "basetenApiKey: \"§\"\n"},
	{"secret.yaml", "kind: Secret\nmetadata:\n  name: baseten\nstringData:\n  key: §\n"},
	{"otel.yaml", "scrape_configs:\n  - job_name: baseten\n    authorization: {type: Api-Key, credentials: §}\n"},
	{"otel.yaml", "authorization:\n  type: Api-Key\n  credentials: ¤\n"},
	{".github/workflows/deploy.yml", "      - uses: basetenlabs/action-truss-push@v1\n        with:\n          baseten-api-key: §\n"},
	{".github/workflows/deploy.yml", "env:\n  BASETEN_API_KEY: §\n"},
	{".trussrc", "[baseten]\nremote_provider = baseten\nremote_url = https://app.baseten.co\napi_key = §\n"},
	{"home/.trussrc", "[x]\napi_key: §"},
	{"config.toml", "[model_providers.b]\nexperimental_bearer_token = \"¤\"\n"},
	{"mcp.json", "{\"mcpServers\":{\"baseten\":{\"url\":\"https://api.baseten.co/mcp\",\"headers\":{\"Authorization\":\"Bearer §\"}}}}"},
	{"settings.json", "{\"env\":{\"ANTHROPIC_BASE_URL\":\"https://inference.baseten.co\",\"ANTHROPIC_AUTH_TOKEN\":\"§\"}}"},
	{"settings.json", "{\"env\": {\"ANTHROPIC_AUTH_TOKEN\": \"¤\"}}"},
	{"terraform.tfstate", "{\"type\": \"baseten_api_key\", \"instances\": [{\"attributes\": {\"api_key\": \"§\"}}]}"},
	{"a.ipynb", "\"source\": [\n \"headers = {\\\"Authorization\\\": \\\"Api-Key §\\\"}\\n\",\n"},
	{"a.ipynb", "\"outputs\": [{\"text\": [\"baseten key:\\nKEY\\n\"]}]"},
	{"urls.txt", "https://user:§@model-abc.api.baseten.co/x"},
	{"urls.txt", "https://app.baseten.co/x?api_key=§&y=1"},
	{".bash_history", "truss login --api-key §\n"},
	{".bash_history", "echo § | baseten auth login --with-api-key --profile ci\n"},
	{"ci.log", "+ baseten org api-key create --type personal\nKEY\n"},
	{"ci.log", "2026-11-01T00:00:00Z ¤\n"},
	{"ci.log", "\x1b[32mB10\x1b[0m \x1b[1mbaseten:\x1b[0;33mKEY\x1b[m"},
	{"auth.json", "{\"version\":1,\"current\":\"ci\",\"profiles\":{\"ci\":{\"remote_url\":\"https://app.baseten.co\",\"auth_type\":\"api_key\",\"api_key\":\"§\"}}}"},
	{"x.xml", "<property name=\"baseten.key\" value=&quot;§&quot;/>"},
	{"query.txt", "baseten_key%3DKEY%26x%3D1"},
	{"escaped.json", "{\"cmd\":\"BASETEN_API_KEY=\\u0022§\\u0022\\n\"}"},
	{"notes.md", "My Baseten key is §. Do not share it."},
	{"notes.md", "Baseten: `§`, <§>, (§), [§], **§**"},
}

func TestRecall(t *testing.T) {
	keys := 1_000_000
	if testing.Short() {
		keys = 20_000
	}
	m := fakekey.New(7)
	for n := 0; n < keys; {
		context := contexts[m.IntN(len(contexts))]
		var want []string
		var text strings.Builder
		for _, r := range context[1] {
			if r != '§' && r != '¤' {
				text.WriteRune(r)
				continue
			}
			key := m.Legacy()
			if r == '¤' || n%2 == 0 {
				key = "b10_" + key
			}
			text.WriteString(key)
			want = append(want, key)
			n++
		}
		var got []string
		Find(context[0], []byte(text.String()), nil, func(f Match) bool {
			if f.Confidence >= finding.MediumConfidence {
				got = append(got, f.Secret.Reveal())
			}
			return true
		})
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("%s: %q: found %d of %d keys at medium confidence or above", context[0], context[1], len(got), len(want))
		}
	}
	t.Logf("%d keys in %d contexts, none missed", keys, len(contexts))
}
