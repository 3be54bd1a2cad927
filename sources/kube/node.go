package kube

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unique"

	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"daytwo/sources"
)

// name cleans a name or another short word and keeps one copy of it however
// often it comes.
func name(s string) string {
	if s == "" {
		return ""
	}
	return unique.Make(sources.Clean(s, sources.MaxName)).Value()
}

// message cleans a text for people.
func message(s string) string { return sources.Clean(s, sources.MaxMessage) }

func stamp(t *metav1.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.Time
}

func toNode(n *core.Node) *sources.Node {
	out := &sources.Node{
		Name: name(n.Name), Roles: roles(n.Labels),
		Version: name(n.Status.NodeInfo.KubeletVersion), Runtime: name(n.Status.NodeInfo.ContainerRuntimeVersion),
		OSImage: name(n.Status.NodeInfo.OSImage), Kernel: name(n.Status.NodeInfo.KernelVersion),
		Arch: name(n.Status.NodeInfo.Architecture), Created: n.CreationTimestamp.Time,
		Unschedulable: n.Spec.Unschedulable,
		CPU:           n.Status.Allocatable.Cpu().MilliValue(),
		Memory:        n.Status.Allocatable.Memory().Value(),
		MaxPod:        n.Status.Allocatable.Pods().Value(),
	}
	for _, a := range n.Status.Addresses {
		switch {
		case a.Type == core.NodeInternalIP && out.InternalIP == "":
			out.InternalIP = name(a.Address)
		case a.Type == core.NodeExternalIP && out.ExternalIP == "":
			out.ExternalIP = name(a.Address)
		}
	}
	for _, c := range n.Status.Conditions {
		out.Conditions = append(out.Conditions, sources.Condition{
			Type: name(string(c.Type)), Status: name(string(c.Status)), Reason: name(c.Reason),
			Message: message(c.Message), Since: c.LastTransitionTime.Time,
		})
	}
	out.Args, out.Env = startedWith(n.Annotations)
	cordon(out, n)
	return out
}

// startedWith reads how k3s was started (k3s pkg/nodeconfig). The path of its
// own unpacked files differs with every version and says nothing.
func startedWith(annotations map[string]string) (args []string, env map[string]string) {
	var rawArgs []string
	if text, ok := annotations["k3s.io/node-args"]; ok && json.Unmarshal([]byte(text), &rawArgs) == nil {
		args = make([]string, len(rawArgs))
		for i, a := range rawArgs {
			args[i] = message(a)
		}
	}
	var rawEnv map[string]string
	if text, ok := annotations["k3s.io/node-env"]; ok && json.Unmarshal([]byte(text), &rawEnv) == nil {
		env = make(map[string]string, len(rawEnv))
		for k, v := range rawEnv {
			if k != "K3S_DATA_DIR" {
				env[name(k)] = message(v)
			}
		}
	}
	return args, env
}

func roles(labels map[string]string) []string {
	var out []string
	for k := range labels {
		if role, ok := strings.CutPrefix(k, "node-role.kubernetes.io/"); ok && role != "" {
			out = append(out, name(role))
		}
	}
	slices.Sort(out)
	return out
}

// cordon reads the taints, and who set spec.unschedulable and when: the field
// manager, and the time of the taint that follows from it.
func cordon(out *sources.Node, n *core.Node) {
	for _, t := range n.Spec.Taints {
		text := t.Key + ":" + string(t.Effect)
		if t.Value != "" {
			text = t.Key + "=" + t.Value + ":" + string(t.Effect)
		}
		out.Taints = append(out.Taints, name(text))
		if t.Key == core.TaintNodeUnschedulable {
			out.CordonedAt = stamp(t.TimeAdded)
		}
	}
	if !n.Spec.Unschedulable {
		out.CordonedAt = time.Time{}
		return
	}
	var newest time.Time
	for _, m := range n.ManagedFields {
		if m.FieldsV1 == nil || !bytes.Contains(m.FieldsV1.GetRawBytes(), []byte(`"f:unschedulable"`)) {
			continue
		}
		if at := stamp(m.Time); out.CordonedBy == "" || at.After(newest) {
			out.CordonedBy, newest = name(m.Manager), at
		}
	}
	if out.CordonedAt.IsZero() {
		out.CordonedAt = newest
	}
}
