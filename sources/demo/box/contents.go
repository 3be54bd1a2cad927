package box

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

// Contents is what lies on a machine's disk beside the system and the pods.
type Contents struct {
	Unused  []string // images that no container uses any more
	Spare   int64    // what these take, downloads and all
	Journal int64
	Apt     int64    // its cache
	Held    int64    // a file without a name that rsyslogd goes on writing to
	Older   []string // versions of k3s that were here before, the oldest first
	Volumes []string // local-path volumes, by their folders' names
	// Orphans: what else is in use is layers that are in no book of the
	// runtime; otherwise it is in the volumes, or below /srv.
	Orphans bool
	Log     []Line
}

// Line is something that k3s wrote into its log before.
type Line struct {
	At   time.Time
	Text string
}

// Volume is a folder of a pod.
type Volume struct {
	Name  string
	Bytes int64
}

// rsyslogd is the process that holds a file without a name.
const rsyslogd = 612

// fill puts onto the disk what is there from the beginning. What Space.Used
// says beyond that is the part that grows.
func (b *Box) fill() {
	d, c := b.disk, b.o.Contents
	used := b.o.Space.Used()
	system := min(4_200_000_000, used/5)
	for dir, share := range map[string]float64{"/usr/lib": 0.62, "/usr/share": 0.16, "/usr/bin": 0.06, "/boot": 0.05, "/var/lib/apt": 0.06, "/opt/hetzner": 0.05} {
		n := int64(share * float64(system))
		d.heap(dir, n, n/36_000)
	}
	d.sized("/var/log/syslog", min(210<<20, used/100), "")
	d.sized("/var/log/auth.log", 14<<20, "")
	d.sized("/var/log/nginx/access.log", 38<<20, "")
	if c.Apt > 0 {
		for n, name := range []string{"linux-image-6.8.0-71-generic_6.8.0-71.71_amd64", "linux-modules-extra-6.8.0-71-generic_6.8.0-71.71_amd64", "linux-firmware_20240318_amd64"} {
			d.sized(aptCache+"/"+name+".deb", c.Apt*int64(n+1)/6, "")
		}
	}
	b.fillJournal(c.Journal)
	for _, v := range append(slices.Clone(c.Older), b.o.Version) {
		b.unpack(v)
	}
	b.process(1, "systemd", "/usr/lib/systemd/systemd")
	b.process(rsyslogd, "rsyslogd", "/usr/sbin/rsyslogd")
	b.units["rsyslog.service"] = &unit{
		name: "rsyslog.service", description: "System Logging Service", plain: true, argv: []string{"/usr/sbin/rsyslogd", "-n", "-iNONE"},
		state: active, sub: "running", result: "success", pid: rsyslogd, began: b.o.Booted, invocation: strings.Repeat("3a", 16),
	}
	if c.Held > 0 {
		b.hold(rsyslogd, 7, "/var/log/remote/syslog.1", c.Held)
	}
	b.fillImages()
	b.settle()
	b.grow()
	for _, l := range c.Log {
		f := b.units[b.unitName()].fieldsOf("k3s")
		f["MESSAGE"] = l.Text
		b.journal.addAt(l.At, f)
	}
}

// fillJournal makes archived files of 128M, the size at which journald begins
// another, and the one that it writes to.
func (b *Box) fillJournal(bytes int64) {
	const file = 128 << 20
	dir := journalDir + "/" + b.journal.boot
	for n := int64(0); (n+1)*file < bytes; n++ {
		b.disk.sized(fmt.Sprintf("%s/system@%s-%016x-%016x.journal", dir, b.journal.boot, 1+n*200_000, b.o.Booted.UnixMicro()+n*36e8), file, "")
	}
	b.disk.sized(dir+"/system.journal", min(bytes, 64<<20), "")
}

// fillImages makes the images of the pods that are there, and those that are
// left over.
func (b *Box) fillImages() {
	if b.o.Pods == nil {
		return
	}
	for _, p := range b.o.Pods() {
		for _, k := range p.Containers {
			if b.runtime.named(k.Image) == nil {
				b.pull(k.Image, Unpacked(k.Image))
			}
		}
	}
	c := b.o.Contents
	for _, name := range c.Unused {
		b.pull(name, int64(float64(c.Spare)/(1+layerShare))/int64(len(c.Unused)))
	}
}

