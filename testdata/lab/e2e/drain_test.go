//go:build lab

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daytwolab/e2e/labenv"
)

// crowd is a Deployment whose pods all stand on one node when its drain begins.
type crowd struct {
	name     string
	replicas int
	budget   bool   // maxUnavailable 1
	node     string // where they stand
	others   []string
}

// shadow reports that the node exists in the API alone.
func (w crowd) shadow() bool { return strings.HasPrefix(w.node, "kwok-") }

// place is where the pods may stand and how they end. On nodes that exist in
// the API alone they end at once: KWOK takes from 10 to 40 s for that, now this
// and now that, which would be all that is measured.
func (w crowd) place() string {
	if !w.shadow() {
		return `
      terminationGracePeriodSeconds: 5`
	}
	return `
      terminationGracePeriodSeconds: 0
      nodeSelector: {type: kwok}
      tolerations: [{key: kwok.x-k8s.io/node, operator: Exists}]`
}

func (w crowd) objects() string {
	text := fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata: {name: crowd, namespace: default}
spec:
  replicas: %d
  selector: {matchLabels: {app: crowd}}
  template:
    metadata: {labels: {app: crowd}}
    spec:%s
      containers:
      - name: web
        image: docker.io/lab/web:1.4.2
        args: [serve, ":8080"]
        readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
`, w.replicas, w.place())
	if w.budget {
		text += `---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: crowd, namespace: default}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: crowd}}}
