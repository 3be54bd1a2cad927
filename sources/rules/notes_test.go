package rules_test

import (
	"errors"
	"testing"

	"daytwo/sources"
)

// noted writes down what worker-2, worker-10 and master-0 are, then edits
// the notes.
func noted(edit func(*sources.UpgradeNotes)) func(*sources.Snapshot) {
	return func(s *sources.Snapshot) {
		n := sources.UpgradeNotes{Run: "20261102", Who: "ada@jump", Ended: ago(20 * day)}
		for _, x := range s.Nodes.Value {
			n.Nodes = append(n.Nodes, sources.NodeNotes{Name: x.Name, Version: x.Version, Runtime: x.Runtime, OSImage: x.OSImage, Args: x.Args, Env: x.Env})
		}
		edit(&n)
		s.Notes = sources.Read(n, now)
	}
}

func TestNotesRule(t *testing.T) {
	t.Parallel()
	const n = "worker-2"
	started := withNode(func(n *sources.Node) {
		n.Args, n.Env = []string{"agent", "--node-label", "tier=web"}, map[string]string{"K3S_URL": "https://10.0.0.1:6443"}
	})
	ours := func(n *sources.UpgradeNotes) *sources.NodeNotes { return &n.Nodes[1] }
	for name, c := range map[string]struct {
		edit  []func(*sources.Snapshot)
		wants []want
	}{
		"they match": {[]func(*sources.Snapshot){started, noted(func(*sources.UpgradeNotes) {})}, nil},
		"there are none": {[]func(*sources.Snapshot){func(s *sources.Snapshot) {
			s.Notes = sources.Reading[sources.UpgradeNotes]{At: now, Err: sources.ErrNotInstalled}
		}}, nil},
		"version, OS and runtime": {
			[]func(*sources.Snapshot){
				noted(func(n *sources.UpgradeNotes) { ours(n).Version, ours(n).OSImage = "v1.33.3+k3s1", "Ubuntu 22.04" }),
				withNode(func(n *sources.Node) { n.OSImage = "Ubuntu 24.04" }),
			},
			[]want{{"version.notes", sources.Warning, n, []string{"kubelet v1.33.3+k3s1 → v1.33.4+k3s1", "OS Ubuntu 22.04 → Ubuntu 24.04"}}},
		},
		"arguments and environment": {
			[]func(*sources.Snapshot){started, noted(func(n *sources.UpgradeNotes) {
				ours(n).Args = []string{"agent", "--node-label", "tier=db"}
				ours(n).Env = map[string]string{}
			})},
			[]want{{"version.notes", sources.Warning, n, []string{"arguments + tier=web - tier=db", "environment + K3S_URL=https://10.0.0.1:6443"}}},
		},
		"what is not told differs from nothing": {
			[]func(*sources.Snapshot){noted(func(n *sources.UpgradeNotes) { ours(n).Args, ours(n).OSImage = []string{"agent"}, "" })}, nil,
		},
		"a node came and one went": {
			[]func(*sources.Snapshot){
				withNode(func(n *sources.Node) { n.Created = ago(day) }),
				noted(func(n *sources.UpgradeNotes) { ours(n).Name = "worker-1" }),
			},
			[]want{
				{"version.notes", sources.Warning, "worker-1", []string{"in them, and no longer in the cluster"}},
				{"version.notes", sources.Warning, n, []string{"joined after them"}},
			},
		},
		"they cannot be read": {
			[]func(*sources.Snapshot){func(s *sources.Snapshot) { s.Notes = s.Notes.Failed(errors.New("permission denied")) }},
			[]want{{"version.notes", sources.Unknown, "prod", []string{"cannot be read: permission denied"}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expect(t, change(c.edit...), c.wants...)
		})
	}
}
