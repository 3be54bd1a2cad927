package forensics

import (
	"strings"
	"testing"
	"time"
)

// node is the facts of a node whose disk holds a bit of everything; all its
// sizes are whole gigabytes, so that a sum is easy to see.
func node() Facts {
	const g = 1e9
	return Facts{
		Mounts: []Mount{{"/dev/sda1", "ext4", 300 * g, 230 * g, 55 * g, "/"}},
		Roots:  []Device{{2049, "/"}},
		Layers: []Layer{{Device: 59, Container: "c1", Upper: "12", Lower: []string{"7"}}},
		Root: []Size{
			{"/", 47 * g},
			{"/usr", 4 * g},
			{"/var", 43 * g},
			{"/var/log", 41 * g},
			{"/var/log/journal", 40 * g},
			{"/var/log/app", 1 * g},
			{"/var/cache", 2 * g},
			{"/var/cache/apt", 2 * g},
		},
		PodLogs: []Size{{podLogsDir, 3 * g}, {podLogsDir + "/shop_api-1_u1", 2 * g}, {podLogsDir + "/shop_job-1_u9", 1 * g}},
		K3s: []Size{
			{k3sDir, 150 * g},
			{k3sDir + "/storage", 10 * g},
			{k3sDir + "/storage/pvc-1", 10 * g},
			{k3sDir + "/data", 2 * g},
			{k3sDir + "/data/aaaaaaaaaaaaaaaa", 1 * g},
			{k3sDir + "/data/bbbbbbbbbbbbbbbb", 1 * g},
			{containerdDir, 137 * g},
			{contentDir, 6 * g},
			{snapshotsDir, 130 * g},
		},
		Kubelet: []Size{{kubeletDir, 5 * g}, {kubeletDir + "/pods/u1/volumes/kubernetes.io~empty-dir/cache", 4 * g}},
		Big: []Size{
			{snapshotsDir + "/12/fs/var/log/app.log", 60 * g},
		},
		Deleted: []Deleted{{Device: 59, Inode: 5, Bytes: 9 * g, PID: 77, FD: "4", Process: "java", Name: "/tmp/heap"}},
		System:  []Size{{"/var/cache/apt/archives", 2 * g}},
		Images: []Image{
			{"sha256:" + strings.Repeat("a", 64), []string{"shop/api:2"}, 2 * g, false},
			{"sha256:" + strings.Repeat("b", 64), []string{"shop/api:1"}, 1 * g, false},
			{"sha256:" + strings.Repeat("c", 64), []string{"k3s/pause:3"}, 1 * g, true},
		},
		Containers: []Container{{ID: "c1", Image: "sha256:" + strings.Repeat("a", 64), Name: "api", Pod: "api-1", Namespace: "shop", Running: true}},
		Snapshots: []Snapshot{
			{"sha256:L1", "", false, 5 * g}, {"sha256:L2", "", false, 8 * g}, {"c1", "sha256:L1", true, 65 * g},
		},
		Chains: map[string][]string{
			"sha256:" + strings.Repeat("a", 64): {"sha256:L1"}, "sha256:" + strings.Repeat("b", 64): {"sha256:L2"},
		},
		Bundles: []Bundle{{Name: "aaaaaaaaaaaaaaaa", Use: "current"}, {Name: "bbbbbbbbbbbbbbbb"}},
	}
}

func TestAccountAddsUp(t *testing.T) {
	t.Parallel()
	f := node()
	v := judge("worker-0", "r1", time.Unix(0, 0), Picture{}, nil, f)
	a, ok := v.Root()
	if !ok || a.Sum() != a.Mount.Used {
		t.Fatalf("the account adds up to %d of %d", a.Sum(), a.Mount.Used)
	}
	const g = 1e9
	for c, want := range map[Category]int64{
		ImagesUsed: (5 + 2 + 1) * g, ImagesUnused: (8 + 1) * g, Writable: 65 * g, Orphans: 52 * g,
		PodLogs: 3 * g, Journal: 40 * g, EmptyDir: 4 * g, LocalPath: 10 * g, DeletedOpen: 9 * g,
		K3s: (3 + 1 + 1 + 2) * g, Other: 7 * g, Unexplained: 16 * g,
	} {
		if got := a.Share(c).Bytes; got != want {
			t.Errorf("%s is %s, want %s", c, bytesOf(got), bytesOf(want))
		}
	}
	if !a.Loud() {
		t.Error("16 GB that nobody can explain are not news")
	}
	if got := named(a.Share(Writable)); !strings.Contains(got, "shop/api-1 api: /var/log/app.log 60 GB") {
		t.Errorf("writable layers name %q", got)
	}
	if got := named(a.Share(PodLogs)); got != "shop/api-1 2.0 GB; shop/job-1 1.0 GB" {
		t.Errorf("pod logs name %q", got)
	}
}

