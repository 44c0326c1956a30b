package rules

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/b10lint/b10lint/finding"
)

//go:embed words.md
var words string

// catalogue holds the rules of words.md, in their order.
var catalogue = parse(words)

// The rules that the code names. Their meaning is in words.md.
var (
	LeakedKeyLive           = named("leaked-key-live")
	LeakedKey               = named("leaked-key")
	LeakedKeyDead           = named("leaked-key-dead")
	ForgedKey               = named("forged-key")
	LeakedFederatedKey      = named("leaked-federated-key")
	TrussrcReadable         = named("trussrc-readable")
	KeyFileReadable         = named("key-file-readable")
	TrussrcTracked          = named("trussrc-tracked")
	TrussrcInvalid          = named("trussrc-invalid")
	RemoteURLInsecure       = named("remote-url-insecure")
	KeySharedBetweenRemotes = named("key-shared-between-remotes")
	OAuthTokenAtRest        = named("oauth-token-at-rest")
	TrussSecretValue        = named("truss-secret-value")
	TrussIgnoreOpen         = named("truss-ignore-open")
	TrussShipsCredentials   = named("truss-ships-credentials-file")
)

// parse reads the rules from a page: a heading with the ID and the title, the severity
// and the tags, the text, the remedy. A test reads every part of every rule.
func parse(page string) (all []finding.Rule) {
	for _, section := range strings.Split(page, "\n## ")[1:] {
		heading, rest, _ := strings.Cut(section, "\n\n")
		class, rest, _ := strings.Cut(rest, "\n\n")
		text, remedy, _ := strings.Cut(rest, "\n\n**What to do.** ")
		var r finding.Rule
		r.ID, r.Title, _ = strings.Cut(heading, ": ")
		severity, tags, _ := strings.Cut(class, ": ")
		if r.Severity.UnmarshalText([]byte(severity)) == nil {
			r.Tags = strings.Split(tags, ", ")
		}
		r.Text, r.Remedy = paragraphs(text), paragraphs(remedy)
		all = append(all, r)
	}
	return all
}

// paragraphs joins the lines of each.
func paragraphs(s string) string {
	all := strings.Split(strings.TrimSpace(s), "\n\n")
	for i := range all {
		all[i] = strings.ReplaceAll(all[i], "\n", " ")
	}
	return strings.Join(all, "\n\n")
}

func named(id string) finding.Rule {
	r, _ := Lookup(id)
	return r
}

// Catalogue returns every rule that a report of a scan can name, in a fixed order.
func Catalogue() []finding.Rule { return slices.Clone(catalogue) }

// Lookup returns the rule with an ID.
func Lookup(id string) (finding.Rule, bool) {
	i := slices.IndexFunc(catalogue, func(r finding.Rule) bool { return r.ID == id })
	if i < 0 {
		return finding.Rule{}, false
	}
	return catalogue[i], true
}

// verdicts are the states of a key that decide its rule, and their words in a message.
var verdicts = map[finding.LiveState]struct {
	rule finding.Rule
	word string
}{
	finding.Live:       {LeakedKeyLive, "live "},
	finding.Restricted: {LeakedKeyLive, "live (restricted) "},
	finding.Dead:       {LeakedKeyDead, "revoked "},
	finding.Forged:     {ForgedKey, "forged "},
}

