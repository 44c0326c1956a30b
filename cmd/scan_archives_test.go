package cmd_test

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/cmd"
	"github.com/b10lint/b10lint/internal/archive/archivetest"
	"github.com/b10lint/b10lint/internal/fakekey"
)

// call runs the program in this process.
func call(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = cmd.Main(t.Context(), cmd.Env{
		Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs,
		Lookup: os.LookupEnv, Environ: os.Environ,
	})
	return status, out.String(), errs.String()
}

// Each limit has a flag of the name that the problem's hint gives, and archives
// can be left packed.
func TestArchiveFlags(t *testing.T) {
	key := fakekey.New(40).B10()
	plain := archivetest.File{Name: "a.env", Data: []byte("KEY=" + key + "\n")}
	bomb := archivetest.File{Name: "zeros", Data: make([]byte, 101<<20)}
	tarOf := archivetest.Tar(tar.FormatGNU)
	zipOf := archivetest.Builders()["zip"]
	path := filepath.Join(t.TempDir(), "x")
	for _, c := range []struct {
		data   []byte
		flags  []string
		status int
		hint   string
	}{
		{zipOf(t, plain), nil, cmd.ExitFindings, ""},
		{zipOf(t, plain), []string{"--no-archives"}, cmd.ExitClean, ""},
		{archivetest.Gzip(t, zipOf(t, plain)), []string{"--archive-depth", "1"}, cmd.ExitIncomplete, "depth"},
		{archivetest.Gzip(t, tarOf(t, archivetest.File{Name: "1"}, plain)), []string{"--archive-members=1"}, cmd.ExitIncomplete, "members"},
		{archivetest.Gzip(t, append(make([]byte, 1<<20), plain.Data...)), []string{"--archive-bytes=10kB"}, cmd.ExitIncomplete, "bytes"},
		{zipOf(t, plain), []string{"--archive-member-bytes", "9B"}, cmd.ExitIncomplete, "member-bytes"},
		{archivetest.Gzip(t, zipOf(t, archivetest.File{Name: "noise", Data: []byte(fakekey.New(1).Word(20 << 20))})), []string{"--archive-memory=64KiB"}, cmd.ExitIncomplete, "memory"},
		{archivetest.Gzip(t, bomb.Data), []string{"--archive-ratio", "100"}, cmd.ExitIncomplete, "ratio"},
		{archivetest.Gzip(t, bomb.Data), []string{"--archive-ratio", "2000"}, cmd.ExitClean, ""},
	} {
		if err := os.WriteFile(path, c.data, 0o600); err != nil {
			t.Fatal(err)
		}
		status, stdout, stderr := call(t, append([]string{"scan", "-v", path}, c.flags...)...)
		if status != c.status || stderr != "" {
			t.Errorf("%v: status %d, want %d\n%s%s", c.flags, status, c.status, stdout, stderr)
		}
		if hint := "raise it with --archive-"; c.hint == "" && strings.Contains(stdout, hint) || c.hint != "" && !strings.Contains(stdout, hint+c.hint+"\n") {
			t.Errorf("%v: hint %q in\n%s", c.flags, c.hint, stdout)
		}
		if c.status == cmd.ExitFindings && !strings.Contains(stdout, "x!a.env:1:5") {
			t.Errorf("the member's place is missing in\n%s", stdout)
		}
	}
}

func TestSizes(t *testing.T) {
	for word, want := range map[string]string{
		"64MiB": "64MiB", "64mib": "64MiB", "64M": "64MiB", "64 MiB": "64MiB", "1024": "1KiB", "1g": "1GiB",
		"5kB": "5kB", "7b": "7B", "0": "", "1025": "1025B",
	} {
		c, _, err := tree()[0].Find([]string{"scan"})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.ParseFlags([]string{"--archive-member-bytes", word}); err != nil {
			t.Errorf("%s: %v", word, err)
			continue
		}
		if got := c.Flag("archive-member-bytes").Value.String(); got != want && !(want == "" && got == "0") {
			t.Errorf("%s: %s, want %s", word, got, want)
		}
	}
	for _, word := range []string{"", "MiB", "-1", "1.5MiB", "64XiB", "9999999TiB", "1 2", "0x10"} {
		for _, flag := range []string{"--archive-bytes", "--archive-memory", "--archive-depth"} {
			if status, _, stderr := call(t, "scan", flag, word); status != cmd.ExitUsage || !strings.Contains(stderr, "hint: ") {
				t.Errorf("%s %q: status %d, %s", flag, word, status, stderr)
			}
		}
	}
	if status, _, _ := call(t, "scan", "--archive-bytes", "0"); status != cmd.ExitUsage {
		t.Errorf("no bytes at all: status %d", status)
	}
}

// Without tesseract --ocr is refused, and says how to get it.
func TestOCRNeedsItsProgram(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	status, _, stderr := call(t, "scan", "--ocr", t.TempDir())
	if status != cmd.ExitUsage || !strings.Contains(stderr, "tesseract, which was not found") || !strings.Contains(stderr, "apt-get install tesseract-ocr") {
		t.Errorf("status %d, %s", status, stderr)
	}
	if status, _, stderr := call(t, "scan", t.TempDir()); status != cmd.ExitClean || stderr != "" {
		t.Errorf("without --ocr: status %d, %s", status, stderr)
	}
}

// A number of threads that only takes memory is refused.
func TestJobsAreBounded(t *testing.T) {
	status, _, stderr := call(t, "scan", "--jobs", "100000000", t.TempDir())
	if status != cmd.ExitUsage || !strings.Contains(stderr, "--jobs 100000000: at most ") || !strings.Contains(stderr, "hint: ") {
		t.Errorf("exit %d, %s", status, stderr)
	}
	if status, _, stderr := call(t, "scan", "--jobs", "64", t.TempDir()); status != cmd.ExitClean {
		t.Errorf("exit %d, %s", status, stderr)
	}
}
