package box

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"path"
	"slices"
	"strings"
	"sync"
)

// Where containerd keeps what it downloaded and what it unpacked.
const (
	k3sDir        = "/var/lib/rancher/k3s"
	containerdDir = k3sDir + "/agent/containerd"
	contentDir    = containerdDir + "/io.containerd.content.v1.content/blobs/sha256"
	snapshotsDir  = containerdDir + "/io.containerd.snapshotter.v1.overlayfs/snapshots"
	tasksDir      = "/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io"
)

// pauseImage is the one under every pod.
const pauseImage = "docker.io/rancher/mirrored-pause:3.6"

// runtime is containerd's books: images, layers, and the pods that stand on
// them. The bytes are on the disk.
type runtime struct {
	mu     sync.Mutex
	images []*image
	layers map[string]*layer // by key: a chain of digests, or a container's id
	pods   map[string]Pod    // by UID, as they were laid out
	last   int               // number of a layer's folder
	shims  map[string]int    // process ids, by pod
}

// image is one image in the books.
type image struct {
	name, id string
	size     int64    // as downloaded
	diffs    []string // its layers' own digests, the lowest first
	pinned   bool
}

// layer is one snapshot in the books.
type layer struct {
	key, parent string
	number      int
	active      bool // a container writes to it
}

func (l *layer) dir() string { return fmt.Sprintf("%s/%d", snapshotsDir, l.number) }

func digest(words ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(words, " ")))
	return hex.EncodeToString(sum[:])
}

// keys are those of an image's layers in the books: each is made of the one
// below and of its own digest.
func (i *image) keys() []string {
	keys := make([]string, len(i.diffs))
	for n, d := range i.diffs {
		if keys[n] = d; n > 0 {
			keys[n] = "sha256:" + digest(keys[n-1], d)
		}
	}
	return keys
}

func (i *image) top() string {
	keys := i.keys()
	return keys[len(keys)-1]
}

// layerShare is what a download takes of what it is unpacked.
const layerShare = 0.4

// Unpacked is what an image of a name takes unpacked, without what it shares
// with others: those from a registry of one's own are the large ones.
func Unpacked(name string) int64 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	share := float64(h.Sum32()) / math.MaxUint32
	if host, _, ok := strings.Cut(name, "/"); ok && strings.HasPrefix(host, "registry.example") {
		return int64(250e6 + 650e6*share)
	}
	return int64(60e6 + 400e6*share)
}

// pull puts an image there whose own layers take so many bytes. Images of one
// registry stand on one small layer.
func (b *Box) pull(name string, unpacked int64) *image {
	const system = 12 << 20
	r := &b.runtime
	host, _, _ := strings.Cut(name, "/")
	i := &image{name: name, id: "sha256:" + digest("config", name), pinned: name == pauseImage}
	sizes := []int64{unpacked}
	i.diffs = []string{"sha256:" + digest("app", name)}
	if strings.Contains(host, ".") && unpacked > 3*system {
		sizes = []int64{system, unpacked}
		i.diffs = []string{"sha256:" + digest("system", host), i.diffs[0]}
	}
	parent := ""
	for n, key := range i.keys() {
		blob := contentDir + "/" + strings.TrimPrefix(key, "sha256:")
		if r.layers[key] == nil {
			l := b.lay(key, parent, false)
			b.disk.heap(l.dir()+"/fs", sizes[n], sizes[n]/40_000)
		}
		if _, err := b.disk.stat(who{}, blob, false); err != nil {
			b.disk.sized(blob, int64(layerShare*float64(sizes[n])), "")
		}
		i.size += int64(layerShare * float64(sizes[n]))
		parent = key
	}
	r.images = append(r.images, i)
	return i
}

// lay opens a layer in the books, with its folder.
func (b *Box) lay(key, parent string, active bool) *layer {
	r := &b.runtime
	r.last++
	l := &layer{key: key, parent: parent, number: r.last, active: active}
	r.layers[key] = l
	b.disk.folders(l.dir() + "/fs")
	return l
}

