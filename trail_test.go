package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"daytwo/actions/trail"
	"daytwo/sources"
)

// answered is what a line of kubectl's answers, asked beside the screen.
func (u *upgrading) answered(words ...string) []string {
	u.t.Helper()
	var out strings.Builder
	if err := u.s.client.Kubectl(u.t.Context(), words, &out); err != nil {
		u.t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(out.String()), "\n")
}

// TestTrailOnTheClusterByKeys answers kubectl's line in kubectl's columns.
func TestTrailOnTheClusterByKeys(t *testing.T) {
	u := upgradeWorld(t)
	term := u.screen()
	term.Keys("t")
	term.Wait("the trail", shows("kubectl get pods -A", "kubectl top nodes", "df -h", "du -xhd1 /var/lib/rancher", "journalctl -u k3s-agent -n 200", "daytwo asks the cluster itself"))
	term.Keys("\r")
	term.Wait("kubectl's columns", shows("$ kubectl get pods -A", "NAMESPACE", "RESTARTS", "AGE", "kube-system", "done"))
	want := u.answered("get", "pods", "-A")[0]
	if !strings.Contains(term.Screen(), strings.TrimRight(want, " ")) {
		t.Errorf("the head of the table is not kubectl's %q:\n%s", want, term.Screen())
	}
	term.Keys("K")
	term.Wait("where it is kept", shows("kept: "))
	kept, err := filepath.Glob(filepath.Join(u.s.folder(recordFolder), "trail", "*-trail-pods.log"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("kept are %v %v", kept, err)
	}
	text, err := os.ReadFile(kept[0])
	if err != nil || !strings.Contains(string(text), "$ kubectl get pods -A\n"+want+"\n") {
		t.Errorf("the file: %v\n%s", err, text)
	}
	term.Keys("\x1b")
	term.Wait("the trail again", shows("as typed"))
	term.Keys("e")
	term.Wait("the question", shows("get, describe or top"))
	term.Keys("describe node worker-0\r")
	term.Wait("what kubectl would describe", shows("$ kubectl describe node worker-0", "Roles:", "done"))
	term.Keys("\x1b")
	term.Wait("the trail once more", shows("as typed"))
	term.Keys("edelete pod x\r")
	term.Wait("what cannot be answered", shows("cannot be answered without kubectl"))
}

// TestTrailOnAllNodesWithOneCut says of each node how it went, and why not.
func TestTrailOnAllNodesWithOneCut(t *testing.T) {
	u := upgradeWorld(t)
	term := u.screen()
	lift := u.w.RefuseSSH("worker-1")
	defer lift()
	term.Keys("t")
	term.Wait("the trail", shows("as typed", "worker-3"))
	term.Keys("jjj")
	term.Wait("where root is wanted", shows("sudo nice -n19 ionice -c3 du -xhd1", "over SSH, as root, reads only. On 5 nodes"))
	term.Keys("k")
	term.Wait("where it would run", shows("over SSH, reads only. On 5 nodes"))
	term.Keys("\r")
	term.Wait("a line for each", func(s string) bool {
		return shows("1 failed", "4 done", "disk on 5 nodes")(s) && shows("failed", "dialling")(lineWith(s, "worker-1"))
	})
	picture(t, term, "trail")
	term.Keys("j\r")
	term.Wait("one of them", shows("$ ssh worker-0 'df -h'", "Filesystem", "Use%", "done"))
	term.Keys("\x1b")
	term.Wait("all of them again", shows("disk on 5 nodes"))
	term.Keys("j\r")
	term.Wait("the one that was cut", shows("-- daytwo: ", "refused", "failed"))
	term.Keys("\x1b")
	term.Wait("all of them once more", shows("disk on 5 nodes"))
	term.Keys("K")
	term.Wait("where all of it is", shows("kept: "))
	kept, _ := filepath.Glob(filepath.Join(u.s.folder(recordFolder), "trail", "*-trail-disk.log"))
	if len(kept) != 1 {
		t.Fatalf("kept are %v", kept)
	}
	text, err := os.ReadFile(kept[0])
	if err != nil || !strings.Contains(string(text), "worker-0 | $ ssh worker-0") || !strings.Contains(string(text), "worker-1 | -- daytwo: ") {
		t.Errorf("the file: %v\n%s", err, text)
	}
}

// TestTrailOnOneNode asks only the node it was opened on, and the unit that
// node has.
func TestTrailOnOneNode(t *testing.T) {
	u := upgradeWorld(t)
	term := u.screen()
	term.Keys("1")
	term.Wait("the key on a node", shows("t trail"))
	term.Keys("t")
	term.Wait("the trail of the node", shows("the cluster is asked", "as typed"))
	term.Keys("jjjj")
	term.Wait("the server's unit", shows("sudo journalctl -u k3s -n 200", "On 1 node: master-0", "1 of 5 marked"))
	term.Keys("\r")
	term.Wait("the journal", shows("$ ssh master-0 'sudo journalctl -u k3s -n 200 --no-pager'", "done"))
}

// ownTrail is a session whose owner has commands of their own.
func ownTrail(t *testing.T) *upgrading {
	t.Helper()
	u := upgradeWorld(t)
	u.s.store.Publish(func(s *sources.Snapshot) {
		s.Settings.Trail = []sources.TrailCommand{
			{Name: "mark", Command: "echo here >/tmp/mark; echo token: s3cr3tvalue99; exit 3", Node: true},
			{Name: "events", Command: "kubectl get events -A"},
			{Name: "piped", Command: "kubectl get pods -A | grep api"},
		}
	})
	return u
}

// TestTrailOfOnesOwn is shown in full, wants its name, and is written down.
func TestTrailOfOnesOwn(t *testing.T) {
	u := ownTrail(t)
	term := u.screen()
	term.Keys("t")
	term.Wait("the trail with one's own", shows("mark", "yours", "piped", "cannot"))
	term.Keys("jjjjjjj")
	term.Wait("why a pipe cannot be", shows("| is for a shell"))
	term.Keys("kk")
	term.Wait("what is said of it", shows("yours: what it does is not known here"))
	term.Keys("\r")
	term.Wait("the question", shows("Run mark on 5 nodes", "echo here", "type mark to run", "daytwo does not know what it does"))
	term.Keys("\r")
	term.Wait("no name, no run", shows("type mark to go on"))
	if _, err := os.Stat(filepath.Join(u.s.folder(recordFolder), trail.BookName)); err == nil {
		t.Error("it is written down before it was confirmed")
	}
	term.Keys("mark\r")
	term.Wait("how it ended", shows("5 failed", "exit 3", "mark on 5 nodes"))
	term.Keys("\r")
	term.Wait("no secret", shows("token: ", "exit code 3"))
	if strings.Contains(term.Screen(), "s3cr3tvalue99") {
		t.Errorf("a secret is on the screen:\n%s", term.Screen())
	}
	for _, node := range []string{"master-0", "worker-3"} {
		if got := u.on(node, "cat /tmp/mark"); got != "here" {
			t.Errorf("on %s it did not run: %q", node, got)
		}
	}
	text, err := os.ReadFile(filepath.Join(u.s.folder(recordFolder), trail.BookName))
	if err != nil || strings.Count(string(text), "\n") != 2 || !shows(`"mark":"began"`, `"mark":"ended"`, "worker-3: exit code 3", "echo here")(string(text)) {
		t.Errorf("what is written down: %v\n%s", err, text)
	}
}

// TestTrailReadOnly refuses what is not known to read only, and says why.
func TestTrailReadOnly(t *testing.T) {
	u := ownTrail(t)
	u.f.readonly = true
	term := u.screen()
	term.Keys("t")
	term.Wait("the trail", shows("mark", "yours"))
	term.Keys("jjjjj\r")
	term.Wait("the reason", shows("run: read-only mode: daytwo does not know that mark only reads"))
	term.Keys("j\r")
	term.Wait("a question to the cluster", shows("$ kubectl get events -A", "done"))
	term.Keys("\x1b")
	term.Wait("the trail again", shows("as typed"))
	term.Keys("kkkk\r")
	term.Wait("a built-in one", shows("disk on 5 nodes", "5 done"))
}

// lineWith is the first line of a screen with a word in it.
func lineWith(screen, word string) string {
	for line := range strings.SplitSeq(screen, "\n") {
		if strings.Contains(line, word) {
			return line
		}
	}
	return ""
}

// TestTrailFromAnywhere: in a view that has no object the palette has it.
func TestTrailFromAnywhere(t *testing.T) {
	u := upgradeWorld(t)
	term := u.screen()
	term.Keys("t")
	term.Wait("the trail, with the demo's own commands", shows("load averages", "yours", "recent events"))
	term.Keys("\r")
	term.Wait("an answer", shows("$ kubectl get pods -A", "done"))
	term.Keys(":trail")
	term.Wait("the command in the palette", func(s string) bool { return strings.Contains(s, "▌ trail") })
	term.Keys("\r")
	term.Wait("the trail of the cluster", shows("as typed", "kubectl top nodes"))
}
