//go:build lab

// Package labenv lets a test work with the lab that is up: ask its API server, run a
// program in its network, log in to its servers, disturb it.
package labenv

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"daytwolab/internal/place"
	"daytwolab/internal/proc"
)

// Env is the lab that is up.
type Env struct {
	place.Lab
	place place.Place
}

// Find returns the lab of LAB_PREFIX. It fails the test when none is up: whoever asks
// for tests with the tag lab wants them run, so a missing lab is no reason to pass.
func Find(t testing.TB) Env {
	t.Helper()
	source, err := sourceFolder()
	if err != nil {
		t.Fatal(err)
	}
	p, err := place.FromEnv(source)
	if err != nil {
		t.Fatal(err)
	}
	lab, err := p.Load()
	if err != nil {
		t.Fatal(err)
	}
	return Env{Lab: lab, place: p}
}

// sourceFolder is testdata/lab, found upwards from where the test runs.
func sourceFolder() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("finding testdata/lab: %w", err)
	}
	for ; dir != "/"; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "kube", "go.mod")); err == nil {
			return dir, nil
		}
	}
	return "", fmt.Errorf("finding testdata/lab: no kube/go.mod above the test")
}

// Command is a program that runs in the lab's network until ctx ends.
func (e Env) Command(ctx context.Context, argv ...string) *exec.Cmd {
	line := proc.Inside(e.place, argv...)
	return exec.CommandContext(ctx, line[0], line[1:]...)
}

// Try runs a program in the lab's network and returns what it wrote; its error says
// what it complained of.
func (e Env) Try(ctx context.Context, argv ...string) (string, error) {
	var complaint strings.Builder
	cmd := e.Command(ctx, argv...)
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return string(out), fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, strings.TrimSpace(complaint.String()))
	}
	return string(out), nil
}

// Run is Try for a program that must succeed.
func (e Env) Run(t testing.TB, argv ...string) string {
	t.Helper()
	out, err := e.Try(t.Context(), argv...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// AsAdmin is a kubectl command line with every right.
func (e Env) AsAdmin(args ...string) []string {
	return append([]string{e.Kubectl, "--kubeconfig", e.AdminKubeconfig}, args...)
}

// AsViewer is a kubectl command line of the group daytwo-viewers, which has the rights
// of docs/rbac/view.yaml and no others.
func (e Env) AsViewer(args ...string) []string {
	return append([]string{e.Kubectl, "--kubeconfig", e.ViewerKubeconfig}, args...)
}

// OnServer is a command line that runs one on a server over SSH.
func (e Env) OnServer(name string, command ...string) []string {
	return append([]string{"ssh", "-F", e.SSHConfig, "-o", "BatchMode=yes", name, "--"}, command...)
}

// Fault disturbs the lab and ends every fault when the test ends, also a failed one.
func (e Env) Fault(t testing.TB, args ...string) {
	t.Helper()
	t.Cleanup(func() {
		// The test's own context is over by now.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 2*time.Minute)
		defer cancel()
		if err := e.fault(ctx, "clear"); err != nil {
			t.Errorf("ending the faults: %v", err)
		}
	})
	if err := e.fault(t.Context(), args...); err != nil {
		t.Fatal(err)
	}
}

// Scale adds so many nodes that exist in the API alone, until the test ends.
func (e Env) Scale(t testing.TB, nodes int) {
	t.Helper()
	scale := func(ctx context.Context, n int) error {
		out, err := exec.CommandContext(ctx, filepath.Join(e.Source, "scale"), strconv.Itoa(n), "0").CombinedOutput()
		if err != nil {
			return fmt.Errorf("scale %d 0: %w: %s", n, err, out)
		}
		return nil
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 5*time.Minute)
		defer cancel()
		if err := scale(ctx, 0); err != nil {
			t.Errorf("removing the added nodes: %v", err)
		}
	})
	if err := scale(t.Context(), nodes); err != nil {
		t.Fatal(err)
	}
}

func (e Env) fault(ctx context.Context, args ...string) error {
	out, err := exec.CommandContext(ctx, filepath.Join(e.Source, "fault"), args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("fault %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

// Eventually asks until check is content, twice a second, and fails the test with
// its last complaint when it never is.
func Eventually(t testing.TB, limit time.Duration, what string, check func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	ticker := time.NewTicker(500 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := check(ctx)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: not within %s: %v", what, limit, err)
		case <-ticker.C:
		}
	}
}
