//go:build lab

package ssh_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daytwo/sources"
	"daytwo/sources/ssh"
)

// labFleet is the way to the lab's servers. The tests of this file run within
// the lab's network: testdata/lab/e2e starts them.
func labFleet(t *testing.T, more ...string) *ssh.Fleet {
	t.Helper()
	config := os.Getenv("DAYTWO_LAB_SSH")
	if config == "" {
		t.Fatal("DAYTWO_LAB_SSH names no ssh_config: run the tests of testdata/lab/e2e")
	}
	f := ssh.New(t.Context(), ssh.Options{Home: t.TempDir(), ConfigFiles: append(more, config), Log: t.Logf})
	t.Cleanup(f.Close)
	return f
}

// disturb sets a fault of the lab until the test ends.
func disturb(t *testing.T, args ...string) {
	t.Helper()
	run := func(ctx context.Context, args ...string) error {
		out, err := exec.CommandContext(ctx, os.Getenv("DAYTWO_LAB_FAULT"), args...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("fault %v: %w: %s", args, err, out)
		}
		return nil
	}
	t.Cleanup(func() {
		if err := run(context.WithoutCancel(t.Context()), "clear"); err != nil {
			t.Error(err)
		}
	})
	if err := run(t.Context(), args...); err != nil {
		t.Fatal(err)
	}
}

func unitName(t *testing.T) string {
	t.Helper()
	return fmt.Sprintf("daytwo-test-%d", time.Now().UnixNano())
}

// TestLabUnit follows a real unit over a line that is killed in the middle.
func TestLabUnit(t *testing.T) {
	h := labFleet(t).Host("worker-1")
	unit := sources.Unit{Name: unitName(t), Script: "i=0; while [ $i -lt 40 ]; do i=$((i+1)); echo \"line $i\"; sleep 0.2; done; echo '<3>no level'; printf 'a\\tb\\377\\n'; exit 3\n"}
	if err := h.Start(t.Context(), unit); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cursor, lines, cuts := "", 0, 0
	var state sources.UnitState
	var err error
	for range 5 {
		state, err = h.Follow(t.Context(), unit.Name, cursor, &out, func(c string) {
			cursor = c
			if lines = strings.Count(out.String(), "\n"); lines == 10 && cuts == 0 {
				cuts++
				disturb(t, "ssh-kill", "worker-1")
			}
		})
		if _, lost := errors.AsType[*sources.LineLostError](err); !lost {
			break
		}
		cuts++
	}
	if err != nil || cuts < 2 || state != (sources.UnitState{Known: true, Exit: 3}) {
		t.Errorf("state %+v, cuts %d: %v", state, cuts, err)
	}
	want := ""
	for i := range 40 {
		want += fmt.Sprintf("line %d\n", i+1)
	}
	if want += "<3>no level\na\tb\xff\n"; out.String() != want {
		t.Errorf("output: %q", out.String())
	}
	if err := h.Start(t.Context(), unit); err != nil {
		t.Errorf("the name again: %v", err)
	}
	if state, err := h.Look(t.Context(), unit.Name); err != nil || state.Running || state.Exit != 3 {
		t.Errorf("the name again ran it again: %+v %v", state, err)
	}
}

// TestLabUnitKilled learns from systemd how a unit ended that could not say so.
func TestLabUnitKilled(t *testing.T) {
	h := labFleet(t).Host("worker-1")
	unit := sources.Unit{Name: unitName(t), Script: "echo begun; sleep 300\n"}
	if err := h.Start(t.Context(), unit); err != nil {
		t.Fatal(err)
	}
	if err := h.Run(t.Context(), sources.Command{Line: "systemctl kill -s KILL " + unit.Name}); err != nil {
		t.Fatal(err)
	}
	state, err := h.Follow(t.Context(), unit.Name, "", &bytes.Buffer{}, nil)
	if err != nil || state != (sources.UnitState{Known: true, Exit: 137}) {
		t.Errorf("%+v %v", state, err)
	}
}

// TestLabFrozen: a server that hangs is noticed though its connection stands.
func TestLabFrozen(t *testing.T) {
	h := labFleet(t).Host("worker-2")
	if err := h.Run(t.Context(), sources.Command{Line: "true"}); err != nil {
		t.Fatal(err)
	}
	disturb(t, "node-freeze", "worker-2")
	began := time.Now()
	err := h.Run(t.Context(), sources.Command{Line: "true"})
	if took := time.Since(began); err == nil || took > 40*time.Second {
		t.Errorf("after %v: %v", took, err)
	}
}

// TestLabFullDisk: where the disk is full a unit begins, and how it ended is
// known, whatever the journal could keep.
func TestLabFullDisk(t *testing.T) {
	h := labFleet(t).Host("worker-1")
	disturb(t, "fill-disk", "worker-1", "100")
	unit := sources.Unit{Name: unitName(t), Script: "head -c 900000000 /dev/zero >/var/tmp/daytwo-test; r=$?; rm -f /var/tmp/daytwo-test; exit $((r+40))\n"}
	if err := h.Start(t.Context(), unit); err != nil {
		t.Fatal(err)
	}
	state, err := h.Follow(t.Context(), unit.Name, "", &bytes.Buffer{}, nil)
	if err != nil || !state.Known || state.Running || state.Exit != 41 {
		t.Errorf("%+v %v", state, err)
	}
}

