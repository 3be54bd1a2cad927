package views_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"daytwo/actions"
	"daytwo/actions/forensics"
	"daytwo/sources"
	"daytwo/ui"
	"daytwo/ui/uitest"
	"daytwo/views"
)

// diskBox answers the commands of the forensics as a node whose journal and
// whose application's log ate it. It is here for the screens, which need whole
// numbers; the demo's machines are asked elsewhere.
type diskBox struct {
	mu     sync.Mutex
	freed  int64
	denied bool
	ran    []string
}

func (b *diskBox) Host(string) sources.Host { return b }

func (b *diskBox) Start(context.Context, sources.Unit) error { return errors.New("not here") }

func (b *diskBox) Follow(context.Context, string, string, io.Writer, func(string)) (sources.UnitState, error) {
	return sources.UnitState{}, errors.New("not here")
}

func (b *diskBox) Look(context.Context, string) (sources.UnitState, error) {
	return sources.UnitState{}, errors.New("not here")
}

func (b *diskBox) Run(_ context.Context, c sources.Command) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ran = append(b.ran, c.Line)
	if b.denied {
		return errors.New("sudo on worker-0 asks for a password; allow it without one, or log in as root")
	}
	if strings.Contains(c.Line, "vacuum-size") {
		b.freed = 39 * gb
	}
	for _, a := range b.answers() {
		if strings.Contains(c.Line, a[0]) {
			_, err := io.WriteString(c.Stdout, a[1])
			return err
		}
	}
	return &sources.ExitError{Host: "worker-0", Line: c.Line, Code: 127, Stderr: "sh: 1: k3s: not found"}
}

const (
	k3sDir  = "/var/lib/rancher/k3s"
	layers  = k3sDir + "/agent/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots"
	content = k3sDir + "/agent/containerd/io.containerd.content.v1.content"
)

func du(pairs ...any) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, "%d\t%s\x00", pairs[i], pairs[i+1])
	}
	return b.String()
}

func (b *diskBox) answers() [][2]string {
	image := func(c string) string { return "sha256:" + strings.Repeat(c, 64) }
	used := 276*gb - int(b.freed)
	return [][2]string{
		{"df -PT -B1", fmt.Sprintf("Filesystem Type 1-blocks Used Available Capacity Mounted on\n/dev/sda1 ext4 %d %d %d 92%% /\n", 315*gb, used, 300*gb-used)},
		{"df -PT -i", "Filesystem Type Inodes IUsed IFree IUse% Mounted on\n/dev/sda1 ext4 19000000 2000000 17000000 11% /\n"},
		{"maxdepth 0 -printf '%D", "2049 /\x002049 " + k3sDir + "\x00"},
		{"mountinfo", "702 29 0:59 / /run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/c1/rootfs rw - overlay overlay rw,lowerdir=" + layers + "/7/fs,upperdir=" + layers + "/12/fs\n"},
		{"--disk-usage", fmt.Sprintf("Archived and active journals take up %d.0M in the file system.\n", (40*gb-int(b.freed))>>20)},
		{"vacuum-size", "Vacuuming done, freed 36.3G of archived journals from /var/log/journal.\n"},
		{"journalctl -u", "2026-11-22T15:00:01+0000 worker-0 k3s[1]: eviction manager: attempting to reclaim ephemeral-storage\n2026-11-22T15:00:02+0000 worker-0 k3s[1]: all is well\n"},
		{"fd -maxdepth 1", "2049 77 17578125 /proc/812/fd/4\x00java\x00/var/log/heap\x1b[2J.hprof (deleted)\x00"},
		{"imagefsinfo", `{"status":{"imageFilesystems":[{"usedBytes":{"value":"31000000000"}}]}}`},
		{"inspecti", `[{"status":{"id":"` + image("a") + `"},"info":{"imageSpec":{"rootfs":{"diff_ids":["sha256:L1"]}}}},{"status":{"id":"` + image("b") + `"},"info":{"imageSpec":{"rootfs":{"diff_ids":["sha256:L2"]}}}}]`},
		{"crictl images", `{"images":[{"id":"` + image("a") + `","repoTags":["shop/api:2.4.1"],"size":"2000000000"},{"id":"` + image("b") + `","repoTags":["shop/api:2.3.0"],"size":"3000000000"},{"id":"` + image("c") + `","repoTags":["rancher/mirrored-pause:3.6"],"size":"300000","pinned":true}]}`},
		{"crictl ps", `{"containers":[{"id":"c1","podSandboxId":"s1","metadata":{"name":"api"},"image":{"image":"` + image("a") + `"},"state":"CONTAINER_RUNNING","labels":{"io.kubernetes.pod.name":"api-6d9f","io.kubernetes.pod.namespace":"shop"}}]}`},
		{"crictl stats", `{"stats":[{"attributes":{"id":"c1"},"writableLayer":{"usedBytes":{"value":"120000000000"}}}]}`},
		{"k3s ctr", fmt.Sprintf("KEY PARENT KIND\nsha256:L1  Committed\nsha256:L2  Committed\nc1 sha256:L1 Active\nKEY SIZE INODES\nsha256:L1 %d 9\nsha256:L2 %d 9\nc1 %d 9\n", 8*gb, 18*gb, 120*gb)},
		{"data -mindepth", "d 1760000000.0 " + strings.Repeat("a", 64) + "\x00\x00d 1740000000.0 " + strings.Repeat("b", 64) + "\x00\x00l 1760000000.0 current\x00" + k3sDir + "/data/" + strings.Repeat("a", 64) + "\x00"},
		{"agent/images", ""},
		{"-s /var/cache", du(2*gb, "/var/cache/apt/archives")},
		{"-d5 " + k3sDir, du(
			176*gb, k3sDir, 3*gb, k3sDir+"/storage", 3*gb, k3sDir+"/storage/pvc-1_shop_mysql", gb, k3sDir+"/data",
			gb/2, k3sDir+"/data/"+strings.Repeat("a", 64), gb/2, k3sDir+"/data/"+strings.Repeat("b", 64),
			171*gb, k3sDir+"/agent/containerd", 5*gb, content, 166*gb, layers)},
		{"-d5 /var/lib/kubelet", du(4*gb, "/var/lib/kubelet", 3*gb, "/var/lib/kubelet/pods/u1/volumes/kubernetes.io~empty-dir/cache")},
		{"-d1 /var/log/pods", du(1*gb, "/var/log/pods")},
		{"-d3", du(51*gb-int(b.freed), "/", 4*gb, "/usr", 44*gb, "/var/log", 40*gb-int(b.freed), "/var/log/journal", 3*gb, "/var/log/nginx", 2*gb, "/var/cache/apt")},
		{"-size +16M", fmt.Sprintf("%d %s/12/fs/var/log/app/api.log\x00", 118*gb/512, layers)},
		{"--inodes", "1500000\t/var/lib\x00"},
	}
}

