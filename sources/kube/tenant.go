package kube

import (
	"slices"
	"time"

	core "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	sizes "k8s.io/component-helpers/resource"

	"daytwo/sources"
)

// cnpgCluster and its role tell the primary of a CloudNativePG database.
const (
	cnpgCluster = "cnpg.io/cluster"
	cnpgRole    = "cnpg.io/instanceRole"
)

// protection is the disruption budgets of a cluster, by namespace.
type protection map[string][]guard

type guard struct {
	budget   sources.Budget
	selector labels.Selector
}

func protect(budgets []*policy.PodDisruptionBudget) protection {
	out := protection{}
	for _, b := range budgets {
		sel, err := metav1.LabelSelectorAsSelector(b.Spec.Selector)
		if err != nil {
			continue // a budget that the server could not apply either
		}
		out[b.Namespace] = append(out[b.Namespace], guard{toFullBudget(b), sel})
	}
	return out
}

func toFullBudget(b *policy.PodDisruptionBudget) sources.Budget {
	out := sources.Budget{
		DisruptionBudget: *toBudget(b), Settled: b.Status.ObservedGeneration >= b.Generation,
		Version:   name(b.ResourceVersion),
		Unhealthy: b.Spec.UnhealthyPodEvictionPolicy != nil && *b.Spec.UnhealthyPodEvictionPolicy == policy.AlwaysAllow,
	}
	if b.Spec.MinAvailable != nil {
		out.Min = name(b.Spec.MinAvailable.String())
	}
	if b.Spec.MaxUnavailable != nil {
		out.Max = name(b.Spec.MaxUnavailable.String())
	}
	return out
}

// over are the names of the budgets that select a pod.
func (p protection) over(pod *core.Pod) []string {
	var out []string
	for _, g := range p[pod.Namespace] {
		if g.selector.Matches(labels.Set(pod.Labels)) {
			out = append(out, g.budget.Ref.Name)
		}
	}
	slices.Sort(out)
	return out
}

// of are the budgets that select any of the tenants.
func (p protection) of(tenants []sources.Tenant) []sources.Budget {
	used := map[sources.Ref]bool{}
	for _, t := range tenants {
		for _, b := range t.Budgets {
			used[budgetRef(t.Namespace, b)] = true
		}
	}
	var out []sources.Budget
	for _, guards := range p {
		for _, g := range guards {
			if used[g.budget.Ref] {
				out = append(out, g.budget)
			}
		}
	}
	slices.SortFunc(out, func(a, b sources.Budget) int { return sources.CompareRefs(a.Ref, b.Ref) })
	return out
}

func budgetRef(namespace, name string) sources.Ref {
	return sources.Ref{Kind: "PodDisruptionBudget", Namespace: namespace, Name: name}
}

// toTenant is what a pod itself tells.
func toTenant(p *core.Pod, guards protection) sources.Tenant {
	t := sources.Tenant{
		Namespace: name(p.Namespace), Name: sources.Clean(p.Name, sources.MaxName), UID: string(p.UID),
		Owner: ownerOf(p.Namespace, p.OwnerReferences), Replicas: -1,
		Finished: p.Status.Phase == core.PodSucceeded || p.Status.Phase == core.PodFailed,
		Running:  p.Status.Phase == core.PodRunning,
		Grace:    30 * time.Second, Budgets: guards.over(p),
	}
	if s := p.Spec.TerminationGracePeriodSeconds; s != nil {
		t.Grace = time.Duration(*s) * time.Second
	}
	if p.DeletionTimestamp != nil {
		t.Deleting = p.DeletionTimestamp.Time
	}
	for _, c := range p.Status.Conditions {
		t.Ready = t.Ready || c.Type == core.PodReady && c.Status == core.ConditionTrue
	}
	for _, f := range p.Finalizers {
		t.Finalizers = append(t.Finalizers, name(f))
	}
	if p.Labels[cnpgRole] == "primary" {
		t.Leads = name(p.Labels[cnpgCluster])
	}
	need := sizes.PodRequests(p, sizes.PodResourcesOptions{})
	t.CPU, t.Memory = need.Cpu().MilliValue(), need.Memory().Value()
	t.Ports = hostPorts(p)
	volumes(&t, p)
	cordoned := core.Taint{Key: core.TaintNodeUnschedulable, Effect: core.TaintEffectNoSchedule}
	t.ComesBack = tolerated(p.Spec.Tolerations, cordoned)
	return t
}

func hostPorts(p *core.Pod) []int32 {
	var out []int32
	for _, c := range p.Spec.Containers {
		for _, port := range c.Ports {
			if port.HostPort > 0 {
				out = append(out, port.HostPort)
			}
		}
	}
	return out
}

// volumes sorts a pod's volumes by what becomes of them.
func volumes(t *sources.Tenant, p *core.Pod) {
	for _, v := range p.Spec.Volumes {
		switch {
		case v.EmptyDir != nil:
			t.Scratch = append(t.Scratch, sources.Scratch{
				Volume: name(v.Name), Memory: v.EmptyDir.Medium == core.StorageMediumMemory, Bytes: -1,
			})
		case v.HostPath != nil:
			t.HostPaths = append(t.HostPaths, sources.Clean(v.HostPath.Path, sources.MaxName))
		case v.PersistentVolumeClaim != nil:
			t.Claims = append(t.Claims, sources.Claim{Name: name(v.PersistentVolumeClaim.ClaimName)})
		}
	}
}
