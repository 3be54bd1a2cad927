package kube

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	sizes "k8s.io/component-helpers/resource"

	"daytwo/sources"
)

// Signs of others that take nodes out of service.
const (
	sucGroup        = "upgrade.cattle.io"
	kuredLock       = "weave.works/kured-node-lock"
	kuredInProgress = "weave.works/kured-reboot-in-progress"
	autoscalerTaint = "ToBeDeletedByClusterAutoscaler"
)

// occupancy puts together what was read.
func (n *census) occupancy(here *core.Node) sources.Occupancy {
	seen := toNode(here)
	ready, _ := seen.Condition("Ready")
	out := sources.Occupancy{
		At: n.op.c.now(), Node: seen.Name, Ready: ready.Status == "True", Server: seen.Server(),
		Cordoned: seen.Unschedulable, CordonedBy: seen.CordonedBy, Unread: n.unread, Actors: n.actors(here),
	}
	guards := protect(n.budgets)
	for _, p := range n.pods {
		if p.Spec.NodeName == here.Name {
			out.Tenants = append(out.Tenants, n.tenant(p, here.Name, guards))
		}
	}
	slices.SortFunc(out.Tenants, func(a, b sources.Tenant) int { return sources.CompareRefs(a.Ref(), b.Ref()) })
	out.Budgets = guards.of(out.Tenants)
	out.Rooms = n.rooms(here.Name)
	return out
}

// tenant is a pod with all that others tell of it.
func (n *census) tenant(p *core.Pod, here string, guards protection) sources.Tenant {
	t := toTenant(p, guards)
	_, mirror := p.Annotations[core.MirrorPodAnnotationKey]
	owner := t.Owner
	t.Goes = n.goes[t.UID]
	switch {
	case mirror:
		t.Stays, t.Owner = "static pod", sources.Ref{}
	case !t.Goes && owner.Kind == "DaemonSet":
		t.Stays = "DaemonSet"
	case !t.Goes:
		t.Stays = "not known"
	default:
		t.Orphan = orphan(t)
	}
	if up, ok := n.above[owner]; ok {
		t.Owner = up
	}
	if want, ok := n.replicas[t.Owner]; ok {
		t.Replicas = want
	}
	for i := range t.Scratch {
		if used, ok := n.used[t.Namespace+"/"+p.Name+"/"+t.Scratch[i].Volume]; ok {
			t.Scratch[i].Bytes = used
		}
	}
	n.bind(&t, here)
	if t.Goes {
		t.Fits = n.fitting(p, t, here)
	}
	return t
}

// bind tells which of a pod's volumes only this node has.
func (n *census) bind(t *sources.Tenant, here string) {
	for i := range t.Claims {
		c := &t.Claims[i]
		claim, ok := n.claims[t.Namespace+"/"+c.Name]
		if !ok {
			continue
		}
		if claim.Spec.StorageClassName != nil {
			c.Class = name(*claim.Spec.StorageClassName)
		}
		v, ok := n.volumes[claim.Spec.VolumeName]
		if !ok {
			continue
		}
		switch {
		case v.Spec.Local != nil:
			c.Path = sources.Clean(v.Spec.Local.Path, sources.MaxName)
		case v.Spec.HostPath != nil:
			c.Path = sources.Clean(v.Spec.HostPath.Path, sources.MaxName)
		}
		c.Here = len(n.reaching(v)) > 0 && !slices.ContainsFunc(n.reaching(v), func(node string) bool { return node != here })
	}
}

// reaching are the nodes that can mount a volume.
func (n *census) reaching(v *core.PersistentVolume) []string {
	var out []string
	for _, x := range n.nodes {
		if reaches(v, x) {
			out = append(out, x.Name)
		}
	}
	return out
}

// reaches reports whether a volume's own affinity lets a node mount it.
func reaches(v *core.PersistentVolume, n *core.Node) bool {
	if v.Spec.NodeAffinity == nil || v.Spec.NodeAffinity.Required == nil {
		return true
	}
	// A pod that wants what the volume wants goes where the volume can go.
	return fitsLabels(&core.Pod{Spec: core.PodSpec{Affinity: &core.Affinity{
		NodeAffinity: &core.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: v.Spec.NodeAffinity.Required},
	}}}, n)
}

// fitting are the other nodes that a pod may run on by its selectors, its
// affinity, its volumes and their taints; room is another question.
func (n *census) fitting(p *core.Pod, t sources.Tenant, here string) []string {
	var out []string
	for _, x := range n.nodes {
		if x.Name == here || !fits(p, x) || n.repelled(p, x.Name) {
			continue
		}
		away := slices.ContainsFunc(t.Claims, func(c sources.Claim) bool {
			claim, ok := n.claims[t.Namespace+"/"+c.Name]
			if !ok {
				return false
			}
			v, ok := n.volumes[claim.Spec.VolumeName]
			return ok && !reaches(v, x)
		})
		if !away {
			out = append(out, name(x.Name))
		}
	}
	return out
}