type noKubelet struct{}

func (noKubelet) PodDisks(context.Context, string) ([]sources.PodDisk, error) {
	return []sources.PodDisk{{Namespace: "shop", Pod: "api-6d9f", UID: "u1", Ephemeral: 124 * gb, Writable: 120 * gb, Logs: gb}}, nil
}

// bench is a screen with a runner and a node to look at.
type diskBench struct {
	*uitest.Driver
	box    *diskBox
	dir    string
	runner *actions.Runner
}

func forensicsBench(t *testing.T, width, height int, readOnly bool) diskBench {
	t.Helper()
	b := diskBench{box: &diskBox{}, dir: t.TempDir()}
	now := uitest.NewClock().Now // until the screen with its clock is there
	clock := func() time.Time { return now() }
	means := forensics.Means{Hosts: b.box, Kubelet: noKubelet{}, Clock: clock}
	b.runner = actions.NewRunner(actions.Options{
		Dir: b.dir, Who: "op@jump", Clock: clock,
		Kinds: map[actions.Kind]actions.Restore{
			forensics.InspectKind: forensics.RestoreInspection(means), forensics.CleanKind: forensics.RestoreCleanup(means),
		},
	})
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		b.runner.Close(ctx, "the test ends")
	})
	tool := views.Forensics{Runner: b.runner, Means: means, Record: filepath.Join(b.dir, "record")}
	o := ui.Options{Color: true, Runner: b.runner, ReadOnly: readOnly, Tools: []func(ui.Frame, sources.Ref) []ui.Command{tool.Tool}}
	b.Driver, _ = open(t, width, height, o, world.incident)
	now = b.Now
	return b
}

// look goes from the first screen to the verdict by keys.
func (b diskBench) look() {
	b.Press("f")
	b.See("Forensics of worker-0", "reads only", "df -PT -B1", "enter look")
	b.Press("enter")
}

func TestForensicsFromTheDiskFindingToTheVerdict(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{80, 24}, {120, 40}, {200, 50}} {
		b := forensicsBench(t, size[0], size[1], false)
		b.Press("f")
		b.Golden(fmt.Sprintf("forensics-plan-%dx%d", size[0], size[1]))
		b.Press("esc")
		b.look()
		b.See("92 % used", "most of it writable layers, 120 GB", "journal", "40 GB", "unexplained", "What would help")
		b.Golden(fmt.Sprintf("forensics-verdict-%dx%d", size[0], size[1]))
		b.Press("tab")
		b.Golden(fmt.Sprintf("forensics-evidence-%dx%d", size[0], size[1]))
	}
}

