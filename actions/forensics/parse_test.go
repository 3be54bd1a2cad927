package forensics

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseDF(t *testing.T) {
	t.Parallel()
	all, err := parseDF([]byte(`Filesystem     Type     1-blocks        Used   Available Capacity Mounted on
/dev/sda1      ext4 321965260800 230000000000 70000000000      77% /
/dev/mapper/a b xfs  100 60 40 60% /mnt/with space
/dev/sda15     vfat    109395456     12345344    97050112      12% /boot/efi
none           odd             -            -           -        - /dev/odd
`))
	if err != nil || len(all) != 4 {
		t.Fatalf("%v %v", all, err)
	}
	if all[0] != (Mount{"/dev/sda1", "ext4", 321965260800, 230000000000, 70000000000, "/"}) {
		t.Errorf("the root is %+v", all[0])
	}
	if all[1].Device != "/dev/mapper/a b" || all[1].On != "/mnt/with space" {
		t.Errorf("spaces: %+v", all[1])
	}
	if int(all[0].Percent()) != 76 {
		t.Errorf("use is %v", all[0].Percent())
	}
	if _, err := parseDF([]byte("df: no such thing\n")); err == nil {
		t.Error("no filesystem is no error")
	}
}

func TestParseSizesTakesHostileNames(t *testing.T) {
	t.Parallel()
	hostile := "/var/a\n999999\t/etc\x1b[2J"
	all, err := parseSizes([]byte("4096\t/var/x\x00123\t" + hostile + "\x00"))
	if err != nil || len(all) != 2 || all[1].Path != hostile || all[1].Bytes != 123 {
		t.Fatalf("%+v %v", all, err)
	}
	for _, l := range tellSizes(all, "") {
		if strings.ContainsAny(l, "\x1b\n") {
			t.Errorf("told as %q", l)
		}
	}
	if _, err := parseSizes([]byte("du: cannot\x00")); err == nil {
		t.Error("an error message was taken for a size")
	}
}

func TestParseDeletedCountsOnce(t *testing.T) {
	t.Parallel()
	raw := "2049 77 2000 /proc/12/fd/3\x00nginx\x00/var/log/a (deleted)\x00" +
		"2049 77 2000 /proc/13/fd/3\x00nginx\x00/var/log/a (deleted)\x00" +
		"1 5 4000 /proc/13/fd/9\x00nginx\x00/memfd:x (deleted)\x00"
	all, err := parseDeleted([]byte(raw))
	if err != nil || len(all) != 3 || all[0].Name != "/var/log/a" || all[0].Bytes != 2000*512 || all[0].PID != 12 || all[0].FD != "3" {
		t.Fatalf("%+v %v", all, err)
	}
	f := Facts{
		Mounts: []Mount{{On: "/", Used: 3e6, Size: 1e7}}, Deleted: all,
		Roots: []Device{{2049, "/"}}, Root: []Size{{"/", 1e6}},
	}
	a := accounts(nil, &f)[0]
	if got := a.Share(DeletedOpen); got.Bytes != 2000*512 || len(got.Parts) != 1 || !strings.Contains(got.Parts[0].Path, "nginx (pid 12") {
		t.Errorf("counted %+v: one file held twice is one, and memory is no disk", got)
	}
}

func TestParseMounts(t *testing.T) {
	t.Parallel()
	line := "702 29 0:59 / /run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/abc123/rootfs rw,relatime shared:1 - overlay overlay rw," +
		"lowerdir=" + snapshotsDir + "/7/fs:" + snapshotsDir + "/3/fs,upperdir=" + snapshotsDir + "/12/fs,workdir=" + snapshotsDir + "/12/work\n" +
		"703 29 0:60 / /run/x/def/rootfs rw - overlay overlay rw,lowerdir=7/fs:3/fs,upperdir=13/fs,workdir=13/work\n" +
		"29 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n30 29 0:5 / /merged rw - overlay overlay rw,lowerdir=/a,upperdir=/b/fs\n"
	all := parseMounts([]byte(line))
	if len(all) != 2 || all[0].Container != "abc123" || all[0].Upper != "12" || !slices.Equal(all[0].Lower, []string{"7", "3"}) || all[0].Device != 59 {
		t.Fatalf("%+v", all)
	}
	if all[1].Upper != "13" || len(all[1].Lower) != 2 {
		t.Errorf("relative folders: %+v", all[1])
	}
}

