package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"daytwo/actions"
	"daytwo/actions/forensics"
	"daytwo/sources/demo"
)

// TestForensicsKilledAtEveryEntry is TestKilledAtEveryEntry for the forensics
// of a full disk and for each clean-up: the account adds up all the same, and
// each frees what was promised, counted from before the first death.
func TestForensicsKilledAtEveryEntry(t *testing.T) {
	t.Parallel()
	t.Run("a full disk", func(t *testing.T) {
		t.Parallel()
		c := newKilling(t, demo.Incident, 1, "worker-0") // in a hurry it would fill faster than the clean-ups free
		c.killed(t, forensics.InspectKind, 24)
		v := verdictIn(t, c.newest(t))
		if root, ok := v.Root(); !ok || root.Sum() != root.Mount.Used || len(v.Unknown) > 0 {
			t.Errorf("the account adds up to %d of %d, unknown %v", root.Sum(), root.Mount.Used, v.Unknown)
		}
		for _, what := range []forensics.What{forensics.CleanJournal, forensics.CleanApt, forensics.CleanBundles, forensics.CleanImages} {
			c.killed(t, cleaning(what), 3)
			if said, got := saidFrees(t, v, what), c.freed(t); math.Abs(got-said) > 0.02*said {
				t.Errorf("the clean-up of %s freed %.0f, and %.0f were promised", what, got, said)
			}
		}
	})
	t.Run("finished pods", func(t *testing.T) {
		t.Parallel()
		c := newKilling(t, demo.Incident, 1, "worker-3")
		before := c.finished(t)
		c.killed(t, cleaning(forensics.CleanPods), crashPods+3)
		if left := c.finished(t); left != before-crashPods || c.freed(t) <= 0 {
			t.Errorf("%d of %d pods are left, %.0f freed", left, before, c.freed(t))
		}
		c.once(t, map[string]int{"patch": 0, "evict": crashPods})
	})
}

// crashPods is how many of the finished pods are deleted.
const crashPods = 2

func cleaning(what forensics.What) actions.Kind {
	return actions.Kind(string(forensics.CleanKind) + " " + string(what))
}

// finished counts the pods on the node that are over without having failed.
func (c *killing) finished(t *testing.T) int {
	t.Helper()
	list, err := admin(t, c.w).CoreV1().Pods("").List(t.Context(), metav1.ListOptions{
		FieldSelector: "spec.nodeName=" + c.node + ",status.phase=" + string(core.PodSucceeded),
	})
	if err != nil {
		t.Fatal(err)
	}
	return len(list.Items)
}

// freed is what df says that the newest run freed.
func (c *killing) freed(t *testing.T) float64 {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(c.newest(t), "freed.json"))
	if err != nil {
		t.Fatal(err)
	}
	var f forensics.Freed
	if err := json.Unmarshal(raw, &f); err != nil {
		t.Fatal(err)
	}
	return float64(f.Before.Used - f.After.Used)
}

func crashingForensics(t *testing.T, s *session, node string) *forensics.Inspection {
	t.Helper()
	(&upgrading{t: t, s: s}).settled()
	for s.store.Snapshot().Pods.At.IsZero() {
		select {
		case <-s.store.Changed():
		case <-t.Context().Done():
			t.Fatal("no pods")
		}
	}
	return forensics.Inspect(s.looks(), s.store.Snapshot(), node)
}

// crashingCleanup is one that the newest forensics suggests; that of finished
// pods takes no look at the disk.
func crashingCleanup(t *testing.T, s *session, node string, what forensics.What) actions.Action {
	t.Helper()
	if what == forensics.CleanPods {
		return forensics.Cleanup{Node: node, What: what, Pods: crashingForensics(t, s, node).Picture.Finished[:crashPods]}.With(s.looks())
	}
	i := slices.IndexFunc(s.runner.Runs(), func(r actions.Run) bool { return r.Kind == forensics.InspectKind })
	return suggested(t, verdictIn(t, s.runner.Runs()[i].Dir), what).Cleanup.With(s.looks())
}
