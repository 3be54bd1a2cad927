package main

import (
	"strings"
	"testing"

	"daytwo/sources/demo"
)

// TestCordonAsARunOnTheDemoWorld: by keys alone, over the real protocols, with
// another size of terminal in the middle.
func TestCordonAsARunOnTheDemoWorld(t *testing.T) {
	_, term := onDemo(t, demo.Incident, flags{}, 120, 36)
	term.Wait("the cockpit", shows("5 of 5 ready", "kubelets 5/5"))
	term.Keys("1j")
	term.Wait("the key for the node under the cursor", shows("c cordon", "worker-0"))
	term.Keys("c")
	term.Wait("the question", shows("Cordon worker-0", "New pods stay away", "$ kubectl cordon worker-0", "enter cordon"))
	term.Keys("\r")
	term.Wait("the run at its end", shows("Cordon worker-0", "✔ done", "$ kubectl cordon worker-0", "way back kubectl uncordon worker-0", "journal saved"))
	term.Resize(80, 24)
	term.Wait("the run on a small terminal", func(s string) bool {
		return strings.Count(s, "\n") == 23 && shows("✔ done", "way back kubectl uncordon", "? help")(s)
	})
	term.Resize(120, 36)
	term.Wait("the run on a larger terminal", func(s string) bool {
		return strings.Count(s, "\n") == 35 && shows("✔ done", "way back kubectl uncordon", "? help")(s)
	})
	term.Keys("\x1b")
	term.Wait("a node that is cordoned", shows("1 cordoned", "U uncordon"))
	term.Keys("r")
	term.Wait("the list of runs", shows("Runs", "done", "Cordon worker-0", "1 of 1"))
	term.Keys("\x1b")
	term.Wait("the cockpit again", shows("U uncordon", "5 Backups"))
	term.Keys("U")
	term.Wait("the other question", shows("New pods may come to it again"))
	term.Keys("\r")
	term.Wait("the way back as a run", shows("Uncordon worker-0", "✔ done"))
	term.Keys("\x1b")
	term.Wait("a node that takes pods again", func(s string) bool { return shows("c cordon")(s) && !strings.Contains(s, "1 cordoned") })
}

// TestReadOnlyRefusesARun before anything is asked.
func TestReadOnlyRefusesARun(t *testing.T) {
	_, term := onDemo(t, demo.Incident, flags{readonly: true}, 120, 36)
	term.Wait("the cockpit", shows("5 of 5 ready"))
	term.Keys("1jc")
	term.Wait("the refusal", shows("read-only mode: cordon would change the cluster"))
}
