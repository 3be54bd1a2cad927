package ssh_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"daytwo/sources"
	"daytwo/sources/demo"
	"daytwo/sources/ssh"
)

// demoFleet is the way to the demo's machines, by their own ssh_config.
func demoFleet(t *testing.T) (*demo.World, *ssh.Fleet, string) {
	t.Helper()
	world, err := demo.Start(t.Context(), demo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = world.Close() })
	machines, err := world.SSH()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file, err := machines.Write(dir)
	if err != nil {
		t.Fatal(err)
	}
	f := ssh.New(t.Context(), ssh.Options{
		Home: dir, ConfigFiles: []string{file}, Log: t.Logf,
		Nodes: func() []sources.Node { return []sources.Node{{Name: "worker-0"}, {Name: "worker-1"}} },
	})
	t.Cleanup(f.Close)
	return world, f, dir
}

func TestUnitOnTheDemoWorld(t *testing.T) {
	t.Parallel()
	world, f, _ := demoFleet(t)
	h := f.Host("worker-0")
	unit := sources.Unit{Name: "daytwo-7-swap", Script: "for i in 1 2 3 4 5 6; do echo line $i; sleep 0.2; done; exit 3\n"}
	if err := h.Start(t.Context(), unit); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cursor, cut := "", false
	state, err := sources.UnitState{}, error(nil)
	for range 5 {
		state, err = h.Follow(t.Context(), unit.Name, cursor, &out, func(c string) {
			if cursor = c; !cut && strings.Contains(out.String(), "line 2") {
				cut = true
				world.CutSSH("worker-0")
			}
		})
		if _, lost := errors.AsType[*sources.LineLostError](err); !lost {
			break
		}
	}
	if err != nil || !cut || state != (sources.UnitState{Known: true, Exit: 3}) {
		t.Errorf("state %+v, cut %v: %v", state, cut, err)
	}
	want := ""
	for i := range 6 {
		want += fmt.Sprintf("line %d\n", i+1)
	}
	if out.String() != want {
		t.Errorf("output:\n%s", out.String())
	}
	if err := h.Start(t.Context(), unit); err != nil { // a name that exists
		t.Errorf("again: %v", err)
	}
	if state, err := h.Look(t.Context(), unit.Name); err != nil || state.Exit != 3 || state.Running {
		t.Errorf("a second start ran it again: %+v %v", state, err)
	}
	if state, err := h.Look(t.Context(), "daytwo-7-other"); err != nil || state.Known {
		t.Errorf("a unit nobody began: %+v %v", state, err)
	}
}

func TestSudoOnTheDemoWorld(t *testing.T) {
	t.Parallel()
	world, f, _ := demoFleet(t)
	h := f.Host("worker-1")
	var out bytes.Buffer
	if err := h.Run(t.Context(), sources.Command{Line: "id -u", Root: true, Stdout: &out}); err != nil || out.String() != "0\n" {
		t.Errorf("%q %v", out.String(), err)
	}
	world.SudoAsks("worker-1")
	err := h.Run(t.Context(), sources.Command{Line: "id -u", Root: true, Stdout: io.Discard})
	refused, ok := errors.AsType[*sources.SudoError](err)
	if !ok || !strings.Contains(refused.Error(), "wants a password") {
		t.Errorf("%v", err)
	}
}
