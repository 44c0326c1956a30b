package cmd

import (
	"errors"

	"github.com/b10lint/b10lint/config"
)

func configAt(root, revision string) (*config.Config, error) { return nil, errors.New(root + revision) }
