package views

import (
	"slices"

	"daytwo/sources"
	"daytwo/ui"
)

// subject is what a detail is about: an object as seen by one topic, because
// a node has both a health and a disk.
type subject struct {
	topic string
	about sources.Ref
}

// picture is all that a detail shows of its subject.
type picture struct {
	found    bool
	row      sources.Row
	sections []section
	first    int      // how many sections come before what the findings know
	commands []string // what one would type, most useful first
}

// draw makes the picture of a subject from the frame's snapshot.
func (s subject) draw(f ui.Frame, width int) picture {
	if !s.object() {
		return picture{commands: clusterCommands(s.about)}
	}
	switch s.topic {
	case "disk":
		return diskPicture(f, s.about, width)
	case "cert":
		return certPicture(f, s.about, width)
	case "backup":
		return backupPicture(f, s.about, width)
	}
	switch s.about.Kind {
	case "Node":
		return nodePicture(f, s.about, width)
	case "Pod":
		if _, ok := findPod(f.Snapshot, s.about); ok {
			return podPicture(f, s.about, width)
		}
	case "Certificate", "Secret", "Kubeconfig":
		return certPicture(f, s.about, width)
	case "CronJob", "Backup":
		return backupPicture(f, s.about, width)
	}
	p := ownerPicture(f, s.about, width)
	if found := findingsAbout(f.Snapshot, s.about); s.topic == "" && len(found) > 0 {
		p.row.Severity, p.row.Summary = found[0].Severity, found[0].Summary // not of restarts alone
	}
	return p
}

// object reports whether the subject is one that can come and go. The cluster
// itself, a source and a permission only have findings.
func (s subject) object() bool {
	return s.about.Kind != "Cluster" && s.about.Kind != "Source" && s.about.Kind != "Permission"
}

// reading is what the subject is read from, to say why it is not there.
func (s subject) reading(f ui.Frame) source {
	switch s.topic {
	case "disk", "node", "load":
		return paneSource(f.Snapshot, nodes)
	case "cert":
		return paneSource(f.Snapshot, certs)
	case "backup":
		return paneSource(f.Snapshot, backups)
	}
	if s.about.Kind == "Node" {
		return paneSource(f.Snapshot, nodes)
	}
	return paneSource(f.Snapshot, restarts)
}

// findingsAbout are the findings about an object, in the order of attention.
func findingsAbout(s *sources.Snapshot, about sources.Ref) []sources.Finding {
	var out []sources.Finding
	for _, fi := range s.Judged.Findings {
		if fi.About == about {
			out = append(out, fi)
		}
	}
	return out
}

// findFinding returns the finding of a rule about an object, if there is one.
func findFinding(s *sources.Snapshot, rule string, about sources.Ref) (sources.Finding, bool) {
	i := slices.IndexFunc(s.Judged.Findings, func(fi sources.Finding) bool {
		return fi.Rule == rule && fi.About == about
	})
	if i < 0 {
		return sources.Finding{}, false
	}
	return s.Judged.Findings[i], true
}

// worstAbout is the worst that any finding says of an object, at least floor.
func worstAbout(s *sources.Snapshot, about sources.Ref, floor sources.Severity) sources.Severity {
	for _, fi := range findingsAbout(s, about) {
		floor = max(floor, fi.Severity)
	}
	return floor
}
