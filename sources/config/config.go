package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"daytwo/sources"
)

// Config is the configuration file's content.
type Config struct {
	UI       UI
	general  []setting
	clusters map[string][]setting
}

// UI is how the cockpit looks.
type UI struct {
	Theme string // auto, dark, light or none
	ASCII bool   // draw with ASCII only
	Mouse bool   // take the mouse from the terminal
}

// setting changes one value of the settings.
type setting func(*sources.Settings)

// Default is the configuration without a file.
func Default() Config { return Config{UI: UI{Theme: "auto", Mouse: true}} }

// Settings are the limits and backups for one cluster, by its kubeconfig
// context: the checklist's, changed by the file's general part, changed by
// what the file says of this cluster.
func (c Config) Settings(cluster string) sources.Settings {
	s := sources.DefaultSettings()
	for _, set := range c.general {
		set(&s)
	}
	for _, set := range c.clusters[cluster] {
		set(&s)
	}
	return s
}

// DefaultPath is $XDG_CONFIG_HOME/daytwo/config.yaml, or below ~/.config (XDG
// Base Directory Specification 0.8; a relative path is ignored, as it says).
func DefaultPath() (string, error) {
	base := os.Getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(base) {
		home, err := os.UserHomeDir()
		if err != nil || !filepath.IsAbs(home) {
			return "", errors.New("no place for the configuration is known, neither XDG_CONFIG_HOME nor HOME is set to a full path; name a file with --config")
		}
		base = filepath.Join(home, ".config")
	}
	return filepath.Join(base, "daytwo", "config.yaml"), nil
}

// largest is more than any sensible configuration has, in bytes.
const largest = 64 << 10

// Load reads a file; "" is the default one, which may be absent. All that is
// wrong with it is told at once: the error is an Errors where the file could
// be read.
func Load(path string) (Config, error) {
	named := path != ""
	if !named {
		var err error
		if path, err = DefaultPath(); err != nil {
			return Default(), nil //nolint:nilerr // nowhere to look is the same as no file
		}
	}
	text, err := read(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !named:
		return Default(), nil
	case errors.Is(err, fs.ErrNotExist):
		return Default(), fmt.Errorf("there is no configuration file %s; make one with daytwo init, or leave --config out: %w", path, fs.ErrNotExist)
	case err != nil:
		return Default(), err
	}
	return Parse(path, text)
}

func read(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration file: %w", err)
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, largest+1))
	if err != nil {
		return nil, fmt.Errorf("reading the configuration file: %w", err)
	}
	return text, nil
}
