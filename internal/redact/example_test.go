package redact_test

import (
	"fmt"
	"log"
	"os"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/internal/redact"
)

// A Writer masks keys however they are cut into writes.
func ExampleWriter() {
	key := fakekey.New(1).B10()
	w := redact.NewWriter(os.Stdout, finding.LowConfidence)
	fmt.Fprint(w, "the key is ", key[:20])
	fmt.Fprintln(w, key[20:]+", mind you")
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	// Output: the key is b10_1LB5FzrE.****, mind you
}
