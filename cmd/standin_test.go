package cmd_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"
)

// The stand-ins for gh, glab and kubectl, which need servers. They take the arguments that
// the real ones take, and no others, and keep what their servers would keep in the files
// gh.json, glab.json and kubectl.json of $STANDIN; calls are appended to $STANDIN/calls.
// A file NAME.broken beside makes a program fail with the text in it.

// standIn runs one of the programs.
func standIn(name string, run func(args []string, state map[string]any) error) func() {
	return func() {
		dir := os.Getenv("STANDIN")
		if dir == "" { // as where it was never set up
			fmt.Fprintln(os.Stderr, "error: current-context is not set")
			os.Exit(1)
		}
		path := filepath.Join(dir, name+".json")
		state := map[string]any{}
		data, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(data, &state)
		}
		if text, brokenErr := os.ReadFile(filepath.Join(dir, name+".broken")); brokenErr == nil {
			err = errors.New(strings.TrimSpace(string(text)))
		}
		if _, given := os.LookupEnv("BASETEN_API_KEY"); given {
			err = errors.New("it was given the credential of b10lint")
		}
		if err == nil {
			err = run(os.Args[1:], state)
		}
		if err == nil {
			data, err = json.Marshal(state)
		}
		if err == nil {
			err = os.WriteFile(path, data, 0o600)
		}
		calls, openErr := os.OpenFile(filepath.Join(dir, "calls"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if openErr == nil {
			_, openErr = fmt.Fprintf(calls, "%s %q\n", name, os.Args[1:])
			openErr = errors.Join(openErr, calls.Close())
		}
		if err = errors.Join(err, openErr); err != nil {
			fmt.Fprintln(os.Stderr, "error:", err)
			os.Exit(1)
		}
	}
}

// grammar splits arguments into flags and the rest. A flag that is not listed is an error.
func grammar(args []string, bools, texts []string) (rest []string, flags map[string]string, err error) {
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	set.SetOutput(io.Discard)
	for _, name := range bools {
		set.Bool(name, false, "")
	}
	for _, name := range texts {
		set.String(name, "", "")
	}
	err = set.Parse(args)
	flags = map[string]string{}
	set.Visit(func(f *pflag.Flag) { flags[f.Name] = f.Value.String() })
	return set.Args(), flags, err
}

// gh knows gh secret list and gh secret set. State: secrets, by repository and name.
func gh(args []string, state map[string]any) error {
	rest, flags, err := grammar(args, nil, []string{"repo", "json"})
	if err != nil || len(rest) < 2 || rest[0] != "secret" {
		return fmt.Errorf("unknown command %q: %v", args, err)
	}
	repo := flags["repo"]
	if repo == "" {
		repo = "acme/app"
	}
	secrets, ok := state[repo].(map[string]any)
	switch {
	case !ok:
		return errors.New("HTTP 404: Not Found")
	case rest[1] == "list" && len(rest) == 2 && flags["json"] == "name":
		list := []map[string]string{}
		for name := range secrets {
			list = append(list, map[string]string{"name": name})
		}
		return json.NewEncoder(os.Stdout).Encode(list)
	case rest[1] == "set" && len(rest) == 3:
		value, err := io.ReadAll(os.Stdin)
		secrets[rest[2]] = string(value)
		return err
	}
	return fmt.Errorf("unknown command %q", args)
}

// glab knows glab api of the variables of a project. State: variables, a list.
func glab(args []string, state map[string]any) error {
	rest, flags, err := grammar(args, []string{"paginate"}, []string{"method", "header", "input"})
	if err != nil || len(rest) != 2 || rest[0] != "api" {
		return fmt.Errorf("unknown command %q: %v", args, err)
	}
	path, query, _ := strings.Cut(rest[1], "?")
	q, err := url.ParseQuery(query)
	if err != nil {
		return err
	}
	all, _ := state["variables"].([]any)
	name, ok := strings.CutPrefix(path, "projects/:fullpath/variables")
	switch {
	case !ok:
		return errors.New("404 Project Not Found")
	case name == "" && flags["paginate"] == "true": // a page each
		for _, v := range all {
			if err := json.NewEncoder(os.Stdout).Encode([]any{v}); err != nil {
				return err
			}
		}
		return nil
	}
	for _, v := range all {
		v := v.(map[string]any)
		if "/"+v["key"].(string) != name || v["environment_scope"] != q.Get("filter[environment_scope]") {
			continue
		}
		if flags["method"] == "PUT" && flags["input"] == "-" && flags["header"] == "Content-Type: application/json" {
			change := map[string]any{}
			if err := json.NewDecoder(os.Stdin).Decode(&change); err != nil {
				return err
			}
			for field, value := range change {
				v[field] = value
			}
		}
		return json.NewEncoder(os.Stdout).Encode(v)
	}
	return errors.New("404 Variable Not Found")
}

// kubectl knows config current-context, get and patch of Secrets. State: current, a
// context's name; namespaced, which forbids to read all namespaces; secrets, by namespace
// and name, each with its data.
func kubectl(args []string, state map[string]any) error {
	rest, flags, err := grammar(args, []string{"all-namespaces"}, []string{"namespace", "context", "output", "type", "patch-file"})
	if err != nil {
		return err
	}
	if strings.Join(rest, " ") == "config current-context" {
		fmt.Println(state["current"])
		return nil
	}
	if c := flags["context"]; c != state["current"] {
		return fmt.Errorf("context %q does not exist", c)
	}
	namespace := flags["namespace"]
	if namespace == "" {
		namespace = "default"
	}
	all := state["secrets"].(map[string]any)
	object := func(namespace, name string, data any) map[string]any {
		return map[string]any{"kind": "Secret", "metadata": map[string]string{"name": name, "namespace": namespace}, "data": data}
	}
	switch {
	case len(rest) == 2 && rest[0] == "get" && rest[1] == "secrets" && flags["output"] == "json":
		if flags["all-namespaces"] == "true" && state["namespaced"] == true {
			return errors.New(`secrets is forbidden: User "dev" cannot list resource "secrets" at the cluster scope`)
		}
		items := []any{}
		for in, secrets := range all {
			for name, data := range secrets.(map[string]any) {
				if flags["all-namespaces"] == "true" || in == namespace {
					items = append(items, object(in, name, data))
				}
			}
		}
		return json.NewEncoder(os.Stdout).Encode(map[string]any{"kind": "List", "items": items})
	case len(rest) == 3 && rest[1] == "secret":
		secrets, _ := all[namespace].(map[string]any)
		data, ok := secrets[rest[2]].(map[string]any)
		if !ok {
			return fmt.Errorf("Error from server (NotFound): secrets %q not found", rest[2])
		}
		if rest[0] == "get" && flags["output"] == "json" {
			return json.NewEncoder(os.Stdout).Encode(object(namespace, rest[2], data))
		}
		if rest[0] == "patch" && flags["patch-file"] != "" {
			return kubectlPatch(data, flags["type"], flags["patch-file"])
		}
	}
	return fmt.Errorf("unknown command %q", args)
}

// kubectlPatch applies a JSON patch (RFC 6902) or a merge patch (RFC 7386) to data.
func kubectlPatch(data map[string]any, kind, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if kind == "merge" {
		var patch struct{ Data map[string]any }
		err := json.Unmarshal(text, &patch)
		for name, value := range patch.Data {
			if data[name] = value; value == nil {
				delete(data, name)
			}
		}
		return err
	}
	var steps []struct{ Op, Path, Value string }
	if err := json.Unmarshal(text, &steps); err != nil {
		return err
	}
	for _, s := range steps {
		name := strings.TrimPrefix(s.Path, "/data/")
		switch {
		case s.Op == "test" && data[name] != s.Value:
			return errors.New("the server rejected our request due to an error in our request")
		case s.Op == "replace":
			data[name] = s.Value
		}
	}
	return nil
}
