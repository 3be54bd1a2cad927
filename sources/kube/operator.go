package kube

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	coordination "k8s.io/api/coordination/v1"
	core "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/kubectl/pkg/drain"

	"daytwo/sources"
)

// Operator is a connection to one cluster that changes it: cordons nodes and
// evicts pods. It has a rate limit of its own.
type Operator struct {
	c   *Client
	set kubernetes.Interface
}

// Operator returns the side of the client that changes the cluster.
func (c *Client) Operator() (*Operator, error) {
	set, err := c.ForChanges()
	if err != nil {
		return nil, err
	}
	return &Operator{c: c, set: set}, nil
}

// Cordoned reports whether a node takes no new pods.
func (o *Operator) Cordoned(ctx context.Context, node string) (bool, error) {
	n, err := o.node(ctx, node)
	if err != nil {
		return false, err
	}
	return n.Spec.Unschedulable, nil
}

func (o *Operator) node(ctx context.Context, node string) (*core.Node, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	n, err := o.set.CoreV1().Nodes().Get(ctx, node, metav1.GetOptions{})
	if err != nil {
		return nil, o.nodeFailed("looking at node "+node, err, Need{Verb: "get", Resource: "nodes"})
	}
	return n, nil
}

func (o *Operator) nodeFailed(doing string, err error, need Need) error {
	if apierrors.IsNotFound(err) && !isMissing(err) {
		err = &plainError{text: "the cluster has no such node (any more)", err: err}
	} else {
		err = o.c.explain(err, need, requestTimeout)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// Cordon makes a node take no new pods, or take them again. It reports false
// where that was so already.
func (o *Operator) Cordon(ctx context.Context, node string, on bool) (bool, error) {
	n, err := o.node(ctx, node)
	if err != nil {
		return false, err
	}
	h := drain.NewCordonHelper(n)
	if !h.UpdateIfRequired(on) {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	failed, patch := h.PatchOrReplaceWithContext(ctx, o.set, false)
	if err := errors.Join(failed, patch); err != nil {
		if failed != nil {
			err = failed
		}
		return false, o.nodeFailed("changing node "+node, err, Need{Verb: "patch", Resource: "nodes"})
	}
	return true, nil
}

// Leaving are the pods that kubectl drain would take off a node now, forced:
// those that nothing makes again are among them, as orphans.
func (o *Operator) Leaving(ctx context.Context, node string) ([]sources.Tenant, error) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	list, errs := o.helper(ctx).GetPodsForDeletion(node)
	if len(errs) > 0 {
		return nil, o.c.explain(errors.Join(errs...), Need{Verb: "list", Resource: "pods"}, listTimeout)
	}
	var out []sources.Tenant
	for _, p := range list.Pods() {
		t := toTenant(&p, nil)
		t.Goes, t.Orphan = true, orphan(t)
		out = append(out, t)
	}
	return out, nil
}

// orphan reports whether nothing makes a pod again that a drain takes away:
// of a DaemonSet's pods the library takes only those whose set is gone.
func orphan(t sources.Tenant) bool {
	return !t.Finished && (t.Owner.Name == "" || t.Owner.Kind == "DaemonSet")
}

// Evict asks the API server to evict this very pod, not another of its name.
// The pod keeps the grace that it wants. The answer comes at once also where
// the server asks to wait: a refusal is a *sources.EvictionError.
func (o *Operator) Evict(ctx context.Context, t sources.Tenant, dryRun bool) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	uid := types.UID(t.UID)
	opts := &metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}}
	if dryRun {
		opts.DryRun = []string{metav1.DryRunAll}
	}
	body := &policy.Eviction{ObjectMeta: metav1.ObjectMeta{Namespace: t.Namespace, Name: t.Name}, DeleteOptions: opts}
	err := o.set.PolicyV1().RESTClient().Post().AbsPath("/api/v1").Namespace(t.Namespace).
		Resource("pods").Name(t.Name).SubResource("eviction").Body(body).MaxRetries(0).Do(ctx).Error()
	return o.refusal(t, err)
}

