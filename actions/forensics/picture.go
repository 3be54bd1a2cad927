package forensics

import (
	"context"
	"slices"
	"strings"
	"time"

	"daytwo/sources"
)

// Kubelet asks the kubelet of a node what its pods take of the disk.
type Kubelet interface {
	PodDisks(ctx context.Context, node string) ([]sources.PodDisk, error)
}

// Picture is what was known of a node's disk without a look at the node: the
// cluster's side, from the snapshot in which the forensics were asked for.
type Picture struct {
	At        time.Time
	Server    bool               // k3s's unit is k3s, else k3s-agent
	Levels    []sources.Crossing // image GC, eviction, full: when they are reached
	Forecast  bool               // the levels have times
	WhyNot    string             // why they have none
	Growth    float64            // bytes a day
	Oldest    Sample             // the oldest that is remembered of the disk
	Kubelet   sources.Filesystem // as the kubelet sees the disk
	ImageUsed int64              // bytes of images, as the kubelet sees them
	Config    sources.NodeConfig // its live configuration
	Unknown   map[string]string  // what could not be had, and why
	Finished  []FinishedPod      // Evicted and Completed pods of the node
	Events    []string           // what the cluster said about its disk
}

// Sample is how much was in use at a time.
type Sample struct {
	At   time.Time
	Used int64
}

// FinishedPod is a pod that is over and is kept in the API all the same.
type FinishedPod struct {
	Namespace, Name, UID string
	Why                  string // Evicted, Completed, …
	Owner                string // its kind: a Job's pods are its own history
}

// PictureOf takes from a snapshot what is known of a node.
func PictureOf(s *sources.Snapshot, node string) Picture {
	p := Picture{At: s.At, Unknown: map[string]string{}}
	for _, n := range s.Nodes.Value {
		if n.Name == node {
			p.Server = n.Server()
		}
	}
	for _, d := range s.Judged.Disks {
		if d.Node == node && !d.Images {
			p.Levels, p.Forecast, p.WhyNot, p.Growth = d.Crossings, d.Forecast, d.WhyNot, d.Growth
		}
	}
	if past := s.History.Value.Points(sources.DiskUsedSeries(node)); len(past) > 0 {
		p.Oldest = Sample{At: past[0].At, Used: int64(past[0].Value)}
	}
	stats, config := s.Stats[node], s.Configs[node]
	p.Kubelet, p.ImageUsed, p.Config = stats.Value.FS, stats.Value.ImageFS.Used, config.Value
	for what, err := range map[string]error{"kubelet stats": stats.Err, "kubelet configuration": config.Err, "pods": s.Pods.Err} {
		if err != nil {
			p.Unknown[what] = clean(err.Error())
		}
	}
	p.Finished = finished(s, node)
	p.Events = diskEvents(s, node)
	return p
}

// finished lists the pods of a node that will never run again.
func finished(s *sources.Snapshot, node string) []FinishedPod {
	var all []FinishedPod
	for i := range s.Pods.Value {
		pod := &s.Pods.Value[i]
		if pod.Node != node || (pod.Phase != "Succeeded" && pod.Phase != "Failed") || !pod.Deleting.IsZero() {
			continue
		}
		why := "Completed"
		if pod.Phase == "Failed" {
			why = firstOf(pod.Reason, "Failed")
		}
		// A failed pod that nobody evicted is evidence, and no rubbish.
		if why != "Completed" && why != "Evicted" {
			continue
		}
		all = append(all, FinishedPod{
			Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID, Why: why, Owner: pod.Owner.Kind,
		})
	}
	slices.SortFunc(all, func(a, b FinishedPod) int {
		return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
	})
	return all
}

// diskEvents are what the cluster remembers of a node's disk.
func diskEvents(s *sources.Snapshot, node string) []string {
	var all []string
	for _, e := range s.Events.Value {
		if e.About.Kind == "Node" && e.About.Name == node && logWhy(e.Reason+" "+e.Message) != "" {
			all = append(all, e.Reason+": "+e.Message)
		}
	}
	return all[:min(len(all), mostParts)]
}
