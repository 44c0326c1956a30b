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

// Scan puts a target and the detector together; its report goes to a writer.
func ExampleScan() {
	text := "import baseten\nbaseten.login(\"" + fakekey.New(1).B10() + "\")\n"
	target := source.Target{Name: "app.py", Source: disk.Reader(strings.NewReader(text), finding.Location{Path: "app.py"})}
	r, _, err := scanner.Scan(context.Background(), target, scanner.Options{})
	if err != nil {
		log.Fatal(err)
	}
	r.Run = finding.Run{Command: "example", Targets: []string{target.Name}, Started: time.Now(), Rules: rules.Catalogue()}
	if err := report.Write("text", os.Stdout, r, report.Options{Quiet: true}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.Summary.Findings, r.Summary.Complete)
	// Output:
	// app.py:2:16: high: Baseten API key b10_1LB5FzrE [leaked-key]
	// 1 true
}
