package forensics

import (
	"cmp"
	"path"
	"slices"
	"strings"
)

// Category is a class of what lies on a disk.
type Category string

// The categories, in the order in which an account names those of equal size.
const (
	ImagesUsed   Category = "images in use"
	ImagesUnused Category = "images not in use"
	Images       Category = "images and layers" // where the two cannot be told apart
	Orphans      Category = "orphaned layers"
	Writable     Category = "writable layers"
	PodLogs      Category = "pod logs"
	Journal      Category = "journal"
	EmptyDir     Category = "emptyDir"
	LocalPath    Category = "local-path volumes"
	K3s          Category = "k3s itself"
	DeletedOpen  Category = "deleted, still open"
	Other        Category = "other"
	Unexplained  Category = "unexplained"
)

// Share is what one category takes.
type Share struct {
	Category Category
	Bytes    int64
	Parts    []Size // the biggest in it, by name
	Unknown  string // why it is not known, or not all of it
}

// Account is where the bytes of one filesystem are. Its shares add up to what
// df says is used.
type Account struct {
	Mount  Mount
	Shares []Share // biggest first; unexplained last
}

// Share returns a category's share; zero if it has none.
func (a Account) Share(c Category) Share {
	for _, s := range a.Shares {
		if s.Category == c {
			return s
		}
	}
	return Share{Category: c}
}

// Sum is what the shares add up to.
func (a Account) Sum() int64 {
	var n int64
	for _, s := range a.Shares {
		n += s.Bytes
	}
	return n
}

// books puts the facts into accounts, one a filesystem.
type books struct {
	f      *Facts
	failed map[string]string // why a probe knows nothing, by id
	shares map[string]map[Category]*Share
}

// accounts distributes what was measured over the filesystems that df named,
// the fullest share of the disk first: "/" always leads.
func accounts(results []Result, f *Facts) []Account {
	b := &books{f: f, failed: map[string]string{}, shares: map[string]map[Category]*Share{}}
	for _, r := range results {
		if r.Err != "" {
			b.failed[r.ID] = r.Err
		}
	}
	b.rest()
	b.podLogs()
	b.k3s()
	b.kubelet()
	b.runtime()
	b.deleted()
	var all []Account
	for _, m := range f.Mounts {
		if a, ok := b.close(m); ok {
			all = append(all, a)
		}
	}
	slices.SortStableFunc(all, func(x, y Account) int {
		switch {
		case x.Mount.On == "/":
			return -1
		case y.Mount.On == "/":
			return 1
		}
		return cmp.Compare(y.Mount.Used, x.Mount.Used)
	})
	return all
}

// mountOf is the filesystem that a path is on: the longest mount point before it.
func (b *books) mountOf(p string) string {
	best := "/"
	for _, m := range b.f.Mounts {
		if within(p, m.On) && len(m.On) > len(best) {
			best = m.On
		}
	}
	return best
}

// within reports that a path is a folder or in it.
func within(p, dir string) bool {
	return p == dir || dir == "/" || strings.HasPrefix(p, dir+"/")
}

func (b *books) share(mount string, c Category) *Share {
	if b.shares[mount] == nil {
		b.shares[mount] = map[Category]*Share{}
	}
	if b.shares[mount][c] == nil {
		b.shares[mount][c] = &Share{Category: c}
	}
	return b.shares[mount][c]
}

// add counts bytes at a path for a category, under a name.
func (b *books) add(c Category, at, name string, bytes int64) {
	if bytes <= 0 {
		return
	}
	s := b.share(b.mountOf(at), c)
	s.Bytes += bytes
	if name != "" {
		s.Parts = append(s.Parts, Size{name, bytes})
	}
}

// doubt says that a category is not, or not wholly, known.
func (b *books) doubt(c Category, at, why string) {
	if s := b.share(b.mountOf(at), c); s.Unknown == "" {
		s.Unknown = why
	}
}

// sizesOf makes a look-up of du's answer.
func sizesOf(all []Size) map[string]int64 {
	m := make(map[string]int64, len(all))
	for _, s := range all {
		m[s.Path] = s.Bytes
	}
	return m
}

// rest counts what du saw outside of k3s and the kubelet.
func (b *books) rest() {
	if why := b.failed["du"]; why != "" {
		b.doubt(Other, "/", why)
		return
	}
	size := sizesOf(b.f.Root)
	total, journal := size["/"], size["/var/log/journal"]
	b.add(Journal, "/var/log/journal", "/var/log/journal", journal)
	s := b.share("/", Other)
	s.Bytes += max(total-journal, 0)
	for _, r := range b.f.Root {
		if r.Path == "/" || within(r.Path, "/var/log/journal") || !leaf(r.Path, size) {
			continue
		}
		s.Parts = append(s.Parts, r)
	}
}

// podLogs counts what the containers of each pod wrote to stdout and stderr.
func (b *books) podLogs() {
	if why := b.failed["du-pods"]; why != "" {
		b.doubt(PodLogs, podLogsDir, why)
		return
	}
	for _, s := range b.f.PodLogs {
		if s.Path == podLogsDir {
			b.add(PodLogs, podLogsDir, "", s.Bytes)
			continue
		}
		// NAMESPACE_NAME_UID: neither a namespace nor a name has an underscore.
		name := path.Base(s.Path)
		if part := strings.Split(name, "_"); len(part) == 3 {
			name = part[0] + "/" + part[1]
		}
		sh := b.share(b.mountOf(podLogsDir), PodLogs)
		sh.Parts = append(sh.Parts, Size{name, s.Bytes})
	}
}

