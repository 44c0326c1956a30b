package revoke

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"regexp"
)

var (
	// kubeName is a DNS subdomain name (RFC 1123), which names of Secrets are.
	kubeName = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$`)
	// kubeKey is what the keys of a Secret's data may be.
	kubeKey    = regexp.MustCompile(`^[A-Za-z0-9._-]{1,253}$`)
	base64Word = regexp.MustCompile(`[A-Za-z0-9+/]{40,}={0,2}`)
)

// checkKube refuses names that Kubernetes does not have: none that passes can be taken
// for a flag, or ends a quotation.
func checkKube(s SinkSpec) error {
	switch {
	case !kubeName.MatchString(s.Name):
		return fmt.Errorf("%q is not a name for a Kubernetes Secret", show(s.Name))
	case !kubeKey.MatchString(s.Key):
		return fmt.Errorf("%q is not a key of a Kubernetes Secret", show(s.Key))
	case s.Namespace != "" && !kubeName.MatchString(s.Namespace):
		return fmt.Errorf("%q is not a name for a Kubernetes namespace", show(s.Namespace))
	}
	return nil
}

// manifest returns the text of a Kubernetes Secret (core/v1) of one key.
func manifest(s SinkSpec) (func(key string) []byte, error) {
	if err := checkKube(s); err != nil {
		return nil, err
	}
	return func(key string) []byte {
		var b bytes.Buffer
		b.WriteString("apiVersion: v1\nkind: Secret\nmetadata:\n  name: \"" + s.Name + "\"\n")
		if s.Namespace != "" {
			b.WriteString("  namespace: \"" + s.Namespace + "\"\n")
		}
		fmt.Fprintf(&b, "type: Opaque\ndata:\n  \"%s\": \"%s\"\n", s.Key, base64.StdEncoding.EncodeToString([]byte(key)))
		return b.Bytes()
	}, nil
}

// KubernetesFile is a sink that writes a Secret's manifest to a file, which must
// not hold anything else: a file that does is refused.
func KubernetesFile(s SinkSpec) (*File, error) {
	text, err := manifest(s)
	if err != nil {
		return nil, err
	}
	return &File{Path: s.Path, Holds: decodeManifest, Edit: func(old []byte, key string) ([]byte, error) {
		if len(bytes.TrimSpace(old)) > 0 && !bytes.Equal(base64Word.ReplaceAll(old, nil), base64Word.ReplaceAll(text(key+longEnough), nil)) {
			return nil, errors.New("the file holds something else than this Secret; write to a file of its own")
		}
		return text(key), nil
	}}, nil
}

// longEnough makes the base64 of any stand-in for a key one that base64Word matches.
const longEnough = "----------------------------------------"

// decodeManifest returns the decoded values of a manifest, one a line.
func decodeManifest(data []byte) []byte {
	var out []byte
	for _, word := range base64Word.FindAll(data, -1) {
		if text, err := base64.StdEncoding.DecodeString(string(word)); err == nil {
			out = append(append(out, text...), '\n')
		}
	}
	return out
}

// KubernetesOutput is a sink that writes a Secret's manifest to w, for kubectl.
func KubernetesOutput(s SinkSpec, w io.Writer) (*Output, error) {
	text, err := manifest(s)
	if err != nil {
		return nil, err
	}
	return &Output{W: w, Text: func(key string) []byte { return text(key) }}, nil
}

// KubernetesCommand is a sink that gives a Secret's manifest to a command, such as
// kubectl apply -f -, whose exit status says whether it was taken.
func KubernetesCommand(s SinkSpec, p Program) (*Command, error) {
	text, err := manifest(s)
	if err != nil {
		return nil, err
	}
	p.Dir = s.Dir
	return &Command{Args: s.Command, Program: p, Text: text}, nil
}
