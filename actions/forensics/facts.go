package forensics

import (
	"time"

	"daytwo/sources"
)

// Facts is what the probes read, each its own fields. Those of a probe that
// failed stay empty, and its result says why: empty is then unknown, not zero.
type Facts struct {
	Mounts []Mount  `json:",omitempty"` // df -PT
	Inodes []Mount  `json:",omitempty"` // df -PTi: counts, not bytes
	Roots  []Device `json:",omitempty"` // device numbers of the folders that matter
	Layers []Layer  `json:",omitempty"` // overlay mounts: the containers that run

	Root    []Size `json:",omitempty"` // du of / without the next three
	K3s     []Size `json:",omitempty"` // du of /var/lib/rancher/k3s
	Kubelet []Size `json:",omitempty"` // du of /var/lib/kubelet
	PodLogs []Size `json:",omitempty"` // du of /var/log/pods, by pod
	System  []Size `json:",omitempty"` // du of caches and dumps
	Counts  []Size `json:",omitempty"` // du --inodes of /var

	Big     []Size    `json:",omitempty"` // big files, biggest first
	Deleted []Deleted `json:",omitempty"` // deleted, still open

	ImageFS    int64               `json:",omitempty"` // crictl imagefsinfo
	Images     []Image             `json:",omitempty"`
	Containers []Container         `json:",omitempty"`
	Writable   map[string]int64    `json:",omitempty"` // crictl stats, by container id
	Snapshots  []Snapshot          `json:",omitempty"`
	Chains     map[string][]string `json:",omitempty"` // diff ids by image id

	Journal int64     `json:",omitempty"` // journalctl --disk-usage
	Log     []LogLine `json:",omitempty"` // lines of the unit's log that matter
	LogRead int       `json:",omitempty"` // lines looked at

	Bundles  []Bundle `json:",omitempty"` // data/<hash>
	Archives []File   `json:",omitempty"` // airgap tars, datastore snapshots

	Pods []sources.PodDisk `json:",omitempty"` // the kubelet's view
}

// Mount is one filesystem as df has it; bytes, or inodes.
type Mount struct {
	Device, Type          string
	Size, Used, Available int64
	On                    string
}

// Percent is df's Use%.
func (m Mount) Percent() float64 {
	if m.Used+m.Available <= 0 {
		return 0
	}
	return 100 * float64(m.Used) / float64(m.Used+m.Available)
}

// Device is the filesystem that a folder is on.
type Device struct {
	Number uint64
	Path   string
}

// Size is how much a folder or a file takes.
type Size struct {
	Path  string
	Bytes int64
}

// Layer is a mounted root filesystem of a container: its writable snapshot
// and those below.
type Layer struct {
	Device    uint64 // as stat has it
	Container string // id
	Upper     string // number of its snapshot folder
	Lower     []string
}

// Deleted is a file without a name that a process keeps.
type Deleted struct {
	Device, Inode uint64
	Bytes         int64
	PID           int
	FD            string
	Process       string
	Name          string
}

// Image is an image as the container runtime has it; Bytes is what is
// downloaded, without what was unpacked.
type Image struct {
	ID     string
	Tags   []string
	Bytes  int64
	Pinned bool
}

// Name is a tag, or the id.
func (i Image) Name() string {
	if len(i.Tags) > 0 {
		return i.Tags[0]
	}
	return i.ID
}

// Container is a container as the runtime has it.
type Container struct {
	ID, Image, Sandbox   string
	Name, Pod, Namespace string
	Running              bool
}

// Snapshot is one layer in the runtime's books.
type Snapshot struct {
	Key, Parent string
	Active      bool // a container's writable layer
	Bytes       int64
}

// LogLine is a line of a log that says something of the disk.
type LogLine struct {
	Text string
	Why  string // "eviction", "image garbage collection", "no space"
}

// Bundle is one unpacked k3s version.
type Bundle struct {
	Name string
	At   time.Time
	Use  string // "current", "previous", ""
}

// File is a file with its age.
type File struct {
	Path  string
	Bytes int64
	At    time.Time
}

// Result is how one probe went.
type Result struct {
	ID, Title, Command string
	Began              time.Time
	Took               time.Duration
	Err                string `json:",omitempty"` // why nothing is known from it
	Note               string `json:",omitempty"` // what it could not see
}
