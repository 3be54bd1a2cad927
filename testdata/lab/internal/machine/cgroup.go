package machine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"daytwolab/internal/place"
	"daytwolab/internal/proc"
)

const cgroupRoot = "/sys/fs/cgroup"

// unified says whether the machine has cgroup v2 alone.
func unified() bool {
	_, err := os.Stat(filepath.Join(cgroupRoot, "cgroup.controllers"))
	return err == nil
}

// hierarchies lists the mounted cgroup trees.
func hierarchies() ([]string, error) {
	data, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return nil, fmt.Errorf("listing the cgroup trees: %w", err)
	}
	var roots []string
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if len(f) > 2 && (f[2] == "cgroup" || f[2] == "cgroup2") && strings.HasPrefix(f[1], cgroupRoot) {
			roots = append(roots, f[1])
		}
	}
	return roots, nil
}

// makeGroups makes a server's groups and returns those that it starts in: of systemd,
// so that two systemds do not share a tree, and of the freezer. In the other trees
// it starts at the top: the kubelet measures the whole machine there.
func makeGroups(name string) ([]string, error) {
	roots, err := hierarchies()
	if err != nil {
		return nil, err
	}
	var joined []string
	for _, root := range roots {
		dir := filepath.Join(root, name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, fmt.Errorf("making the cgroup of %s: %w", name, err)
		}
		switch filepath.Base(root) {
		case "cgroup", "unified", "systemd", "freezer":
			joined = append(joined, dir)
		}
	}
	return joined, nil
}

// RemoveGroups ends what is left of a server and removes its groups.
func RemoveGroups(ctx context.Context, p place.Place, name string) error {
	return removeGroups(ctx, p.Cgroup(name))
}

// removeGroups ends what is left in a server's groups and removes them.
func removeGroups(ctx context.Context, name string) error {
	roots, err := hierarchies()
	if err != nil {
		return err
	}
	return proc.Poll(ctx, 15*time.Second, func(context.Context) error {
		var left error
		for _, root := range roots {
			dir := filepath.Join(root, name)
			killAll(dir)
			if err := removeTree(dir); err != nil {
				left = err
			}
		}
		return left
	})
}

// killAll ends every process in a group and below.
func killAll(dir string) {
	_ = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Base(path) != "cgroup.procs" {
			return nil //nolint:nilerr // A group that went meanwhile has no processes.
		}
		data, _ := os.ReadFile(path)
		for pid := range strings.FieldsSeq(string(data)) {
			if n, err := strconv.Atoi(pid); err == nil && n > 1 {
				_ = syscall.Kill(n, syscall.SIGKILL)
			}
		}
		return nil
	})
}

func removeTree(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("removing the cgroup %s: %w", dir, err)
	}
	for _, e := range entries {
		if e.IsDir() {
			if err := removeTree(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("removing the cgroup %s: %w", dir, err)
	}
	return nil
}

// Freeze stops every process of a server, as if the hypervisor paused it.
func Freeze(p place.Place, name string) error { return freeze(p, name, true) }

// Thaw lets a frozen server go on.
func Thaw(p place.Place, name string) error { return freeze(p, name, false) }

func freeze(p place.Place, name string, frozen bool) error {
	file, value := filepath.Join(cgroupRoot, "freezer", p.Cgroup(name), "freezer.state"), "THAWED"
	if frozen {
		value = "FROZEN"
	}
	if unified() {
		file, value = filepath.Join(cgroupRoot, p.Cgroup(name), "cgroup.freeze"), "0"
		if frozen {
			value = "1"
		}
	}
	err := os.WriteFile(file, []byte(value), 0o644)
	if errors.Is(err, os.ErrNotExist) && !frozen {
		return nil
	}
	if err != nil {
		return fmt.Errorf("freezing or thawing %s: %w", name, err)
	}
	return nil
}
