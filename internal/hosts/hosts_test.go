package hosts_test

import (
	"testing"

	"github.com/b10lint/b10lint/internal/hosts"
)

func TestHosts(t *testing.T) {
	for host, want := range map[string][3]bool{ // takes keys, Baseten's, loopback
		"api.baseten.co": {true, true, false}, "Model-1.API.baseten.co": {true, true, false}, "docs.baseten.co": {false, true, false},
		"BASETEN.co.": {false, true, false}, "xbaseten.co": {}, "a.b.api.baseten.co": {false, true, false}, "-x.api.baseten.co": {false, true, false},
		"localhost": {false, false, true}, "LOCALHOST.": {false, false, true}, "api.localhost": {false, false, true}, "::1": {false, false, true},
		"127.9.9.9": {false, false, true}, "127.0.0.1.evil.example": {}, "localhost.evil.example": {}, "10.0.0.1": {}, "": {},
	} {
		if got := [3]bool{hosts.TakesKeys(host), hosts.IsBaseten(host), hosts.IsLoopback(host)}; got != want {
			t.Errorf("%q: %v, want %v", host, got, want)
		}
	}
}
