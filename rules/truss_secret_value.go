package rules

import "github.com/b10lint/b10lint/finding"

// TrussSecretValue is the rule for a value under secrets: in a truss's config.yaml.
func TrussSecretValue() finding.Rule {
	return finding.Rule{
		ID:       "truss-secret-value",
		Title:    "A secret's value stands in config.yaml",
		Severity: finding.High,
		Tags:     []string{"security", "truss", "baseten"},
		Text: "The `secrets` map of config.yaml names the secrets that a model needs; the values live in the workspace. A value written there is uploaded with the truss, " +
			"once in the archive and once as text, and everyone in the workspace can download it.",
		Remedy: "Store the value in the workspace's secrets, leave `name: null` in config.yaml, and read it in the model from `self._secrets`. When the truss was pushed, replace the secret.",
	}
}
