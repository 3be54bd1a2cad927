//go:build lab

package e2e

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"daytwolab/e2e/labenv"
)

// agesPattern is what differs between two answers of the same cluster a moment
// apart: ages, and when a lease was renewed.
var agesPattern = regexp.MustCompile(`\b(\d+[dhms]){1,2}\b|(?m:^  RenewTime:.*$)`)

// ageless is an answer without ages, and without the space that they fill.
func ageless(text string) string {
	return regexp.MustCompile(` +`).ReplaceAllString(agesPattern.ReplaceAllString(text, "AGE"), " ")
}

// kept is what the trail kept last, without what was kept before.
func (o operator) kept(before []string) (all []string, text string) {
	o.t.Helper()
	all = o.files("record", "trail", "*.log")
	for _, path := range all {
		if !slices.Contains(before, path) {
			raw, err := os.ReadFile(path)
			if err != nil {
				o.t.Fatal(err)
			}
			text = string(raw)
		}
	}
	return all, text
}

// TestTrailSaysWhatKubectlSays on the same cluster, byte for byte where ages
// allow.
func TestTrailSaysWhatKubectlSays(t *testing.T) {
	lab := labenv.Find(t)
	o := newOperator(t, lab)
	c := o.cockpit()
	c.press("t", "as typed")
	var files []string
	for _, line := range []string{
		"get pods -A", "get pods -A -o wide", "get nodes -o wide", "top nodes", "top pods -A", "get events -A",
		"get deployments,daemonsets,cronjobs -A", "describe node worker-0", "get pods -n data -l app=mariadb", "get nodes worker-0 worker-1",
	} {
		words := strings.Fields(line)
		theirs := []string{lab.Run(t, lab.AsAdmin(words...)...)}
		c.press("e", "get, describe or top, with")
		c.press(line+"\r", "kubectl · done")
		c.press("K", "kept: ")
		c.until("where it is kept, beside the notice of that", func(s string) bool { return strings.Count(s, "kept: ") > 1 })
		var text string
		files, text = o.kept(files)
		if text == "" {
			t.Fatalf("nothing is kept; there are %v\n%s", files, c.Screen())
		}
		_, ours, _ := strings.Cut(text, "$ kubectl "+line+"\n")
		theirs = append(theirs, lab.Run(t, lab.AsAdmin(words...)...))
		exact := slices.Contains(theirs, ours)
		t.Logf("%s: %d lines, byte for byte %v", line, strings.Count(ours, "\n"), exact)
		if !exact && ageless(ours) != ageless(theirs[0]) && ageless(ours) != ageless(theirs[1]) {
			t.Errorf("kubectl %s says\n%s\nand the trail\n%s", line, theirs[1], ours)
		}
		c.press("\x1b", "as typed")
	}
}

// TestTrailOnRealMachines runs the playbook's commands over a real sshd, on
// all nodes while one is cut off.
func TestTrailOnRealMachines(t *testing.T) {
	lab := labenv.Find(t)
	c := newOperator(t, lab).cockpit()
	for _, line := range []struct{ down, name, says string }{
		{"jj", "disk", "Filesystem"}, {"j", "containerd", "/var/lib/rancher/k3s/agent/containerd"}, {"j", "journal", "k3s"},
	} {
		if line.name == "disk" {
			c.press("t", "as typed")
		}
		c.press(line.down, "On 4 nodes")
		c.press("\r", line.name+" on 4 nodes", "4 done")
		c.press("\r", line.name+" master-0", "done", line.says)
		c.press("\x1b", line.name+" on 4 nodes")
		c.press("\x1b", "as typed")
	}
	lab.Fault(t, "cut", "worker-1")
	c.press("kk", "df -h")
	c.press("\r", "disk on 4 nodes", "3 done", "1 failed")
}

// TestExecWhereThereIsNoShell: the lab's pods are one program each, and the
// runtime's own refusal is told in words that lead on.
func TestExecWhereThereIsNoShell(t *testing.T) {
	lab := labenv.Find(t)
	c := newOperator(t, lab).cockpit()
	pod := strings.Fields(lab.Run(t, lab.AsAdmin("get", "pods", "-n", "data", "-o", "name", "--field-selector", "status.phase=Running")...))
	if len(pod) == 0 {
		t.Fatal("no pod runs in data")
	}
	name := strings.TrimPrefix(pod[0], "pod/")
	c.press(":", "Command")
	c.press("pod data/"+name, name)
	c.press("\r", "x exec")
	c.press("x", "has no /bin/sh", "kubectl debug")
}

// TestShellOnARealMachine has a login's shell on a pseudo-terminal of sshd,
// whose size follows, and comes back.
func TestShellOnARealMachine(t *testing.T) {
	lab := labenv.Find(t)
	c := newOperator(t, lab).cockpit()
	c.press("1j", "s shell")
	c.press("s", "daytwo steps aside for a shell on worker-0", "worker-0")
	c.press("stty size; tty\r", "50 160", "/dev/pts/")
	if err := c.Resize(120, 40); err != nil {
		t.Fatal(err)
	}
	c.press("stty size\r", "40 120")
	c.press("exit 4\r", "shell on worker-0 ended after", "exit code 4", "1 Nodes")
}

// roomy is a pod of the lab's image that has the server's own programs, a
// shell among them.
const roomy = `{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "roomy", "namespace": "data"}, "spec": {
  "nodeName": "worker-1", "terminationGracePeriodSeconds": 0,
  "containers": [{"name": "main", "image": "docker.io/lab/web:1.4.2", "imagePullPolicy": "IfNotPresent", "volumeMounts": [
    {"name": "usr", "mountPath": "/usr"}, {"name": "usr", "mountPath": "/bin", "subPath": "bin"},
    {"name": "usr", "mountPath": "/lib", "subPath": "lib"}, {"name": "usr", "mountPath": "/lib64", "subPath": "lib64"}]}],
  "volumes": [{"name": "usr", "hostPath": {"path": "/usr"}}]}}`

// TestExecInARealContainer has the container's bash on a terminal, by the API
// server's own protocol, whose size follows, and comes back.
func TestExecInARealContainer(t *testing.T) {
	lab := labenv.Find(t)
	file := filepath.Join(t.TempDir(), "roomy.json")
	if err := os.WriteFile(file, []byte(roomy), 0o600); err != nil {
		t.Fatal(err)
	}
	lab.Run(t, lab.AsAdmin("apply", "-f", file)...)
	t.Cleanup(func() {
		_, _ = lab.Try(context.WithoutCancel(t.Context()), lab.AsAdmin("delete", "-f", file, "--ignore-not-found", "--wait=false")...)
	})
	lab.Run(t, lab.AsAdmin("wait", "-n", "data", "pod/roomy", "--for=jsonpath={.status.phase}=Running", "--timeout=60s")...)
	c := newOperator(t, lab).cockpit()
	c.press(":pod data/roomy", "data/roomy")
	c.press("\r", "x exec")
	c.press("x", "daytwo steps aside for a shell in data/roomy/main", "#")
	c.press("stty size; echo $0; hostname\r", "50 160", "/bin/bash", "roomy")
	if err := c.Resize(120, 40); err != nil {
		t.Fatal(err)
	}
	c.press("stty size\r", "40 120")
	c.press("exit 5\r", "shell in data/roomy/main ended after", "exit code 5")
}
