package main

import (
	"log"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/klog/v2"
)

// TestLibrariesWriteToTheLogFile: whatever way a library complains, it does
// not reach the terminal. Not parallel: loggers are the process's.
func TestLibrariesWriteToTheLogFile(t *testing.T) {
	dir := t.TempDir()
	say, file := openLog(dir)
	say("from %s", "daytwo")
	klog.ErrorS(nil, "from klog")
	klog.Flush()
	slog.Error("from slog")
	log.Print("from log")
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "daytwo.log"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"from daytwo", "from klog", "from slog", "from log"} {
		if !strings.Contains(string(data), want) {
			t.Errorf("the log does not have %q:\n%s", want, data)
		}
	}
}

// TestLargeLogIsSetAside: the log of years of cockpits does not
// fill the disk.
func TestLargeLogIsSetAside(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "daytwo.log")
	if err := os.WriteFile(path, make([]byte, logLimit+1), 0o600); err != nil {
		t.Fatal(err)
	}
	_, file := openLog(dir)
	defer func() { _ = file.Close() }()
	old, err := os.Stat(path + ".1")
	if err != nil {
		t.Fatal(err)
	}
	if now, err := os.Stat(path); err != nil || old.Size() != logLimit+1 || now.Size() != 0 {
		t.Errorf("%v, %v, %v", old.Size(), now, err)
	}
}

// TestFlagsGoBeforeTheConfiguration as docs/config.md says.
func TestFlagsGoBeforeTheConfiguration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte("ui:\n  theme: light\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := flags{config: path}.settings()
	if err != nil || cfg.UI.Theme != "light" || cfg.UI.ASCII || !cfg.UI.Mouse {
		t.Errorf("%+v, %v", cfg.UI, err)
	}
	cfg, err = flags{config: path, theme: "dark", ascii: true, noMouse: true}.settings()
	if err != nil || cfg.UI.Theme != "dark" || !cfg.UI.ASCII || cfg.UI.Mouse {
		t.Errorf("%+v, %v", cfg.UI, err)
	}
	t.Setenv("NO_COLOR", "1")
	if !colourless("dark") {
		t.Error("NO_COLOR is not heard")
	}
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm-256color")
	if colourless("dark") || !colourless("none") {
		t.Error("the theme none is the one without colour")
	}
}
