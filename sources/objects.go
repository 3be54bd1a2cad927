package sources

import (
	"errors"
	"time"
)

// Ref names one object of the cluster, or one thing daytwo speaks of beside
// it (a declared backup, a kubeconfig). Kind is the Kubernetes kind where
// there is one ("Node", "Pod", "Deployment", "Certificate", "CronJob"), else
// "Backup" or "Kubeconfig".
type Ref struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
}

// String is namespace/name, or name alone for what has no namespace.
func (r Ref) String() string {
	if r.Namespace == "" {
		return r.Name
	}
	return r.Namespace + "/" + r.Name
}

// Cluster is what the API server says of itself and of the credentials used.
type Cluster struct {
	Name       string        // kubeconfig context
	Server     string        // API server URL
	Version    string        // gitVersion, for instance v1.33.4+k3s1
	Latency    time.Duration // of the last cheap request
	ClientCert time.Time     // notAfter of the kubeconfig's own client certificate; zero with a token
}

// Condition is one entry of a status.conditions list.
type Condition struct {
	Type    string
	Status  string // "True", "False", "Unknown"
	Reason  string
	Message string
	Since   time.Time // lastTransitionTime
}

// Node is one cluster member as the API server knows it.
type Node struct {
	Name       string
	Roles      []string // "control-plane", "etcd", …; none for an agent
	Version    string   // kubelet version
	Runtime    string   // containerd://…
	OSImage    string
	Kernel     string
	Arch       string
	InternalIP string
	ExternalIP string // "" for most
	Created    time.Time
	Conditions []Condition

	Unschedulable bool
	CordonedBy    string    // field manager that set spec.unschedulable, "" if not known
	CordonedAt    time.Time // when the unschedulable taint was added; zero if not known
	Taints        []string  // key=value:effect

	CPU    int64 // allocatable, millicores
	Memory int64 // allocatable, bytes
	MaxPod int64 // allocatable pods

	// Args and Env are what k3s was started with, in its own words (annotations
	// k3s.io/node-args and k3s.io/node-env); it hides secrets itself. nil where
	// the node says nothing.
	Args []string
	Env  map[string]string
}

// Server reports whether the node carries the control plane.
func (n Node) Server() bool {
	for _, r := range n.Roles {
		if r == "control-plane" || r == "master" {
			return true
		}
	}
	return false
}

// Condition returns the condition of a type, and whether there is one.
func (n Node) Condition(typ string) (Condition, bool) {
	for _, c := range n.Conditions {
		if c.Type == typ {
			return c, true
		}
	}
	return Condition{}, false
}

// Filesystem is one filesystem as the kubelet sees it. Available is what an
// ordinary user may still write, so df's use is Used/(Used+Available).
type Filesystem struct {
	Capacity   int64 // bytes
	Available  int64 // bytes
	Used       int64 // bytes
	Inodes     int64
	InodesFree int64
	InodesUsed int64
}

// Percent is df's Use%: used/(used+available), 0 to 100. It differs from
// 1-available/size where the filesystem keeps reserved blocks.
func (f Filesystem) Percent() float64 {
	if f.Used+f.Available <= 0 {
		return 0
	}
	return 100 * float64(f.Used) / float64(f.Used+f.Available)
}

// InodesPercent is the share of inodes in use, 0 to 100; 0 where the
// filesystem has no fixed number of them.
func (f Filesystem) InodesPercent() float64 {
	if f.Inodes <= 0 {
		return 0
	}
	return 100 * float64(f.Inodes-f.InodesFree) / float64(f.Inodes)
}

// NodeStats is what a node's kubelet or metrics.k8s.io measured.
type NodeStats struct {
	CPU      int64 // millicores in use
	Memory   int64 // working set, bytes
	FS       Filesystem
	ImageFS  Filesystem // Used counts images only; Capacity and Available are the filesystem's
	ImageOwn bool       // the image filesystem is not the node's root filesystem
	From     string     // where CPU and Memory came from: "metrics.k8s.io" or "stats/summary"; "" without them
	LoadAt   time.Time  // when CPU and Memory were measured, whatever became of the rest
}

// NodeConfig is what matters of a kubelet's live configuration (/configz).
type NodeConfig struct {
	ImageGCHigh  float64           // percent of the image filesystem at which image GC starts
	ImageGCLow   float64           // percent it frees down to
	EvictionHard map[string]string // as configured: "nodefs.available": "5%"
	LogMaxSize   string
	LogMaxFiles  int32
}

// Termination is how a container's previous run ended.
type Termination struct {
	Reason   string // OOMKilled, Error, Completed
	ExitCode int32
	Signal   int32
	Started  time.Time
	Finished time.Time
}

