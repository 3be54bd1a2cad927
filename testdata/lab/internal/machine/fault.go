package machine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"daytwolab/internal/place"
	"daytwolab/internal/proc"
)

// Cable plugs a server's network in or out, at the bridge.
func Cable(ctx context.Context, p place.Place, name string, in bool) error {
	state := "down"
	if in {
		state = "up"
	}
	return proc.Run(ctx, "ip", "-n", p.Netns(), "link", "set", "vb-"+name, state)
}

// filler is the file that fills a server's disk.
func filler(p place.Place, name string) string {
	return filepath.Join(Root(p, name), "var/lib/filler")
}

// DiskUse is what df shows in a server, in per cent.
func DiskUse(p place.Place, name string) (int, error) {
	fs, err := statfs(p, name)
	if err != nil {
		return 0, err
	}
	used := fs.Blocks - fs.Bfree
	// df rounds up.
	return int((100*used + used + fs.Bavail - 1) / (used + fs.Bavail)), nil
}

func statfs(p place.Place, name string) (syscall.Statfs_t, error) {
	var fs syscall.Statfs_t
	if !mounted(Root(p, name)) {
		return fs, fmt.Errorf("looking at the disk of %s: it is not mounted (testdata/lab/up mounts it)", name)
	}
	if err := syscall.Statfs(Root(p, name), &fs); err != nil {
		return fs, fmt.Errorf("looking at the disk of %s: %w", name, err)
	}
	return fs, nil
}

func mounted(dir string) bool {
	data, err := os.ReadFile("/proc/self/mounts")
	return err == nil && bytes.Contains(data, []byte(" "+dir+" "))
}

// FillDisk makes df show a use of a server's disk, or removes what filled it (0). It
// fills by df's formula, used/(used+available), which leaves out what is reserved.
func FillDisk(ctx context.Context, p place.Place, name string, percent int) error {
	if percent < 0 || percent > 100 {
		return fmt.Errorf("filling the disk of %s to %d %%: want 0 to 100", name, percent)
	}
	if err := os.Remove(filler(p, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("freeing the disk of %s: %w", name, err)
	}
	if percent == 0 {
		return nil
	}
	fs, err := statfs(p, name)
	if err != nil {
		return err
	}
	used := fs.Blocks - fs.Bfree
	// Half a per cent below, because df rounds up and the server writes on.
	want := (used + fs.Bavail) * uint64(10*percent-5) / 1000
	if want <= used {
		use, err := DiskUse(p, name)
		if err != nil {
			return err
		}
		return fmt.Errorf("filling the disk of %s to %d %%: it is at %d %% without", name, percent, use)
	}
	size := (want - used) * uint64(fs.Bsize)
	if err := proc.Run(ctx, "fallocate", "-l", strconv.FormatUint(size, 10), filler(p, name)); err != nil {
		return fmt.Errorf("filling the disk of %s: %w", name, err)
	}
	return nil
}

// KillSSH ends a server's open SSH connections; it takes new ones.
func KillSSH(p place.Place, name string) error {
	pids, err := processes(p, name)
	if err != nil {
		return err
	}
	for _, pid := range pids {
		line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
		if err != nil || !bytes.HasPrefix(line, []byte("sshd: ")) || bytes.HasPrefix(line, []byte("sshd: /")) {
			continue // It ended meanwhile, or is another program, or listens.
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("ending an SSH connection of %s: %w", name, err)
		}
	}
	return nil
}

// processes lists a server's processes: those in the PID namespace of its first one.
func processes(p place.Place, name string) ([]int, error) {
	nspawn := proc.Pid(p, unitName(name))
	if nspawn == 0 {
		return nil, fmt.Errorf("%s does not run (testdata/lab/up starts it)", name)
	}
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", nspawn, nspawn))
	if err != nil {
		return nil, fmt.Errorf("looking for the processes of %s: %w", name, err)
	}
	first := strings.Fields(string(children))
	if len(first) == 0 {
		return nil, fmt.Errorf("looking for the processes of %s: it has none", name)
	}
	space, err := os.Readlink(filepath.Join("/proc", first[0], "ns/pid"))
	if err != nil {
		return nil, fmt.Errorf("looking for the processes of %s: %w", name, err)
	}
	links, err := filepath.Glob("/proc/[0-9]*/ns/pid")
	if err != nil {
		return nil, fmt.Errorf("looking for the processes of %s: %w", name, err)
	}
	var pids []int
	for _, link := range links {
		if got, err := os.Readlink(link); err == nil && got == space {
			pid, err := strconv.Atoi(strings.Split(link, "/")[2])
			if err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids, nil
}

// SkewClock sets a server's clock off by seconds (0: right). The kernel has one clock
// for all servers; what is skewed is what the commands of an SSH session are told.
func SkewClock(ctx context.Context, p place.Place, name string, seconds int) error {
	root := Root(p, name)
	// PAM hands this file to every session. Not to sshd itself, whose sandbox ends it
	// for the calls that libfaketime makes.
	environment := filepath.Join(root, "etc/environment")
	var content string
	if seconds != 0 {
		lib, err := proc.Output(ctx, "sh", "-c", `cd "$1" && ls usr/lib/*/faketime/libfaketime.so.1`, "sh", root)
		if err != nil {
			return fmt.Errorf("looking for libfaketime on %s: %w", name, err)
		}
		content = fmt.Sprintf("LD_PRELOAD=/%s\nFAKETIME=%+ds\nFAKETIME_DONT_RESET=1\n", strings.TrimSpace(lib), seconds)
	}
	if err := os.WriteFile(environment, []byte(content), 0o644); err != nil {
		return fmt.Errorf("setting the clock of %s: %w", name, err)
	}
	return nil
}
