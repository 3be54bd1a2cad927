package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"daytwo/actions"
	"daytwo/actions/forensics"
	"daytwo/sources/demo"
)

// knownHosts is the file in which accepted keys are written.
func (u *upgrading) knownHosts() string {
	u.t.Helper()
	text, err := os.ReadFile(filepath.Join(u.s.dir, "known_hosts"))
	if err != nil {
		u.t.Fatal(err)
	}
	return string(text)
}

// without waits until a text has left the screen.
func (u *upgrading) without(text string) {
	u.t.Helper()
	u.term.Wait("an end of "+text, func(s string) bool { return !strings.Contains(s, text) })
}

// TestPlanAsksForWhatOnlyAPersonMayDecide: a locked key, two unknown host keys
// and one that has changed, all before one plan, which then has what was let.
func TestPlanAsksForWhatOnlyAPersonMayDecide(t *testing.T) {
	u := upgradeWorldWith(t, "admin", demo.Options{
		Strange: []string{"worker-0", "worker-2"}, Changed: []string{"worker-1"}, Passphrase: "correct horse",
	})
	before := u.knownHosts()
	term := u.screen()
	term.Keys("1u")
	term.Wait("the versions", shows("v1.33.6+k3s1", "patch step"))
	term.Keys("\r")
	term.Wait("the passphrase asked for", shows("Locked key", "passphrase", "id_ed25519", "enter unlock"))
	term.Keys("battery staple\r")
	term.Wait("that it is wrong", shows("not the passphrase", "enter unlock"))
	if shows("battery")(term.Screen()) {
		t.Error("a passphrase is on the screen")
	}
	term.Keys("correct horse\r")
	for _, node := range []string{"worker-0", "worker-2"} {
		term.Wait("the first unknown key", shows("Unknown host key: "+node, "ssh-ed25519", "SHA256:", "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub", "type "+node))
		if node == "worker-0" {
			term.Keys("yes\r")
			term.Wait("that yes is not enough", shows("type worker-0 to go on"))
			if u.knownHosts() != before {
				t.Fatal("written before it was accepted")
			}
			term.Keys("\x15")
			term.Wait("the changed key not asked for yet", shows("more keys to decide about"))
		}
		term.Keys(node + "\r")
		if node == "worker-0" {
			term.Wait("the changed key", shows("Refused: the host key of worker-1 has changed", "shows      ssh-ed25519 SHA256:", "known      ssh-ed25519 SHA256:", "line 2", "left out"))
			term.Keys("worker-1\r")
		}
	}
	term.Wait("the plan, with the machine that is refused", shows("Plan: v1.33.4+k3s1", "worker-1", "shows another host key than before"))
	after := u.knownHosts()
	if !strings.HasPrefix(after, before) || strings.Count(after, "\n") != strings.Count(before, "\n")+2 {
		t.Errorf("known_hosts was\n%s\nand is\n%s", before, after)
	}
	for _, node := range []string{"worker-0", "worker-2", "master-0"} {
		if u.on(node, "hostname") != node {
			t.Errorf("%s cannot be worked on", node)
		}
	}
	for _, secret := range []string{"correct horse", "battery staple"} {
		u.nowhere(secret)
	}
}

// nowhere looks for a text in all that the program wrote.
func (u *upgrading) nowhere(text string) {
	u.t.Helper()
	err := filepath.WalkDir(u.s.dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		has, err := os.ReadFile(path)
		if strings.Contains(string(has), text) {
			u.t.Errorf("%s has %q", path, text)
		}
		return err
	})
	if err != nil {
		u.t.Fatal(err)
	}
}

// TestRunThatFailedForAnUnknownKey asks when it is retried; esc writes nothing.
func TestRunThatFailedForAnUnknownKey(t *testing.T) {
	u := upgradeWorldWith(t, "admin", demo.Options{Strange: []string{"*"}})
	u.settled()
	r := u.run(forensics.Inspect(u.s.looks(), u.s.store.Snapshot(), "worker-0"))
	u.is(r, actions.Failed, "shows a host key that is not in")
	if err := u.s.undoubted(t.Context(), r); err == nil || !shows("not resumed, nothing was touched", "SHA256:", "ssh-keygen -lf")(err.Error()) {
		t.Errorf("resumed without a screen it says %v", err)
	}
	term := u.screen()
	term.Keys("r")
	term.Wait("the list of runs", shows("Runs ─", "1 unfinished"))
	term.Keys("\r")
	term.Wait("the way to retry", shows("failed at worker-0: disk use", "shows a host key"))
	term.Keys("R")
	term.Wait("the key", shows("Unknown host key: worker-0"))
	term.Keys("\x1b")
	u.without("Unknown host key")
	if text := u.knownHosts(); text != "" {
		t.Errorf("refused, and written all the same: %s", text)
	}
	term.Keys("R")
	term.Wait("the key again", shows("Unknown host key: worker-0"))
	term.Keys("worker-0\r")
	term.Wait("the run at its end", shows("Forensics of worker-0", "✔ done"))
	if text := u.knownHosts(); strings.Count(text, "\n") != 1 {
		t.Errorf("known_hosts has %s", text)
	}
}

// TestShellAndTrailAskForUnknownKeys before the terminal is given away, and
// before a command is begun.
func TestShellAndTrailAskForUnknownKeys(t *testing.T) {
	u := upgradeWorldWith(t, "admin", demo.Options{Strange: []string{"worker-0", "worker-1"}})
	term := u.device()
	u.shell("1j", "Unknown host key: worker-0")
	term.Keys("\x1b")
	u.without("Unknown host key")
	if text := u.byHandText(); text != "" {
		t.Errorf("written down is %s", text)
	}
	u.shell("", "Unknown host key: worker-0")
	term.Keys("worker-0\r")
	term.Wait("the shell", shows("daytwo steps aside for a shell on worker-0", "@worker-0:"))
	term.Keys("exit\r")
	term.Wait("the cockpit", shows("shell on worker-0 ended after"))
	term.Keys("jt")
	term.Wait("the trail", shows("Commands", "df -h"))
	term.Keys("jjjj\r")
	term.Wait("the key", shows("Unknown host key: worker-1"))
	term.Keys("worker-1\r")
	term.Wait("the output", shows("worker-1 · done"))
}
