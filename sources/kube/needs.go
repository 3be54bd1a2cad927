package kube

import (
	"context"
	"strings"
	"sync"

	authorization "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Need is one permission that daytwo uses, and what is dark without it.
type Need struct {
	Verb     string
	Group    string // API group, "" for core
	Resource string // plural; "nodes/proxy" with its subresource
	Lights   string // what it lights up
}

// Rule is the RBAC rule that grants the need, on one line.
func (n Need) Rule() string {
	return `{apiGroups: ["` + n.Group + `"], resources: ["` + n.Resource + `"], verbs: ["` + n.Verb + `"]}`
}

// Permission is the answer to one need.
type Permission struct {
	Need
	Allowed bool
	Err     error // why the server could not be asked; then Allowed means nothing
}

// Needs lists every permission the cockpit uses, all cluster-wide. The view
// role in docs/rbac grants exactly these.
func Needs() []Need {
	var out []Need
	watched := func(group, lights string, resources ...string) {
		for _, r := range resources {
			out = append(out, Need{"list", group, r, lights}, Need{"watch", group, r, lights})
		}
	}
	watched("", "nodes, disks", "nodes")
	watched("", "restarts, pods", "pods")
	watched("", "event details, k3s certificates", "events")
	watched("apps", "ready counts, owners of pods", "deployments", "statefulsets", "daemonsets", "replicasets")
	watched("batch", "backups", "cronjobs", "jobs")
	watched("policy", "drain checks", "poddisruptionbudgets")
	watched("networking.k8s.io", "served certificates", "ingresses")
	watched(certManagerGroup, "cert-manager certificates", "certificates")
	watched(certManagerGroup, "why a certificate is not issued", "certificaterequests")
	watched(acmeGroup, "why a certificate is not issued", "orders", "challenges")
	return append(out, Need{"get", "", "pods", NeedLogs().Lights}, NeedLogs(), NeedSecrets(), NeedMetrics(), NeedProxy())
}

// NeedSecrets is for the TLS Secrets that Ingresses name.
func NeedSecrets() Need { return Need{"get", "", "secrets", "served certificates"} }

// NeedMetrics is for CPU and memory of nodes from metrics.k8s.io.
func NeedMetrics() Need { return Need{"list", "metrics.k8s.io", "nodes", "CPU and memory"} }

// NeedProxy is for /stats/summary and /configz of each kubelet.
func NeedProxy() Need {
	return Need{"get", "", "nodes/proxy", "disk use, forecasts, thresholds"}
}

// everywhere reports whether every Kubernetes API server serves what is asked
// for: its version and the core group. A kubelet behind the proxy may not.
func (n Need) everywhere() bool {
	return n.Resource == "/version" ||
		n.Group == "" && !strings.HasPrefix(n.Resource, "/") && n.Resource != NeedProxy().Resource
}

// Permissions asks the server which needs are granted, in the order of Needs.
func (c *Client) Permissions(ctx context.Context) []Permission { return c.permissions(ctx, Needs()) }

// ChangePermissions asks the server which needs of changes are granted, in
// the order of OperatorNeeds.
func (c *Client) ChangePermissions(ctx context.Context) []Permission {
	return c.permissions(ctx, OperatorNeeds())
}

func (c *Client) permissions(ctx context.Context, needs []Need) []Permission {
	out := make([]Permission, len(needs))
	var wg sync.WaitGroup
	slots := make(chan struct{}, 8)
	for i, n := range needs {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			out[i] = c.allowed(ctx, n)
		})
	}
	wg.Wait()
	return out
}

func (c *Client) allowed(ctx context.Context, n Need) Permission {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	resource, sub := splitSub(n.Resource)
	ask := &authorization.SelfSubjectAccessReview{Spec: authorization.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorization.ResourceAttributes{
			Verb: n.Verb, Group: n.Group, Resource: resource, Subresource: sub,
		},
	}}
	got, err := c.set.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, ask, metav1.CreateOptions{})
	if err != nil {
		need := Need{Verb: "create", Group: authorization.GroupName, Resource: "selfsubjectaccessreviews"}
		return Permission{Need: n, Err: c.explain(err, need, requestTimeout)}
	}
	return Permission{Need: n, Allowed: got.Status.Allowed}
}

// splitSub takes "nodes/proxy" apart.
func splitSub(resource string) (name, sub string) {
	name, sub, _ = strings.Cut(resource, "/")
	return name, sub
}
