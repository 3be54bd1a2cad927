package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"daytwolab/internal/machine"
	"daytwolab/internal/proc"
)

// down ends the lab and leaves nothing of it but the cache.
func (t tools) down(ctx context.Context, _ []string) error {
	if err := t.clear(ctx); err != nil {
		return err
	}
	t.log.Step("the lab is down; what was built stays in %s", t.place.Cache)
	return nil
}

// clear removes every trace of this lab, also of one whose start was killed.
func (t tools) clear(ctx context.Context) error {
	names := proc.Names(t.place)
	slices.Sort(names)
	for _, name := range names {
		if server, ok := strings.CutPrefix(name, "machine-"); ok {
			if err := machine.Stop(ctx, t.place, server); err != nil {
				return err
			}
		}
	}
	// Clients before servers, so that none fills its log with complaints.
	slices.Reverse(names)
	for _, name := range names {
		if err := proc.End(ctx, t.place, name, syscall.SIGTERM, 3*time.Second); err != nil {
			return err
		}
	}
	if err := t.unmount(ctx); err != nil {
		return err
	}
	if _, err := os.Stat(t.place.NetnsPath()); err == nil {
		if err := t.removeNetwork(ctx); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(t.place.State); err != nil {
		return fmt.Errorf("removing the state folder: %w", err)
	}
	return nil
}

// unmount takes the servers' disks off; their loop devices go with the mount.
func (t tools) unmount(ctx context.Context) error {
	roots, err := filepath.Glob(machine.Root(t.place, "*"))
	if err != nil {
		return fmt.Errorf("listing the disks: %w", err)
	}
	for _, root := range roots {
		if err := machine.RemoveGroups(ctx, t.place, filepath.Base(root)); err != nil {
			return err
		}
		if !mounted(root) {
			continue
		}
		err := proc.Poll(ctx, 15*time.Second, func(ctx context.Context) error { return proc.Run(ctx, "umount", root) })
		if err != nil {
			return fmt.Errorf("taking a disk off (who uses it? try fuser -vm %s): %w", root, err)
		}
	}
	return nil
}

func mounted(dir string) bool {
	data, err := os.ReadFile("/proc/self/mounts")
	return err == nil && strings.Contains(string(data), " "+dir+" ")
}

// removeNetwork removes the namespace. Processes of others that sit in it keep it
// alive without a name; they are told of, not ended.
func (t tools) removeNetwork(ctx context.Context) error {
	pids, err := proc.Output(ctx, "ip", "netns", "pids", t.place.Netns())
	if err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("looking who is in the namespace: %w", err)
	}
	if left := strings.Fields(pids); len(left) > 0 {
		t.log.Step("these processes still sit in the namespace, end them yourself: %s", strings.Join(left, " "))
	}
	// The kernel removes devices some time after the last process; a new lab of the
	// same name must not meet them.
	_ = proc.Run(ctx, "ip", "-n", t.place.Netns(), "link", "delete", "br0")
	if err := proc.Run(ctx, "ip", "netns", "delete", t.place.Netns()); err != nil {
		return fmt.Errorf("removing the namespace: %w", err)
	}
	return nil
}
