package main

import (
	"log"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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

// TestTheLogDoesNotGrow: neither what years of cockpits logged nor what one
// that stays open logs fills the disk.
func TestTheLogDoesNotGrow(t *testing.T) {
	dir := t.TempDir()
	file := &logFile{path: filepath.Join(dir, "daytwo.log"), limit: 1000}
	if err := os.WriteFile(file.path, make([]byte, 900), 0o600); err != nil {
		t.Fatal(err)
	}
	file.open()
	line := []byte(strings.Repeat("x", 99) + "\n")
	for range 500 {
		if n, err := file.Write(line); n != len(line) || err != nil {
			t.Fatal(n, err)
		}
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file.path, file.path + ".1"} {
		if info, err := os.Stat(path); err != nil || info.Size() > 1000 || info.Size() == 0 {
			t.Errorf("%s: %v %v", path, info, err)
		}
	}
	if all, err := os.ReadDir(dir); err != nil || len(all) != 2 {
		t.Errorf("%d files, %v", len(all), err)
	}
}

// TestARefrainIsLoggedNowAndThen: a server that is away fails each reading
// again and again.
func TestARefrainIsLoggedNowAndThen(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	log := &sparse{Handler: slog.NewTextHandler(&b, nil), said: &said{at: map[string]time.Time{}}}
	at := time.Unix(1_800_000_000, 0)
	for n := range 130 {
		for _, of := range []string{"pods", "nodes"} {
			r := slog.NewRecord(at.Add(time.Duration(n)*time.Second), slog.LevelError, "refused", 0)
			r.AddAttrs(slog.String("of", of))
			if err := log.Handle(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := strings.Count(b.String(), "refused"); got != 6 { // at 0, 60 and 120 s, of both
		t.Errorf("logged %d times:\n%s", got, b.String())
	}
}

// TestTwoLoggersAreNoRefrain: the same words about something else are news.
func TestTwoLoggersAreNoRefrain(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	log := &sparse{Handler: slog.NewTextHandler(&b, nil), said: &said{at: map[string]time.Time{}}}
	for _, of := range []string{"pods", "nodes", "pods"} {
		h := log.WithAttrs([]slog.Attr{slog.String("of", of)})
		if err := h.Handle(t.Context(), slog.NewRecord(time.Unix(1_800_000_000, 0), slog.LevelError, "refused", 0)); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Count(b.String(), "refused"); got != 2 {
		t.Errorf("logged %d times:\n%s", got, b.String())
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