func TestForensicsEvidenceIsHarmless(t *testing.T) {
	t.Parallel()
	b := forensicsBench(t, 120, 400, false)
	b.look()
	b.Press("tab")
	b.See("shop/api-6d9f api: /var/log/app/api.log", "/var/log/heap.hprof, held by java (pid 812", "unused", "shop/api:2.3.0", "pinned",
		"eviction manager", "124 GB", "image GC at")
	if strings.Contains(b.Styled(), "\x1b[2J") {
		t.Error("a file's name clears the screen")
	}
}

// TestCleanupByTheNodesName: the journal is vacuumed only after the node's
// name was typed, and the verdict says what that freed.
func TestCleanupByTheNodesName(t *testing.T) {
	t.Parallel()
	b := forensicsBench(t, 120, 40, false)
	b.look()
	b.Press("enter")
	b.See("Clean up the journal to 500M on worker-0", "journalctl --vacuum-size=500M", "type worker-0")
	b.Press("enter")
	b.See("type worker-0 to go on")
	b.Type("worker-0")
	b.Press("enter")
	b.Send(ui.RunsChanged())
	b.See("done", "freed 39 GB: 92 % -> 79 %")
	b.Press("esc")
	b.See("done: freed 39 GB")
	n := 0
	for _, l := range b.box.ran {
		if strings.Contains(l, "vacuum") {
			n++
		}
	}
	if n != 1 {
		t.Errorf("vacuumed %d times", n)
	}
}

func TestCleanupNotInReadOnlyMode(t *testing.T) {
	t.Parallel()
	b := forensicsBench(t, 120, 40, true)
	b.look()
	b.Press("enter")
	b.See("read-only mode")
}

func TestDangerousOnesAreOnlyExplained(t *testing.T) {
	t.Parallel()
	b := forensicsBench(t, 120, 40, false)
	b.look()
	b.Press("G", "enter")
	b.See("never rm in snapshots/", "It is not done from here")
	b.Press("enter")
	b.Press("y")
	if !strings.Contains(b.Clipboard(), "kubectl drain worker-0") {
		t.Errorf("copied %q", b.Clipboard())
	}
}

// TestGrowthSinceTheLastForensics: a second look compares with the first.
func TestGrowthSinceTheLastForensics(t *testing.T) {
	t.Parallel()
	b := forensicsBench(t, 120, 40, false)
	b.look()
	b.See("276 GB")
	b.box.freed = -5 * gb
	b.Advance(3 * time.Hour)
	b.Press("esc", "f")
	b.See("last verdict")
	b.Press("enter")
	b.See("since the last forensics, 3 h ago: +5.0 GB (journal +5.0 GB)", "since the oldest sample")
}

func TestChecklistIsTickedAndSavedWithTheRun(t *testing.T) {
	t.Parallel()
	b := forensicsBench(t, 120, 40, false)
	b.look()
	b.Press("tab", "tab")
	b.See("0 of ", "Before touching anything", "[ ] Who else is working on this node?")
	b.Press("space", "down", "space")
	b.See("2 of ", "[x] Who else is working")
	b.Golden("forensics-checklist-120x40")
	saved, err := filepath.Glob(filepath.Join(b.dir, "runs", "*", "checklist.md"))
	if err != nil || len(saved) != 1 {
		t.Fatal(saved, err)
	}
	raw, err := os.ReadFile(saved[0])
	if err != nil || strings.Count(string(raw), "[x]") != 2 {
		t.Errorf("%s %v", raw, err)
	}
	b.Send(ui.RunsChanged())
	b.Press("esc", "f", "tab", "tab")
	b.See("2 of ")
}

// TestForensicsWithoutSudo: one clear reason instead of twenty zeros.
func TestForensicsWithoutSudo(t *testing.T) {
	t.Parallel()
	b := forensicsBench(t, 80, 24, false)
	b.box.denied = true
	b.look()
	b.See("nothing could be looked at on worker-0", "asks for a password")
	b.box.denied = false
	b.Press("enter")
	b.See("92 % used")
}

func TestForensicsSaysWhyItCannot(t *testing.T) {
	t.Parallel()
	tool := views.Forensics{WhyNot: "SSH is not set up"}
	o := ui.Options{Tools: []func(ui.Frame, sources.Ref) []ui.Command{tool.Tool}}
	d, _ := open(t, 80, 24, o, world.incident)
	d.Press("f")
	d.See("forensics: SSH is not set up")
}