// TestLabOldServer speaks to a second sshd that has an RSA key only, a banner
// and one session at a time, as one who may or may not sudo.
func TestLabOldServer(t *testing.T) {
	root := labFleet(t)
	setup := `set -e
id ops >/dev/null 2>&1 || useradd -m -s /bin/bash ops
install -d -m 700 -o ops /home/ops/.ssh && install -m 600 -o ops /root/.ssh/authorized_keys /home/ops/.ssh/authorized_keys
rm -f /etc/sudoers.d/ops /run/daytwo-rsa /run/daytwo-rsa.pub && ssh-keygen -q -t rsa -b 2048 -N '' -f /run/daytwo-rsa
printf 'no \033[31mtrespassing\n' >/run/daytwo-banner
systemctl stop daytwo-sshd 2>/dev/null || true
systemd-run --quiet --collect --unit=daytwo-sshd /usr/sbin/sshd -D -f /dev/null -p 2222 -o HostKey=/run/daytwo-rsa -o HostKeyAlgorithms=rsa-sha2-256 -o MaxSessions=1 -o Banner=/run/daytwo-banner -o UsePAM=yes -o PidFile=none
for i in 1 2 3 4 5 6 7 8 9 10; do ss -ltn 2>/dev/null | grep -q :2222 && break; sleep 0.3; done
cat /run/daytwo-rsa.pub`
	var public bytes.Buffer
	if err := root.Host("worker-1").Run(t.Context(), sources.Command{Line: setup, Stdout: &public}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = root.Host("worker-1").Run(context.WithoutCancel(t.Context()), sources.Command{Line: "systemctl stop daytwo-sshd; pkill -u ops; userdel -r ops; rm -f /etc/sudoers.d/ops"})
	})
	dir := t.TempDir()
	config := filepath.Join(dir, "config")
	known := filepath.Join(dir, "known_hosts")
	if err := os.WriteFile(config, []byte("Host worker-1\n  Port 2222\n  User ops\n  UserKnownHostsFile "+known+"\n  GlobalKnownHostsFile /dev/null\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := labFleet(t, config)
	h := f.Host("worker-1")
	err := h.Run(t.Context(), sources.Command{Line: "true"})
	unknown, ok := errors.AsType[*sources.UnknownKeyError](err)
	if !ok || unknown.Type != "ssh-rsa" || !strings.HasPrefix(unknown.Fingerprint, "SHA256:") {
		t.Fatalf("%v", err)
	}
	if err := f.Accept(unknown); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(known); !strings.Contains(string(text), strings.Fields(public.String())[1]) {
		t.Errorf("accepted another key: %s", text)
	}
	all := make(chan error, 4)
	for range 4 { // one session at a time
		go func() { all <- h.Run(t.Context(), sources.Command{Line: "id -un; sleep 0.2"}) }()
	}
	for range 4 {
		if err := <-all; err != nil {
			t.Errorf("one at a time: %v", err)
		}
	}
	asRoot := sources.Command{Line: "id -u", Root: true}
	refused, ok := errors.AsType[*sources.SudoError](h.Run(t.Context(), asRoot))
	if !ok || !strings.Contains(refused.Error(), "NOPASSWD") {
		t.Errorf("without sudo: %v", refused)
	}
	if err := root.Host("worker-1").Run(t.Context(), sources.Command{Line: "umask 337; echo 'ops ALL=(root) NOPASSWD: ALL' >/etc/sudoers.d/ops"}); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	asRoot.Stdout = &out
	if err := h.Run(t.Context(), asRoot); err != nil || out.String() != "0\n" {
		t.Errorf("with sudo: %q %v", out.String(), err)
	}
	followAlone(t, h)
	stopBehindSudo(t, h)
}

// followAlone begins and follows a unit where only one session is allowed,
// while others look at it.
func followAlone(t *testing.T, h sources.Host) {
	t.Helper()
	unit := sources.Unit{Name: unitName(t), Script: "for i in 1 2 3; do echo line $i; sleep 1; done\n"}
	if err := h.Start(t.Context(), unit); err != nil {
		t.Fatal(err)
	}
	looked := make(chan error, 1)
	go func() {
		_, err := h.Look(t.Context(), unit.Name)
		looked <- err
	}()
	var out bytes.Buffer
	state, err := h.Follow(t.Context(), unit.Name, "", &out, nil)
	if err != nil || state.Exit != 0 || out.String() != "line 1\nline 2\nline 3\n" {
		t.Errorf("%+v %v: %q", state, err, out.String())
	}
	if err := <-looked; err != nil {
		t.Errorf("looking meanwhile: %v", err)
	}
}

// stopBehindSudo ends a command that sshd itself could not.
func stopBehindSudo(t *testing.T, h sources.Host) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	err := h.Run(ctx, sources.Command{Line: "echo; exec sleep 4321", Root: true, Stdout: writerFunc(func() { stop() })})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	still := h.Run(t.Context(), sources.Command{Line: "pgrep -f '[s]leep 4321'"})
	if e, ok := errors.AsType[*sources.ExitError](still); !ok || e.Code != 1 {
		t.Errorf("the command behind sudo goes on: %v", still)
	}
}

type writerFunc func()

func (f writerFunc) Write(p []byte) (int, error) { f(); return len(p), nil }
