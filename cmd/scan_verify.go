package cmd

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/clock"
	"github.com/b10lint/b10lint/scanner"
	"github.com/b10lint/b10lint/secret"
)

// The ways to tell whether a key is alive. docs/verify.md says what each sends.
const (
	byInventory = "inventory" // nothing that was found is sent
	byProbe     = "probe"     // the found keys themselves are sent to Baseten
	byBoth      = "both"

	// Of scan --revoke: the keys that the inventory lists are sent, and with the second
	// those that it does not know, too.
	byProof, byProofAndProbe = "proof", "proof and probe"
)

func verifyModes() []string { return []string{byInventory, byProbe, byBoth} }

// verifyFlags are the flags of scan that have to do with verification.
type verifyFlags struct {
	mode choice
	api  api
}

func (v *verifyFlags) register(c *cobra.Command) {
	v.mode = choice{"", verifyModes()}
	f := c.Flags()
	f.Var(&v.mode, "verify", "say which keys still work: by Baseten's list of keys, which sends no found key; by probing with the keys; or both")
	f.Lookup("verify").NoOptDefVal = byInventory
	_ = c.RegisterFlagCompletionFunc("verify", cobra.FixedCompletions(verifyModes(), cobra.ShellCompDirectiveNoFileComp))
	v.api.register(c)
}

// verifier returns what verifies in a mode, or nil for none. It sends nothing yet.
func (v *verifyFlags) verifier(env Env, mode string, targets []string, cache string) (scanner.Verifier, error) {
	if mode == "" {
		if flag := v.api.given(); flag != "" && !(flag == "--ca-file" && isRemote(targets)) {
			return nil, usage("add --verify, or leave it out", "%s has no use without --verify", flag)
		}
		return nil, nil
	}
	for _, t := range targets { // a mode that was written as a word of its own is a target
		if !slices.Contains(verifyModes(), t) {
			continue
		}
		if _, err := os.Lstat(t); errors.Is(err, fs.ErrNotExist) {
			return nil, usage("to say how to verify, write --verify="+t, "there is no file or folder %q to scan", t)
		}
	}
	if v.api.keyStdin && slices.Contains(targets, "-") {
		return nil, usage("give the key in a file: --api-key-file", "standard input cannot hold both the API key and what to scan")
	}
	verifier, err := newVerifier(env, &v.api, mode, cache)
	if err != nil {
		return nil, err
	}
	return verifier, nil
}

// A verifier asks Baseten, and keeps its verdicts where it was told to.
type verifier struct {
	baseten  *baseten.Verifier
	cache    *baseten.Cache // nil: not kept
	problems []finding.Problem
}

// newVerifier puts a verifier for a mode together. A probe does without a credential,
// but only one that is let in shows that a key that is turned away is dead. cacheDir
// may be empty.
func newVerifier(env Env, a *api, mode, cacheDir string) (*verifier, error) {
	credential, credentialErr := a.credential(env)
	optional := mode == byProbe && !a.namesKey()
	if credentialErr != nil && !optional {
		return nil, credentialErr
	}
	in := credential
	if optional {
		in = baseten.Credential{} // which must not decide where the found keys are sent
	}
	o, err := a.options(env, in)
	if err != nil {
		return nil, err
	}
	if optional && credentialErr == nil {
		with, err := a.options(env, credential)
		if err == nil && with.Endpoints.Management.String() == o.Endpoints.Management.String() &&
			with.Endpoints.Inference.String() == o.Endpoints.Inference.String() {
			o.Credential = credential
		}
	}
	var client *baseten.Client
	if mode != byProbe {
		if client, err = baseten.New(o); err != nil {
			return nil, usage("", "%w", err)
		}
	}
	var probe *baseten.Probe
	if mode != byInventory {
		if probe, err = baseten.NewProbe(o, 0); err != nil {
			return nil, usage("", "%w", err)
		}
	}
	if mode == byProof || mode == byProofAndProbe {
		return &verifier{baseten: baseten.NewProver(client, probe, mode == byProofAndProbe)}, nil
	}
	v := &verifier{}
	if cacheDir != "" {
		v.cache, v.problems = baseten.OpenCache(cacheDir, clock.Clock{})
	}
	v.baseten = baseten.NewVerifier(client, probe, v.cache)
	return v, nil
}

// Verify implements scanner.Verifier. A suspect of low confidence may be another
// vendor's key: it is matched against the inventory and never sent.
func (v *verifier) Verify(ctx context.Context, suspects []scanner.Suspect) (map[string]finding.Verdict, []finding.Problem) {
	keys := make([]secret.Secret, 0, len(suspects))
	doubtful := map[string]bool{}
	for _, s := range suspects {
		keys = append(keys, s.Key)
		if s.Confidence == finding.LowConfidence {
			doubtful[s.Key.Digest()] = true
		}
	}
	res := v.baseten.VerifyKeeping(ctx, keys, func(k secret.Secret) bool { return doubtful[k.Digest()] })
	return res.Verdicts, v.close(res.Problems)
}

// close saves the cache and adds what went wrong with it: verdicts that were not
// kept cost time and nothing else.
func (v *verifier) close(problems []finding.Problem) []finding.Problem {
	problems = append(v.problems, problems...)
	v.problems = nil
	if v.cache != nil {
		if err := v.cache.Save(); err != nil {
			problems = append(problems, finding.Problem{Error: err.Error(), Hint: "the keys are verified again next time", Warning: true})
		}
	}
	return problems
}
