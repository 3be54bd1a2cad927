package main

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"daytwo/actions"
	"daytwo/actions/forensics"
	"daytwo/sources"
	"daytwo/sources/demo"
	"daytwo/ui/uitest"
)

// diskNight is the incident's night, and somebody at its screen.
type diskNight struct {
	t    *testing.T
	w    *demo.World
	s    *session
	term *uitest.Terminal
}

func incidentNight(t *testing.T) diskNight {
	t.Helper()
	w, s, term := sessionOnDemo(t, demo.Incident, flags{}, 120, 44)
	term.Wait("the incident", shows("2 critical", "f forensics", "eviction in", "kubelets 5/5"))
	return diskNight{t, w, s, term}
}

// on runs a line as root on a machine.
func (n diskNight) on(node, line string) string {
	n.t.Helper()
	var out strings.Builder
	if err := n.s.hosts.Host(node).Run(n.t.Context(), sources.Command{Line: line, Root: true, Stdout: &out}); err != nil {
		n.t.Fatal(err)
	}
	return strings.TrimSpace(out.String())
}

// used is what df says of a machine's disk.
func (n diskNight) used(node string) float64 {
	n.t.Helper()
	v, err := strconv.ParseFloat(n.on(node, "df -B1 --output=used / | tail -n1"), 64)
	if err != nil {
		n.t.Fatal(err)
	}
	return v
}

// last is the newest run of a kind.
func (n diskNight) last(kind actions.Kind) actions.Run {
	n.t.Helper()
	all := n.s.runner.Runs()
	i := slices.IndexFunc(all, func(r actions.Run) bool { return r.Kind == kind })
	if i < 0 {
		n.t.Fatalf("there is no run of %s", kind)
	}
	return all[i]
}

// verdict is what the newest forensics kept.
func (n diskNight) verdict() *forensics.Verdict {
	n.t.Helper()
	return verdictIn(n.t, n.last(forensics.InspectKind).Dir)
}

// frees cleans up what the cursor is on, and compares what was said with df.
func (n diskNight) frees(node, title string, said float64) {
	n.t.Helper()
	before := n.used(node)
	n.term.Keys("\r")
	n.term.Wait("the question", shows("Clean up "+title+" on "+node, "type "+node))
	n.term.Keys(node + "\r")
	n.term.Wait("what it came to", shows("freed ", "done", "df after"))
	if freed := before - n.used(node); math.Abs(freed-said) > 0.02*said {
		n.t.Errorf("%s freed %.0f, and %.0f were promised", title, freed, said)
	}
	n.term.Keys("\x1b")
	n.term.Wait("the verdict again", shows("What would help", "done: freed"))
}

// leaves goes back to the verdict while a clean-up, that of the next suggestion,
// still runs: what it frees is told there all the same.
func (n diskNight) leaves(node, title string) {
	n.t.Helper()
	told := strings.Count(n.term.Screen(), "done: freed")
	lift := n.w.HangSSH(node)
	defer lift()
	n.term.Keys("j\r")
	n.term.Wait("the question", shows("Clean up "+title+" on "+node, "type "+node))
	n.term.Keys(node + "\r")
	n.term.Wait("a clean-up that hangs", shows("0 of 3 done", "x stop"))
	n.term.Keys("\x1b")
	n.term.Wait("the verdict meanwhile", shows("What would help"))
	lift()
	n.term.Wait("what it freed", func(s string) bool { return strings.Count(s, "done: freed") > told })
}

// TestForensicsOfAFullDiskByKeys is the mission's first story: from the line
// in Attention to what eats the disk, and to less of it.
func TestForensicsOfAFullDiskByKeys(t *testing.T) {
	n := incidentNight(t)
	n.term.Keys("f")
	n.term.Wait("the plan", shows("Forensics of worker-0", "reads only", "92 %", "image GC", "eviction in", "df -PT -B1", "du -x0", "k3s crictl images", "journalctl --disk-usage"))
	if strings.Contains(n.term.Screen(), "not known") {
		t.Errorf("the kubelet's limits are served and not known:\n%s", n.term.Screen())
	}
	n.term.Keys("\r")
	n.term.Wait("the verdict", shows("92 % used", "most of it writable layers", "media/minio-0 minio: /var/log/minio/audit.log", "orphaned layers",
		"deleted, still open", "held by rsyslogd", "What would help, least risk first", "vacuum the journal to 500M"))
	picture(t, n.term, "forensics")
	v := n.verdict()
	root, ok := v.Root()
	left := root.Share(forensics.Unexplained).Bytes
	if !ok || root.Sum() != root.Mount.Used || math.Abs(float64(root.Mount.Used)-n.used("worker-0")) > 0.02*float64(root.Mount.Used) ||
		max(left, -left) > root.Mount.Used/50 || len(v.Unknown) > 0 || len(v.Log) == 0 {
		t.Errorf("the account adds up to %d of %d, %d unexplained, unknown %v, log %v", root.Sum(), root.Mount.Used, left, v.Unknown, v.Log)
	}
	order := []string{"vacuum the journal", "empty apt's cache", "old k3s versions", "restart what holds", "empty logs in containers", "unused images by id", "never rm in snapshots"}
	at := -1
	for _, title := range order {
		i := strings.Index(n.term.Screen(), title)
		if i < at {
			t.Errorf("%q is not where its risk puts it:\n%s", title, n.term.Screen())
		}
		at = i
	}
	n.frees("worker-0", "the journal to 500M", saidFrees(t, v, forensics.CleanJournal))
	n.leaves("worker-0", "apt's cache")
	n.term.Keys("jjjj")
	n.term.Wait("the images chosen", shows("type    ssh worker-0 'sudo k3s crictl rmi sha256:"))
	n.frees("worker-0", "3 unused images", saidFrees(t, v, forensics.CleanImages))
	if out := n.on("worker-0", "k3s crictl images"); !strings.Contains(out, "pause") || strings.Contains(out, "0.18.1") {
		t.Errorf("the images afterwards:\n%s", out)
	}
	n.term.Keys("\t\t")
	n.term.Wait("the checklist", shows("0 of ", "Before touching anything"))
	n.term.Keys(" ")
	n.term.Wait("a tick", shows("1 of "))
	path := filepath.Join(n.last(forensics.InspectKind).Dir, "checklist.md")
	eventually(t, "the tick in the record", func() bool { // the screen shows it first
		list, err := os.ReadFile(path)
		return err == nil && strings.Count(string(list), "- [x]") == 1 && strings.Contains(string(list), "# Node forensics checklist")
	})
}

