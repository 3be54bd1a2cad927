package sources

import "time"

// Judgement is what the rules make of a snapshot: the findings, and for each
// pane its rows, worst first only where the pane says so (rows keep a stable
// order: by name within a severity).
type Judgement struct {
	At       time.Time
	Findings []Finding
	Nodes    []NodeHealth
	Disks    []DiskUse
	Restarts []RestartStory
	Certs    []CertExpiry
	Backups  []BackupState
	// Missing says, pane by pane, why there are no rows or not all of them
	// ("no CronJob looks like a backup; declare one: …"). Keys are topics.
	Missing map[string]string
}

// Row is what every pane's row has.
type Row struct {
	About    Ref
	Severity Severity
	Summary  string // the worst finding's summary; "" if ok
}

// NodeHealth is one row of the node pane. Load values are percent of
// allocatable; negative means unknown.
type NodeHealth struct {
	Row
	Node      Node
	CPU       float64
	Memory    float64
	CPUPast   []Point // last hour, ratio 0 to 1
	MemPast   []Point
	Pods      int
	Load      Severity // of CPU and memory over Thresholds.LoadFor; Unknown without enough samples
	LoadError string   // why CPU and memory are unknown, "" if known
}

// Crossing is when a disk reaches a level, if it goes on like this.
type Crossing struct {
	What   string    // "image GC", "90 %", "eviction", "full"
	Level  float64   // percent of size by df's formula
	Passed bool      // already above
	At     time.Time // zero if Passed, or never at the present growth
}

// DiskUse is one row of the disk pane.
type DiskUse struct {
	Row
	Node      string
	Images    bool // the image filesystem, where it is not the node's root filesystem
	FS        Filesystem
	Percent   float64       // df; negative if unknown
	Growth    float64       // bytes a day; only meaningful if Forecast
	Over      time.Duration // the time the growth was measured over
	Forecast  bool          // samples allow a forecast
	WhyNot    string        // why there is no forecast, or why nothing is known
	Crossings []Crossing
	Past      []Point // used bytes, oldest first
	At        time.Time
}

// FullAt is when the disk is full at present growth; zero if never or unknown.
func (d DiskUse) FullAt() time.Time {
	for _, c := range d.Crossings {
		if c.What == "full" {
			return c.At
		}
	}
	return time.Time{}
}

// RestartStory is one owner's restarts over all its pods and containers.
type RestartStory struct {
	Row
	Hour      int
	Day       int
	Total     int       // restart counters of the pods that exist now
	DaysInRow int       // days up to today with at least one restart
	Reason    string    // of the last: OOMKilled, exit 2, CrashLoopBackOff
	LastAt    time.Time // zero if not known
	MemLimit  int64
	Container string
	Pods      []string
	Times     []Point // known restarts: time, how many
}

// CertExpiry is one certificate: cert-manager's, an Ingress's Secret, k3s's
// own or the kubeconfig's.
type CertExpiry struct {
	Row
	From     string // "cert-manager", "secret", "k3s", "kubeconfig"
	NotAfter time.Time
	Renewal  time.Time
	State    string // short: "overdue", "not issued", "not ready", "secret differs", ""
	Names    []string
	Issuer   string
	Steps    []IssueStep
}

// BackupState is one backup, declared or found.
type BackupState struct {
	Row
	Name      string
	Declared  bool
	CronJob   Ref
	Last      time.Time // last success; zero if none seen
	Limit     time.Duration
	Keep      int
	Offsite   bool
	Where     string
	Suspended bool
	Running   time.Time // start of the job that runs now
	Note      string    // what evidence would count, or why it failed
	Jobs      []Job     // newest first
}