// refusal sorts what an eviction was answered by what helps.
func (o *Operator) refusal(t sources.Tenant, err error) error {
	var status apierrors.APIStatus
	if err == nil {
		return nil
	}
	if !errors.As(err, &status) {
		return o.c.explain(err, needEviction(), requestTimeout)
	}
	s := status.Status()
	out := &sources.EvictionError{Pod: t.Ref(), Said: sources.Clean(s.Message, 300), Why: sources.RefusedForNow}
	if d, ok := apierrors.SuggestsClientDelay(err); ok {
		out.After = time.Duration(d) * time.Second
	}
	switch {
	case apierrors.IsTooManyRequests(err):
		if cause, ok := causeOf(s, policy.DisruptionBudgetCause); ok {
			out.Why, out.Said = sources.RefusedByBudget, sources.Clean(cause, 300)
			out.Budget = budgetNamed(cause)
		}
	case apierrors.IsNotFound(err) && s.Details != nil && s.Details.Kind != "namespaces",
		apierrors.IsConflict(err) && strings.Contains(s.Message, "UID"):
		out.Why = sources.RefusedGone
	case s.Code == http.StatusInternalServerError && strings.Contains(s.Message, "more than one PodDisruptionBudget"):
		out.Why = sources.RefusedTwoBudget
	case apierrors.IsForbidden(err) && strings.Contains(s.Message, "cannot create resource"):
		return o.c.explain(err, needEviction(), requestTimeout)
	case forGood(err):
		out.Why = sources.RefusedForGood
	}
	return out
}

// forGood reports whether asking again can change nothing.
func forGood(err error) bool {
	return apierrors.IsForbidden(err) && !apierrors.HasStatusCause(err, core.NamespaceTerminatingCause) ||
		apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) || apierrors.IsMethodNotSupported(err) ||
		apierrors.IsUnauthorized(err)
}

func needEviction() Need {
	return Need{Verb: "create", Resource: "pods/eviction", Lights: "draining a node"}
}

func causeOf(s metav1.Status, kind metav1.CauseType) (string, bool) {
	if s.Details != nil {
		for _, c := range s.Details.Causes {
			if c.Type == kind {
				return c.Message, true
			}
		}
	}
	return "", false
}

// budgetNamed takes the name out of the server's words: "The disruption budget
// web needs 2 healthy pods and has 2 currently".
func budgetNamed(cause string) string {
	_, rest, ok := strings.Cut(cause, "disruption budget ")
	if !ok {
		return ""
	}
	word, _, _ := strings.Cut(rest, " ")
	return name(word)
}

// OperatorNeeds lists what drains, upgrades and shells use beyond what the cockpit looks with;
// the operator role in docs/rbac grants exactly these on top of the view role.
func OperatorNeeds() []Need {
	const leaseLights = "one change at a time, also from other machines"
	return append([]Need{
		{"get", "", "nodes", "cordon, uncordon, drain"},
		{"patch", "", "nodes", "cordon, uncordon, drain"},
		needEviction(),
		{"get", "apps", "daemonsets", "draining a node"},
		{"list", "", "persistentvolumeclaims", "which volumes tie a pod to its node"},
		{"list", "", "persistentvolumes", "which volumes tie a pod to its node"},
		{"list", sucGroup, "plans", "whether another upgrade is under way"},
		{"get", coordination.GroupName, "leases", leaseLights},
		{"create", coordination.GroupName, "leases", leaseLights},
		{"update", coordination.GroupName, "leases", leaseLights},
	}, NeedsExec()...)
}

// Refused names the permissions for draining that the server would refuse;
// none are missing if it is empty.
func (o *Operator) Refused(ctx context.Context) ([]error, error) {
	var out []error
	for _, n := range OperatorNeeds()[:4] {
		p := o.c.allowed(ctx, n)
		if p.Err != nil {
			return nil, p.Err
		}
		if !p.Allowed {
			out = append(out, &sources.AccessError{Verb: n.Verb, Group: n.Group, Resource: n.Resource})
		}
	}
	return out, nil
}
