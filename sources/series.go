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

// The names of the series. Values: bytes, inodes, ratios (0 to 1) and
// restart counters.
func DiskUsedSeries(node string) string       { return "disk.used/" + node }
func DiskAvailSeries(node string) string      { return "disk.avail/" + node }
func InodesUsedSeries(node string) string     { return "inodes.used/" + node }
func InodesFreeSeries(node string) string     { return "inodes.free/" + node }
func CPUSeries(node string) string            { return "cpu/" + node }
func MemorySeries(node string) string         { return "memory/" + node }
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
