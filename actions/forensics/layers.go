package forensics

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
)

// Where containerd keeps what it downloaded and what it unpacked.
const (
	containerdDir = k3sDir + "/agent/containerd"
	contentDir    = containerdDir + "/io.containerd.content.v1.content"
	snapshotsDir  = containerdDir + "/io.containerd.snapshotter.v1.overlayfs/snapshots"
)

// runtime counts what the container runtime has: downloads, unpacked layers,
// writable layers, and layers that are in no book.
func (b *books) runtime() {
	if b.failed["du-k3s"] != "" {
		return
	}
	size := sizesOf(b.f.K3s)
	content, layers := size[contentDir], size[snapshotsDir]
	if len(b.f.Snapshots) == 0 {
		b.mounted(content, layers)
		return
	}
	l := ledgerOf(b.f)
	scale := 1.0
	orphans := layers - l.writable - l.used - l.unused
	// The books count blocks of files, du those of folders too.
	if orphans < max(layers/100, 32<<20) {
		scale, orphans = ratio(layers, layers-orphans), 0
	}
	part := func(n int64) int64 { return int64(float64(n) * scale) }
	b.add(Writable, snapshotsDir, "", layers-orphans-part(l.used)-part(l.unused))
	b.nameWritable(l)
	used, unused := b.contentOf(l, content)
	b.add(ImagesUsed, snapshotsDir, "", part(l.used)+used)
	b.add(ImagesUnused, snapshotsDir, "", part(l.unused)+unused)
	for _, i := range l.images {
		c := ImagesUsed
		if !i.InUse {
			c = ImagesUnused
		}
		b.part(c, Size{i.Name(), i.Disk})
	}
	if orphans > 0 {
		b.add(Orphans, snapshotsDir, "in no book of the runtime, below "+snapshotsDir, orphans)
	}
	if rest := content - used - unused; rest > 0 {
		b.add(K3s, contentDir, contentDir+" of no image", rest)
	}
}

func ratio(a, b int64) float64 {
	if b <= 0 {
		return 1
	}
	return float64(a) / float64(b)
}

// part of a category is named where the snapshots are.
func (b *books) nameWritable(l ledger) {
	for id, n := range l.writing {
		b.part2(Writable, Size{b.f.containerName(id), n})
	}
	b.nameBigIn(Writable)
}

// part2 names something of the snapshots' filesystem.
func (b *books) part2(c Category, s Size) {
	sh := b.share(b.mountOf(snapshotsDir), c)
	sh.Parts = append(sh.Parts, s)
}

// contentOf splits the downloads between images in use and others. Images
// share downloads, so that their sum may be more than there is.
func (b *books) contentOf(l ledger, content int64) (used, unused int64) {
	for _, i := range l.images {
		if i.InUse {
			used += i.Bytes
		} else {
			unused += i.Bytes
		}
	}
	used = min(used, content)
	return used, min(unused, content-used)
}

// mounted counts without the runtime's books, by what is mounted: the lower
// layers of what runs are in use, its upper ones are writable. What is not
// mounted is not told apart.
func (b *books) mounted(content, layers int64) {
	why := firstOf(b.failed["snapshots"], "the runtime's books were not read")
	size := sizesOf(b.f.K3s)
	of := func(n string) int64 { return size[snapshotsDir+"/"+n] }
	var used, writable int64
	seen := map[string]bool{}
	for _, l := range b.f.Layers {
		if !seen[l.Upper] {
			seen[l.Upper] = true
			writable += of(l.Upper)
			b.part2(Writable, Size{b.f.containerName(l.Container), of(l.Upper)})
		}
		for _, n := range l.Lower {
			if !seen[n] {
				seen[n] = true
				used += of(n)
			}
		}
	}
	b.add(Writable, snapshotsDir, "", writable)
	b.nameBigIn(Writable)
	b.add(ImagesUsed, snapshotsDir, "", used)
	b.add(Images, snapshotsDir, "", layers-used-writable+content)
	b.doubt(Images, snapshotsDir, "in use or not: "+why)
}

