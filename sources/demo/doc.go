// Package demo is a small simulated cluster with its own clock, served on
// loopback over the real Kubernetes protocol: HTTPS, JSON and protobuf, lists
// with paging, watches with bookmarks, patches, evictions, discovery, metrics
// and the kubelets' summaries. It is not a recording: controllers in it
// recreate evicted pods, disks fill, a container gets OOM-killed again and
// again, and whatever a client changes stays changed.
//
// Everything that is not an object (disk levels, load) is a pure function of
// the scenario and of the clock, so that history, metrics and the kubelets'
// answers agree with each other.
package demo
