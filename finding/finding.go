// Package finding is the vocabulary of b10lint: what was found, where, how sure
// we are, what kept a run from being complete, and the Report that holds it all.
// The engine and the writers meet only here.
package finding

import (
	"strings"
	"time"

	"github.com/b10lint/b10lint/internal/span"
)

// A Finding is one distinct key (or one hygiene defect) with every place it was
// seen. It never holds a secret half: Prefix is everything before the dot.
type Finding struct {
	Rule        string     `json:"rule"`
	Severity    Severity   `json:"severity"`
	Confidence  Confidence `json:"confidence"`
	Exposure    Exposure   `json:"exposure,omitempty"`
	Format      Format     `json:"format,omitempty"`
	Prefix      string     `json:"prefix,omitempty"`
	Fingerprint string     `json:"fingerprint"` // depends on the key alone, or on rule and subject
	Message     string     `json:"message"`
	Advice      string     `json:"advice,omitempty"`
	Liveness    *Liveness  `json:"liveness,omitempty"`
	Key         *Key       `json:"key,omitempty"`
	Locations   []Location `json:"locations"`
	// Baseline is "new", "unchanged" or "resolved" when an earlier report was given.
	Baseline string `json:"baseline,omitempty"`
	// Suppression is set when the finding was accepted.
	Suppression *Suppression `json:"suppression,omitempty"`
	// Outcome is what a revocation did with the key.
	Outcome *Outcome `json:"outcome,omitempty"`
}

// A Location is one place where a key was seen.
type Location struct {
	// Target is the name of the report's target that holds the location. It is empty
	// where the report has one target.
	Target string `json:"target,omitempty"`
	Path   string `json:"path"`             // slash separated, as the user named it; not cleaned of control bytes
	Line   int    `json:"line,omitempty"`   // 1-based; 0 when the place has no lines
	Column int    `json:"column,omitempty"` // 1-based, in Unicode characters
	// EndLine and EndColumn are just past the last character.
	EndLine   int `json:"end_line,omitempty"`
	EndColumn int `json:"end_column,omitempty"`
	// UTF16Column and UTF16EndColumn are the columns in UTF-16 units, set only
	// where they differ from Column and EndColumn.
	UTF16Column    int    `json:"utf16_column,omitempty"`
	UTF16EndColumn int    `json:"utf16_end_column,omitempty"`
	Member         string `json:"member,omitempty"` // path inside an archive, levels joined by "!"
	// RawPath and RawMember are the bytes of Path and Member. They are set only
	// in a JSON report and only for a name that is not valid UTF-8, which a JSON
	// string cannot hold; reading the report back restores the name.
	RawPath   []byte `json:"path_base64,omitempty"`
	RawMember []byte `json:"member_base64,omitempty"`
	Cell      *Cell  `json:"cell,omitempty"`
	// Decoded lists the encodings that hid the key, outermost first.
	Decoded []string `json:"decoded,omitempty"`
	// Snippet is the source line with every key masked, cut to a readable
	// length; SnippetMark is the 0-based character span of this key in it.
	Snippet     string  `json:"snippet,omitempty"`
	SnippetMark *[2]int `json:"snippet_mark,omitempty"`
	// LineHash is GitHub's primaryLocationLineHash of the line, where known.
	LineHash string `json:"line_hash,omitempty"`
	// Context names the kind of place, for advice: see package rules.
	Context string `json:"context,omitempty"`
	// Allow is the reason given by a comment b10lint:allow on the line or the line
	// before; nil without such a comment, empty when it gives no reason.
	Allow *string `json:"-"`
	// Exposure says how far the key got by this place; the finding's own is the widest.
	Exposure Exposure `json:"exposure,omitempty"`
	// Readable is set when everyone on the machine may read the file. It is worked
	// out for the exposures Home and Ignored, where it makes the difference.
	Readable bool `json:"readable,omitempty"`

	// The rest is set for places in a git object store.
	Repository string     `json:"repository,omitempty"`
	Blob       string     `json:"blob,omitempty"`   // object id, whatever its kind
	Object     string     `json:"object,omitempty"` // "blob", "commit", "tag", "index"
	Commit     string     `json:"commit,omitempty"` // the commit that introduced it
	Author     string     `json:"author,omitempty"`
	Date       *time.Time `json:"date,omitempty"`
	RemovedIn  string     `json:"removed_in,omitempty"`
	Refs       []string   `json:"refs,omitempty"` // branches and tags that still reach it
	AtHead     bool       `json:"at_head,omitempty"`
	// Unreachable is set when no reference leads to the object.
	Unreachable bool `json:"unreachable,omitempty"`
}

