package demo

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"daytwo/sources/demo/box"
)

// spill is a log that a container writes into its own layer, where nothing
// rotates it. It takes a share of what the disk has beyond a level.
type spill struct {
	owner string // "Kind/namespace/name"
	path  string
	line  string
	share float64
	above float64
	pod   types.UID // the one that does it; the next one was told where to write
}

func (s *spill) bytes(m *machine, t time.Time) int64 {
	return max(0, int64(s.share*(float64(m.story(t))-s.above)))
}

// findSpills tells which pod writes each machine's log.
func (b *builder) findSpills() {
	for _, m := range b.w.machines {
		for _, p := range b.w.podsOn(m.name) {
			if m.spill != nil && b.m.topOwner(p) == m.spill.owner {
				m.spill.pod = p.UID
			}
		}
	}
}

// spilled is what a pod wrote beside its own data until now.
func (m *machine) spilled(p *corev1.Pod, t time.Time) int64 {
	if m == nil || m.spill == nil || m.spill.pod != p.UID {
		return 0
	}
	return m.spill.bytes(m, t)
}

// containerDisk is the size of a container's write layer and of its logs.
func containerDisk(p *corev1.Pod, container string) (layer, logs int64) {
	id := string(p.UID) + container
	return int64(2e5 + 3e7*unit(id, "layer")), int64(1e5 + 4e7*unit(id, "logs"))
}

// scratch is the size of an emptyDir.
func scratch(p *corev1.Pod, volume string) int64 { return int64(1e6 + 40e6*unit(p.Name, volume)) }

// written is the size of a container's write layer and of its logs, as its
// machine has them if somebody was ever on it.
func (w *World) written(m *machine, p *corev1.Pod, container string, now time.Time) (layer, logs int64) {
	layer, logs = containerDisk(p, container)
	layer += m.spilled(p, now)
	b := m.box.Load()
	if b == nil {
		return layer, logs
	}
	for i := range p.Status.ContainerStatuses {
		if s := &p.Status.ContainerStatuses[i]; s.Name == container {
			if n, ok := b.Written(bareID(s)); ok {
				layer = n
			}
		}
	}
	return layer, logs
}

func bareID(s *corev1.ContainerStatus) string {
	return strings.TrimPrefix(s.ContainerID, "containerd://")
}

// imageBytes are those of the images that are unpacked on a machine: of its
// pods, and those left over.
func (w *World) imageBytes(m *machine) int64 {
	if b := m.box.Load(); b != nil {
		return b.ImageBytes()
	}
	_, spare := w.unused(m)
	seen, sum := map[string]bool{}, spare*5/7 // the rest of it is downloads
	for _, p := range w.podsOn(m.name) {
		for i := range p.Status.ContainerStatuses {
			if s := &p.Status.ContainerStatuses[i]; s.ContainerID != "" && !seen[s.Image] {
				seen[s.Image] = true
				sum += box.Unpacked(s.Image)
			}
		}
	}
	return sum
}

// gcFinds is what worker-0's image GC says that it could free.
const gcFinds = 1873805312

// settled reports that a machine is old enough to have traces of earlier times.
func (w *World) settled(m *machine) bool { return w.began.Sub(m.created) > 30*day }

// unused are older images on a machine, and what they take with their
// downloads. Only where the disk is short have they been collected.
func (w *World) unused(m *machine) (names []string, bytes int64) {
	if !w.settled(m) {
		return nil, 0
	}
	tags := []string{"shop/api:2.8.1", "shop/web:5.20.3", "media/transcoder:0.18.1"}
	bytes = gcFinds
	if m.spill == nil {
		tags = append(tags, "shop/api:2.8.0", "shop/web:5.20.1", "shop/cart:3.0.3", "shop/checkout:2.2.8", "shop/worker:2.8.0", "media/web:2.3.9", "media/api:2.3.9", "media/uploader:1.9.0")
		bytes = min(m.story(w.began)/10, 7_500_000_000)
	}
	for _, t := range tags {
		names = append(names, "registry.example.org/"+t)
	}
	return names, bytes
}

// contents are what is on a machine's disk beside the system and the pods.
func (w *World) contents(m *machine, now time.Time) box.Contents {
	used := m.story(now)
	c := box.Contents{Journal: min(1_900_000_000, used/14), Apt: min(640_000_000, used/80)}
	c.Unused, c.Spare = w.unused(m)
	if w.settled(m) {
		c.Older = []string{"v1.31.9+k3s1", "v1.32.6+k3s1", "v1.33.1+k3s1"}
	}
	for _, v := range all[*corev1.PersistentVolume](w.store, "") {
		if onNode(v, m.name) {
			c.Volumes = append(c.Volumes, strings.TrimPrefix(v.Spec.HostPath.Path, "/var/lib/rancher/k3s/storage/"))
		}
	}
	if m.spill != nil {
		c.Orphans, c.Journal, c.Held, c.Log = true, 17_600_000_000, 6_400_000_000, w.gcLog()
	}
	return c
}

// onNode reports that a volume is a folder on a node.
func onNode(v *corev1.PersistentVolume, node string) bool {
	if v.Spec.HostPath == nil || v.Spec.NodeAffinity == nil || v.Spec.NodeAffinity.Required == nil {
		return false
	}
	for _, t := range v.Spec.NodeAffinity.Required.NodeSelectorTerms {
		for _, e := range t.MatchExpressions {
			if e.Key == corev1.LabelHostname && len(e.Values) == 1 && e.Values[0] == node {
				return true
			}
		}
	}
	return false
}

// gcFailed is what the kubelet says when images are not what fills the disk.
func gcFailed() string {
	return fmt.Sprintf("Failed to garbage collect required amount of images. "+
		"Attempted to free 37108301824 bytes, but only found %d bytes eligible to free.", gcFinds)
}

// gcLog is the kubelet's side of it in k3s's log: each five minutes of the
// last hour, among what it says on any day.
func (w *World) gcLog() []box.Line {
	var lines []box.Line
	for ago := 55 * time.Minute; ago > 0; ago -= 5 * time.Minute {
		at := w.began.Add(-ago)
		stamp := at.UTC().Format("0102 15:04:05.000000")
		for _, text := range []string{
			"I%s    1107 image_gc_manager.go:387] \"Disk usage on image filesystem is over the high threshold, trying to free bytes down to the low threshold\" usage=92 highThreshold=85 amountToFree=37108301824 lowThreshold=80",
			"E%s    1107 kubelet.go:1551] \"Image garbage collection failed multiple times in a row\" err=\"" + gcFailed() + "\"",
			"I%s    1107 scope.go:117] \"RemoveContainer\" containerID=\"6c0d1f6a1c6e\"",
		} {
			lines = append(lines, box.Line{At: at, Text: fmt.Sprintf(text, stamp)})
		}
	}
	return lines
}
