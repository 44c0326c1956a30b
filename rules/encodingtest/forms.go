package encodingtest

import (
	"strings"

	"github.com/b10lint/b10lint/internal/fakekey"
)

// A Form is a text in which people keep a key. § stands for it.
type Form struct{ Name, Text string }

// Forms returns texts of many languages and programs that name Baseten near a key.
func Forms() []Form {
	return []Form{
		{".env", "# baseten\nPORT=80\nBASETEN_API_KEY=§\nDEBUG=1\n"},
		{"export", "#!/bin/sh\n# baseten\nexport BASETEN_API_KEY='§'\n./run\n"},
		{"default.sh", "# baseten\nkey=${BASETEN_API_KEY:-§}\n"},
		{"config.json", "{\n  \"baseten\": {\n    \"apiKey\": \"§\",\n    \"retries\": 3\n  }\n}\n"},
		{"line.json", "{\"service\":\"baseten\",\"key\":\"§\",\"n\":1}\n"},
		{"config.yaml", "baseten:\n  api_key: §\n  model: abc\n"},
		{"quoted.yaml", "baseten:\n  api_key: '§'\n"},
		{"list.yaml", "# baseten\nkeys:\n  - §\n  - other\n"},
		{"config.toml", "[baseten]\napi_key = \"§\"\n"},
		{"config.ini", "[baseten]\napi_key=§\r\nother=1\r\n"},
		{"app.properties", "# baseten\nbaseten.api.key=§\nbaseten.url=https\\://x\n"},
		{"settings.xml", "<baseten>\n  <key>§</key>\n</baseten>\n"},
		{"attribute.xml", "<service name=\"baseten\" key=\"§\"/>\n"},
		{"page.html", "<p>baseten</p><input value=\"§\"><script>1</script>\n"},
		{"client.py", "import baseten\n\nkey = \"§\"\nclient = baseten.Client(key)\n"},
		{"dict.py", "# baseten\nheaders = {'Authorization': f'Api-Key §'}\n"},
		{"client.ts", "// baseten\nexport const key: string = `§`;\n"},
		{"client.go", "package baseten\n\nconst key = \"§\"\n"},
		{"client.rs", "// baseten\nconst KEY: &str = \"§\";\n"},
		{"Client.java", "// baseten\nclass Client { static final String KEY = \"§\"; }\n"},
		{"client.cs", "// baseten\nvar key = @\"§\";\n"},
		{"client.php", "<?php // baseten\n$key = '§';\n"},
		{"client.rb", "# baseten\nKEY = '§'.freeze\n"},
		{"client.ex", "# baseten\nkey = \"§\"\n"},
		{"client.ps1", "# baseten\n$env:BASETEN_API_KEY = '§'\n"},
		{"run.bat", "rem baseten\r\nset BASETEN_API_KEY=§\r\n"},
		{"Dockerfile", "FROM python\n# baseten\nENV BASETEN_API_KEY=§\n"},
		{"compose.yaml", "# baseten\nenvironment:\n  - BASETEN_API_KEY=${BASETEN_API_KEY:-§}\n"},
		{"main.tf", "variable \"baseten_key\" {\n  default = \"§\"\n}\n"},
		{"secret.yaml", "kind: Secret\nmetadata: {name: baseten}\nstringData:\n  key: §\n"},
		{"Makefile", "# baseten\ndeploy:\n\tBASETEN_API_KEY=§ truss push\n"},
		{"curl.md", "# baseten\n```sh\ncurl https://model-x.api.baseten.co \\\n  -H \"Authorization: Api-Key §\"\n```\n"},
		{"notes.md", "My baseten key is `§`, keep it.\n"},
		{"table.md", "| service | key |\n|---|---|\n| baseten | §|\n"},
		{"request.http", "POST /v1 HTTP/1.1\r\nHost: x.api.baseten.co\r\nAuthorization: Bearer §\r\n\r\n"},
		{"access.log", "10.0.0.1 - - [01/Nov/2026] \"GET /baseten?api_key=§&x=1 HTTP/1.1\" 200 12\n"},
		{"app.log", "2026-11-01T00:00:00Z INFO baseten key=§ status=ok\n"},
		{"keys.csv", "service,key,n\nbaseten,§,1\n"},
		{"keys.tsv", "service\tkey\nbaseten\t§\n"},
		{"dump.sql", "INSERT INTO keys VALUES (1,'baseten','§',NULL);\n"},
		{"change.diff", "--- a/baseten\n+++ b/baseten\n@@ -1 +1 @@\n-§\n+key\n"},
		{"history", "cd baseten\nbaseten login --api-key §\nls\n"},
		{"cell.ipynb.txt", "# baseten\n\"source\": [\n \"key = \\\"§\\\"\\n\",\n \"x\"\n]\n"},
		{"app.service", "# baseten\n[Service]\nEnvironment=\"BASETEN_API_KEY=§\"\n"},
		{".netrc", "# baseten\nmachine api.baseten.co login x password §\n"},
		{"mail.eml", "Subject: baseten\n\nHi, it is §.\n\nBye\n"},
		{"chat.txt", "[10:01] A: the baseten key?\n[10:02] B: §\n"},
		{"url.txt", "https://user:§@model-abc.api.baseten.co/production/predict\n"},
	}
}

