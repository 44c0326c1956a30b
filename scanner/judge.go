package scanner

import (
	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/rules"
)

// judged are the keys with their final places, and how sure it is that each is one.
type judged placed

// judge raises keys of low confidence in objects whose paths are known by now: a path
// can be what makes a key likely, where nothing nearer says anything.
func judge(in placed) judged {
	for _, k := range in.keys {
		for _, p := range k.places {
			if k.confidence == finding.LowConfidence && p.silent && p.at.Blob != "" && p.at.Path != "" && p.at.Member == "" {
				if c, ok := rules.PathSpeaks(k.format, p.at.Path); ok {
					k.confidence = max(k.confidence, c)
				}
			}
		}
	}
	return judged(in)
}
