package cmd_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// The action takes a release only when its checksum holds. The script is run as it
// is: curl's own settings say that github.com is a server of this test.
func TestActionInstallsReleases(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the release that is served is for Linux")
	}
	for _, program := range []string{"bash", "curl", "sha256sum"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(err)
		}
	}
	const name = "b10lint_1.2.3_linux_amd64.tar.gz"
	archive := tarball(t, "b10lint", "the program")
	good := fmt.Sprintf("%x  %s\n", sha256.Sum256(archive), name)
	wrong := strings.Repeat("0", 64) + "  " + name + "\n"
	for _, c := range []struct {
		name, version, checksums string
		archive                  []byte
		want                     string // what is said when it is refused
	}{
		{"right", "v1.2.3", "00  other.tar.gz\n" + good, archive, ""},
		{"wrong", "v1.2.3", wrong, archive, "the checksum of " + name + " is wrong"},
		{"another archive", "v1.2.3", good, tarball(t, "b10lint", "another"), "the checksum of " + name + " is wrong"},
		{"not in the list", "v1.2.3", strings.Replace(good, "amd64", "arm64", 1), archive, "is wrong"},
		{"twice", "v1.2.3", wrong + good, archive, "is wrong"},
		{"no list", "v1.2.3", "", archive, "could not be fetched"},
		{"no archive", "v1.2.3", good, nil, "could not be fetched"},
		{"no version", "v1.2.3/../../evil", good, archive, "neither a release"},
		{"a command", "v1.2.3;touch pwned", good, archive, "neither a release"},
	} {
		t.Run(c.name, func(t *testing.T) {
			home := githubHere(t, map[string][]byte{name: c.archive, "checksums.txt": []byte(c.checksums)})
			out, err := install(t, home, c.version)
			program, _ := os.ReadFile(filepath.Join(home, "b10lint-bin", "b10lint"))
			output, _ := os.ReadFile(filepath.Join(home, "output"))
			if c.want == "" {
				info, statErr := os.Stat(filepath.Join(home, "b10lint-bin", "b10lint"))
				if err != nil || statErr != nil || info.Mode()&0o100 == 0 || string(program) != "the program" {
					t.Fatalf("%v %v %q\n%s", err, statErr, program, out)
				}
				if want := "b10lint=" + filepath.Join(home, "b10lint-bin", "b10lint") + "\n"; string(output) != want {
					t.Errorf("output %q, want %q", output, want)
				}
				return
			}
			if err == nil || len(program)+len(output) > 0 {
				t.Errorf("was not refused: %v, %d bytes of a program, output %q", err, len(program), output)
			}
			if !strings.HasPrefix(lastLine(out), "::error title=b10lint::") || !strings.Contains(out, c.want) {
				t.Errorf("says %q, want %q", out, c.want)
			}
		})
	}
}

