//go:build lab

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"daytwolab/e2e/labenv"
)

// TestSSH runs the tests of sources/ssh that need Debian's own sshd, sudo, systemd and
// journald. They are of another module, so they are built there and run within the
// lab's network.
func TestSSH(t *testing.T) {
	lab := labenv.Find(t)
	source, err := filepath.Abs("../../../sources/ssh")
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(t.TempDir(), "ssh.test")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-tags", "lab", "-o", binary, ".")
	build.Dir = source
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the tests of sources/ssh: %v\n%s", err, out)
	}
	run := lab.Command(t.Context(), binary, "-test.run", "^TestLab", "-test.v", "-test.timeout", "5m")
	run.Dir = source
	run.Env = append(os.Environ(), "DAYTWO_LAB_SSH="+lab.SSHConfig, "DAYTWO_LAB_FAULT="+filepath.Join(lab.Source, "fault"))
	out, err := run.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Errorf("the tests of sources/ssh on the lab: %v", err)
	}
	// One of them fills a disk; a kubelet that saw it keeps new pods away for a while.
	labenv.Eventually(t, patience, "no node is short of disk", func(ctx context.Context) error {
		said, err := lab.Try(ctx, lab.AsAdmin("get", "nodes", "-o", `jsonpath={.items[*].status.conditions[?(@.type=="DiskPressure")].status}`)...)
		if err == nil && strings.Contains(said, "True") {
			err = fmt.Errorf("DiskPressure is %s", said)
		}
		return err
	})
}
