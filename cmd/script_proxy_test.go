package cmd_test

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// A proxy stands between the program and Baseten's own host names: it ends TLS
// with a certificate of its own, keeps every byte that clients send, by host, and
// hands them to the script's fake.
type proxy struct {
	listener net.Listener
	cert     tls.Certificate
	to       map[string]string // address of the fake by host and port

	mu   sync.Mutex
	sent map[string]*bytes.Buffer // in clear, by host and port
}

// proxyCommands are the scripts' commands around a proxy that sees everything:
//
//	proxy                  start it; HTTPS_PROXY names it, ca.pem is its authority. The
//	                       variables that name the fake are cleared: the program goes
//	                       to Baseten's own names
//	tunnels HOST:PORT...   those were asked for, and no others
//	[!] seen HOST:PORT NAME   the key's secret half was sent to this host
func proxyCommands() commands {
	return commands{"proxy": startProxy, "tunnels": tunnels, "seen": seen}
}

func startProxy(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 0, "proxy")
	f := fakeOf(ts)
	cert, authority := selfSigned(ts, "api.baseten.co", "inference.baseten.co")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = l.Close() })
	p := &proxy{listener: l, cert: cert, sent: map[string]*bytes.Buffer{}, to: map[string]string{
		"api.baseten.co:443":       strings.TrimPrefix(f.server.URL, "http://"),
		"inference.baseten.co:443": strings.TrimPrefix(f.server.InferenceURL, "http://"),
	}}
	*ts.Value("proxy").(**proxy) = p
	go p.serve()
	ts.Check(os.WriteFile(ts.MkAbs("ca.pem"), authority, 0o600))
	ts.Setenv("HTTPS_PROXY", "http://"+l.Addr().String())
	ts.Setenv("BASETEN_MANAGEMENT_API_URL_OVERRIDE", "")
	ts.Setenv("BASETEN_INFERENCE_BASE_URL_OVERRIDE", "")
}

// selfSigned makes a certificate for hosts that is its own authority.
func selfSigned(ts *testscript.TestScript, hosts ...string) (tls.Certificate, []byte) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, DNSNames: hosts,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	ts.Check(err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func (p *proxy) serve() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		go p.tunnel(c)
	}
}

// tunnel serves one CONNECT. A host that is not Baseten's gets no further.
func (p *proxy) tunnel(c net.Conn) {
	defer c.Close()
	r, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		return
	}
	p.mu.Lock()
	record := p.sent[r.RequestURI]
	if record == nil {
		record = &bytes.Buffer{}
		p.sent[r.RequestURI] = record
	}
	p.mu.Unlock()
	if r.Method != http.MethodConnect || p.to[r.RequestURI] == "" {
		_, _ = io.WriteString(c, "HTTP/1.1 403 Forbidden\r\n\r\n")
		return
	}
	_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
	clear := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{p.cert}})
	fake, err := net.Dial("tcp", p.to[r.RequestURI])
	if err != nil {
		return
	}
	defer fake.Close()
	go func() {
		_, _ = io.Copy(clear, fake)
		_ = clear.Close()
	}()
	_, _ = io.Copy(io.MultiWriter(locked{&p.mu, record}, fake), clear)
}

// locked writes under a lock.
type locked struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l locked) Write(data []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(data)
}

func tunnels(ts *testscript.TestScript, neg bool, args []string) {
	p := *ts.Value("proxy").(**proxy)
	p.mu.Lock()
	defer p.mu.Unlock()
	var got []string
	for host := range p.sent {
		got = append(got, host)
	}
	slices.Sort(got)
	if neg || !slices.Equal(got, args) {
		ts.Fatalf("asked for %v, want %v", got, args)
	}
}

func seen(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, len(args) == 2 && ts.Getenv(args[1]) != "", "[!] seen HOST:PORT NAME")
	_, half, _ := strings.Cut(ts.Getenv(args[1]), ".")
	p := *ts.Value("proxy").(**proxy)
	p.mu.Lock()
	defer p.mu.Unlock()
	record := p.sent[args[0]]
	if got := record != nil && bytes.Contains(record.Bytes(), []byte(half)); got == neg {
		ts.Fatalf("%s sent to %s is not %v", args[1], args[0], !neg)
	}
}
