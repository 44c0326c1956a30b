package cmd

import (
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/internal/audit"
	"github.com/b10lint/b10lint/internal/config"
)

// policyFlags are the thresholds that the command line sets.
type policyFlags struct {
	unused, neverUsed, old, dormant, recent duration
	fewModels                               int
	off                                     []string
	config                                  configOptions
}

func (p *policyFlags) register(c *cobra.Command) {
	d := audit.DefaultPolicy()
	f := c.Flags()
	for _, t := range []struct {
		flag        *duration
		value       time.Duration
		name, usage string
	}{
		{&p.unused, d.UnusedAfter, "unused", "report keys without use for so long"},
		{&p.neverUsed, d.NeverUsedAfter, "never-used", "report keys that were never used and are so old"},
		{&p.old, d.OldAfter, "old", "report keys that are so old"},
		{&p.dormant, d.DormantFor, "dormant", "report keys that were silent for so long and are in use again"},
		{&p.recent, d.RecentWithin, "recent", "what counts as in use again"},
	} {
		_ = t.flag.Set(fmt.Sprintf("%dd", t.value/audit.Day))
		f.Var(t.flag, t.name, t.usage)
	}
	f.StringVar(&p.config.file, "config", "", "read the settings from this `FILE`, not from "+config.Name+" at the repository's root")
	f.BoolVar(&p.config.none, "no-config", false, "read no settings of the repository")
	c.MarkFlagsMutuallyExclusive("config", "no-config")
	f.IntVar(&p.fewModels, "few-models", d.FewModels, "report keys for every model that call at most so many")
	f.StringArrayVar(&p.off, "without", nil, "leave out this `RULE`; repeatable")
	_ = c.RegisterFlagCompletionFunc("without", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var ids []string
		for _, r := range audit.Rules() {
			ids = append(ids, r.ID)
		}
		return ids, cobra.ShellCompDirectiveNoFileComp
	})
}

// policy is that of the settings, with what the command line says in its place.
func (p *policyFlags) policy(c *cobra.Command) (audit.Policy, error) {
	p.config.noBaseline = true
	root, repository, err := config.Root(".")
	if err != nil {
		return audit.Policy{}, failed(err)
	}
	s, err := p.config.load(root, repository)
	if err != nil {
		return audit.Policy{}, err
	}
	policy := audit.Policy{NeverUsedAfter: p.neverUsed.value, RecentWithin: p.recent.value, FewModels: p.fewModels,
		Off: append(slices.Clone(s.Audit.Off), p.off...), Severity: s.Audit.Severities, Exceptions: s.Audit.Exceptions}
	for _, t := range []struct {
		to       *time.Duration
		name     string
		flag     *duration
		settings time.Duration
	}{
		{&policy.UnusedAfter, "unused", &p.unused, s.Audit.UnusedAfter}, {&policy.OldAfter, "old", &p.old, s.Audit.OldAfter},
		{&policy.DormantFor, "dormant", &p.dormant, s.Audit.DormantAfter},
	} {
		*t.to = t.flag.value
		if t.settings > 0 && !c.Flags().Changed(t.name) {
			*t.to = t.settings
		}
	}
	if err := policy.Validate(); err != nil {
		return policy, usage("thresholds look like 60d, rules are listed by: b10lint rules", "%w", err)
	}
	return policy, nil
}
