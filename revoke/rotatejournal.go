package revoke

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
)

// BeginRotation makes a rotation's journal in a folder, where it bears the key's
// prefix: of one key there is one rotation at a time. An unfinished one is an
// *UnfinishedError. The sink was asked whether it is ready; nothing is sent yet.
func BeginRotation(ctx context.Context, dir string, p *RotationPlan, o RotateOptions) (*Rotation, error) {
	if err := o.Sink.Ready(ctx); err != nil {
		return nil, fmt.Errorf("the new key could not be delivered, so none is made: %w", err)
	}
	for n := 1; ; n++ {
		path := filepath.Join(dir, "rotate-"+url.PathEscape(p.Old.Prefix)+".jsonl")
		if n > 1 {
			path = filepath.Join(dir, fmt.Sprintf("rotate-%s-%d.jsonl", url.PathEscape(p.Old.Prefix), n))
		}
		j, err := newJournal(path, kindRotate, rotationBegun{p, o.Credential}, o.Clock, o.point)
		if errors.Is(err, fs.ErrExist) {
			if err := over(path); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		return &Rotation{plan: p, journal: j, o: o}, nil
	}
}

// An UnfinishedError names the journal of a rotation that is not over.
type UnfinishedError struct{ Path string }

// Error says how to go on.
func (e *UnfinishedError) Error() string {
	return "a rotation of this key was begun and is not over: " + e.Path
}

// over returns nil if an earlier journal has come to its end, or never begun.
func over(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	records, _, err := parseJournal(data)
	if err == nil && len(records) == 0 {
		// A crash cut off the first record; or another run is just writing it.
		f, err := openExclusive(path, false)
		if err != nil {
			return err
		}
		return errors.Join(os.Remove(path), f.Close())
	}
	if err == nil && slices.ContainsFunc(records, func(r Record) bool { return r.Step == StepEnd }) {
		return nil
	}
	return &UnfinishedError{path}
}

// ReadRotation returns the plan of a rotation's journal, so that its sink can be
// made again.
func ReadRotation(path string) (*RotationPlan, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	records, _, err := parseJournal(data)
	if err == nil && (len(records) == 0 || records[0].Kind != kindRotate) {
		err = errors.New("this is no journal of a rotation")
	}
	var b rotationBegun
	if err == nil {
		err = json.Unmarshal(records[0].Data, &b)
	}
	if err == nil && (b.Rotation == nil || b.Rotation.Old.Prefix == "") {
		err = errors.New("it holds no plan")
	}
	if err != nil {
		return nil, fmt.Errorf("journal %s: %w", path, err)
	}
	return b.Rotation, nil
}

// ResumeRotation opens a journal to finish what an earlier run began. The
// options' Sink has to be the one that the journal's plan names.
func ResumeRotation(path string, o RotateOptions) (*Rotation, error) {
	p, err := ReadRotation(path)
	if err != nil {
		return nil, err
	}
	j, err := openJournal(path, kindRotate, o.Clock, o.point)
	if err != nil {
		return nil, err
	}
	r := &Rotation{plan: p, journal: j, o: o}
	r.plan.Self = p.Old.Prefix == o.Self && o.Self != ""
	for _, record := range j.Records() {
		r.take(record)
	}
	return r, nil
}