// A Span is a half-open range of bytes, [Start, End).
type Span = span.Span

// A Cell is a place in a Jupyter notebook.
type Cell struct {
	Index int    `json:"index"` // 0-based, in file order
	Part  string `json:"part"`  // "source", "output", "error", "metadata", "attachment"
	// Output is, for an output, "stream", "result", "display" or "error".
	Output string `json:"output,omitempty"`
}

// Liveness says whether a key still works, and how we know.
type Liveness struct {
	State  LiveState  `json:"state"`
	By     string     `json:"by,omitempty"` // "inventory", "audit-log" or "probe"
	At     *time.Time `json:"at,omitempty"`
	Detail string     `json:"detail,omitempty"`
}

// A Verdict is what verification says of one key. Key is nil when nothing else is
// known of it.
type Verdict struct {
	Liveness Liveness `json:"liveness"`
	Key      *Key     `json:"key,omitempty"`
}

// Key is what Baseten's inventory says of a key. Absent fields are unknown.
type Key struct {
	Name       string     `json:"name,omitempty"`
	Type       string     `json:"type,omitempty"`
	Team       string     `json:"team,omitempty"`
	Owner      string     `json:"owner,omitempty"`
	ModelIDs   []string   `json:"model_ids,omitempty"`
	Group      string     `json:"group,omitempty"` // gateway group id of a federated key
	CreatedAt  *time.Time `json:"created_at,omitempty"`
	CreatedBy  string     `json:"created_by,omitempty"`
	LastUsedAt *time.Time `json:"last_used_at,omitempty"`
	KeyEvidence
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
	RevokedBy string     `json:"revoked_by,omitempty"`
}

// A Suppression is the decision that accepted a finding.
type Suppression struct {
	Kind   string `json:"kind"` // "inline", "config" or "baseline"
	Reason string `json:"reason,omitempty"`
	Owner  string `json:"owner,omitempty"`
	Until  string `json:"until,omitempty"` // a date, YYYY-MM-DD
	Where  string `json:"where,omitempty"`
}

// An Outcome is what a revocation did with a key.
type Outcome struct {
	State  string     `json:"state"` // "revoked", "already-gone", "failed", "planned" (a dry run), "not-planned"
	At     *time.Time `json:"at,omitempty"`
	Detail string     `json:"detail,omitempty"`
}

// Dead reports whether the key is revoked. There is no outcome in nil.
func (o *Outcome) Dead() bool { return o != nil && (o.State == "revoked" || o.State == "already-gone") }

// NoteOn returns the id of the object, most often a commit, that a location in a git note is
// about: the path in the tree of notes is that id. It is empty for other locations.
func (l Location) NoteOn() string {
	id := strings.ReplaceAll(l.Path, "/", "")
	if len(id) != 40 && len(id) != 64 || strings.Trim(id, "0123456789abcdef") != "" || len(l.Refs) == 0 {
		return ""
	}
	for _, ref := range l.Refs {
		if !strings.HasPrefix(ref, "notes/") && !strings.HasPrefix(ref, "refs/notes/") {
			return ""
		}
	}
	return id
}

// A Problem is something that kept the run from being complete, or that the
// user should know of the run. Its text never holds a secret half.
type Problem struct {
	// Target is as in Location; it is also empty for a problem of the run as a whole.
	Target string `json:"target,omitempty"`
	Path   string `json:"path,omitempty"`
	Member string `json:"member,omitempty"`
	Object string `json:"object,omitempty"` // a git object id
	// Names are all paths of the object, for who accepts what cannot be read; Path is one.
	Names []string `json:"-"`
	// Repository is that of the object, for who asks it for the object's names.
	Repository string `json:"-"`
	Error      string `json:"error"`
	Hint       string `json:"hint,omitempty"`
	// Warning marks a problem that does not make the run incomplete.
	Warning bool `json:"warning,omitempty"`
	// RawPath and RawMember are as in Location.
	RawPath   []byte `json:"path_base64,omitempty"`
	RawMember []byte `json:"member_base64,omitempty"`
}

