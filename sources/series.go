package sources

import (
	"strings"
	"time"
)

// Sample is one measured value of one series at one time. History keeps them.
type Sample struct {
	At     time.Time
	Series string
	Value  float64
}

// Point is a sample without its series' name.
type Point struct {
	At    time.Time
	Value float64
}

// Change is a value that is text (a version, an image) at the time it was
// first seen different.
type Change struct {
	At     time.Time
	Series string
	Text   string
}

// History is what is remembered of the past, thinned with age: points oldest
// first in each series. It is never modified once published.
type History struct {
	Series  map[string][]Point
	Changes []Change // oldest first
}

// Points returns a series, oldest first; nil where nothing is remembered.
func (h History) Points(series string) []Point { return h.Series[series] }

// DiskUsedSeries names a node's used bytes.
func DiskUsedSeries(node string) string { return "disk.used/" + node }

// DiskAvailSeries names a node's bytes available to ordinary users.
func DiskAvailSeries(node string) string { return "disk.avail/" + node }

// InodesUsedSeries names a node's inodes in use.
func InodesUsedSeries(node string) string { return "inodes.used/" + node }

// InodesFreeSeries names a node's free inodes.
func InodesFreeSeries(node string) string { return "inodes.free/" + node }

// CPUSeries names a node's CPU in use, as a ratio of allocatable (0 to 1).
func CPUSeries(node string) string { return "cpu/" + node }

// MemorySeries names a node's memory in use, as a ratio of allocatable (0 to 1).
func MemorySeries(node string) string { return "memory/" + node }

// KubeletVersionSeries names the changes of a node's kubelet version.
func KubeletVersionSeries(node string) string { return "version/" + node }

// RestartPrefix begins the names of all restart counters of an owner's
// containers, whatever pods they were in.
func RestartPrefix(owner Ref) string {
	return "restarts/" + owner.Kind + "/" + owner.Namespace + "/" + owner.Name + "/"
}

// RestartSeries is the restart counter of one container of one pod, filed
// under the pod's top owner so that a new pod does not reset the story.
func RestartSeries(owner Ref, pod, container string) string {
	return RestartPrefix(owner) + pod + "/" + container
}

// ParseRestartSeries takes such a name apart; ok is false for other series.
func ParseRestartSeries(series string) (owner Ref, pod, container string, ok bool) {
	p := strings.Split(series, "/")
	if len(p) != 6 || p[0] != "restarts" {
		return Ref{}, "", "", false
	}
	return Ref{Kind: p[1], Namespace: p[2], Name: p[3]}, p[4], p[5], true
}