func TestParseSnapshots(t *testing.T) {
	t.Parallel()
	raw := "KEY          PARENT    KIND\nsha256:aa              Committed\nsha256:bb    sha256:aa Committed\nabc    sha256:bb Active\n" +
		"KEY          SIZE     INODES\nsha256:aa  1000 12\nsha256:bb 200 3\nabc 50 2\n"
	all, err := parseSnapshots([]byte(raw))
	want := []Snapshot{{"sha256:aa", "", false, 1000}, {"sha256:bb", "sha256:aa", false, 200}, {"abc", "sha256:bb", true, 50}}
	if err != nil || !slices.Equal(all, want) {
		t.Fatalf("%+v %v", all, err)
	}
	if _, err := parseSnapshots([]byte("KEY PARENT KIND\n")); err == nil {
		t.Error("a list without sizes was taken for an answer")
	}
}

func TestParseUsage(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"Archived and active journals take up 1.5G in the file system.\n": 1610612736,
		"Archived and active journals take up 16.0M in the file system.":  16 << 20,
		"Archived and active journals take up 0B in the file system.":     0,
	} {
		if got, err := parseUsage([]byte(text)); err != nil || got != want {
			t.Errorf("%q is %d, %v", text, got, err)
		}
	}
}

func TestParseBundles(t *testing.T) {
	t.Parallel()
	raw := "d 1700000000.5 aaaa\x00\x00d 1690000000.5 bbbb\x00\x00d 1680000000.1 cccc\x00\x00" +
		"l 1700000001.1 current\x00/var/lib/rancher/k3s/data/aaaa\x00l 1700000001.1 previous\x00bbbb\x00f 1 .lock\x00\x00"
	all, err := parseBundles([]byte(raw))
	if err != nil || len(all) != 3 || all[0].Use != "current" || all[1].Use != "previous" || all[2].Use != "" {
		t.Fatalf("%+v %v", all, err)
	}
	if !all[0].At.Equal(time.Unix(1700000000, 0)) {
		t.Errorf("age %v", all[0].At)
	}
}

