package demo_test

import (
	"context"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"daytwo/sources/demo"
)

func number(t *testing.T, c *ssh.Client, line string) float64 {
	t.Helper()
	text := strings.TrimSpace(must(t, c, line))
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatalf("%s: %q is no number", line, text)
	}
	return n
}

const dfUsed = "df -B1 --output=used / | tail -n1"

func near(got, want float64) bool { return math.Abs(got-want) <= 0.002*math.Abs(want)+1e6 }

// TestWhatLiesOnTheDiskAddsUpToDF: in every scenario a walk finds what df says
// is used, but for the file that lost its name.
func TestWhatLiesOnTheDiskAddsUpToDF(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		scenario demo.Scenario
		node     string
		nameless float64
	}{{demo.Incident, "worker-0", 6.4e9}, {demo.Incident, "worker-3", 0}, {demo.Healthy, "master-0", 0}, {demo.Empty, "master-0", 0}} {
		w, _ := start(t, demo.Options{Scenario: x.scenario})
		c := login(t, w, "root", x.node)
		used, found := number(t, c, dfUsed), number(t, c, "du -sxB1 / | cut -f1")
		if !near(found+x.nameless, used) {
			t.Errorf("%s %s: df says %.0f are used, du finds %.0f", x.scenario, x.node, used, found)
		}
		held := must(t, c, `find -L /proc/[0-9]*/fd -maxdepth 1 -type f -links 0 -printf '%b\n' 2>/dev/null; true`)
		if (held != "") != (x.nameless > 0) {
			t.Errorf("%s %s: held without a name: %q", x.scenario, x.node, held)
		}
	}
}

// TestWhatIsRemovedIsFree: df falls by each thing that a person removes, and
// the kubelet sees the same.
func TestWhatIsRemovedIsFree(t *testing.T) {
	t.Parallel()
	w, _ := start(t, demo.Options{})
	c, k := login(t, w, "root", "worker-0"), client(t, w, "admin", "")
	before := number(t, c, dfUsed)
	same := func() {
		t.Helper()
		if got, want := summaryOf(t, k, "worker-0"), 100*before/(300e9*0.95); math.Abs(got-want) > 1 {
			t.Errorf("the kubelet sees %.1f %%, df %.1f %%", got, want)
		}
	}
	same()
	const audit = "$(find /var/lib/rancher/k3s/agent/containerd -name audit.log)"
	for _, x := range []struct {
		line  string
		frees float64
	}{
		{"journalctl --vacuum-size=500M", 17.6e9 - 500*(1<<20)},
		{"apt-get clean", 640e6},
		{"systemctl restart rsyslog", 6.4e9},
		{"k3s crictl rmi registry.example.org/shop/api:2.8.1", 1873805312 / 3},
		{"truncate -s0 " + audit, number(t, c, "stat -c %s "+audit)},
	} {
		must(t, c, x.line)
		now := number(t, c, dfUsed)
		if freed := before - now; math.Abs(freed-x.frees) > 0.02*x.frees {
			t.Errorf("%s freed %.0f, want %.0f", x.line, freed, x.frees)
		}
		before = now
	}
	same()
	if out := must(t, c, "k3s crictl images"); strings.Contains(out, "shop/api   2.8.1") || !strings.Contains(out, "pause") {
		t.Errorf("the images afterwards:\n%s", out)
	}
}

// TestPodsTakeTheirBytesAlong: a finished pod keeps its log and layer until it
// is deleted, and crictl lists it as exited.
func TestPodsTakeTheirBytesAlong(t *testing.T) {
	t.Parallel()
	w, clock := start(t, demo.Options{})
	c, k := login(t, w, "root", "worker-3"), client(t, w, "admin", "")
	list, err := k.CoreV1().Pods("backup").List(t.Context(), metav1.ListOptions{FieldSelector: "status.phase=" + string(corev1.PodSucceeded)})
	if err != nil || len(list.Items) == 0 {
		t.Fatalf("no pod is over: %v", err)
	}
	p := list.Items[0]
	dir := "/var/log/pods/" + p.Namespace + "_" + p.Name + "_" + string(p.UID)
	size, before := number(t, c, "du -sB1 "+dir+" | cut -f1"), number(t, c, dfUsed)
	if out := must(t, c, "crictl ps -a"); !strings.Contains(lineWith(out, p.Name), "Exited") {
		t.Errorf("crictl ps -a does not have %s as exited:\n%s", p.Name, out)
	}
	if err := k.CoreV1().Pods(p.Namespace).Delete(context.WithoutCancel(t.Context()), p.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	clock.pass(time.Minute)
	if freed := before - number(t, c, dfUsed); size < 1e5 || freed < size {
		t.Errorf("deleting a pod whose log took %.0f freed %.0f", size, freed)
	}
	if _, _, code := typed(t, c, "test -e "+dir); code == 0 {
		t.Errorf("%s is still there", dir)
	}
}

func lineWith(text, part string) string {
	for l := range strings.SplitSeq(text, "\n") {
		if strings.Contains(l, part) {
			return l
		}
	}
	return ""
}

// TestContainerdAnswersRootWhileK3sRuns.
func TestContainerdAnswersRootWhileK3sRuns(t *testing.T) {
	t.Parallel()
	w, _ := start(t, demo.Options{})
	c := login(t, w, "", "worker-1")
	for _, line := range []string{"k3s crictl images", "k3s ctr snapshots ls"} {
		if _, complaints, code := typed(t, c, line); code != 1 || !strings.Contains(complaints, "permission denied") {
			t.Errorf("%s without sudo: %d %s", line, code, complaints)
		}
		must(t, c, "sudo -n "+line)
	}
	must(t, c, "sudo -n systemctl stop k3s-agent")
	if _, complaints, code := typed(t, c, "sudo -n k3s crictl ps"); code != 1 || !strings.Contains(complaints, "no such file") {
		t.Errorf("containerd answers though k3s is down: %d %s", code, complaints)
	}
}
