//go:build lab

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"daytwolab/e2e/labenv"
	"daytwolab/term"
)

// operator is somebody with a home folder in which daytwo remembers runs.
type operator struct {
	t   *testing.T
	lab labenv.Env
	env []string
}

func newOperator(t *testing.T, lab labenv.Env) operator {
	t.Helper()
	dir := t.TempDir()
	sshConfig, err := os.ReadFile(lab.SSHConfig)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		".ssh/config": string(sshConfig),
		"config/daytwo/config.yaml": fmt.Sprintf("releases:\n  url: %[1]s/releases\n  channels: %[1]s/v1-release/channels\n  install: %[1]s/install.sh\n",
			lab.Releases),
	} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return operator{t, lab, []string{"XDG_STATE_HOME=" + dir + "/state", "XDG_CONFIG_HOME=" + dir + "/config", "HOME=" + dir, "SSH_AUTH_SOCK="}}
}

// cockpit opens the real program on a terminal.
func (o operator) cockpit() cockpit {
	o.t.Helper()
	return o.opens(allKubelets(o.lab), "data/mariad")
}

// opens starts it and waits until the screen holds all texts.
func (o operator) opens(texts ...string) cockpit {
	o.t.Helper()
	argv := o.lab.Command(o.t.Context(), daytwo, "--kubeconfig", o.lab.AdminKubeconfig, "--theme", "dark").Args
	terminal, err := term.Start(o.t.Context(), width, height, o.env, argv...)
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(terminal.Close)
	c := cockpit{terminal, o.t, o.lab}
	c.see(texts...)
	return c
}

// try runs daytwo without a screen.
func (o operator) try(ctx context.Context, args ...string) (string, error) {
	cmd := o.lab.Command(ctx, append([]string{daytwo, "--kubeconfig", o.lab.AdminKubeconfig}, args...)...)
	cmd.Env = append(os.Environ(), o.env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// steps is how the last run stands.
func (o operator) steps(ctx context.Context) (string, error) {
	return o.try(ctx, "runs", "show", "last")
}

// awaitRun waits until daytwo runs show says something.
func (o operator) awaitRun(limit time.Duration, texts ...string) {
	o.t.Helper()
	labenv.Eventually(o.t, limit, "the run says "+strings.Join(texts, " and "), func(ctx context.Context) error {
		out, err := o.steps(ctx)
		if err == nil && !holdsAll(out, texts) {
			err = errors.New("it does not say so")
		}
		if err != nil {
			return fmt.Errorf("%w\n%s", err, out)
		}
		return nil
	})
}

// startResume goes on with the last run beside the test.
func (o operator) startResume() *exec.Cmd {
	o.t.Helper()
	cmd := o.lab.Command(o.t.Context(), daytwo, "--kubeconfig", o.lab.AdminKubeconfig, "resume", "last")
	cmd.Env = append(os.Environ(), o.env...)
	if err := cmd.Start(); err != nil {
		o.t.Fatal(err)
	}
	return cmd
}

// resume goes on with the last run to its end, and returns what it said.
func (o operator) resume(limit time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(o.t.Context(), limit)
	defer cancel()
	return o.try(ctx, "resume", "last")
}

// on runs a line on a server as root.
func (o operator) on(node, line string) string {
	o.t.Helper()
	return o.lab.Run(o.t, o.lab.OnServer(node, line)...)
}

// kubelets are the versions that the nodes report.
func (o operator) kubelets() map[string]string {
	o.t.Helper()
	out := map[string]string{}
	lines := o.lab.Run(o.t, o.lab.AsAdmin("get", "nodes", "-o", `jsonpath={range .items[*]}{.metadata.name} {.status.nodeInfo.kubeletVersion} {.spec.unschedulable}{"\n"}{end}`)...)
	for line := range strings.Lines(lines) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		out[name] = rest
	}
	return out
}

// all asserts one version on every node, and none cordoned.
func (o operator) all(version string) {
	o.t.Helper()
	for _, n := range o.lab.Nodes {
		if got := o.kubelets()[n.Name]; got != version {
			o.t.Errorf("%s is %q, want %s and not cordoned", n.Name, got, version)
		}
	}
}

// files are those of a pattern in the cluster's folder of state; their names
// sort by time.
func (o operator) files(pattern ...string) []string {
	o.t.Helper()
	state := strings.TrimPrefix(o.env[0], "XDG_STATE_HOME=")
	found, err := filepath.Glob(filepath.Join(append([]string{state, "daytwo", "*"}, pattern...)...))
	if err != nil {
		o.t.Fatal(err)
	}
	slices.Sort(found)
	return found
}

// log is what the last run wrote.
func (o operator) log() string {
	o.t.Helper()
	logs := o.files("runs", "*", "output.log")
	if len(logs) == 0 {
		o.t.Fatal("no log of a run")
	}
	text, err := os.ReadFile(logs[len(logs)-1])
	if err != nil {
		o.t.Fatal(err)
	}
	return string(text)
}
