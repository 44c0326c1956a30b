//go:build !amd64

package rules

import "testing"

// eachForm runs a test with every form of the sweep.
func eachForm(t *testing.T, test func(t *testing.T)) { test(t) }
