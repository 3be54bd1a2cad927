package views_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"daytwo/actions"
	"daytwo/ui"
	"daytwo/ui/uitest"
)

// TestWholeLogInThePager: a run's whole log in the person's pager, on the whole
// terminal, and the run again after it; what cannot be is said.
func TestWholeLogInThePager(t *testing.T) { // PAGER is the process's: not beside others
	pager := filepath.Join(t.TempDir(), "pager")
	script := "#!/bin/sh\necho \"PAGER $1\"\ntail -n 3 \"$2\"\nread key\necho \"$key\" >" + pager + ".key\n"
	if err := os.WriteFile(pager, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PAGER", pager+" -x")
	b := newBench(t, t.TempDir(), 120, 40, ui.Options{Color: true})
	b.upgrade()
	b.until("the end", in(actions.Done))
	term := uitest.OpenDevice(t, b.o, 120, 40)
	has := func(texts ...string) func(string) bool {
		return func(s string) bool {
			for _, x := range texts {
				if !strings.Contains(s, x) {
					return false
				}
			}
			return true
		}
	}
	term.Wait("the cockpit", has("r runs"))
	term.Keys("r")
	term.Wait("the runs", has("1 run", "enter open"))
	term.Keys("\r")
	term.Wait("the run", has("✔ done", "o whole log"))
	term.Keys("o")
	term.Wait("the pager with the end of the log", has("PAGER -x", "doing master-0/uncordon"))
	if term.Full() {
		t.Error("the pager is on the cockpit's own screen")
	}
	term.Keys("hello\r")
	term.Wait("the run again", has("✔ done", "o whole log"))
	if key, err := os.ReadFile(pager + ".key"); err != nil || string(key) != "hello\n" {
		t.Errorf("the pager was told %q (%v)", key, err)
	}
	if !term.Full() {
		t.Error("the cockpit has not its own screen")
	}
	t.Setenv("PAGER", "false")
	term.Keys("o")
	term.Wait("how it ended", has("the pager ended: exit status 1; the whole log is "))
	t.Setenv("PAGER", "no-such-pager")
	term.Keys("o")
	term.Wait("that there is none", has("no pager no-such-pager here (set PAGER); the whole log is "))
}
