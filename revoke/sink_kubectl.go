package revoke

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"slices"
	"strings"
)

// kubeArgs are the arguments of kubectl for a spec's cluster and namespace. Context is a
// name of the user's own configuration, of any form: so it stands behind its flag.
func kubeArgs(s SinkSpec, args ...string) []string {
	args = append([]string{"kubectl"}, args...)
	if s.Namespace != "" {
		args = append(args, "--namespace="+s.Namespace)
	}
	if s.Context != "" {
		args = append(args, "--context="+s.Context)
	}
	return args
}

// A kubeSecret is a Secret (core/v1) as kubectl prints it.
type kubeSecret struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
	} `json:"metadata"`
	Data map[string]string `json:"data"`
}

// KubernetesSecret is a sink that sets one entry of a Secret that is there, by kubectl
// patch: the Secret's other entries stay. An entry is replaced only while it has the value
// that was read before (a JSON patch with a test, RFC 6902), so nobody's change is lost.
func KubernetesSecret(s SinkSpec, p Program) (*Stored, error) {
	if err := checkKube(s); err != nil {
		return nil, err
	}
	get := func(ctx context.Context) (value []byte, exists, readable bool, err error) {
		if runtime.GOOS == "windows" {
			return nil, false, false, errors.New("kubectl takes a patch from /dev/stdin, which Windows does not have; use --to-kubernetes - with --exec")
		}
		out, err := p.run(ctx, nil, kubeArgs(s, "get", "secret", s.Name, "--output=json")...)
		if err != nil {
			return nil, false, false, err
		}
		var held kubeSecret
		if err := json.Unmarshal(out, &held); err != nil || held.Kind != "Secret" || held.Metadata.Name != s.Name {
			return nil, false, false, errors.New("kubectl get: its answer is not this Secret")
		}
		word, exists := held.Data[s.Key]
		value, err = base64.StdEncoding.DecodeString(word)
		if err != nil {
			return nil, false, false, fmt.Errorf("the entry %s of the Secret is not base64", show(s.Key))
		}
		return value, exists, true, nil
	}
	set := func(ctx context.Context, old, value []byte) error {
		kind, patch := "json", any([]map[string]string{
			{"op": "test", "path": "/data/" + s.Key, "value": base64.StdEncoding.EncodeToString(old)},
			{"op": "replace", "path": "/data/" + s.Key, "value": base64.StdEncoding.EncodeToString(value)}})
		switch {
		case value == nil:
			kind, patch = "merge", map[string]any{"data": map[string]any{s.Key: nil}}
		case old == nil:
			kind, patch = "merge", map[string]any{"data": map[string]string{s.Key: base64.StdEncoding.EncodeToString(value)}}
		}
		text, err := json.Marshal(patch)
		if err == nil {
			_, err = p.run(ctx, text, kubeArgs(s, "patch", "secret", s.Name, "--type="+kind, "--patch-file=/dev/stdin")...)
		}
		return err
	}
	return &Stored{Spec: s, get: get, set: set}, nil
}

// KubernetesContext returns the name of the cluster's entry in kubectl's configuration that
// is current; empty where there is none, as inside of a cluster. A journal keeps it, so
// that a later run goes to the same cluster.
func KubernetesContext(ctx context.Context, p Program) (string, error) {
	if _, err := exec.LookPath("kubectl"); err != nil {
		return "", err
	}
	out, err := p.run(ctx, nil, "kubectl", "config", "current-context")
	if err != nil && strings.Contains(err.Error(), "current-context is not set") {
		return "", nil
	}
	return strings.TrimSpace(string(out)), err
}

// ListKubernetesSecrets returns the entries of Secrets of a context's cluster that are the
// key with a prefix: of all namespaces, or where that is not permitted of the current one,
// which whole reports.
func ListKubernetesSecrets(ctx context.Context, p Program, in, prefix string) (list []Holding, whole bool, err error) {
	at := SinkSpec{Kind: KindKubectl, Context: in}
	whole = true
	out, err := p.run(ctx, nil, kubeArgs(at, "get", "secrets", "--output=json", "--all-namespaces")...)
	if err != nil {
		whole = false
		if out, err = p.run(ctx, nil, kubeArgs(at, "get", "secrets", "--output=json")...); err != nil {
			return nil, false, err
		}
	}
	var all struct {
		Items []kubeSecret `json:"items"`
	}
	if err := json.Unmarshal(out, &all); err != nil {
		return nil, false, errors.New("kubectl get: its answer cannot be read")
	}
	for _, s := range all.Items {
		for name, word := range s.Data {
			value, err := base64.StdEncoding.DecodeString(word)
			key, ok := wholeKey(value, prefix)
			spec := at
			spec.Name, spec.Key, spec.Namespace = s.Metadata.Name, name, s.Metadata.Namespace
			if err == nil && ok && checkKube(spec) == nil {
				list = append(list, Holding{spec, key})
			}
		}
	}
	slices.SortFunc(list, func(a, b Holding) int { return strings.Compare(a.Sink.String(), b.Sink.String()) })
	return list, whole, nil
}
