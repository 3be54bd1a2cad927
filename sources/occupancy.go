package sources

import (
	"fmt"
	"time"
)

// Occupancy is a node as somebody must see it who wants to empty it: who is on
// it, what protects them, where there is room, and who else acts on it.
type Occupancy struct {
	At         time.Time `json:"at"`
	Node       string    `json:"node"`
	Ready      bool      `json:"ready"`
	Server     bool      `json:"server"` // carries the control plane
	Cordoned   bool      `json:"cordoned"`
	CordonedBy string    `json:"cordonedBy,omitempty"`
	Tenants    []Tenant  `json:"tenants"`
	Budgets    []Budget  `json:"budgets"` // those that select a tenant
	Rooms      []Room    `json:"rooms"`   // the other nodes
	Actors     []Fact    `json:"actors,omitempty"`
	Unread     []string  `json:"unread,omitempty"` // what could not be looked at, and why
}

// Tenant is a pod on a node.
type Tenant struct {
	Namespace  string        `json:"namespace"`
	Name       string        `json:"name"`
	UID        string        `json:"uid"`
	Owner      Ref           `json:"owner"`              // top owner; zero if nothing makes it again
	Replicas   int32         `json:"replicas"`           // that the owner wants; -1 if not known
	Leads      string        `json:"leads,omitempty"`    // the database cluster whose primary it is
	Goes       bool          `json:"goes"`               // a drain takes it off the node
	Stays      string        `json:"stays,omitempty"`    // why not: "DaemonSet", "static pod"
	Orphan     bool          `json:"orphan,omitempty"`   // nothing makes it again elsewhere
	Finished   bool          `json:"finished,omitempty"` // succeeded or failed
	Running    bool          `json:"running,omitempty"`  // phase Running: budgets count
	Ready      bool          `json:"ready,omitempty"`
	Grace      time.Duration `json:"grace"`
	Deleting   time.Time     `json:"deleting,omitzero"` // when its grace ends, once it is being deleted
	Finalizers []string      `json:"finalizers,omitempty"`
	Scratch    []Scratch     `json:"scratch,omitempty"`
	Claims     []Claim       `json:"claims,omitempty"`
	HostPaths  []string      `json:"hostPaths,omitempty"`
	Budgets    []string      `json:"budgets,omitempty"` // by name, in its namespace
	CPU        int64         `json:"cpu"`               // requested, millicores
	Memory     int64         `json:"memory"`            // requested, bytes
	Ports      []int32       `json:"ports,omitempty"`   // of the host
	Fits       []string      `json:"fits,omitempty"`    // other nodes that selectors, affinity, taints and volumes allow
	ComesBack  bool          `json:"comesBack,omitempty"`
}

// Ref names the pod.
func (t Tenant) Ref() Ref { return Ref{Kind: "Pod", Namespace: t.Namespace, Name: t.Name} }

// String is namespace/name.
func (t Tenant) String() string { return t.Namespace + "/" + t.Name }

// Scratch is an emptyDir, which is lost with its pod.
type Scratch struct {
	Volume string `json:"volume"`
	Memory bool   `json:"memory,omitempty"`
	Bytes  int64  `json:"bytes"` // -1 if not known
}

// Claim is a volume that outlives its pod.
type Claim struct {
	Name  string `json:"name"`
	Class string `json:"class,omitempty"`
	Path  string `json:"path,omitempty"` // on the disk of the node
	Here  bool   `json:"here"`           // this node alone has it
}

// Budget is a disruption budget with all that says whether it can be met.
type Budget struct {
	DisruptionBudget

	Min       string `json:"min,omitempty"` // spec.minAvailable
	Max       string `json:"max,omitempty"` // spec.maxUnavailable
	Unhealthy bool   `json:"unhealthy"`     // unhealthyPodEvictionPolicy is AlwaysAllow
	Settled   bool   `json:"settled"`       // its status is about its present spec
	Version   string `json:"version"`       // differs whenever something about it changed
}

// Never reports that the budget allows no disruption even if every pod is
// healthy.
func (b Budget) Never() bool { return b.Settled && b.Expected > 0 && b.DesiredHealthy >= b.Expected }

// Asks says in its own words what the budget wants.
func (b Budget) Asks() string {
	switch {
	case b.Min != "":
		return "minAvailable " + b.Min
	case b.Max != "":
		return "maxUnavailable " + b.Max
	}
	return "no number"
}

// Room is what another node has free of what it can give.
type Room struct {
	Node   string `json:"node"`
	Open   bool   `json:"open"` // Ready and not cordoned
	CPU    int64  `json:"cpu"`
	Memory int64  `json:"memory"`
	Pods   int64  `json:"pods"`

	Ports []int32 `json:"ports,omitempty"` // of the host, taken
}

// Refusal is why an API server would not evict a pod.
type Refusal string

// The refusals that differ in what helps.
const (
	RefusedByBudget  Refusal = "budget"      // 429: not now
	RefusedTwoBudget Refusal = "two budgets" // 500: never
	RefusedGone      Refusal = "gone"        // 404 or 409: this pod is no more
	RefusedForGood   Refusal = "denied"      // 403 by something else than missing permission, 400, 422
	RefusedForNow    Refusal = "busy"        // the server asks to come again
)

// EvictionError is an API server's refusal to evict a pod.
type EvictionError struct {
	Pod    Ref
	Why    Refusal
	Budget string        // its name, where the server told it
	Said   string        // in the server's words
	After  time.Duration // the server asks to wait this long
}

// Error says what was refused and why.
func (e *EvictionError) Error() string {
	return fmt.Sprintf("the API server refused to evict %s: %s", e.Pod, e.Said)
}

// Sight is what an eviction waits for, as it is now: the pods on the node and
// the budgets that select them.
type Sight struct {
	Tenants []Tenant
	Budgets map[Ref]Budget
	Err     error // why it may be old; nil while it is kept up to date
}

// Watched is a sight that is kept up to date: a signal, then a look.
type Watched interface {
	Sight() Sight
	Changed() <-chan struct{}
	Close()
}