// named finds an image by a tag or by the beginning of its id.
func (r *runtime) named(word string) *image {
	id := strings.TrimPrefix(word, "sha256:")
	i := slices.IndexFunc(r.images, func(i *image) bool {
		return i.name == word || len(id) >= 6 && strings.HasPrefix(strings.TrimPrefix(i.id, "sha256:"), id)
	})
	if i < 0 {
		return nil
	}
	return r.images[i]
}

// remove takes an image out of the books, and its layers and downloads that
// nothing else stands on.
func (b *Box) remove(gone *image) {
	r := &b.runtime
	r.images = slices.DeleteFunc(r.images, func(i *image) bool { return i == gone })
	keys := gone.keys()
	for _, key := range slices.Backward(keys) {
		if r.stands(key) {
			return
		}
		if l := r.layers[key]; l != nil {
			_ = b.disk.removeAll(who{}, l.dir(), true)
			delete(r.layers, key)
		}
		_ = b.disk.remove(who{}, contentDir+"/"+strings.TrimPrefix(key, "sha256:"))
	}
}

// stands reports that an image or a layer needs a layer.
func (r *runtime) stands(key string) bool {
	for _, l := range r.layers {
		if l.parent == key {
			return true
		}
	}
	return slices.ContainsFunc(r.images, func(i *image) bool { return slices.Contains(i.keys(), key) })
}

// settle lets the disk have what the pods of now have: layers, logs, scratch
// folders. Those that went take theirs along.
func (b *Box) settle() {
	if b.o.Pods == nil {
		return
	}
	pods := b.o.Pods()
	r := &b.runtime
	r.mu.Lock()
	defer r.mu.Unlock()
	now := make(map[string]Pod, len(pods))
	changed := false
	for _, p := range pods {
		now[p.UID] = p
		changed = b.layOut(p) || changed
	}
	for _, uid := range slices.Sorted(maps.Keys(r.pods)) {
		if _, there := now[uid]; !there {
			b.clear(r.pods[uid])
			changed = true
		}
	}
	r.pods = now
	if changed {
		b.mounts()
	}
}

// layOut makes what a pod has that is not there yet, and reports that there
// was something.
func (b *Box) layOut(p Pod) bool {
	before, known := b.runtime.pods[p.UID]
	if !known {
		b.sandbox(p)
	}
	changed := !known
	for _, c := range p.Containers {
		i := slices.IndexFunc(before.Containers, func(o Container) bool { return o.ID == c.ID })
		if i < 0 {
			b.container(p, c)
		}
		changed = changed || i < 0 || before.Containers[i].Running != c.Running
	}
	for _, c := range before.Containers {
		if !slices.ContainsFunc(p.Containers, func(o Container) bool { return o.ID == c.ID }) {
			b.forget(c.ID)
			changed = true
		}
	}
	return changed
}

func (p Pod) sandboxID() string { return digest("sandbox", p.UID) }
func (p Pod) logDir() string {
	return "/var/log/pods/" + p.Namespace + "_" + p.Name + "_" + p.UID
}
func (p Pod) dir() string { return "/var/lib/kubelet/pods/" + p.UID }

// sandbox makes what a pod has beside its containers.
func (b *Box) sandbox(p Pod) {
	pause := b.runtime.named(pauseImage)
	if pause == nil {
		pause = b.pull(pauseImage, 700_000)
	}
	b.lay(p.sandboxID(), pause.top(), true)
	b.disk.put(p.dir()+"/etc-hosts", []byte("127.0.0.1\tlocalhost\n"), 0o644)
	for _, v := range p.Scratch {
		b.disk.sized(p.dir()+"/volumes/kubernetes.io~empty-dir/"+v.Name+"/cache", v.Bytes, "")
	}
	b.runtime.shims[p.UID] = b.pid()
}