// leaf reports that a folder says more than those above it: it has the larger
// part of what its parent has, or its own parent is too large to be named.
func leaf(p string, size map[string]int64) bool {
	depth := strings.Count(p, "/")
	switch {
	case within(p, "/var/log") || within(p, "/var/lib") || within(p, "/var/cache"):
		return depth == 3
	case within(p, "/var"):
		return depth == 2 && p != "/var/log" && p != "/var/lib" && p != "/var/cache"
	}
	return depth == 1 && p != "/var" && size[p] > 0
}

// k3s counts k3s's folder without its container runtime.
func (b *books) k3s() {
	if why := b.failed["du-k3s"]; why != "" {
		for _, c := range []Category{Images, Writable, LocalPath, K3s} {
			b.doubt(c, k3sDir, why)
		}
		return
	}
	size := sizesOf(b.f.K3s)
	storage, runtime := size[k3sDir+"/storage"], size[containerdDir]
	b.add(LocalPath, k3sDir+"/storage", "", storage)
	own := size[k3sDir] - storage - runtime
	own += max(runtime-size[snapshotsDir]-size[contentDir], 0) // its metadata
	b.add(K3s, k3sDir, "", own)
	for _, s := range b.f.K3s {
		switch path.Dir(s.Path) {
		case k3sDir + "/storage":
			b.part(LocalPath, s)
		case k3sDir + "/data", k3sDir + "/server", k3sDir + "/agent":
			if s.Path != containerdDir {
				b.part(K3s, s)
			}
		}
	}
}

// part names something that is counted already.
func (b *books) part(c Category, s Size) {
	sh := b.share(b.mountOf(s.Path), c)
	sh.Parts = append(sh.Parts, s)
}

// kubelet counts the volumes of pods that lie on the node's disk.
func (b *books) kubelet() {
	if why := b.failed["du-kubelet"]; why != "" {
		b.doubt(EmptyDir, kubeletDir, why)
		return
	}
	size := sizesOf(b.f.Kubelet)
	var volumes int64
	for _, s := range b.f.Kubelet {
		if dir, name := path.Split(s.Path); strings.HasSuffix(dir, "/volumes/kubernetes.io~empty-dir/") {
			uid := path.Base(strings.TrimSuffix(dir, "/volumes/kubernetes.io~empty-dir/"))
			b.add(EmptyDir, s.Path, b.podName(uid)+" "+name, s.Bytes)
			volumes += s.Bytes
		}
	}
	b.add(K3s, kubeletDir, kubeletDir+" without emptyDir", size[kubeletDir]-volumes)
}

// podName is the pod of a UID, if the kubelet's own view named it.
func (b *books) podName(uid string) string {
	for _, p := range b.f.Pods {
		if p.UID == uid {
			return p.Namespace + "/" + p.Pod
		}
	}
	return "pod " + uid
}

// deleted counts files without a name, each once however many hold it, and
// only those on a disk: others live in memory.
func (b *books) deleted() {
	if why := b.failed["deleted"]; why != "" {
		b.doubt(DeletedOpen, "/", why)
		return
	}
	seen := map[[2]uint64]bool{}
	for _, d := range b.f.Deleted {
		at, ok := b.diskOf(d.Device)
		if key := [2]uint64{d.Device, d.Inode}; ok && !seen[key] {
			seen[key] = true
			b.add(DeletedOpen, at, d.label(), d.Bytes)
		}
	}
}

// diskOf is a folder on the disk of a device number. A file that a container
// opened has its overlay's number, and lies with the snapshots.
func (b *books) diskOf(device uint64) (string, bool) {
	for _, r := range b.f.Roots {
		if r.Number == device {
			return r.Path, true
		}
	}
	for _, l := range b.f.Layers {
		if l.Device == device {
			return snapshotsDir, true
		}
	}
	return "", false
}

// close adds what is left to explain, and orders the shares.
func (b *books) close(m Mount) (Account, bool) {
	shares, a := b.shares[m.On], Account{Mount: m}
	if len(shares) == 0 {
		return a, false
	}
	left := m.Used
	for _, s := range shares {
		if s.Bytes == 0 && s.Unknown == "" {
			continue
		}
		s.Parts = biggest(s.Parts)
		a.Shares = append(a.Shares, *s)
		left -= s.Bytes
	}
	slices.SortFunc(a.Shares, func(x, y Share) int {
		return cmp.Or(cmp.Compare(y.Bytes, x.Bytes), cmp.Compare(x.Category, y.Category))
	})
	a.Shares = append(a.Shares, Share{Category: Unexplained, Bytes: left})
	return a, true
}

// mostParts is how many names a share keeps.
const mostParts = 12

func biggest(all []Size) []Size {
	slices.SortStableFunc(all, func(x, y Size) int {
		return cmp.Or(cmp.Compare(y.Bytes, x.Bytes), cmp.Compare(x.Path, y.Path))
	})
	return all[:min(len(all), mostParts)]
}
