package rules_test

import (
	"fmt"

	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/rules"
)

// Find looks at any bytes; a key is shown by its public part only.
func ExampleFind() {
	key := fakekey.New(1).B10() // made up
	text := "token: 17\nBASETEN_API_KEY=" + key + "\n"
	rules.Find(".env", []byte(text), nil, func(m rules.Match) bool {
		fmt.Println(m.Start, m.Format, m.Confidence, m.Secret)
		return true
	})
	// Output: 26 b10 high b10_1LB5FzrE****
}

// Lookup gives the words for a rule.
func ExampleLookup() {
	r, ok := rules.Lookup("leaked-key")
	fmt.Println(ok, r.Severity, r.Title)
	// Output: true high Exposed Baseten API key
}