// Describe completes a finding of a leaked key: the rule by format and liveness,
// or what became of the key, the severity by rule, exposure and confidence, and the words. Everything else
// must be set.
func Describe(f *finding.Finding) {
	rule, word := LeakedKey, ""
	if f.Format == finding.Federated {
		rule = LeakedFederatedKey
	}
	if f.Confidence < finding.HighConfidence {
		word = "possible "
	}
	if f.Liveness != nil {
		if v, ok := verdicts[f.Liveness.State]; ok {
			rule, word = v.rule, v.word
		}
	}
	if f.Outcome.Dead() { // whatever it was when it was found
		rule, word = LeakedKeyDead, verdicts[finding.Dead].word
	}
	live := rule.ID == LeakedKeyLive.ID
	local := f.Exposure == finding.Home || f.Exposure == finding.Ignored
	// readable: everyone on the machine may read one of the locations.
	readable := slices.ContainsFunc(f.Locations, func(at finding.Location) bool { return at.Readable })

	f.Rule, f.Severity = rule.ID, rule.Severity
	inClone := f.Exposure == finding.Staged || f.Exposure == finding.Unpushed || f.Exposure == finding.Dangling

	switch {
	case f.Exposure == finding.Dangling:
		f.Severity = min(f.Severity, finding.Medium)
	case local && !readable:
		// Where users are told to keep a key, alive or not.
		f.Severity = min(f.Severity, finding.Low)
	case local && f.Confidence > finding.LowConfidence:
		f.Severity = min(f.Severity, finding.Medium)
	case f.Confidence == finding.LowConfidence && !live:
		f.Severity = min(f.Severity, finding.Low)
	case f.Confidence == finding.MediumConfidence && !live:
		f.Severity = min(f.Severity, finding.Medium)
	}
	f.Message = word + title(f.Format) + " " + f.Prefix + exposed(f, local && readable)
	if n := len(f.Locations); n > 1 {
		f.Message += fmt.Sprintf(", %d places", n)
	}
	if f.Advice == "" || rule.ID == ForgedKey.ID {
		f.Advice = rule.Remedy // the location of the text does not matter then
	}
	switch {
	case rule.ID == LeakedKeyDead.ID:
		f.Advice = fixOf(f.Advice)
	case live && !inClone && (!local || readable) && !strings.HasPrefix(f.Advice, revoke):
		f.Advice = revoke + f.Advice
	}
}

// Revoked rewords the advice of a finding whose key was revoked.
func Revoked(f *finding.Finding) {
	f.Advice = "The key is revoked: make a new one where it is used. " + fixOf(f.Advice)
}

// fixOf is an advice without what a revoked key no longer needs.
func fixOf(advice string) string {
	advice = strings.TrimPrefix(strings.TrimPrefix(advice, revoke), kept)
	return strings.TrimSpace(strings.TrimSuffix(advice, unseen))
}

// title is what a message calls a key of a format.
func title(f finding.Format) string {
	for i := range grammars {
		if grammars[i].Name == string(f) {
			return grammars[i].Title
		}
	}
	return ""
}

// exposed words how far a key got.
func exposed(f *finding.Finding, readable bool) string {
	any := func(has func(finding.Location) bool) bool { return slices.ContainsFunc(f.Locations, has) }
	every := func(has func(finding.Location) bool) bool {
		return !any(func(at finding.Location) bool { return at.Exposure == f.Exposure && !has(at) })
	}
	switch f.Exposure {
	case finding.Committed:
		switch {
		case every(func(at finding.Location) bool { return at.Unreachable && at.Commit != "" }):
			return " in a commit that no branch or tag has"
		case any(func(at finding.Location) bool { return at.Blob != "" && at.Object != "index" }):
			return " in the repository's history"
		}
		return " in a file that git tracks"
	case finding.Unpushed:
		if every(stashed) {
			return " in a stash"
		}
		return " in a commit that is not pushed"
	case finding.Staged:
		if every(func(at finding.Location) bool { return at.Object == "commit" }) {
			return " in the message of the commit you are about to make"
		}
		return " in what you are about to commit"
	case finding.Dangling:
		return " in an object of this clone that no commit refers to"
	case finding.Untracked:
		return " in an untracked file"
	case finding.Shipped:
		if every(func(at finding.Location) bool { return at.Member != "" }) {
			return " in an archive or image"
		}
		return " in what truss push uploads"
	}
	where := map[finding.Exposure]string{finding.Ignored: " in a git-ignored local file", finding.Home: " in a file of this workstation"}[f.Exposure]
	if readable {
		where += " that everyone on the machine may read"
	}
	return where
}
