package views

import (
	"daytwo/sources"
	"daytwo/ui"

	tea "charm.land/bubbletea/v2"
)

// Objects are all objects one can go to by name: nodes, owners of pods,
// certificates, backups and pods.
func Objects(f ui.Frame) []ui.Entry {
	s := f.Snapshot
	out := make([]ui.Entry, 0, len(s.Judged.Nodes)+len(s.Workloads.Value)+len(s.Pods.Value)+64)
	add := func(word, topic string, about sources.Ref, hint string) {
		out = append(out, ui.Entry{
			Title: word + " " + about.String(), Hint: hint,
			Open: func() tea.Cmd { return ui.Open(newDetail(topic, about)) },
		})
	}
	for _, n := range s.Judged.Nodes {
		add("node", "node", sources.Ref{Kind: "Node", Name: n.Node.Name}, nodeState(n))
	}
	for _, d := range s.Judged.Disks {
		if !d.Images {
			add("disk", "disk", sources.Ref{Kind: "Node", Name: d.Node}, percent(d.Percent)+" used")
		}
	}
	for _, w := range s.Workloads.Value {
		if w.Owner.Name == "" { // a ReplicaSet goes by its Deployment
			add(kindWord(w.Ref.Kind), "", w.Ref, number(int(w.Ready))+" of "+number(int(w.Desired))+" ready")
		}
	}
	for _, c := range s.Judged.Certs {
		add("certificate", "cert", c.About, daysLeft(c, f.Now)+" left")
	}
	for _, b := range s.Judged.Backups {
		add("backup", "backup", b.About, agoWords(b.Last, f.Now))
	}
	for i := range s.Pods.Value {
		p := &s.Pods.Value[i]
		add("pod", "", p.Ref(), podState(*p))
	}
	return out
}
