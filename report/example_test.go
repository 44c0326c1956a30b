package report_test

import (
	"log"
	"os"
	"strings"

	"github.com/b10lint/b10lint/report"
)

// A saved JSON report can be read back and written in any format.
func ExampleRead() {
	saved := `{"schema":"b10lint/v1","tool":{"name":"b10lint","version":"1.0.0"},
		"run":{"command":"scan","targets":["."],"started":"2026-11-21T00:00:00Z","elapsed_ms":12},
		"findings":[{"rule":"leaked-key","severity":"high","confidence":"high","prefix":"b10_abcdefgh","fingerprint":"0123456789abcdef",
			"message":"Baseten API key b10_abcdefgh","locations":[{"path":"app.py","line":3,"column":9}]}],
		"problems":[],"summary":{"complete":true,"files":1,"objects":0,"bytes":120,"findings":1,"suppressed":0,"below_confidence":0}}`
	r, err := report.Read(strings.NewReader(saved))
	if err != nil {
		log.Fatal(err)
	}
	if err := report.Write("text", os.Stdout, r, report.Options{Quiet: true}); err != nil {
		log.Fatal(err)
	}
	// Output: app.py:3:9: high: Baseten API key b10_abcdefgh [leaked-key]
}