// grow makes the files of the part that grows.
func (b *Box) grow() {
	c := b.o.Contents
	var others []func() int64
	for _, p := range b.podsInOrder() {
		for _, k := range p.Containers {
			if k.Grows != "" {
				others = append(others, k.Growth)
			}
		}
	}
	var places []string
	for _, v := range c.Volumes {
		places = append(places, k3sDir+"/storage/"+v+"/data")
	}
	switch {
	case c.Orphans:
		for n := range 8 {
			places = append(places, fmt.Sprintf("%s/%d/fs/opt/app/assets.pack", snapshotsDir, 3000+97*n))
		}
	case len(places) == 0 && b.o.Server:
		places = []string{"/var/backups/k3s/snapshots.tar"}
	case len(places) == 0:
		places = []string{"/srv/cache/registry.blob"}
	}
	b.disk.heap(path.Dir(places[0]), 0, b.o.Space.Files()-b.disk.count)
	for _, at := range places {
		b.disk.folders(path.Dir(at))
	}
	base := b.disk.held
	for _, at := range places {
		b.disk.growing(at, func() int64 {
			left := b.o.Space.Used() - base
			for _, o := range others {
				left -= o()
			}
			return max(0, left/int64(len(places)))
		}, "")
	}
}

// process makes what /proc tells of one.
func (b *Box) process(pid int, name, program string) {
	dir := fmt.Sprintf("/proc/%d", pid)
	b.disk.put(dir+"/comm", []byte(name+"\n"), 0o444)
	b.disk.folders(dir + "/fd")
	_ = b.disk.change(who{}, dir+"/fd", func(n *inode) { n.mode = fs.ModeDir | 0o500 })
	_ = b.disk.symlink(who{}, program, dir+"/exe") // it is there already for one that was known
}

// hold makes a file that lost its name while a process has it open.
func (b *Box) hold(pid, fd int, name string, size int64) {
	b.disk.sized(name, size, "")
	f, err := b.disk.open(who{}, name, os.O_RDONLY, 0)
	if err != nil {
		return
	}
	_ = b.disk.remove(who{}, name)
	link := fmt.Sprintf("/proc/%d/fd/%d", pid, fd)
	_ = b.disk.symlink(who{}, name+" (deleted)", link)
	b.disk.mu.Lock()
	if n, err := b.disk.find(who{}, link, false, 0); err == nil {
		n.to = f.n
	}
	b.disk.mu.Unlock()
	b.held = append(b.held, heldFile{pid, f})
}

// heldFile is a file that a process keeps open.
type heldFile struct {
	pid  int
	file *file
}

// release closes what a process had open, when it ends.
func (b *Box) release(pid int) bool {
	b.mu.Lock()
	var mine []heldFile
	b.held = slices.DeleteFunc(b.held, func(h heldFile) bool {
		if h.pid == pid {
			mine = append(mine, h)
		}
		return h.pid == pid
	})
	b.mu.Unlock()
	for _, h := range mine {
		_ = h.file.Close()
		_ = b.disk.removeAll(who{}, fmt.Sprintf("/proc/%d/fd", pid), true)
	}
	return len(mine) > 0
}

// heap makes a folder whose content is only said to be there.
func (d *disk) heap(dir string, bytes, files int64) {
	d.folders(dir)
	d.mu.Lock()
	defer d.mu.Unlock()
	if n, err := d.find(who{}, dir, true, 0); err == nil {
		n.size, n.files = n.size+bytes, n.files+max(0, files)
		d.held, d.count = d.held+bytes, d.count+max(0, files)
	}
}

// growing makes a file that grows by itself.
func (d *disk) growing(name string, grow func() int64, text string) {
	d.put(name, []byte{}, 0o644)
	d.mu.Lock()
	defer d.mu.Unlock()
	if n, err := d.find(who{}, name, true, 0); err == nil {
		d.held -= n.fixed()
		n.data, n.grow, n.text = nil, grow, text
	}
}

// currentBundle is the folder of the k3s that runs.
func (b *Box) currentBundle() string {
	i, err := b.disk.stat(who{}, k3sDir+"/data/current", false)
	if err != nil {
		return k3sDir + "/data/current"
	}
	return cmp.Or(i.target, k3sDir+"/data/current")
}
