package baseten_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/baseten/basetentest"
	"github.com/b10lint/b10lint/internal/httpc"
	"github.com/b10lint/b10lint/secret"
)

// envProxyHelper marks the process that TestProxyAndCA starts: net/http reads
// HTTPS_PROXY once in a process.
const envProxyHelper = "B10LINT_TEST_PROXY_CA"

// TestProxyHelper is the client of TestProxyAndCA.
func TestProxyHelper(t *testing.T) {
	ca := os.Getenv(envProxyHelper)
	if ca == "" {
		t.Skip("only runs as TestProxyAndCA's client")
	}
	endpoints, err := baseten.ResolveEndpoints("", "", lookup(nil))
	if err != nil {
		t.Fatal(err)
	}
	key := secret.New(os.Getenv(baseten.EnvAPIKey))
	c, err := baseten.New(baseten.Options{Endpoints: endpoints, Credential: baseten.Credential{Key: key}, CAFile: ca, Retry: httpc.RetryPolicy{Attempts: 1}})
	if err != nil {
		t.Fatal(err)
	}
	if me, err := c.Me(context.Background()); err != nil || me.Email != "admin@example.com" {
		t.Fatalf("%+v, %v", me, err)
	}
}

// TestProxyAndCA: a client with HTTPS_PROXY and an authority of its own reaches
// "api.baseten.co" through the proxy, which sees a tunnel and no key.
func TestProxyAndCA(t *testing.T) {
	w := basetentest.NewWorld(t)
	certificate, ca := issue(t, "api.baseten.co")
	api := httptest.NewUnstartedServer(w.Server.ManagementHandler())
	api.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	api.StartTLS()
	defer api.Close()
	p := newProxy(t, api.Listener.Addr().String())
	cmd := exec.Command(os.Args[0], "-test.run=^TestProxyHelper$", "-test.v")
	cmd.Env = append(os.Environ(), envProxyHelper+"="+ca, "HTTPS_PROXY=http://"+p.address, "NO_PROXY=", "https_proxy=", "no_proxy=",
		baseten.EnvAPIKey+"="+w.Admin.Reveal())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	_, half, _ := strings.Cut(w.Admin.Reveal(), ".")
	if !bytes.HasPrefix(p.seen.Bytes(), []byte("CONNECT api.baseten.co:443 ")) || bytes.Contains(p.seen.Bytes(), []byte(half)) {
		t.Errorf("the proxy saw %d bytes, beginning %.40q", p.seen.Len(), p.seen.Bytes())
	}
}

// issue makes a certificate for a name, and a file that has it as an authority.
func issue(t *testing.T, name string) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, path
}

// proxy answers CONNECT, leads every tunnel to one address, and records what
// the client sends.
type proxy struct {
	address string
	mu      sync.Mutex
	seen    bytes.Buffer
}

func newProxy(t *testing.T, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	p := &proxy{address: l.Addr().String()}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.tunnel(c, to)
		}
	}()
	return p
}

func (p *proxy) tunnel(c net.Conn, to string) {
	defer c.Close()
	in := bufio.NewReader(io.TeeReader(c, p))
	r, err := http.ReadRequest(in)
	if err != nil || r.Method != http.MethodConnect {
		return
	}
	server, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer server.Close()
	_, _ = io.WriteString(c, "HTTP/1.1 200 Connection established\r\n\r\n")
	go func() {
		_, _ = io.Copy(server, in)
		_ = server.Close()
	}()
	_, _ = io.Copy(c, server)
}

func (p *proxy) Write(data []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen.Write(data)
}
