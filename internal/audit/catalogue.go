package audit

import "github.com/b10lint/b10lint/finding"

// A check is one policy: its words, and the function that looks for it.
type check struct {
	rule func() finding.Rule
	find func(*view, *key, Policy) (hit, bool)
}

func checks() []check {
	return []check{
		{KeyLeaked, keyLeaked},
		{KeyDormantThenUsed, keyDormantThenUsed},
		{KeyOrphaned, keyOrphaned},
		{KeyOverprivileged, keyOverprivileged},
		{KeyPersonalAutomation, keyPersonalAutomation},
		{KeyNeverUsed, keyNeverUsed},
		{KeyUnused, keyUnused},
		{KeyOld, keyOld},
		{KeyDuplicateName, keyDuplicateName},
		{KeyUnnamed, keyUnnamed},
		{KeyLegacyFormat, keyLegacyFormat},
	}
}

// Rules returns the words of every policy, in a fixed order.
func Rules() []finding.Rule {
	var list []finding.Rule
	for _, c := range checks() {
		list = append(list, c.rule())
	}
	return list
}

func ruleIDs() []string {
	var ids []string
	for _, r := range Rules() {
		ids = append(ids, r.ID)
	}
	return ids
}
