package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daytwo/sources/demo"
	"daytwo/ui/uitest"
)

// onDemo opens the whole program on a demo world: real sources over HTTPS,
// real rules, the real renderer on an emulated terminal.
func onDemo(t *testing.T, scenario demo.Scenario, f flags, width, height int) (*demo.World, *uitest.Terminal) {
	t.Helper()
	w, _, term := sessionOnDemo(t, scenario, f, width, height)
	return w, term
}

// sessionOnDemo is onDemo with what stands behind the screen.
func sessionOnDemo(t *testing.T, scenario demo.Scenario, f flags, width, height int) (*demo.World, *session, *uitest.Terminal) {
	t.Helper()
	t.Parallel()
	dir := t.TempDir()
	w, kubeconfig := world(t, scenario, "admin")
	f.kubeconfig, f.config, f.theme = kubeconfig, filepath.Join(dir, "config.yaml"), "dark"
	if err := os.WriteFile(f.config, []byte(w.Config()), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := f.settings()
	if err != nil {
		t.Fatal(err)
	}
	s, err := openDemoSession(t.Context(), f, cfg, dir, w, openLog)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.close(context.WithoutCancel(t.Context())) })
	o := screen(s, f, cfg)
	o.Clock = time.Now
	return w, s, uitest.Open(t, o, width, height)
}

func shows(texts ...string) func(string) bool {
	return func(screen string) bool {
		for _, s := range texts {
			if !strings.Contains(screen, s) {
				return false
			}
		}
		return true
	}
}

// TestCockpitOnTheDemoWorld walks from the cockpit to the evidence and back,
// and with UPDATE_PICTURES=1 writes the README's pictures on the way.
func TestCockpitOnTheDemoWorld(t *testing.T) {
	_, term := onDemo(t, demo.Incident, flags{}, 120, 36)
	term.Wait("the incident, worst first", shows("2 critical", "eviction in", "OOMKilled", "kubelets 5/5", "last success 31 h ago"))
	picture(t, term, "cockpit")
	term.Keys("\r")
	term.Wait("the evidence of the disk", shows("History and forecast", "image GC", "Theil", "kubectl describe node worker-0"))
	picture(t, term, "disk")
	term.Keys("\x1b")
	term.Wait("the cockpit again", shows("1 Nodes", "5 Backups"))
	term.Keys(":")
	term.Keys("worker-3")
	term.Wait("the palette's find", shows("worker-3", "node"))
	term.Keys("\x1b")
	term.Resize(80, 24)
	term.Wait("tabs on a small terminal", shows("2 critical", "Nodes", "Backups"))
}

func picture(t *testing.T, term *uitest.Terminal, name string) {
	t.Helper()
	if os.Getenv("UPDATE_PICTURES") == "" {
		return
	}
	dir := filepath.Join("docs", "pictures")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".svg"), []byte(term.SVG()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestPicturesAreThere holds that what the README shows exists and is of this
// program.
func TestPicturesAreThere(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"cockpit": "Attention", "disk": "History and forecast", "upgrade": "Order: workers first", "drain": "In the way", "run": "drained", "trail": "disk on 5 nodes", "forensics": "most of it writable layers"} {
		data, err := os.ReadFile(filepath.Join("docs", "pictures", name+".svg"))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(data), text) {
			t.Errorf("%s.svg does not show %q", name, text)
		}
	}
}

// TestTheServerGoesAndComesBack is the bad night: the picture stays, marked,
// and comes back without a key press, also when the server's history is new.
func TestTheServerGoesAndComesBack(t *testing.T) {
	w, term := onDemo(t, demo.Incident, flags{}, 120, 40)
	term.Wait("the first picture", shows("kubelets 5/5", "worker-0"))
	lift := w.Fault(demo.Fault{Hang: true})
	w.CloseWatches()
	term.Wait("a stale picture that stays", func(s string) bool {
		return shows("does not answer", "worker-0", "worker-3")(s)
	})
	lift()
	w.RestartHistory()
	term.Wait("the picture without the warning", func(s string) bool {
		return !strings.Contains(s, "does not answer") && shows("5 of 5 ready", "kubelets 5/5")(s)
	})
}

func TestTheEmptyWorldSaysWhatEmptyMeans(t *testing.T) {
	_, term := onDemo(t, demo.Empty, flags{}, 120, 40)
	term.Wait("words for what is not there", shows("no CronJob looks like a backup", "1 of 1 ready"))
}