// A Run describes what is about to happen.
type Run struct {
	Tool    Tool      `json:"-"`
	Command string    `json:"command"`
	Targets []string  `json:"targets"`
	Started time.Time `json:"started"`
	// Account says whose keys an audit read; nil for other runs.
	Account *Account `json:"account,omitempty"`
	// Rules is the catalogue the run can report from, for writers that print it.
	Rules []Rule `json:"-"`
}

// An Account is where an audit asked, and as whom.
type Account struct {
	Workspace  string `json:"workspace,omitempty"` // as Baseten names it; empty where it does not
	Endpoint   string `json:"endpoint"`            // of the management API
	Credential string `json:"credential"`          // its prefix, and where it came from
	User       string `json:"user,omitempty"`      // whom the credential belongs to
}

// A Tool names the program.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// A Rule is the words for one kind of finding. IDs are stable and never reused.
type Rule struct {
	ID       string   `json:"id"`
	Title    string   `json:"title"`
	Text     string   `json:"text"`   // what it means; Markdown, one or more paragraphs
	Remedy   string   `json:"remedy"` // what to do; Markdown
	Severity Severity `json:"severity"`
	Tags     []string `json:"tags,omitempty"`
}

// A Summary closes a run.
type Summary struct {
	Complete bool  `json:"complete"`
	Files    int64 `json:"files"`
	Objects  int64 `json:"objects"`
	Bytes    int64 `json:"bytes"`
	Keys     int   `json:"keys,omitempty"` // of the inventory that an audit judged
	Findings int   `json:"findings"`       // that were not accepted
	// Suppressed are those that were; Unlisted is how many of them the report counts
	// and does not list, as reports once did. BelowConfidence are never listed.
	Suppressed      int           `json:"suppressed"`
	Unlisted        int           `json:"unlisted,omitempty"`
	BelowConfidence int           `json:"below_confidence"`
	Interrupted     bool          `json:"interrupted,omitempty"`
	Elapsed         time.Duration `json:"-"`
	Coverage        []Coverage    `json:"coverage,omitempty"`
	// Resolved are the findings of an earlier report that are gone.
	Resolved []Finding `json:"resolved,omitempty"`
	// Inventory and Sources are an audit's: every key it looked at, and what it
	// could ask.
	Inventory []InventoryKey `json:"inventory,omitempty"`
	Sources   []Source       `json:"sources,omitempty"`
}

// Coverage says what was scanned of one repository.
type Coverage struct {
	Repository string `json:"repository"`
	// Kinds counts the objects by kind: "blob", "commit", "tag", "tree".
	Kinds      map[string]ObjectCount `json:"objects,omitempty"`
	Packs      int                    `json:"packs"`
	Loose      int                    `json:"loose"`
	Alternates int                    `json:"alternates"`
	Refs       int                    `json:"refs"`
	Shallow    []string               `json:"shallow,omitempty"`  // boundary commits
	Missing    []string               `json:"missing,omitempty"`  // referred to, not there
	Corrupt    []string               `json:"corrupt,omitempty"`  // there, not readable
	Promised   int                    `json:"promised,omitempty"` // absent by design in a partial clone
	// PromisedIDs are the first of the promised objects, in order of their ids.
	PromisedIDs []string    `json:"promised_ids,omitempty"`
	Submodules  []Submodule `json:"submodules,omitempty"`
	// FilesOnly is set when the target is a folder in the repository: its files were
	// looked at, the history was not.
	FilesOnly bool `json:"files_only,omitempty"`
	// Scope is empty for everything, else the range or date that bounded the scan.
	Scope string `json:"scope,omitempty"`
	// Cached counts the objects that an earlier run's cache answered for.
	Cached int `json:"cached,omitempty"`
}

// ObjectCount counts the objects of one kind.
type ObjectCount struct {
	Seen    int            `json:"seen"`
	Scanned int            `json:"scanned"`
	Skipped map[string]int `json:"skipped,omitempty"` // by reason
}

// A Submodule is a link to another repository.
type Submodule struct {
	Path  string `json:"path"`
	State string `json:"state"` // "scanned" or "not initialised"
}