// repelled reports whether a pod's required anti-affinity by host keeps it off
// a node where others of its kind are.
func (n *census) repelled(p *core.Pod, node string) bool {
	if p.Spec.Affinity == nil || p.Spec.Affinity.PodAntiAffinity == nil {
		return false
	}
	for _, term := range p.Spec.Affinity.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution {
		sel, err := metav1.LabelSelectorAsSelector(term.LabelSelector)
		if err != nil || term.TopologyKey != core.LabelHostname || term.NamespaceSelector != nil {
			continue
		}
		spaces := term.Namespaces
		if len(spaces) == 0 {
			spaces = []string{p.Namespace}
		}
		for _, x := range n.pods {
			if x.Spec.NodeName == node && !ended(x) && slices.Contains(spaces, x.Namespace) && sel.Matches(labels.Set(x.Labels)) {
				return true
			}
		}
	}
	return false
}

// rooms is what the other nodes have free: allocatable less what is requested.
func (n *census) rooms(here string) []sources.Room {
	var out []sources.Room
	at := map[string]int{}
	for _, x := range n.nodes {
		if x.Name == here {
			continue
		}
		seen := toNode(x)
		ready, _ := seen.Condition("Ready")
		at[x.Name] = len(out)
		out = append(out, sources.Room{
			Node: seen.Name, Open: ready.Status == "True" && !seen.Unschedulable,
			CPU: seen.CPU, Memory: seen.Memory, Pods: seen.MaxPod,
		})
	}
	for _, p := range n.pods {
		i, ok := at[p.Spec.NodeName]
		if !ok || ended(p) {
			continue
		}
		need := sizes.PodRequests(p, sizes.PodResourcesOptions{})
		out[i].CPU -= need.Cpu().MilliValue()
		out[i].Memory -= need.Memory().Value()
		out[i].Pods--
		out[i].Ports = append(out[i].Ports, hostPorts(p)...)
	}
	return out
}

func ended(p *core.Pod) bool {
	return p.Status.Phase == core.PodSucceeded || p.Status.Phase == core.PodFailed
}

// actors are signs that somebody else is about to take nodes out of service.
func (n *census) actors(here *core.Node) []sources.Fact {
	out := slices.Clone(n.plans)
	fact := func(text, from string) {
		out = append(out, sources.Fact{Text: sources.Clean(text, sources.MaxMessage), From: from, At: n.op.c.now()})
	}
	for _, d := range n.daemons {
		lock := d.Annotations[kuredLock]
		if lock == "" {
			continue
		}
		var held struct {
			Node string `json:"nodeID"`
		}
		text := "kured holds its reboot lock"
		if json.Unmarshal([]byte(lock), &held) == nil && held.Node != "" {
			text += " for " + held.Node
		}
		fact(text, "DaemonSet "+name(d.Namespace)+"/"+name(d.Name))
	}
	for _, x := range n.nodes {
		if since, ok := x.Annotations[kuredInProgress]; ok {
			fact("kured reboots "+x.Name+" since "+since, "node "+name(x.Name))
		}
	}
	for _, t := range here.Spec.Taints {
		if t.Key == autoscalerTaint {
			fact("the cluster autoscaler is about to delete this node", "node taint")
		}
	}
	return out
}

// readPlans looks whether the system-upgrade-controller works on nodes.
func (n *census) readPlans(ctx context.Context) error {
	const group = "/apis/" + sucGroup + "/v1"
	raw, err := n.op.c.Get(ctx, group+"/plans", Need{Verb: "list", Group: sucGroup, Resource: "plans"}, requestTimeout)
	if _, denied := errors.AsType[*sources.AccessError](err); denied && n.op.c.absent(ctx, group) {
		return nil // the role is silent on what is not there
	}
	if errors.Is(err, sources.ErrNotInstalled) {
		return nil
	}
	if err != nil {
		return err
	}
	var list struct {
		Items []struct {
			Metadata struct{ Namespace, Name string } `json:"metadata"`
			Status   struct {
				Applying []string `json:"applying"`
			} `json:"status"`
		} `json:"items"`
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return err //nolint:wrapcheck // said with what was being read
	}
	for _, p := range list.Items {
		if len(p.Status.Applying) > 0 {
			n.plans = append(n.plans, sources.Fact{
				Text: sources.Clean("system-upgrade-controller is at work on "+strings.Join(p.Status.Applying, ", "), sources.MaxMessage),
				From: "Plan " + name(p.Metadata.Namespace) + "/" + name(p.Metadata.Name), At: n.op.c.now(),
			})
		}
	}
	return nil
}
