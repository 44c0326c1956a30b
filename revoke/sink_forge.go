package revoke

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
)

// forgeRepo is [HOST/]OWNER/NAME, on GitLab with any number of groups. It never begins
// with a hyphen, which would make it a flag.
var forgeRepo = regexp.MustCompile(`^[A-Za-z0-9_.][A-Za-z0-9_.-]*(/[A-Za-z0-9_.][A-Za-z0-9_.-]*)+$`)

func checkForge(what string, s SinkSpec) error {
	if !envName.MatchString(s.Name) {
		return fmt.Errorf("%q is not a name for %s", show(s.Name), what)
	}
	if s.Repo != "" && !forgeRepo.MatchString(s.Repo) {
		return fmt.Errorf("%q is not a repository: write OWNER/NAME", show(s.Repo))
	}
	return nil
}

// GitHubSecret is a sink that sets a secret of GitHub Actions by the gh program,
// which reads it from its standard input and encrypts it for GitHub. Nobody can read it
// back. Without a repository it is that of the folder.
func GitHubSecret(s SinkSpec, p Program) (*Command, error) {
	if err := checkForge("a secret of GitHub Actions", s); err != nil {
		return nil, err
	}
	p.Dir = s.Dir
	args := []string{"gh", "secret", "set", s.Name}
	if s.Repo != "" {
		args = append(args, "--repo", s.Repo)
	}
	return &Command{Args: args, Program: p}, nil
}

// ListGitHubSecrets returns the secrets of GitHub Actions of a repository: their names, for
// GitHub never returns a value.
func ListGitHubSecrets(ctx context.Context, p Program, repo string) ([]SinkSpec, error) {
	args := []string{"gh", "secret", "list", "--json", "name"}
	if repo != "" {
		args = append(args, "--repo", repo)
	}
	out, err := p.run(ctx, nil, args...)
	if err != nil {
		return nil, err
	}
	var list []struct {
		Name string `json:"name"`
	}
	if err := json.Unmarshal(out, &list); err != nil {
		return nil, errors.New("gh secret list: its answer cannot be read")
	}
	var specs []SinkSpec
	for _, s := range list {
		if envName.MatchString(s.Name) {
			specs = append(specs, SinkSpec{Kind: KindGitHub, Name: s.Name, Repo: repo, Dir: p.Dir})
		}
	}
	return specs, nil
}

// A gitLabVariable is a CI/CD variable of a project as GitLab's API gives it. Of a hidden
// one the value is null.
type gitLabVariable struct {
	Key   string  `json:"key"`
	Value *string `json:"value"`
	Scope string  `json:"environment_scope"`
}

// gitLabPath is the API's path of a project's variables. The program itself puts the
// folder's project in the place of :fullpath.
func gitLabPath(repo string) string {
	project := ":fullpath"
	if repo != "" {
		project = url.PathEscape(repo)
	}
	return "projects/" + project + "/variables"
}

// GitLabVariable is a sink that sets a CI/CD variable that is there, by the glab program.
// It calls the API: "glab variable update" takes off what masks and protects the variable.
// Key is the variable's environment scope.
func GitLabVariable(s SinkSpec, p Program) (*Stored, error) {
	if err := checkForge("a variable of GitLab", s); err != nil {
		return nil, err
	}
	p.Dir = s.Dir
	scope := s.Key
	if scope == "" {
		scope = "*"
	}
	path := gitLabPath(s.Repo) + "/" + s.Name + "?filter[environment_scope]=" + url.QueryEscape(scope)
	get := func(ctx context.Context) (value []byte, exists, readable bool, err error) {
		out, err := p.run(ctx, nil, "glab", "api", path)
		if err != nil {
			return nil, false, false, err
		}
		var v gitLabVariable
		if err := json.Unmarshal(out, &v); err != nil || v.Key != s.Name {
			return nil, false, false, errors.New("glab api: its answer cannot be read")
		}
		if v.Value == nil {
			return nil, true, false, nil
		}
		return []byte(*v.Value), true, true, nil
	}
	set := func(ctx context.Context, _, value []byte) error {
		body, err := json.Marshal(map[string]string{"value": string(value)})
		if err == nil {
			_, err = p.run(ctx, body, "glab", "api", path, "--method", "PUT", "--header", "Content-Type: application/json", "--input", "-")
		}
		return err
	}
	return &Stored{Spec: s, get: get, set: set}, nil
}

// ListGitLabVariables returns the CI/CD variables of a project: those that hold the key
// with a prefix, and those whose value is hidden.
func ListGitLabVariables(ctx context.Context, p Program, repo, prefix string) (holding []Holding, hidden []SinkSpec, err error) {
	out, err := p.run(ctx, nil, "glab", "api", gitLabPath(repo)+"?per_page=100", "--paginate")
	if err != nil {
		return nil, nil, err
	}
	pages := json.NewDecoder(bytes.NewReader(out))
	for { // a page after the other, each an array
		var list []gitLabVariable
		if err := pages.Decode(&list); errors.Is(err, io.EOF) {
			return holding, hidden, nil
		} else if err != nil {
			return nil, nil, errors.New("glab api: its answer cannot be read")
		}
		for _, v := range list {
			spec := SinkSpec{Kind: KindGitLab, Name: v.Key, Repo: repo, Dir: p.Dir}
			if v.Scope != "*" {
				spec.Key = v.Scope
			}
			switch {
			case !envName.MatchString(v.Key):
			case v.Value == nil:
				hidden = append(hidden, spec)
			default:
				if key, ok := wholeKey([]byte(*v.Value), prefix); ok {
					holding = append(holding, Holding{spec, key})
				}
			}
		}
	}
}
