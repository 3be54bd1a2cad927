package sources

// PodDisk is what a kubelet says that a pod takes of its node's disk, in bytes.
type PodDisk struct {
	Namespace string
	Pod       string
	UID       string
	Ephemeral int64 // writable layers, logs and emptyDir volumes together
	Writable  int64
	Logs      int64
}
