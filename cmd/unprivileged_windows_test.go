package cmd_test

import "testing"

func runUnprivileged(t *testing.T, _ string, _ ...string) (stdout []byte, stderr string, code int) {
	t.Helper()
	t.Skip("no mode bits")
	return nil, "", 0
}
