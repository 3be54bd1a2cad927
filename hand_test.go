package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"daytwo/actions/trail"
	"daytwo/sources/demo"
	"daytwo/ui/uitest"
)

// device opens the program's screen on a pseudo-terminal.
func (u *upgrading) device() *uitest.Terminal {
	u.t.Helper()
	cfg, err := u.f.settings()
	if err != nil {
		u.t.Fatal(err)
	}
	u.term = uitest.OpenDevice(u.t, screen(u.s, u.f, cfg), 120, 40)
	u.term.Wait("the cluster", shows("5 of 5 ready", "kubelets 5/5"))
	return u.term
}

// shell asks for one on the node that the moves lead to, and waits for what
// comes of it.
func (u *upgrading) shell(moves string, comes ...string) {
	u.t.Helper()
	u.term.Keys(moves)
	u.term.Wait("the key on a node", shows("s shell"))
	u.term.Keys("s")
	u.term.Wait("what comes of it", shows(comes...))
}

// answersKeys closes what the cockpit says, and sees that it reads its terminal
// again: a program may not end while its reading begins.
func (u *upgrading) answersKeys() {
	u.t.Helper()
	u.term.Keys("\r")
	u.term.Wait("the message closed", func(s string) bool { return !strings.Contains(s, "enter close") })
	u.term.Keys("?")
	u.term.Wait("the help", shows("Keys ─"))
}

// byHandText is what is written down of what was done by hand.
func (u *upgrading) byHandText() string {
	u.t.Helper()
	text, err := os.ReadFile(filepath.Join(u.s.folder(recordFolder), trail.BookName))
	if err != nil && !os.IsNotExist(err) {
		u.t.Fatal(err)
	}
	return string(text)
}

// TestShellByKeys: the screen steps aside for a real shell on the node, whose
// size follows the terminal's, and comes back with every key its own again.
func TestShellByKeys(t *testing.T) {
	u := upgradeWorld(t)
	term := u.device()
	u.shell("1j", "daytwo steps aside for a shell on worker-0", "@worker-0:")
	if term.Full() {
		t.Error("the shell is on the cockpit's own screen")
	}
	if !strings.Contains(u.byHandText(), `"mark":"began"`) {
		t.Errorf("its beginning is not written down: %s", u.byHandText())
	}
	term.Keys("echo $((6*7)) >/tmp/answer; cat /tmp/answer; hostname\r")
	term.Wait("what the node says", func(s string) bool { return strings.Contains(s, "\n42") && strings.Contains(s, "\nworker-0") })
	term.Resize(90, 30)
	term.Keys("qqq\x03")
	term.Keys("exit\r")
	term.Wait("the cockpit, of the new size", func(s string) bool {
		return shows("1 Nodes", "shell on worker-0 ended after")(s) && len(strings.Split(s, "\n")) == 30
	})
	if !term.Full() {
		t.Error("the cockpit has not its own screen")
	}
	if got := u.on("worker-0", "cat /tmp/answer"); got != "42" {
		t.Errorf("the node has %q", got)
	}
	text := u.byHandText()
	if strings.Count(text, "\n") != 2 || !shows(`"what":"shell"`, `"on":["worker-0"]`, `"mark":"ended"`, `"how":"exit code 0"`, `"took":`)(text) || strings.Contains(text, "answer") {
		t.Errorf("written down is %s", text)
	}
	term.Keys("r")
	term.Wait("it among the runs", shows("0 runs, 1 by hand", "by hand", "shell on worker-0"))
	term.Keys("\r")
	term.Wait("that there is no more to see", shows("only that it was is written down"))
	term.Keys("\x1b")
	term.Wait("the cockpit once more", shows("1 Nodes"))
	term.Keys("?")
	term.Wait("the next key for the cockpit", shows("Keys ─"))
}

// TestShellThatCannotBe says why and comes back; read-only mode has none.
func TestShellThatCannotBe(t *testing.T) {
	u := upgradeWorld(t)
	u.device()
	defer u.w.RefuseSSH("worker-1")()
	u.shell("1jj", "shell on worker-1", "dialling worker-1", "enter close")
	if text := u.byHandText(); !strings.Contains(text, "dialling worker-1") {
		t.Errorf("written down is %s", text)
	}
	u.answersKeys()
}

// TestLineLostInAShell gives the terminal back by itself.
func TestLineLostInAShell(t *testing.T) {
	u := upgradeWorld(t)
	term := u.device()
	u.shell("1jj", "@worker-1:")
	u.w.CutSSH("worker-1")
	term.Wait("the cockpit and why", shows("shell on worker-1", "the line to worker-1 was lost", "enter close"))
	u.answersKeys()
}

func TestShellIsRefusedReadOnly(t *testing.T) {
	u := upgradeWorld(t)
	u.f.readonly = true
	term := u.screen()
	term.Keys("1js")
	term.Wait("the reason", shows("shell: read-only mode: in a shell anything can be changed"))
	if text := u.byHandText(); text != "" {
		t.Errorf("written down is %s", text)
	}
}

// TestExecByKeys: a shell in a container over the API server's own protocol;
// of several containers one is chosen.
func TestExecByKeys(t *testing.T) {
	u := upgradeWorld(t)
	term := u.device()
	term.Keys(":deployment shop/web")
	term.Wait("the deployment", shows("shop/web"))
	term.Keys("\r")
	term.Wait("the key on pods", shows("x exec"))
	term.Keys("x")
	term.Wait("the choice", shows("A shell in which container?", "shop/web-"))
	term.Keys("\r")
	term.Wait("a shell in it", shows("daytwo steps aside for a shell in shop/web-", "/ #"))
	term.Keys("hostname\r")
	term.Wait("what the container says", func(s string) bool { return strings.Contains(s, "\nweb-") })
	term.Resize(100, 30)
	term.Keys("exit 3\r")
	term.Wait("the cockpit again", shows("A shell in which container?", "exit code 3"))
	if text := u.byHandText(); strings.Count(text, "\n") != 2 || !shows(`"what":"exec"`, `"on":["shop/web-`, `"how":"exit code 3"`)(text) {
		t.Errorf("written down is %s", text)
	}
	lift := u.w.Fault(demo.Fault{Resource: "pods", Subresource: "exec", Code: 403})
	defer lift()
	term.Keys("\r")
	term.Wait("the permission that is missing", shows("no permission to create pods/exec", "enter close"))
	u.answersKeys()
}

// TestShellEndsWithTheProgram, which gives the terminal back as it was (the
// driver compares) and writes down the end.
func TestShellEndsWithTheProgram(t *testing.T) {
	u := upgradeWorld(t)
	term := u.device()
	u.shell("1j", "@worker-0:")
	term.Close()
	if text := u.byHandText(); strings.Count(text, "\n") != 2 || !shows(`"mark":"ended"`, "context canceled")(text) {
		t.Errorf("written down is %s", text)
	}
}