// eventually waits for what no screen tells of.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func saidFrees(t *testing.T, v *forensics.Verdict, what forensics.What) float64 {
	t.Helper()
	return float64(suggested(t, v, what).Frees)
}

// suggested is the suggestion of a clean-up.
func suggested(t *testing.T, v *forensics.Verdict, what forensics.What) forensics.Suggestion {
	t.Helper()
	i := slices.IndexFunc(v.Suggestions, func(s forensics.Suggestion) bool { return s.Cleanup != nil && s.Cleanup.What == what })
	if i < 0 {
		t.Fatalf("nobody suggests to clean up %s", what)
	}
	return v.Suggestions[i]
}

// verdictIn is what a forensics kept in its run's folder.
func verdictIn(t *testing.T, dir string) *forensics.Verdict {
	t.Helper()
	v, err := forensics.Load(dir)
	if err != nil || v == nil {
		t.Fatalf("the verdict: %v, %v", v, err)
	}
	return v
}

// TestForensicsIsStoppedAndGoesOn while a machine is quiet; what cannot be
// asked is a line of its own; finished pods go one by one.
func TestForensicsIsStoppedAndGoesOn(t *testing.T) {
	n := incidentNight(t)
	n.on("worker-3", "systemctl stop k3s-agent")
	lift := n.w.HangSSH("worker-3")
	defer lift()
	n.term.Keys("1G")
	n.term.Wait("a node", shows("f forensics"))
	n.term.Keys("f")
	n.term.Wait("the plan", shows("Forensics of worker-3"))
	n.term.Keys("\r")
	n.term.Wait("a look that hangs", shows("running", "0 of 24 done", "disk use", "x stop"))
	n.term.Keys("x")
	n.term.Wait("the look stopped", shows("R resume"))
	lift()
	n.term.Keys("R")
	n.term.Wait("what can be known without a runtime", shows("probes failed", "local-path volumes", "unknown: "))
	v := n.verdict()
	root, ok := v.Root()
	if !ok || root.Sum() != root.Mount.Used || len(v.Unknown) < 5 {
		t.Errorf("%+v, unknown %v", root, v.Unknown)
	}
	for _, r := range v.Unknown {
		if !strings.Contains(r.Err, "no such file or directory") && r.ID != "kubelet" {
			t.Errorf("%s failed because of %q", r.Title, r.Err)
		}
	}
	n.on("worker-3", "systemctl start k3s-agent")
	finished := len(v.Picture.Finished)
	n.term.Keys("jj")
	n.term.Wait("the finished pods chosen", shows("kubectl -n backup delete pod"))
	before := n.used("worker-3")
	n.term.Keys("\r")
	n.term.Wait("the question", shows("Clean up "+strconv.Itoa(finished)+" finished pods on worker-3", "Completed backup/"))
	n.term.Keys("worker-3\r")
	n.term.Wait("what it came to", shows("freed ", "df after", "done"))
	if run, _ := n.s.runner.Wait(n.last(forensics.CleanKind).ID, t.Context().Done()); run.State != actions.Done || n.used("worker-3") > before-1e6 {
		t.Errorf("%s: %s, df from %.0f to %.0f", run.Title, run.State, before, n.used("worker-3"))
	}
	for _, p := range v.Picture.Finished {
		gone, err := n.s.looks().Pods.PodGone(context.WithoutCancel(t.Context()), sources.Ref{Kind: "Pod", Namespace: p.Namespace, Name: p.Name}, p.UID)
		if err != nil || !gone {
			t.Errorf("%s/%s is gone: %v, %v", p.Namespace, p.Name, gone, err)
		}
	}
}
