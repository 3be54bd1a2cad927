package sources

import "time"

// Settings is what the user may set and what rules judge by.
type Settings struct {
	Thresholds Thresholds
	SSH        SSHSettings
	Backups    []DeclaredBackup
	// BackupSelector finds CronJobs that are backups: a CronJob is taken for
	// one if any label key or value, or its name, contains one of these words.
	BackupWords []string
	Releases    ReleaseServer  // where versions of k3s come from
	Trail       []TrailCommand // the user's own, in addition to the built-in ones
	// LeaseNamespace is where the Lease lies that one changing run a cluster
	// holds.
	LeaseNamespace string
}

// Thresholds are the limits of the weekly checklist.
type Thresholds struct {
	LoadPercent    float64       // CPU and memory, percent of allocatable
	LoadFor        time.Duration // how long it must last
	DiskWarning    float64       // percent by df's formula
	DiskCritical   float64
	Restarts       int // more than this many within RestartWindow
	RestartWindow  time.Duration
	RestartDays    int           // restarting on each of this many days is "normalised"
	CertExpiry     time.Duration // remaining life below which a certificate is a warning
	RenewalOverdue time.Duration // after renewalTime
	BackupAge      time.Duration // since the last success
	PodStuck       time.Duration // pending or terminating
}

// DeclaredBackup is a backup the user says exists.
type DeclaredBackup struct {
	Name    string
	CronJob string        // "namespace/name"; "" if it runs elsewhere
	MaxAge  time.Duration // 0: Thresholds.BackupAge
	Keep    int           // copies that should exist; 0 not declared
	Offsite bool
	Where   string // free text: where copies are kept
}

// TrailCommand is a command of the user's own for the terminal trail.
type TrailCommand struct {
	Name    string
	Command string // one line: kubectl's, or for the shell of a node
	Node    bool   // runs on the machines of nodes; else the cluster is asked
}

// DefaultSettings returns the limits of the weekly checklist: 85 % for
// 10 min, 80/90 % disk, 5 restarts in 1 h, 21 days, 25 h.
func DefaultSettings() Settings {
	return Settings{
		Thresholds: Thresholds{
			LoadPercent: 85, LoadFor: 10 * time.Minute,
			DiskWarning: 80, DiskCritical: 90,
			Restarts: 5, RestartWindow: time.Hour, RestartDays: 3,
			CertExpiry: 21 * 24 * time.Hour, RenewalOverdue: 24 * time.Hour,
			BackupAge: 25 * time.Hour, PodStuck: 10 * time.Minute,
		},
		BackupWords: []string{"backup", "dump", "restic", "velero", "rclone", "snapshot"},
		Releases:    DefaultReleaseServer(),

		LeaseNamespace: "kube-system",
	}
}