func TestParseRuntime(t *testing.T) {
	t.Parallel()
	images, err := parseImages([]byte(`{"images":[{"id":"sha256:aa","repoTags":["docker.io/x/y:1"],"repoDigests":[],"size":"123","pinned":true},{"id":"sha256:bb","repoTags":[],"repoDigests":["x@sha256:cc"],"size":"5"}]}`))
	if err != nil || len(images) != 2 || !images[0].Pinned || images[0].Bytes != 123 || images[1].Name() != "x@sha256:cc" {
		t.Errorf("%+v %v", images, err)
	}
	cs, err := parseContainers([]byte(`{"containers":[{"id":"c1","podSandboxId":"s1","metadata":{"name":"api"},"image":{"image":"sha256:aa"},"imageRef":"sha256:aa","state":"CONTAINER_RUNNING","labels":{"io.kubernetes.pod.name":"api-1","io.kubernetes.pod.namespace":"shop"}}]}`))
	if err != nil || len(cs) != 1 || cs[0].label() != "shop/api-1 api" || !cs[0].Running || cs[0].Image != "sha256:aa" {
		t.Errorf("%+v %v", cs, err)
	}
	stats, err := parseStats([]byte(`{"stats":[{"attributes":{"id":"c1"},"writableLayer":{"usedBytes":{"value":"4096"}}},{"attributes":{"id":"c2"},"writableLayer":null}]}`))
	if err != nil || stats["c1"] != 4096 || stats["c2"] != 0 {
		t.Errorf("%+v %v", stats, err)
	}
	for _, raw := range []string{
		`{"status":{"imageFilesystems":[{"usedBytes":{"value":"77"}}],"containerFilesystems":[]}}`,
		`{"status":{"usedBytes":{"value":"77"}}}`,
	} {
		if n, err := parseImageFS([]byte(raw)); err != nil || n != 77 {
			t.Errorf("%s is %d, %v", raw, n, err)
		}
	}
	for _, raw := range []string{
		`{"status":{"id":"sha256:aa"},"info":{"imageSpec":{"rootfs":{"diff_ids":["sha256:1","sha256:2"]}}}}{"status":{"id":"sha256:bb"}}`,
		`[{"status":{"id":"sha256:aa"},"info":{"imageSpec":{"rootfs":{"diff_ids":["sha256:1","sha256:2"]}}}},{"status":{"id":"sha256:bb"}}]`,
	} {
		if got, err := parseChains([]byte(raw)); err != nil || len(got["sha256:aa"]) != 2 || len(got) != 2 {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

// TestChain holds the arithmetic of layers by a value that containerd printed.
func TestChain(t *testing.T) {
	t.Parallel()
	got := chain([]string{
		"sha256:1111111111111111111111111111111111111111111111111111111111111111",
		"sha256:2222222222222222222222222222222222222222222222222222222222222222",
	})
	if len(got) != 2 || got[0] != "sha256:"+strings.Repeat("1", 64) || len(got[1]) != 7+64 || got[1] == got[0] {
		t.Errorf("chain is %v", got)
	}
}

func TestLogLines(t *testing.T) {
	t.Parallel()
	var f Facts
	f.readLog([]byte("a quiet line\nE1 eviction manager: must evict pod(s) to reclaim\nI2 ImageGCFailed \x1b[31mred\nwrite /x: no space left on device\n"))
	if f.LogRead != 4 || len(f.Log) != 3 || f.Log[2].Why != "no space" || strings.Contains(f.Log[1].Text, "\x1b") {
		t.Errorf("%+v", f)
	}
}

// FuzzParsers holds that no output makes a parser panic, and that what is told
// of it fits a line of the screen.
func FuzzParsers(f *testing.F) {
	f.Add([]byte("4096\t/var/x\x00"))
	f.Add([]byte("8 12.5 /a\nb\x00l 1 current\x00/x\x00"))
	f.Add([]byte("2049 77 2000 /proc/12/fd/3\x00nginx\x00/var/log/a (deleted)\x00"))
	f.Add([]byte("/dev/a ext4 1 2 3 4% /\nKEY PARENT KIND\na  Active\nKEY SIZE INODES\na 5 5\n"))
	f.Add([]byte(`{"images":[{"id":"x","size":{"value":"9"}}],"status":{"usedBytes":"x"}}`))
	f.Add([]byte("1 2 0:5 / /x/rootfs rw - overlay overlay rw,upperdir=1/fs,lowerdir=2/fs"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		all := append(probes("k3s"), probe{read: func([]byte, *Facts) error { return nil }})
		var whole Facts
		for _, p := range all {
			var facts Facts
			if p.read(raw, &facts) == nil && p.tell != nil {
				for _, l := range p.tell(&facts) {
					if strings.ContainsAny(l, "\x1b\n\x00") {
						t.Errorf("%s told %q", p.id, l)
					}
				}
			}
			_ = p.read(raw, &whole)
		}
		v := judge("n", "r", time.Unix(0, 0), Picture{}, nil, whole)
		for _, a := range v.Accounts {
			if a.Sum() != a.Mount.Used {
				t.Errorf("the account of %s adds up to %d of %d", a.Mount.On, a.Sum(), a.Mount.Used)
			}
		}
		if text := v.Markdown(); strings.ContainsAny(text, "\x1b\x00") {
			t.Errorf("the record has control characters: %q", text)
		}
	})
}