func (b *Box) container(p Pod, c Container) {
	i := b.runtime.named(c.Image)
	if i == nil {
		i = b.pull(c.Image, Unpacked(c.Image))
	}
	fs := b.lay(c.ID, i.top(), true).dir() + "/fs"
	b.disk.sized(fs+"/var/cache/"+c.Name, c.Layer, "")
	if c.Grows != "" {
		b.disk.growing(fs+c.Grows, c.Growth, c.Line)
	}
	b.disk.sized(fmt.Sprintf("%s/%s/%d.log", p.logDir(), c.Name, c.Attempt), c.Log, "stdout F served\n")
}

// forget removes a container's writable layer.
func (b *Box) forget(id string) {
	if l := b.runtime.layers[id]; l != nil {
		_ = b.disk.removeAll(who{}, l.dir(), true)
		delete(b.runtime.layers, id)
	}
}

// clear removes all that a pod had.
func (b *Box) clear(p Pod) {
	for _, c := range p.Containers {
		b.forget(c.ID)
	}
	b.forget(p.sandboxID())
	_ = b.disk.removeAll(who{}, p.logDir(), true)
	_ = b.disk.removeAll(who{}, p.dir(), true)
	_ = b.disk.removeAll(who{}, fmt.Sprintf("/proc/%d", b.runtime.shims[p.UID]), true)
	delete(b.runtime.shims, p.UID)
}

// mounts writes down what is mounted and which processes hold it.
func (b *Box) mounts() {
	var text strings.Builder
	text.WriteString("29 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n30 29 0:25 / /run rw,nosuid,nodev shared:5 - tmpfs tmpfs rw,mode=755\n")
	for _, p := range b.podsInOrder() {
		running := false
		ids := []string{p.sandboxID()}
		for _, c := range p.Containers {
			if running = running || c.Running; c.Running {
				ids = append(ids, c.ID)
			}
		}
		if !running {
			continue
		}
		for _, id := range ids {
			text.WriteString(b.mountLine(id))
		}
		b.process(b.runtime.shims[p.UID], "containerd-shim", path.Join(b.currentBundle(), "bin/containerd-shim-runc-v2"))
	}
	b.disk.put("/proc/1/mountinfo", []byte(text.String()), 0o444)
}

func (b *Box) mountLine(id string) string {
	l := b.runtime.layers[id]
	var lower []string
	for below := b.runtime.layers[l.parent]; below != nil; below = b.runtime.layers[below.parent] {
		lower = append(lower, below.dir()+"/fs")
	}
	return fmt.Sprintf("%d 30 0:%d / %s/%s/rootfs rw,relatime shared:%d - overlay overlay rw,lowerdir=%s,upperdir=%s/fs,workdir=%s/work\n",
		400+l.number, 60+l.number, tasksDir, id, 200+l.number, strings.Join(lower, ":"), l.dir(), l.dir())
}

func (b *Box) podsInOrder() []Pod {
	return slices.SortedFunc(maps.Values(b.runtime.pods), func(x, y Pod) int {
		return cmp.Or(strings.Compare(x.Namespace, y.Namespace), strings.Compare(x.Name, y.Name), strings.Compare(x.UID, y.UID))
	})
}

// usage is what the writable part of a layer takes, and its inodes.
func (b *Box) usage(l *layer) weight {
	b.disk.mu.RLock()
	defer b.disk.mu.RUnlock()
	n, err := b.disk.find(who{}, l.dir()+"/fs", true, 0)
	if err != nil {
		return weight{}
	}
	return weigh(n, n.dev)
}

// Written is what a container wrote into its own layer; false if this machine
// does not have it.
func (b *Box) Written(id string) (int64, bool) {
	b.runtime.mu.Lock()
	l := b.runtime.layers[id]
	b.runtime.mu.Unlock()
	if l == nil {
		return 0, false
	}
	return b.usage(l).room, true
}

// ImageBytes are those of all images, unpacked.
func (b *Box) ImageBytes() int64 {
	b.runtime.mu.Lock()
	defer b.runtime.mu.Unlock()
	return b.imageWeight().room
}

func (b *Box) imageWeight() weight {
	var sum weight
	for _, l := range b.runtime.layers {
		if !l.active {
			sum.add(b.usage(l))
		}
	}
	return sum
}
