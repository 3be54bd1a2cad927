package sources

import "time"

// Health is the state of one source, for the header.
type Health struct {
	Name    string
	At      time.Time // last success
	Latency time.Duration
	Err     error
	// Note is what the header shows beside the name: "12ms", "4/5", "not set up".
	Note string
	// Off says that nothing was asked of this source: it is not set up.
	Off bool
}

// Snapshot is everything known at one moment. It is never modified after it
// was published: an Edit gets a shallow copy and replaces whole fields.
type Snapshot struct {
	At       time.Time
	Settings Settings

	Cluster      Reading[Cluster]
	Nodes        Reading[[]Node]
	Stats        map[string]Reading[NodeStats]  // by node
	Configs      map[string]Reading[NodeConfig] // by node
	Pods         Reading[[]Pod]
	Workloads    Reading[[]Workload]
	Budgets      Reading[[]DisruptionBudget]
	CronJobs     Reading[[]CronJob]
	Jobs         Reading[[]Job]
	Ingresses    Reading[[]Ingress]
	Certificates Reading[[]Certificate] // Err is ErrNotInstalled without cert-manager
	Secrets      Reading[[]TLSSecret]
	Events       Reading[[]Event]
	History      Reading[History]
	Notes        Reading[UpgradeNotes] // of the last upgrade; Err is ErrNotInstalled where there are none

	Unfinished []Unfinished // runs of daytwo from this machine

	Sources map[string]Health
	Judged  Judgement
}

// Edit changes a copy of the snapshot before it is published. It replaces
// fields; it must not write into slices or maps that an earlier snapshot has.
type Edit func(*Snapshot)
