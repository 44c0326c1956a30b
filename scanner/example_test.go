package scanner_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/report"
	"github.com/b10lint/b10lint/rules"
	"github.com/b10lint/b10lint/scanner"
	"github.com/b10lint/b10lint/scanner/source"
	"github.com/b10lint/b10lint/scanner/source/disk"
)

// Scan puts sources, the detector and a writer together.
func ExampleScan() {
	text := "import baseten\nbaseten.login(\"" + fakekey.New(1).B10() + "\")\n"
	sources := []source.Source{disk.Reader(strings.NewReader(text), finding.Location{Path: "app.py"})}
	run := finding.Run{Command: "example", Targets: []string{"app.py"}, Started: time.Now(), Rules: rules.Catalogue()}
	r, err := scanner.Scan(context.Background(), run, sources, scanner.Options{})
	if err != nil {
		log.Fatal(err)
	}
	if err := report.Write("text", os.Stdout, r, report.Options{Quiet: true}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.Summary.Findings, r.Summary.Complete)
	// Output:
	// app.py:2:16: high: Baseten API key b10_1LB5FzrE [leaked-key]
	// 1 true
}
