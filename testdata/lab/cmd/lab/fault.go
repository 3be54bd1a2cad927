package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"daytwolab/internal/control"
	"daytwolab/internal/machine"
	"daytwolab/internal/place"
	"daytwolab/internal/proc"
	"daytwolab/internal/release"
)

var errFaultUsage = errors.New(`usage: fault FAULT
  api-stop | api-start             the API server refuses connections | serves again
  node-freeze NAME                 every process of the server stops, as if it were paused
  node-thaw NAME                   they go on
  fill-disk NAME PERCENT           df then shows that use of its disk; 0 frees it again
  cut NAME | heal NAME             its network cable is out | in again
  ssh-kill NAME                    its open SSH connections end
  clock-skew NAME [SECONDS]        its clock is off by that much (default 120); 0 sets it right
  release ok|404|slow|wrong-checksum|truncated    what downloads of k3s meet
  clear                            ends every fault`)

// fault disturbs the lab.
func (t tools) fault(ctx context.Context, args []string) error {
	lab, err := t.place.Load()
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return errFaultUsage
	}
	switch args[0] {
	case "api-stop":
		return control.StopAPI(ctx, t.place)
	case "api-start":
		return control.StartAPI(ctx, t.place, lab.Version)
	case "clear":
		return t.clearFaults(ctx, lab)
	}
	if len(args) < 2 {
		return errFaultUsage
	}
	if args[0] == "release" {
		return t.faultRelease(ctx, lab, args[1])
	}
	node, err := lab.Node(args[1])
	if err != nil {
		return err
	}
	return t.faultNode(ctx, args[0], node, args[2:])
}

// number reads the fault's last argument.
func number(args []string, fallback int) (int, error) {
	if len(args) == 0 {
		return fallback, nil
	}
	n, err := strconv.Atoi(strings.TrimSuffix(args[0], "%"))
	if err != nil {
		return 0, fmt.Errorf("reading the number %q: %w", args[0], err)
	}
	return n, nil
}

func (t tools) faultNode(ctx context.Context, kind string, n place.Node, args []string) error {
	switch kind {
	case "node-freeze":
		return machine.Freeze(t.place, n.Name)
	case "node-thaw":
		return machine.Thaw(t.place, n.Name)
	case "cut":
		return machine.Cable(ctx, t.place, n.Name, false)
	case "heal":
		return machine.Cable(ctx, t.place, n.Name, true)
	case "ssh-kill":
		return machine.KillSSH(t.place, n.Name)
	case "fill-disk":
		percent, err := number(args, -1)
		if err != nil {
			return err
		}
		return machine.FillDisk(ctx, t.place, n.Name, percent)
	case "clock-skew":
		seconds, err := number(args, 120)
		if err != nil {
			return err
		}
		return machine.SkewClock(ctx, t.place, n.Name, seconds)
	default:
		return errFaultUsage
	}
}

func (t tools) faultRelease(ctx context.Context, lab place.Lab, name string) error {
	if !slices.Contains(release.Faults(), release.Fault(name)) {
		return fmt.Errorf("release fault %q: want one of %v", name, release.Faults())
	}
	line := proc.Inside(t.place, "curl", "-sSf", "-X", "PUT", lab.Releases+"/fault/"+name)
	if err := proc.Run(ctx, line[0], line[1:]...); err != nil {
		return fmt.Errorf("telling the release server: %w", err)
	}
	return nil
}

// clearFaults puts everything right again, whatever was wrong.
func (t tools) clearFaults(ctx context.Context, lab place.Lab) error {
	if err := control.StartAPI(ctx, t.place, lab.Version); err != nil {
		return err
	}
	if err := t.faultRelease(ctx, lab, string(release.None)); err != nil {
		return err
	}
	for _, n := range lab.Nodes {
		if err := machine.Thaw(t.place, n.Name); err != nil {
			return err
		}
		if err := machine.Cable(ctx, t.place, n.Name, true); err != nil {
			return err
		}
		if err := machine.FillDisk(ctx, t.place, n.Name, 0); err != nil {
			return err
		}
		if err := machine.SkewClock(ctx, t.place, n.Name, 0); err != nil {
			return err
		}
	}
	return nil
}

// status shows what runs, and fails when something that should does not.
func (t tools) status(ctx context.Context, _ []string) error {
	lab, err := t.place.Load()
	if err != nil {
		return err
	}
	var dead []string
	for _, name := range proc.Names(t.place) {
		state := "runs"
		if !proc.Alive(t.place, name) {
			state = "ENDED (see " + proc.LogFile(t.place, name) + ")"
			dead = append(dead, name)
		}
		fmt.Printf("  %-26s %s\n", name, state)
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for _, n := range lab.Nodes {
		use, err := machine.DiskUse(t.place, n.Name)
		if err != nil {
			return err
		}
		fmt.Printf("  disk of %-18s %d %%\n", n.Name, use)
	}
	out, err := proc.Kubectl(ctx, t.place, "", "get", "nodes", "-L", "pool", "-o", "wide", "--request-timeout=5s")
	if err != nil {
		return fmt.Errorf("asking the API server: %w", err)
	}
	fmt.Fprint(os.Stdout, out, manual(t.place, lab))
	if len(dead) > 0 {
		return fmt.Errorf("these ended: %s", strings.Join(dead, " "))
	}
	return nil
}