`
	}
	return text
}

// TestDrainAgainstKubectl: the same pods leave the same node by kubectl and by
// the wizard's keys, in turn; how long each took is logged.
func TestDrainAgainstKubectl(t *testing.T) {
	lab := labenv.Find(t)
	o := newOperator(t, lab)
	o.prepare()
	c := o.cockpit()
	o.byKubectl("worker-0") // what always runs there goes before anything is measured
	lab.Run(t, lab.AsAdmin("uncordon", "worker-0")...)
	others := []string{"master-0", "worker-1", "worker-2"}
	for _, w := range []crowd{
		{"10 pods, no budget", 10, false, "worker-0", others},
		{"6 replicas, maxUnavailable 1", 6, true, "worker-0", others},
	} {
		o.race(c, w)
	}
}

// TestDrainOfManyPodsAgainstKubectl: as many as this machine could not run, on
// nodes whose pods run in the API alone.
func TestDrainOfManyPodsAgainstKubectl(t *testing.T) {
	lab := labenv.Find(t)
	lab.Scale(t, 3)
	o := newOperator(t, lab)
	o.prepare()
	c := o.opens("● kwok-0000", "data/mariad")
	others := []string{"kwok-0001", "kwok-0002"}
	for _, w := range []crowd{
		{"30 pods on KWOK, no budget", 30, false, "kwok-0000", others},
		{"100 pods on KWOK, no budget", 100, false, "kwok-0000", others},
	} {
		o.race(c, w)
	}
}

// race drains the same crowd by kubectl and then by the wizard's keys.
func (o operator) race(c cockpit, w crowd) {
	o.t.Helper()
	o.gather(w)
	theirs := o.byKubectl(w.node)
	o.scatter(w)
	o.gather(w)
	ours := o.byKeys(c, w)
	o.scatter(w)
	o.t.Logf("drain of %s: daytwo %v, kubectl %v, ratio %.2f", w.name, ours, theirs, ours.Seconds()/theirs.Seconds())
}

// gather starts a crowd on its node and opens the other nodes again.
func (o operator) gather(w crowd) {
	o.t.Helper()
	file := filepath.Join(o.t.TempDir(), "crowd.yaml")
	if err := os.WriteFile(file, []byte(w.objects()), 0o600); err != nil {
		o.t.Fatal(err)
	}
	o.lab.Run(o.t, o.lab.AsAdmin(append([]string{"cordon"}, w.others...)...)...)
	o.t.Cleanup(func() {
		ctx := context.WithoutCancel(o.t.Context())
		_, _ = o.lab.Try(ctx, o.lab.AsAdmin("delete", "-f", file, "--ignore-not-found")...)
		_, _ = o.lab.Try(ctx, o.lab.AsAdmin(append([]string{"uncordon", w.node}, w.others...)...)...)
	})
	o.lab.Run(o.t, o.lab.AsAdmin("apply", "-f", file)...)
	if !w.shadow() { // pods there are ready when KWOK says so, which nobody needs
		o.lab.Run(o.t, o.lab.AsAdmin("rollout", "status", "deployment/crowd", "--timeout=180s")...)
	}
	labenv.Eventually(o.t, patience, "the crowd stands on "+w.node, func(ctx context.Context) error {
		got, err := o.crowdOn(ctx, w.node)
		if err == nil && got != w.replicas {
			err = fmt.Errorf("%d of its %d pods", got, w.replicas)
		}
		return err
	})
	o.lab.Run(o.t, o.lab.AsAdmin(append([]string{"uncordon"}, w.others...)...)...)
	if w.budget {
		labenv.Eventually(o.t, patience, "the budget is counted", func(ctx context.Context) error {
			out, err := o.lab.Try(ctx, o.lab.AsAdmin("get", "pdb", "crowd", "-o", "jsonpath={.status.disruptionsAllowed}")...)
			if err == nil && out != "1" {
				err = fmt.Errorf("allowed are %q", out)
			}
			return err
		})
	}
}

// scatter removes the crowd and opens its node again.
func (o operator) scatter(w crowd) {
	o.t.Helper()
	o.lab.Run(o.t, o.lab.AsAdmin("delete", "deployment,pdb", "crowd", "--ignore-not-found")...)
	o.lab.Run(o.t, o.lab.AsAdmin("wait", "--for=delete", "pod", "-l", "app=crowd", "--timeout=120s")...)
	o.lab.Run(o.t, o.lab.AsAdmin("uncordon", w.node)...)
}

func (o operator) crowdOn(ctx context.Context, node string) (int, error) {
	out, err := o.lab.Try(ctx, o.lab.AsAdmin("get", "pods", "-l", "app=crowd", "--field-selector", "spec.nodeName="+node, "-o", "name")...)
	return len(strings.Fields(out)), err
}

// byKubectl is how long kubectl takes to drain a node.
func (o operator) byKubectl(node string) time.Duration {
	o.t.Helper()
	began := time.Now()
	o.lab.Run(o.t, o.lab.AsAdmin("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=240s")...)
	return time.Since(began)
}

// byKeys drains the crowd's node in the cockpit, and is how long the run took
// by its own journal, from the plan's confirmation to its end.
func (o operator) byKeys(c cockpit, w crowd) time.Duration {
	o.t.Helper()
	before := o.files("runs", "*", "journal.jsonl")
	c.press("1\r", "─ Nodes ─")
	c.press("/"+w.node+"\r", w.node, "1 of ")
	c.press("d", "Plan: drain "+w.node, "ready to start")
	c.press("\r", "type "+w.node+" to drain")
	c.press(w.node+"\r", "Drain "+w.node, "✔ done", "way back kubectl uncordon "+w.node)
	left, err := o.crowdOn(o.t.Context(), w.node)
	if err != nil {
		o.t.Fatal(err)
	}
	if left > 0 {
		o.t.Errorf("%d pods of the crowd are still on %s", left, w.node)
	}
	if n := strings.Count(o.log(), " evicted\n"); n < w.replicas {
		o.t.Errorf("the log tells of %d evicted pods, want %d at least:\n%s", n, w.replicas, o.log())
	}
	if !strings.Contains(o.log(), "node/"+w.node+" drained") {
		o.t.Errorf("the log does not end in kubectl's words:\n%s", o.log())
	}
	after := o.files("runs", "*", "journal.jsonl")
	if len(after) != len(before)+1 {
		o.t.Fatalf("journals %v, were %v", after, before)
	}
	c.home()
	return o.took(after[len(after)-1])
}

// took is the time between a journal's first entry and its last.
func (o operator) took(journal string) time.Duration {
	o.t.Helper()
	text, err := os.ReadFile(journal)
	if err != nil {
		o.t.Fatal(err)
	}
	var times []time.Time
	for line := range bytes.Lines(text) {
		var entry struct{ At time.Time }
		if err := json.Unmarshal(line, &entry); err != nil {
			o.t.Fatalf("%v in %s", err, line)
		}
		times = append(times, entry.At)
	}
	if len(times) < 2 {
		o.t.Fatalf("%s tells of no run: %s", journal, text)
	}
	return times[len(times)-1].Sub(times[0])
}