// Container is one container's status within a pod.
type Container struct {
	Name     string
	Init     bool
	Image    string
	ImageID  string
	Ready    bool
	Restarts int32
	State    string // "waiting", "running", "terminated", "" if not reported yet
	Reason   string // of the waiting or terminated state
	Message  string
	Since    time.Time   // start of the running or end of the terminated state
	Last     Termination // previous run; zero Finished if there was none
	MemLimit int64       // bytes; 0 is none
}

// Pod is one pod.
type Pod struct {
	Namespace  string
	Name       string
	UID        string
	Node       string // "" while not scheduled
	Phase      string // Pending, Running, Succeeded, Failed, Unknown
	Reason     string // status.reason, for instance Evicted
	Message    string // status.message, or why it cannot be scheduled
	Created    time.Time
	Deleting   time.Time // deletionTimestamp; zero if not being deleted
	Ended      time.Time // of a failed pod: when it was disrupted or stopped being ready; zero if not told
	Owner      Ref       // top owner: the Deployment, not the ReplicaSet; the pod itself if none
	Ready      bool
	Finalizers []string
	Containers []Container
}

// Ref names the pod.
func (p Pod) Ref() Ref { return Ref{Kind: "Pod", Namespace: p.Namespace, Name: p.Name} }

// Workload is a Deployment, StatefulSet, DaemonSet or ReplicaSet.
type Workload struct {
	Ref       Ref
	Desired   int32
	Ready     int32
	Updated   int32
	Available int32
	Created   time.Time
	Revision  string
	Owner     Ref // of a ReplicaSet
}

// DisruptionBudget is one PodDisruptionBudget's status.
type DisruptionBudget struct {
	Ref            Ref   `json:"ref"`
	Allowed        int32 `json:"allowed"` // disruptions allowed now
	CurrentHealthy int32 `json:"currentHealthy"`
	DesiredHealthy int32 `json:"desiredHealthy"`
	Expected       int32 `json:"expected"`
}

// CronJob is one CronJob.
type CronJob struct {
	Ref           Ref
	Labels        map[string]string
	Schedule      string
	TimeZone      string
	Suspended     bool
	Created       time.Time
	LastScheduled time.Time
	LastSuccess   time.Time
	Active        int
}

// Job is one Job; Owner is its CronJob if it has one.
type Job struct {
	Ref       Ref
	Owner     Ref
	Started   time.Time
	Completed time.Time // zero while running or when failed
	Failed    time.Time // when the Failed condition came; zero otherwise
	Reason    string    // of the failure: BackoffLimitExceeded, DeadlineExceeded
	Message   string
	Active    int32
	Failures  int32 // failed pods
}

// Ingress is what an Ingress says of TLS and routing.
type Ingress struct {
	Ref     Ref
	Class   string
	Hosts   []string
	Secrets []string // names of TLS secrets in its namespace
}

// TLSSecret is the leaf certificate inside a kubernetes.io/tls Secret named
// by an Ingress. The key is never kept. Err says why it could not be read.
type TLSSecret struct {
	Ref       Ref
	NotBefore time.Time
	NotAfter  time.Time
	DNSNames  []string
	Issuer    string
	Serial    string
	SHA256    string // of the DER certificate, hex
	Err       error
}

// What is wrong with a Secret that was looked at: neither leaves it open, as
// a missing permission does, whether a certificate is served.
var (
	ErrNoSecret      = errors.New("there is no such Secret")
	ErrNoCertificate = errors.New("its tls.crt holds no certificate")
)

// IssueStep is one link of cert-manager's chain behind a Certificate that is
// not ready: CertificateRequest, then Order, then Challenge.
type IssueStep struct {
	Ref    Ref
	State  string // "Ready=False", "pending", "invalid"
	Reason string // in the issuer's words
	Since  time.Time
}

// Certificate is one cert-manager Certificate.
type Certificate struct {
	Ref         Ref
	Secret      string // spec.secretName
	Issuer      string
	DNSNames    []string
	Created     time.Time
	Ready       string // condition status: "True", "False", "Unknown", "" if none
	Reason      string
	Message     string
	NotBefore   time.Time
	NotAfter    time.Time // zero when never issued
	Renewal     time.Time // status.renewalTime
	Revision    int64
	LastFailure time.Time
	Failures    int64
	Steps       []IssueStep // the newest chain, outermost first
}

// Event is one Kubernetes Event of type Warning, or one of the Normal ones
// that daytwo reads (k3s certificate events).
type Event struct {
	About     Ref
	Type      string
	Reason    string
	Message   string
	Count     int32
	First     time.Time
	Last      time.Time
	Component string
}
