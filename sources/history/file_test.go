package history_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"daytwo/sources"
	"daytwo/sources/history"
)

func TestTwoHandlesWriteAtOnce(t *testing.T) {
	t.Parallel()
	c, dir := newClock(), t.TempDir()
	var wg sync.WaitGroup
	for i := range 2 {
		h := open(t, dir, c)
		wg.Go(func() {
			for n := range 40 {
				samples := []sources.Sample{
					{At: noon().Add(-time.Duration(n) * time.Minute), Series: "disk.used/both", Value: 1},
					{At: noon().Add(-time.Duration(n) * time.Minute), Series: fmt.Sprintf("disk.used/%d-%d", i, n%5), Value: 1},
				}
				if err := h.Add(context.Background(), samples); err != nil {
					t.Error(err)
				}
				if n%10 == 0 {
					if err := h.Thin(context.Background(), noon()); err != nil {
						t.Error(err)
					}
				}
				if _, err := h.Load(context.Background(), noon()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	h := open(t, dir, c)
	if got := history.Stored(t, h, "disk.used/both"); len(got) != 40 {
		t.Errorf("%d of 40 samples of both", len(got))
	}
	for _, s := range []string{"disk.used/0-3", "disk.used/1-4"} {
		if got := history.Stored(t, h, s); len(got) != 8 {
			t.Errorf("%s: %d of 8", s, len(got))
		}
	}
}

// TestMain lets the test binary be a second process that writes until it is
// killed, see TestSurvivesKill.
func TestMain(m *testing.M) {
	if dir := os.Getenv("DAYTWO_TEST_WRITE_TO"); dir != "" {
		_, _ = fmt.Fprintln(os.Stderr, writeForever(dir))
		return
	}
	m.Run()
}

func writeForever(dir string) error {
	ctx := context.Background()
	h, err := history.Open(ctx, history.Options{Dir: dir, Clock: noon})
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		at := noon().Add(-48 * time.Hour).Add(time.Duration(n) * time.Second)
		var samples []sources.Sample
		for i := range 50 {
			samples = append(samples, sources.Sample{At: at, Series: fmt.Sprintf("disk.used/%d", i), Value: float64(n)})
		}
		if err := h.Add(ctx, samples); err != nil {
			return err
		}
		_, _ = fmt.Fprintln(os.Stdout, n)
	}
}

func TestSurvivesKill(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c, dir := newClock(), t.TempDir()
	h := open(t, dir, c)
	said := 0
	for range 3 {
		child := exec.CommandContext(t.Context(), self)
		child.Env = append(os.Environ(), "DAYTWO_TEST_WRITE_TO="+dir)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := 0
		for s := bufio.NewScanner(out); s.Scan(); lines++ {
			if lines == 40 { // it goes on writing until the signal comes
				if err := child.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		_ = child.Wait()
		said = max(said, lines)
		add(t, h, sources.Sample{At: noon(), Series: "disk.used/parent", Value: 1})
	}
	if said < 40 {
		t.Fatalf("the child wrote only %d times", said)
	}
	for i := range 50 {
		if got := history.Stored(t, h, fmt.Sprintf("disk.used/%d", i)); len(got) < said {
			t.Errorf("series %d has %d samples, the child had said %d", i, len(got), said)
		}
	}
	history.CheckIntegrity(t, h)
}

func TestADamagedFileIsSetAside(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func([]byte) []byte{
		"no database": func([]byte) []byte { return []byte(strings.Repeat("not a database. ", 1000)) },
		"half zero":   func(b []byte) []byte { clear(b[1000:]); return b },
		"cut":         func(b []byte) []byte { return b[:len(b)/2+100] },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, dir, book := newClock(), t.TempDir(), &logbook{}
			path := filepath.Join(dir, history.FileName)
			first := open(t, dir, c)
			for i := range 200 {
				add(t, first, every(fmt.Sprintf("disk.used/%d", i), noon().Add(-time.Hour), noon(), time.Minute, func(time.Time) float64 { return 1 })...)
			}
			if err := first.Close(); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, spoil(b), 0o600); err != nil {
				t.Fatal(err)
			}
			h, err := history.Open(t.Context(), history.Options{Dir: dir, Clock: c.now, Log: book.log})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = h.Close() }()
			if past := load(t, h, noon()); len(past.Series) > 0 {
				t.Errorf("%d series were read from a damaged file", len(past.Series))
			}
			add(t, h, sources.Sample{At: noon(), Series: "disk.used/new", Value: 2})
			aside := path + ".corrupt-" + noon().UTC().Format("20060102-150405")
			if _, err := os.Stat(aside); err != nil {
				t.Error(err)
			}
			if !strings.Contains(h.Damaged(), aside) || !strings.Contains(book.text(), aside) {
				t.Errorf("nobody is told: %q, log %q", h.Damaged(), book.text())
			}
			if err := h.Trouble(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOpenNeverFails(t *testing.T) {
	t.Parallel()
	c := newClock()
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{"": "XDG_STATE_HOME", filepath.Join(blocked, "prod"): "the state folder cannot be used"} {
		book := &logbook{}
		h, err := history.Open(t.Context(), history.Options{Dir: dir, Clock: c.now, Log: book.log})
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Trouble(); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "memory") {
			t.Errorf("%q: trouble is %v", dir, err)
		}
		if !strings.Contains(book.text(), want) {
			t.Errorf("%q: log is %q", dir, book.text())
		}
		if err := h.Add(t.Context(), []sources.Sample{{At: noon(), Series: "cpu/a", Value: 1}}); err == nil {
			t.Errorf("%q: Add says that it kept samples", dir)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := history.Open(ended, history.Options{Dir: t.TempDir()}); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
}

func TestAFileOfALaterVersionIsLeftAlone(t *testing.T) {
	t.Parallel()
	c, dir := newClock(), t.TempDir()
	h := open(t, dir, c)
	history.Exec(t, h, "PRAGMA user_version = 99")
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	later := open(t, dir, c)
	if err := later.Trouble(); err == nil || !strings.Contains(err.Error(), "newer daytwo") {
		t.Errorf("trouble is %v", err)
	}
	if found, _ := filepath.Glob(filepath.Join(dir, "*corrupt*")); len(found) > 0 {
		t.Errorf("it was set aside: %v", found)
	}
}

func TestFolderNames(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", "/state")
	seen := map[string]string{}
	for _, cluster := range []string{
		"prod-fsn1", "", ".", "..", "../../etc", "a/b", "a_b", "a\x00b", "Prod", "prod", "arn:aws:eks:eu:1:cluster/x",
		strings.Repeat("x", 300), strings.Repeat("x", 301), "é", "daytwo.log", "-rf", "user@kube",
	} {
		dir, err := history.Dir(cluster, "")
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(dir)
		if filepath.Dir(dir) != "/state/daytwo" || name == "daytwo" || strings.HasPrefix(name, ".") || len(name) > 80 || name == "daytwo.log" {
			t.Errorf("%q lives in %s", cluster, dir)
		}
		if other, ok := seen[strings.ToLower(name)]; ok {
			t.Errorf("%q and %q share %s", cluster, other, name)
		}
		seen[strings.ToLower(name)] = cluster
	}
	if dir, _ := history.Dir("prod-fsn1", ""); dir != "/state/daytwo/prod-fsn1" {
		t.Errorf("a plain name became %s", dir)
	}
	one, _ := history.Dir("default", "the CA of one cluster")
	other, _ := history.Dir("default", "the CA of another")
	if again, _ := history.Dir("default", "the CA of one cluster"); one == other || one != again {
		t.Errorf("two clusters of one name live in %s and %s", one, other)
	}
	t.Setenv("XDG_STATE_HOME", "relative")
	t.Setenv("HOME", "/home/x")
	if dir, err := history.Dir("prod", ""); err != nil || dir != "/home/x/.local/state/daytwo/prod" {
		t.Errorf("without XDG_STATE_HOME: %s %v", dir, err)
	}
	t.Setenv("HOME", "")
	if _, err := history.Dir("prod", ""); err == nil {
		t.Error("without HOME there is a folder")
	}
}
