package cmd

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A duration is a flag that takes days and weeks beside what Go's durations have.
// A day is 24 hours.
type duration struct {
	value time.Duration
	text  string
}

func (d *duration) String() string { return d.text }
func (d *duration) Type() string   { return "DURATION" }

// Set takes 90d, 2w, 12h, 1h30m.
func (d *duration) Set(s string) error {
	value, err := time.ParseDuration(s)
	for unit, length := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if number, ok := strings.CutSuffix(s, unit); ok {
			var n int
			if n, err = strconv.Atoi(number); err == nil && n <= 100_000 {
				value = time.Duration(n) * length
			}
		}
	}
	if err != nil || value <= 0 {
		return fmt.Errorf("%q is not a span of time: write 90d, 2w or 12h", s)
	}
	d.value, d.text = value, s
	return nil
}
