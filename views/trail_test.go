package views_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"daytwo/actions/trail"
	"daytwo/sources"
	"daytwo/ui"
	"daytwo/ui/uitest"
	"daytwo/views"
)

// answers are machines and a cluster that say what they are told to.
type answers struct{}

func (answers) Kubectl(_ context.Context, args []string, out io.Writer) error {
	_, err := io.WriteString(out, "NAMESPACE   NAME              READY   STATUS\nshop        api-9v2ld         1/1     Running\n"+strings.Repeat("shop        worker-x          1/1     Running\n", len(args)))
	return err
}

func (answers) Host(node string) sources.Host { return answering{node: node} }

type answering struct {
	sources.Host

	node string
}

func (a answering) Run(ctx context.Context, c sources.Command) error {
	switch {
	case a.node == "worker-1":
		return errors.New("dialling worker-1: dial tcp 10.0.0.4:22: connect: no route to host")
	case a.node == "worker-2" && strings.HasPrefix(c.Line, "journalctl"):
		<-ctx.Done()
		return ctx.Err()
	case a.node == "worker-3":
		_, _ = io.WriteString(c.Stderr, "df: /mnt: Stale file handle\n")
		return &sources.ExitError{Host: a.node, Line: c.Line, Code: 1}
	}
	_, _ = io.WriteString(c.Stdout, "Filesystem  Size  Used Avail Use% Mounted on\n/dev/sda1   300G  276G   24G  92% /\x1b[2J\x1b]0;pwned\x07\n")
	return nil
}

// trailed opens the trail on worker-0, or on the cluster.
func trailed(t *testing.T, width, height int, last **trail.Fan, keys ...string) *uitest.Driver {
	t.Helper()
	kit := trail.Kit{
		Kubectl: answers{}, Hosts: answers{}, Clock: uitest.Start, Dir: t.TempDir(),
		Check: func([]string) error { return nil },
		Own: []sources.TrailCommand{
			{Name: "who is here", Command: "w -h; last -5", Node: true},
			{Name: "events", Command: "kubectl get events -A"},
			{Name: "piped", Command: "kubectl get pods -A | grep api"},
		},
	}
	w := views.Trail{Kit: kit, Start: func(l trail.Line, nodes []sources.Node) *trail.Fan {
		fan := kit.Start(t.Context(), l, nodes)
		*last = fan
		if l.Name != "journal" {
			fan.Wait()
		}
		for fan.Stands()[0].State == trail.Waiting {
			<-fan.Changed()
		}
		t.Cleanup(fan.Close)
		return fan
	}}
	o := ui.Options{Color: true, Tools: []func(ui.Frame, sources.Ref) []ui.Command{w.Tool}}
	d, _ := open(t, width, height, o, world.incident)
	d.Press(keys...)
	return d
}

func TestTrailScreens(t *testing.T) {
	t.Parallel()
	for _, size := range sizes() {
		t.Run(size.name, func(t *testing.T) {
			t.Parallel()
			d := trailed(t, size.width, size.height, new(*trail.Fan), "t", "down", "down")
			d.Golden("trail-" + size.name)
			d.Press("a", "enter")
			d.Golden("trail-nodes-" + size.name)
			d.Press("down", "enter")
			d.Golden("trail-output-" + size.name)
			d.Press("esc", "esc", "down", "down", "down", "enter")
			d.Golden("trail-confirm-" + size.name)
		})
	}
}

// TestTrailChoosesNodes by marks: the one it was opened on, some, all.
func TestTrailChoosesNodes(t *testing.T) {
	t.Parallel()
	d := trailed(t, 120, 40, new(*trail.Fan), "1", "down", "t", "down", "down")
	d.See("On 1 node: worker-0", "1 of 5 marked")
	d.Press("tab", "down", "down", "space")
	d.See("On 2 nodes: worker-0, worker-2", "tab choose command")
	d.Press("a")
	d.See("On 5 nodes", "a only worker-0")
	d.Press("a", "up", "up", "space")
	d.See("no node is marked")
	d.Press("enter")
	d.See("run: no node is marked")
}

// TestTrailOutputIsHarmless: what a machine says moves nothing on the screen.
func TestTrailOutputIsHarmless(t *testing.T) {
	t.Parallel()
	d := trailed(t, 120, 40, new(*trail.Fan), "1", "down", "t", "down", "down", "enter")
	d.See("$ ssh worker-0 'df -h'", "276G", "disk worker-0", "done")
	if styled := d.Styled(); strings.Contains(styled, "\x1b[2J") || strings.Contains(styled, "pwned") {
		t.Errorf("an escape came through: %q", styled)
	}
}

// TestTrailIsStopped by its key, or by leaving.
func TestTrailIsStopped(t *testing.T) {
	t.Parallel()
	var last *trail.Fan
	d := trailed(t, 120, 40, &last, "t", "down", "down", "down", "down", "tab", "space", "down", "down", "space", "enter")
	d.See("$ ssh worker-2", "running")
	d.Press("x")
	last.Wait()
	d.Advance(time.Second)
	d.See("-- daytwo: cancelled", "cancelled")
}