// nameBigIn names big files in writable layers by container and by the path
// that the container sees.
func (b *books) nameBigIn(c Category) {
	by := map[string]string{}
	for _, l := range b.f.Layers {
		by[l.Upper] = l.Container
	}
	for _, s := range b.f.Big {
		rest, ok := strings.CutPrefix(s.Path, snapshotsDir+"/")
		n, inside, more := strings.Cut(rest, "/fs/")
		if id, writes := by[n]; ok && more && writes {
			b.part2(c, Size{b.f.containerName(id) + ": /" + inside, s.Bytes})
		}
	}
}

// ImageUse is an image with what it takes on the disk.
type ImageUse struct {
	Image
	InUse bool
	Disk  int64 // what was downloaded, and unpacked for it alone
}

// ledger is the runtime's books, summed.
type ledger struct {
	writable, used, unused int64
	writing                map[string]int64 // by container
	images                 []ImageUse       // biggest first
}

// ledgerOf tells which layers containers stand on, and which image has which.
func ledgerOf(f *Facts) ledger {
	l := ledger{writing: map[string]int64{}}
	at := map[string]int{}
	for i, s := range f.Snapshots {
		at[s.Key] = i
	}
	inUse := map[string]bool{}
	for _, s := range f.Snapshots {
		if !s.Active {
			continue
		}
		l.writable += s.Bytes
		l.writing[s.Key] = s.Bytes
		for key := s.Parent; key != "" && !inUse[key]; {
			i, ok := at[key]
			if !ok {
				break
			}
			inUse[key], key = true, f.Snapshots[i].Parent
		}
	}
	for _, s := range f.Snapshots {
		switch {
		case s.Active:
		case inUse[s.Key]:
			l.used += s.Bytes
		default:
			l.unused += s.Bytes
		}
	}
	l.images = imageUses(f, at, inUse)
	return l
}

// imageUses is what each image takes. Unpacked layers that several have are
// counted for one that is in use, else for the first.
func imageUses(f *Facts, at map[string]int, inUse map[string]bool) []ImageUse {
	users := map[string]bool{}
	for _, c := range f.Containers {
		users[c.Image] = true
	}
	all := make([]ImageUse, 0, len(f.Images))
	for _, i := range f.Images {
		all = append(all, ImageUse{Image: i, InUse: usedImage(i, users) || pause(i)})
	}
	slices.SortStableFunc(all, func(x, y ImageUse) int {
		return cmp.Or(-boolOrder(x.InUse, y.InUse), cmp.Compare(x.ID, y.ID))
	})
	counted := map[string]bool{}
	for i := range all {
		all[i].Disk = all[i].Bytes
		for _, key := range chain(f.Chains[all[i].ID]) {
			n, ok := at[key]
			if !ok || counted[key] || (inUse[key] && !all[i].InUse) {
				continue
			}
			counted[key] = true
			all[i].Disk += f.Snapshots[n].Bytes
		}
	}
	slices.SortStableFunc(all, func(x, y ImageUse) int {
		return cmp.Or(cmp.Compare(y.Disk, x.Disk), cmp.Compare(x.ID, y.ID))
	})
	return all
}

func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// usedImage reports that a container was made from an image, by any of its names.
func usedImage(i Image, users map[string]bool) bool {
	if users[i.ID] {
		return true
	}
	return slices.ContainsFunc(i.Tags, func(t string) bool { return users[t] })
}

// pause reports that an image is the one under every pod, which no container
// of crictl's list has.
func pause(i Image) bool {
	return slices.ContainsFunc(i.Tags, func(t string) bool { return strings.Contains(t, "pause") })
}

// chain makes the keys of an image's unpacked layers: each is the hash of the
// one below and of its own content.
func chain(diffs []string) []string {
	keys := make([]string, 0, len(diffs))
	for i, d := range diffs {
		if i == 0 {
			keys = append(keys, d)
			continue
		}
		sum := sha256.Sum256([]byte(keys[i-1] + " " + d))
		keys = append(keys, "sha256:"+hex.EncodeToString(sum[:]))
	}
	return keys
}

// label names a deleted file by what holds it.
func (d Deleted) label() string {
	return d.Name + ", held by " + d.Process + " (pid " + strconv.Itoa(d.PID) + ", fd " + d.FD + ")"
}
