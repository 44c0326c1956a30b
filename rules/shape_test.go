package rules

import (
	"strings"
	"testing"

	"github.com/b10lint/b10lint/internal/fakekey"
)

// A hash of a password can hold a text of the form of a legacy key, which is not one.
func TestPasswordHashes(t *testing.T) {
	m := fakekey.New(81)
	for _, begin := range []string{"$2b$12$", "$2a$10$", "$2y$05$", "$$2y$$05$$", `\$2b\$12\$`, "$6$rounds=656000$saltsaltsaltsalt$", "$6$salt/salt$", "$5$salt$",
		"$1$salt$", "$y$j9T$salt$", "$7$C6..../....salt$", "$pbkdf2-sha512$25000$salt$", "bcrypt_sha256$$2b$12$", "$apr1$salt$"} {
		for _, line := range []string{"baseten: H", "baseten:H:19000:0:99999:7:::", "INSERT INTO users VALUES (1, 'baseten', 'H');", `{"baseten": "H"}`} {
			hash := begin + m.Word(5) + "/" + m.Legacy() + "/" + m.Word(9)
			if got := find(t, "x", strings.ReplaceAll(line, "H", hash)); len(got) > 0 {
				t.Errorf("a hash that begins with %s: %v", begin, got)
			}
		}
	}
	for _, text := range []string{"baseten=$L", "$HOME/L baseten", "VALUES ($k$L$k$) -- baseten", "baseten $6 L", "echo $1 $L baseten", "cost: $5$ for baseten L"} {
		if got := find(t, "x", strings.ReplaceAll(text, "L", m.Legacy())); len(got) != 1 {
			t.Errorf("%q with L a key: %v", text, got)
		}
	}
}