func TestSuggestionsClimbTheLadder(t *testing.T) {
	t.Parallel()
	f := node()
	f.Kubelet = append(f.Kubelet, Size{kubeletDir + "/pods/u9", 2e9})
	f.Containers = append(f.Containers, Container{ID: "c9", Name: "job", Pod: "job-1", Namespace: "shop"})
	f.Snapshots = append(f.Snapshots, Snapshot{"c9", "sha256:L1", true, 3e9})
	v := judge("worker-0", "r1", time.Unix(0, 0), Picture{Finished: []FinishedPod{{"shop", "job-1", "u9", "Completed", "Job"}}}, nil, f)
	rung, done := 0, map[What]Suggestion{}
	for _, s := range v.Suggestions {
		if s.Rung < rung || s.Risk == "" || s.Command == "" {
			t.Errorf("%+v after rung %d", s, rung)
		}
		rung = s.Rung
		if s.Cleanup != nil {
			done[s.Cleanup.What] = s
		}
	}
	if rung != 10 {
		t.Errorf("the ladder ends at %d: orphaned layers are not explained", rung)
	}
	if s := done[CleanImages]; len(s.Cleanup.Images) != 1 || s.Cleanup.Images[0].Name != "shop/api:1" || s.Frees != 9e9 {
		t.Errorf("images: %+v; what is in use or pinned stays", s)
	}
	if s := done[CleanBundles]; len(s.Cleanup.Bundles) != 1 || s.Cleanup.Bundles[0] != "bbbbbbbbbbbbbbbb" {
		t.Errorf("bundles: %+v", s)
	}
	if s := done[CleanPods]; s.Frees != (1+2+3)*1e9 {
		t.Errorf("pods: %+v; what is over keeps its log", s)
	}
	for _, w := range []What{CleanJournal, CleanApt, CleanPods} {
		if _, ok := done[w]; !ok {
			t.Errorf("no clean-up of %s", w)
		}
	}
}

// TestUnknownIsNeverZero: a probe that failed leaves its categories unknown,
// and what is unexplained says which were not looked at.
func TestUnknownIsNeverZero(t *testing.T) {
	t.Parallel()
	f := node()
	f.K3s, f.Snapshots, f.Containers = nil, nil, nil
	v := judge("worker-0", "r1", time.Unix(0, 0), Picture{}, []Result{
		{ID: "du-k3s", Title: "du of k3s", Err: "not done within 15 min"}, {ID: "containers", Err: "no crictl"},
	}, f)
	a, _ := v.Root()
	if a.Sum() != a.Mount.Used || a.Share(Writable).Unknown == "" {
		t.Fatalf("%+v", a)
	}
	if text := a.Explain(); !strings.Contains(text, "writable layers") {
		t.Errorf("explained as %q", text)
	}
	for _, s := range v.Suggestions {
		if s.Cleanup != nil && s.Cleanup.What == CleanImages {
			t.Errorf("images would be removed though nobody knows what is in use: %+v", s)
		}
	}
}

// TestWithoutTheRuntimesBooks: what is mounted is known, the rest is not told
// apart, and nothing is called orphaned.
func TestWithoutTheRuntimesBooks(t *testing.T) {
	t.Parallel()
	f := node()
	f.Snapshots = nil
	f.K3s = append(f.K3s, Size{snapshotsDir + "/12", 65e9}, Size{snapshotsDir + "/7", 5e9})
	a := accounts([]Result{{ID: "snapshots", Err: "no ctr"}}, &f)[0]
	if a.Sum() != a.Mount.Used || a.Share(Writable).Bytes != 65e9 || a.Share(ImagesUsed).Bytes != 5e9 ||
		a.Share(Images).Bytes != 66e9 || a.Share(Images).Unknown == "" || a.Share(Orphans).Bytes != 0 {
		t.Errorf("%+v", a.Shares)
	}
}

func TestGrowthSinceTheLastOne(t *testing.T) {
	t.Parallel()
	old := node()
	old.Mounts[0].Used -= 30e9
	old.Root[4].Bytes -= 30e9
	old.Root[0].Bytes -= 30e9
	before := judge("worker-0", "r0", time.Unix(0, 0), Picture{}, nil, old)
	v := judge("worker-0", "r1", time.Unix(1000, 0), Picture{Oldest: Sample{time.Unix(1, 0), 10e9}}, nil, node())
	v.compare(&before)
	if len(v.Since) != 2 || v.Since[0].Bytes != 30e9 || v.Since[0].By[0] != (Delta{Journal, 30e9}) || v.Since[1].Bytes != 220e9 {
		t.Errorf("%+v", v.Since)
	}
}

func TestTwoFilesystems(t *testing.T) {
	t.Parallel()
	f := node()
	f.Mounts = append(f.Mounts, Mount{"/dev/sdb", "ext4", 200e9, 150e9, 40e9, "/var/lib/rancher"})
	all := accounts(nil, &f)
	if len(all) != 2 || all[0].Mount.On != "/" || all[1].Mount.On != "/var/lib/rancher" {
		t.Fatalf("%+v", all)
	}
	for _, a := range all {
		if a.Sum() != a.Mount.Used {
			t.Errorf("%s adds up to %d of %d", a.Mount.On, a.Sum(), a.Mount.Used)
		}
	}
	if all[0].Share(Writable).Bytes != 0 || all[1].Share(Writable).Bytes != 65e9 {
		t.Error("writable layers are counted on the wrong disk")
	}
}

func TestChecklist(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, err := EnsureChecklist(dir)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := EnsureChecklist(dir); err != nil || again != path {
		t.Errorf("%s %v", again, err)
	}
	c, err := ReadChecklist(dir)
	if err != nil || c.String() != shipped {
		t.Fatalf("reading and writing changes it: %v", err)
	}
	n := 0
	for i, l := range c.Lines {
		if l.Box {
			n = i
			break
		}
	}
	ticked := c.Tick(n).Tick(0)
	if done, all := ticked.Count(); done != 1 || all < 10 {
		t.Errorf("%d of %d", done, all)
	}
	if err := SaveTicked(dir, ticked); err != nil {
		t.Fatal(err)
	}
	back, ok, err := ReadTicked(dir)
	if err != nil || !ok || back.String() != ticked.String() {
		t.Errorf("%v %v", ok, err)
	}
}
