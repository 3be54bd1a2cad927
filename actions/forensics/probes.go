package forensics

import (
	"bytes"
	"time"
)

// Where k3s and the kubelet keep what they have. They are walked apart from
// the rest, so that no file is looked at twice.
const (
	k3sDir     = "/var/lib/rancher/k3s"
	kubeletDir = "/var/lib/kubelet"
	podLogsDir = "/var/log/pods"
)

// How long a probe may take before it is ended on the node.
const (
	quick = 60 * time.Second
	slow  = 15 * time.Minute // a walk over a whole disk
)

// probe is one read-only look at a node.
type probe struct {
	id, title string
	command   string // POSIX sh
	shell     bool   // it has a pipe, a glob or more than one command
	limit     time.Duration
	// partly: that it ends with an error is no failure as long as it wrote
	// something, for files come and go while a disk is walked.
	partly bool
	empty  bool // to write nothing is an answer
	// raw streams the command's own lines; otherwise what was read is told.
	raw bool
	// first: if the node cannot be spoken to here, nobody waits for the same
	// of all the others.
	first bool
	read  func(out []byte, f *Facts) error
	tell  func(f *Facts) []string
}

// probes in the order in which they run: what answers at once first, the walks
// over the disk one after the other.
func probes(unit string) []probe {
	all := append(bookProbes(unit), runtimeProbes()...)
	return append(all, walkProbes()...)
}

// localDisks are what df is asked about: no network, no memory.
const localDisks = "-l -x tmpfs -x devtmpfs -x overlay -x squashfs"

func bookProbes(unit string) []probe {
	return []probe{
		{
			id: "df", title: "disk use", limit: quick, raw: true, partly: true, first: true,
			command: "df -PT -B1 " + localDisks,
			read:    func(out []byte, f *Facts) (err error) { f.Mounts, err = parseDF(out); return err },
		},
		{
			id: "inodes", title: "inodes", limit: quick, raw: true, partly: true,
			command: "df -PT -i " + localDisks,
			read:    func(out []byte, f *Facts) (err error) { f.Inodes, err = parseDF(out); return err },
		},
		{
			id: "devices", title: "filesystems", limit: quick, partly: true,
			command: `find / ` + k3sDir + ` ` + kubeletDir + ` /var/log -maxdepth 0 -printf '%D %p\0'`,
			read:    func(out []byte, f *Facts) error { f.Roots = parseDevices(out); return nil },
			tell:    tellDevices,
		},
		{
			id: "mounts", title: "container mounts", limit: quick, empty: true,
			command: "cat /proc/1/mountinfo",
			read:    func(out []byte, f *Facts) error { f.Layers = parseMounts(out); return nil },
			tell:    tellLayers,
		},
		{
			id: "journal", title: "journal size", limit: quick, raw: true,
			command: "journalctl --disk-usage",
			read:    func(out []byte, f *Facts) (err error) { f.Journal, err = parseUsage(out); return err },
		},
		{
			id: "log", title: "k3s log", limit: quick, raw: true,
			command: "journalctl -u " + unit + " -n 200 --no-pager -o short-iso",
			read:    func(out []byte, f *Facts) error { f.readLog(out); return nil },
			tell:    tellLog,
		},
		{
			id: "deleted", title: "deleted, still open", limit: 5 * time.Minute, shell: true, empty: true, partly: true,
			command: deletedCommand,
			read:    func(out []byte, f *Facts) (err error) { f.Deleted, err = parseDeleted(out); return err },
			tell:    tellDeleted,
		},
	}
}

// deletedCommand finds files without a name that a process keeps, without
// lsof. What /proc/PID/fd/N leads to is asked by -L; the name that it had is
// in the link itself. Its paths are the kernel's own, so that lines are safe;
// names end with NUL.
const deletedCommand = `find -L /proc/[0-9]*/fd -maxdepth 1 -type f -links 0 -printf '%D %i %b %p\n' 2>/dev/null | ` +
	`while read -r d i b p; do printf '%s\0%s\0%s\0' "$d $i $b $p" ` +
	`"$(cat "${p%/fd/*}/comm" 2>/dev/null)" "$(readlink "$p")"; done`