// The runner's own program of the version that is wanted is used, a commit that is a
// release's is that release, the files can come from a mirror, and gh has a say.
func TestActionInstallsFromElsewhere(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the release that is served is for Linux")
	}
	for _, program := range []string{"bash", "curl", "sha256sum"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(err)
		}
	}
	const name = "b10lint_1.2.3_linux_amd64.tar.gz"
	commit, other := strings.Repeat("c0", 20), strings.Repeat("0c", 20)
	archive := tarball(t, "b10lint", "the program")
	sums := []byte(fmt.Sprintf("%x  %s\n", sha256.Sum256(archive), name))
	advert := "001e# service=git-upload-pack\n0000015f" + other + " HEAD\x00multi_ack\n003f" + commit + " refs/heads/main\n" +
		"003d" + other + " refs/tags/v1.2.3\n0040" + commit + " refs/tags/v1.2.3^{}\n0000"
	const script = "#!/bin/sh\n"
	for _, c := range []struct {
		name     string
		env      []string
		programs map[string]string
		want     string // of the output; empty: nothing is installed
		says     string
	}{
		{"on PATH", []string{"B10LINT_VERSION=v1.2.3"}, map[string]string{"b10lint": script + "echo b10lint v1.2.3 go"}, "programs/b10lint", ""},
		{"another on PATH", []string{"B10LINT_VERSION=v1.2.3"}, map[string]string{"b10lint": script + "echo b10lint v1.2.2 go"}, "b10lint-bin/b10lint", ""},
		{"pinned to a commit", []string{"B10LINT_REF=" + commit}, nil, "b10lint-bin/b10lint", ""},
		{"a commit of no release", []string{"B10LINT_REF=" + other[:39] + "d"}, map[string]string{"go": script + "exit 1"}, "", "could not be built"},
		{"mirror", []string{"B10LINT_VERSION=v1.2.3", "B10LINT_MIRROR=https://github.com/elsewhere/"}, nil, "b10lint-bin/b10lint", "was not checked"},
		{"no mirror", []string{"B10LINT_VERSION=v1.2.3", "B10LINT_MIRROR=http://github.com/elsewhere"}, nil, "", "is not an https address"},
		{"not there", []string{"B10LINT_VERSION=v1.2.4"}, nil, "", "set the input mirror"},
		{"attested", []string{"B10LINT_VERSION=v1.2.3", "GH_TOKEN=x"}, map[string]string{"gh": script + "exit 0"}, "b10lint-bin/b10lint", ""},
		{"not attested", []string{"B10LINT_VERSION=v1.2.3", "GH_TOKEN=x"}, map[string]string{"gh": script + "[ \"$3\" = --help ]"}, "", "the attestation of " + name + " does not hold"},
		{"no token", []string{"B10LINT_VERSION=v1.2.3"}, map[string]string{"gh": script + "exit 1"}, "b10lint-bin/b10lint", "was not checked"},
	} {
		t.Run(c.name, func(t *testing.T) {
			home := githubHere(t, map[string][]byte{name: archive, "checksums.txt": sums, "/b10lint/b10lint/info/refs": []byte(advert),
				"/elsewhere/v1.2.3/" + name: archive, "/elsewhere/v1.2.3/checksums.txt": sums})
			for program, text := range c.programs {
				lay(t, home, map[string]string{"programs/" + program: text + "\n"})
				if err := os.Chmod(filepath.Join(home, "programs", program), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			out, err := install(t, home, "", append(c.env, "PATH="+filepath.Join(home, "programs")+":/usr/bin:/bin")...)
			output, _ := os.ReadFile(filepath.Join(home, "output"))
			want := ""
			if c.want != "" {
				want = "b10lint=" + filepath.Join(home, c.want) + "\n"
			}
			if string(output) != want || (err == nil) != (want != "") || !strings.Contains(out, c.says) || strings.Count(out, "::error") > 1 {
				t.Errorf("%v, output %q, want %q; says\n%s", err, output, want, out)
			}
		})
	}
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// install runs the action's script.
func install(t *testing.T, home, version string, env ...string) (string, error) {
	t.Helper()
	c := exec.CommandContext(t.Context(), "bash", "../.ci/action/install")
	c.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "RUNNER_TEMP=" + home, "RUNNER_OS=Linux", "RUNNER_ARCH=X64",
		"GITHUB_OUTPUT=" + filepath.Join(home, "output"), "B10LINT_VERSION=" + version,
	}
	c.Env = append(c.Env, env...)
	out, err := c.CombinedOutput()
	return string(out), err
}

// githubHere serves the files of release v1.2.3 as github.com, and returns a home
// whose curl believes it. What is empty is not there.
func githubHere(t *testing.T, files map[string][]byte) (home string) {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data := files[strings.TrimPrefix(r.URL.Path, "/b10lint/b10lint/releases/download/v1.2.3/")] // else by the whole path
		if r.Host != "github.com" || len(data) == 0 {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(data)
	}))
	certificate, pemBytes := certificateFor(t, "github.com")
	s.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	s.StartTLS()
	t.Cleanup(s.Close)
	home = t.TempDir()
	ca := filepath.Join(home, "ca.pem")
	lay(t, home, map[string]string{
		"ca.pem": string(pemBytes),
		".curlrc": fmt.Sprintf("connect-to = \"github.com:443:%s\"\ncacert = %q\nnoproxy = \"*\"\n",
			strings.TrimPrefix(s.URL, "https://"), ca),
	})
	return home
}

// certificateFor makes a certificate that is its own authority.
func certificateFor(t *testing.T, host string) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// tarball is a compressed archive with one program.
func tarball(t *testing.T, name, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(text))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
