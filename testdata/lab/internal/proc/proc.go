// Package proc runs the lab's programs: short ones to their end, long ones in a
// session of their own with a log and a record by which they are found again.
package proc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"daytwolab/internal/place"
)

// Run runs a command to its end. A failure carries what the command said.
func Run(ctx context.Context, name string, args ...string) error {
	_, err := Output(ctx, name, args...)
	return err
}

// Output runs a command to its end and returns its standard output.
func Output(ctx context.Context, name string, args ...string) (string, error) {
	return Feed(ctx, "", name, args...)
}

// Feed is Output with a standard input.
func Feed(ctx context.Context, input, name string, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		said := strings.TrimSpace(stderr.String())
		if said == "" {
			said = strings.TrimSpace(stdout.String())
		}
		return stdout.String(), fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, said)
	}
	return stdout.String(), nil
}

// Inside is the command line that runs another in the lab's network namespace and
// nothing else of it: unlike "ip netns exec" it keeps /sys, and so the cgroups.
func Inside(p place.Place, args ...string) []string {
	return append([]string{"nsenter", "--net=" + p.NetnsPath()}, args...)
}

// Kubectl runs the lab's kubectl as admin.
func Kubectl(ctx context.Context, p place.Place, input string, args ...string) (string, error) {
	line := Inside(p, append([]string{p.Cached("lab", "kubectl"), "--kubeconfig", p.Path("admin.kubeconfig")}, args...)...)
	return Feed(ctx, input, line[0], line[1:]...)
}

// Spec is a program that runs until it is ended.
type Spec struct {
	Name string
	Args []string
	Env  []string
	// Cgroups are folders whose cgroup.procs the program joins before it starts.
	Cgroups []string
}

// Spawn starts a program in the namespace, detached from this process, and records
// it. One that runs already is left alone.
func Spawn(p place.Place, spec Spec) error {
	if Alive(p, spec.Name) {
		return nil
	}
	for _, dir := range []string{p.Path("log"), p.Path("pid")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("starting %s: %w", spec.Name, err)
		}
	}
	log, err := os.OpenFile(LogFile(p, spec.Name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("starting %s: %w", spec.Name, err)
	}
	defer log.Close()
	// The shell joins the groups and then becomes the program, so that the recorded
	// process is the program itself.
	script := `for g in $LAB_CGROUPS; do echo $$ >"$g/cgroup.procs" || exit; done; unset LAB_CGROUPS; exec "$@"`
	line := Inside(p, append([]string{"/bin/sh", "-c", script, spec.Name}, spec.Args...)...)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Env = append(append(os.Environ(), "LAB_CGROUPS="+strings.Join(spec.Cgroups, " ")), spec.Env...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", spec.Name, err)
	}
	record := fmt.Sprintf("%d %s\n", cmd.Process.Pid, startTime(cmd.Process.Pid))
	if err := os.WriteFile(pidFile(p, spec.Name), []byte(record), 0o644); err != nil {
		return fmt.Errorf("recording %s: %w", spec.Name, err)
	}
	if err := cmd.Process.Release(); err != nil {
		return fmt.Errorf("letting go of %s: %w", spec.Name, err)
	}
	return nil
}

// LogFile is where a spawned program writes.
func LogFile(p place.Place, name string) string { return p.Path("log", name+".log") }

func pidFile(p place.Place, name string) string { return p.Path("pid", name) }

// Names lists the programs that are recorded.
func Names(p place.Place) []string {
	entries, err := os.ReadDir(p.Path("pid"))
	if err != nil {
		return nil
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// Pid returns the process recorded under a name, or 0 when it does not run. A
// number that another process has got since is told by its start time.
func Pid(p place.Place, name string) int {
	data, err := os.ReadFile(pidFile(p, name))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(data))
	if len(fields) != 2 {
		return 0
	}
	pid, err := strconv.Atoi(fields[0])
	if err != nil || startTime(pid) != fields[1] || state(pid) == "Z" {
		return 0
	}
	return pid
}

// Alive says whether the program recorded under a name runs.
func Alive(p place.Place, name string) bool { return Pid(p, name) != 0 }

// startTime is the 22nd field of /proc/PID/stat, in clock ticks since boot.
func startTime(pid int) string { return statField(pid, 22) }

func state(pid int) string { return statField(pid, 3) }

func statField(pid, field int) string {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return ""
	}
	// The second field, the name, is in parentheses and may hold blanks.
	_, rest, ok := strings.Cut(string(data[bytes.LastIndexByte(data, ')'):]), " ")
	fields := strings.Fields(rest)
	if !ok || len(fields) < field-2 {
		return ""
	}
	return fields[field-3]
}

// End stops the program recorded under a name with a signal, after a grace period
// with SIGKILL, and forgets it.
func End(ctx context.Context, p place.Place, name string, signal syscall.Signal, grace time.Duration) error {
	pid := Pid(p, name)
	if pid == 0 {
		return forget(p, name)
	}
	if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("ending %s (process %d): %w", name, pid, err)
	}
	gone := func(context.Context) error {
		if Alive(p, name) {
			return fmt.Errorf("process %d still runs", pid)
		}
		return nil
	}
	if Poll(ctx, grace, gone) != nil {
		_ = syscall.Kill(pid, syscall.SIGKILL)
		if err := Poll(ctx, 10*time.Second, gone); err != nil {
			return fmt.Errorf("ending %s: %w", name, err)
		}
	}
	return forget(p, name)
}

func forget(p place.Place, name string) error {
	if err := os.Remove(pidFile(p, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("forgetting %s: %w", name, err)
	}
	return nil
}

// Poll asks five times a second until it succeeds, at most for a time. The error is
// the last answer.
func Poll(ctx context.Context, limit time.Duration, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not within %s: %w", limit, err)
		case <-tick.C:
		}
	}
}