// A LookAlike is a text with the form of a key, or nearly so, that is not one. Make writes
// one of many where there are many.
type LookAlike struct {
	Name string
	Make func(m *fakekey.Maker) string
	// Plain says that it is one as it stands alone: what touches a key is not told from it in
	// data that is not text, nor in digits that begin elsewhere.
	Plain bool
}

// LookAlikes returns what people and programs write that looks like a key.
func LookAlikes() []LookAlike {
	const lower, digits = "abcdefghijklmnopqrstuvwxyz", "0123456789"
	of := func(alphabet string) func(m *fakekey.Maker, n int) string {
		return func(m *fakekey.Maker, n int) string {
			b := make([]byte, n)
			for i := range b {
				b[i] = alphabet[m.IntN(len(alphabet))]
			}
			return string(b)
		}
	}
	hex, seed, letters, decimal := of("0123456789abcdef"), of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"), of(lower), of(digits)
	fixed := func(s string) func(*fakekey.Maker) string { return func(*fakekey.Maker) string { return s } }
	// cut makes a prefix and a secret of a text that goes on.
	cut := func(mark, s string) string { return mark + s[:8] + "." + s[8:40] }
	pairs := func(a, b string) string { // a letter of the one, a letter of the other
		var out strings.Builder
		for i := range 40 {
			out.WriteByte(a[i%len(a)])
			out.WriteByte(b[i%len(b)])
		}
		return out.String()
	}
	upper := strings.ToUpper(lower)
	names := []string{"create", "Default", "Application", "Context", "Provider", "Factory", "Session", "Handler", "Request", "Builder", "Config", "Manager", "Service", "Internal"}
	name := func(m *fakekey.Maker, n int) string {
		s := ""
		for len(s) < n {
			s += names[m.IntN(len(names))]
		}
		return s[:n]
	}
	all := []LookAlike{
		{"the documented placeholder", fixed("abcdefgh." + "1234567890ABCDEFGHIJKL1234567890"), false},
		{"x", fixed(strings.Repeat("x", 8) + "." + strings.Repeat("x", 32)), false},
		{"X with a mark", fixed("b10_" + strings.Repeat("X", 8) + "." + strings.Repeat("X", 32)), false},
		{"zeros", fixed("b10_" + strings.Repeat("0", 8) + "." + strings.Repeat("0", 32)), false},
		{"the alphabet", fixed(cut("", lower+upper)), false},
		{"the alphabet in capitals", fixed(cut("b10_", upper+lower)), false},
		{"digits in order", fixed(cut("", strings.Repeat("1234567890", 4))), false},
		{"letters and digits by turns", fixed(cut("", pairs(lower, "1234567890"))), false},
		{"capitals and digits by turns", fixed(cut("b10_", pairs(upper, "1234567890"))), false},
		{"digits and letters by turns", fixed(cut("", pairs("1234567890", lower))), false},
		{"two cases by turns", fixed(cut("", pairs(lower, upper[1:]))), false},
		{"doubled letters", fixed(cut("", pairs(lower, lower))), false},
		{"every other letter", fixed(cut("", strings.Repeat("acegikmoqsuwybdfhjlnprtvxz", 2))), false},
		{"groups of three", fixed(cut("", "abc123def456ghi789jkl012mno345pqr678stu901")), false},
		{"groups of four", fixed(cut("b10_", "abcd1234efgh5678ijkl9012mnop3456qrst7890uv")), false},
		{"a keyboard", fixed(cut("", "qwertyuiopasdfghjklzxcvbnmqwertyuiopasdfghj")), false},
		{"backwards", fixed(cut("", "zyxwvutsrqponmlkjihgfedcbazyxwvutsrqponmlk")), false},
		{"a digest", func(m *fakekey.Maker) string { return name(m, 8) + "." + hex(m, 32) }, false},
		{"a digest in capitals", func(m *fakekey.Maker) string { return name(m, 8) + "." + strings.ToUpper(hex(m, 32)) }, false},
		{"two digests", func(m *fakekey.Maker) string { return hex(m, 8) + "." + hex(m, 32) }, false},
		{"a file with a digest", func(m *fakekey.Maker) string { return letters(m, 8) + "." + hex(m, 32) + ".js" }, false},
		{"numbers", func(m *fakekey.Maker) string { return decimal(m, 8) + "." + decimal(m, 32) }, false},
		{"small letters", func(m *fakekey.Maker) string { return letters(m, 8) + "." + letters(m, 32) }, false},
		{"a seed", func(m *fakekey.Maker) string { return seed(m, 8) + "." + seed(m, 32) }, false},
		{"a name", func(m *fakekey.Maker) string { return letters(m, 8) + "." + name(m, 32) }, false},
		{"a name behind a mark", func(m *fakekey.Maker) string { return "b10_" + name(m, 8) + "." + name(m, 32) }, false},
		{"an extension", func(m *fakekey.Maker) string { return "settings." + of("abcdefghijklmnop")(m, 32) }, false},
		{"a token of three parts", func(m *fakekey.Maker) string { return m.Word(8) + "." + m.Word(32) + "." + m.Word(43) }, false},
		{"a short secret", func(m *fakekey.Maker) string { return "b10_" + m.Word(8) + "." + m.Word(24) }, false},
		{"a long secret", func(m *fakekey.Maker) string { return "b10_" + m.Word(8) + "." + m.Word(33) }, true},
		{"a short prefix", func(m *fakekey.Maker) string { return "b10_" + m.Word(7) + "." + m.Word(32) }, true},
		{"a long prefix", func(m *fakekey.Maker) string { return "b10_" + m.Word(9) + "." + m.Word(32) }, true},
		{"a short legacy secret", func(m *fakekey.Maker) string { return m.Word(8) + "." + m.Word(24) }, false},
		{"a long legacy secret", func(m *fakekey.Maker) string { return m.Word(8) + "." + m.Word(33) }, true},
		{"a short legacy prefix", func(m *fakekey.Maker) string { return m.Word(7) + "." + m.Word(32) }, false},
		{"a long legacy prefix", func(m *fakekey.Maker) string { return m.Word(9) + "." + m.Word(32) }, true},
		{"another vendor's mark", func(m *fakekey.Maker) string { return "lt_" + m.Legacy() }, true},
		{"a word before it", func(m *fakekey.Maker) string { return "token_" + m.Legacy() }, true},
		{"a masked key", func(m *fakekey.Maker) string { return "b10_" + m.Word(8) + ".****" }, false},
		{"a public part", func(m *fakekey.Maker) string { return "b10_" + m.Word(8) }, false},
		{"bcrypt", func(m *fakekey.Maker) string { return "$2b$12$" + m.Word(8) + "." + m.Word(32) + m.Word(12) }, true},
		{"bcrypt, the dot late", func(m *fakekey.Maker) string { return "$2y$10$" + m.Word(3) + "/" + m.Word(8) + "." + m.Word(32) }, true},
		{"sha512crypt", func(m *fakekey.Maker) string {
			return "$6$" + m.Word(8) + "$" + m.Word(8) + "." + m.Word(32) + "/" + m.Word(40)
		}, false},
		{"a host", func(m *fakekey.Maker) string { return letters(m, 8) + "." + letters(m, 32) + ".example.com" }, false},
		{"a path of a module", func(m *fakekey.Maker) string { return "b10_types." + name(m, 32) }, false},
	}
	return all
}