func runtimeProbes() []probe {
	return []probe{
		{
			id: "imagefs", title: "image filesystem", limit: quick, raw: true,
			command: "k3s crictl imagefsinfo -o json",
			read:    func(out []byte, f *Facts) (err error) { f.ImageFS, err = parseImageFS(out); return err },
		},
		{
			id: "images", title: "images", limit: quick,
			command: "k3s crictl images -o json",
			read:    func(out []byte, f *Facts) (err error) { f.Images, err = parseImages(out); return err },
			tell:    tellImages,
		},
		{
			id: "containers", title: "containers", limit: quick,
			command: "k3s crictl ps -a -o json",
			read:    func(out []byte, f *Facts) (err error) { f.Containers, err = parseContainers(out); return err },
			tell:    tellContainers,
		},
		{
			id: "writable", title: "container stats", limit: quick,
			command: "k3s crictl stats -a -o json",
			read:    func(out []byte, f *Facts) (err error) { f.Writable, err = parseStats(out); return err },
			tell:    tellWritable,
		},
		{
			id: "layers", title: "layers of images", limit: quick, shell: true, empty: true,
			command: "k3s crictl inspecti -o json $(k3s crictl images -q)",
			read:    func(out []byte, f *Facts) (err error) { f.Chains, err = parseChains(out); return err },
		},
		{
			id: "snapshots", title: "snapshots", limit: 5 * time.Minute, shell: true,
			command: "k3s ctr snapshots ls && k3s ctr snapshots usage -b",
			read:    func(out []byte, f *Facts) (err error) { f.Snapshots, err = parseSnapshots(out); return err },
			tell:    tellSnapshots,
		},
		{
			id: "bundles", title: "k3s versions", limit: quick, partly: true, empty: true,
			command: `find ` + k3sDir + `/data -mindepth 1 -maxdepth 1 -printf '%y %T@ %f\0%l\0'`,
			read:    func(out []byte, f *Facts) (err error) { f.Bundles, err = parseBundles(out); return err },
			tell:    tellBundles,
		},
		{
			id: "archives", title: "airgap and snapshots", limit: quick, partly: true, empty: true,
			command: `find ` + k3sDir + `/agent/images ` + k3sDir + `/server/db/snapshots -type f -printf '%b %T@ %p\0'`,
			read:    func(out []byte, f *Facts) (err error) { f.Archives, err = parseFiles(out); return err },
			tell:    tellArchives,
		},
		{
			id: "system", title: "caches and dumps", limit: quick, partly: true, empty: true,
			command: "du -x0 -B1 -s /var/cache/apt/archives /var/crash /var/lib/systemd/coredump /var/lib/snapd",
			read: func(out []byte, f *Facts) (err error) {
				if len(out) > 0 {
					f.System, err = parseSizes(out)
				}
				return err
			},
			tell: func(f *Facts) []string { return tellSizes(f.System, "") },
		},
	}
}

func walkProbes() []probe {
	return []probe{
		{
			id: "du-k3s", title: "du of k3s", limit: slow, partly: true,
			command: "du -x0 -B1 -d5 " + k3sDir,
			read:    func(out []byte, f *Facts) (err error) { f.K3s, err = parseSizes(out); return err },
			tell:    func(f *Facts) []string { return tellSizes(f.K3s, k3sDir) },
		},
		{
			id: "du-kubelet", title: "du of the kubelet", limit: slow, partly: true,
			command: "du -x0 -B1 -d5 " + kubeletDir,
			read:    func(out []byte, f *Facts) (err error) { f.Kubelet, err = parseSizes(out); return err },
			tell:    func(f *Facts) []string { return tellSizes(f.Kubelet, kubeletDir) },
		},
		{
			id: "du-pods", title: "du of pod logs", limit: slow, partly: true, empty: true,
			command: "du -x0 -B1 -d1 " + podLogsDir,
			read: func(out []byte, f *Facts) (err error) {
				if len(out) > 0 { // no pod ever ran there
					f.PodLogs, err = parseSizes(out)
				}
				return err
			},
			tell: func(f *Facts) []string { return tellSizes(f.PodLogs, podLogsDir) },
		},
		{
			id: "du", title: "du of the rest", limit: slow, partly: true,
			command: "du -x0 -B1 -d3 --exclude=" + k3sDir + " --exclude=" + kubeletDir + " --exclude=" + podLogsDir + " /",
			read:    func(out []byte, f *Facts) (err error) { f.Root, err = parseSizes(out); return err },
			tell:    func(f *Facts) []string { return tellSizes(f.Root, "/") },
		},
		{
			id: "big", title: "big files", limit: slow, shell: true, partly: true, empty: true,
			command: `find / -xdev -type f -size +16M -printf '%b %p\0' | sort -znr | head -zn 100`,
			read:    func(out []byte, f *Facts) (err error) { f.Big, err = parseBlocks(out); return err },
			tell:    func(f *Facts) []string { return tellSizes(f.Big, "") },
		},
		{
			id: "counts", title: "inodes by folder", limit: slow, shell: true, partly: true,
			command: "du -x0 --inodes -d2 /var | sort -znr | head -zn 40",
			read:    func(out []byte, f *Facts) (err error) { f.Counts, err = parseSizes(out); return err },
			tell:    tellCounts,
		},
	}
}

// readLog keeps the lines of a log that say something of the disk.
func (f *Facts) readLog(out []byte) {
	f.Log, f.LogRead = nil, 0
	for l := range bytes.SplitSeq(out, []byte{'\n'}) {
		if len(l) == 0 {
			continue
		}
		f.LogRead++
		if why := logWhy(string(l)); why != "" {
			f.Log = append(f.Log, LogLine{Text: clean(string(l)), Why: why})
		}
	}
}
