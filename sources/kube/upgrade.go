package kube

import (
	"context"
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/version"

	"daytwo/sources"
)

// Look reads what an upgrade proves its steps by: each call is a question to
// the API server, never the last picture.
type Look struct{ c *Client }

// Look returns the side of the client that answers for what is true now.
func (c *Client) Look() *Look { return &Look{c} }

// Version is what the API server says of itself.
func (l *Look) Version(ctx context.Context) (string, error) {
	raw, err := l.c.Get(ctx, "/version", Need{Verb: "get", Resource: "/version"}, requestTimeout)
	if err != nil {
		return "", err
	}
	var v version.Info
	if err := json.Unmarshal(raw, &v); err != nil {
		return "", fmt.Errorf("reading /version of %s: %w", l.c.host, err)
	}
	return sources.Clean(v.GitVersion, sources.MaxName), nil
}

// Node is one node.
func (l *Look) Node(ctx context.Context, node string) (sources.Node, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	n, err := l.c.set.CoreV1().Nodes().Get(ctx, node, metav1.GetOptions{})
	if err != nil {
		return sources.Node{}, l.c.explain(err, Need{Verb: "get", Resource: "nodes"}, requestTimeout)
	}
	return *toNode(n), nil
}

// Nodes are all nodes.
func (l *Look) Nodes(ctx context.Context) ([]sources.Node, error) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	list, err := l.c.set.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, l.c.explain(err, Need{Verb: "list", Resource: "nodes"}, listTimeout)
	}
	out := make([]sources.Node, len(list.Items))
	for i := range list.Items {
		out[i] = *toNode(&list.Items[i])
	}
	return out, nil
}

// Pods are all pods; Owner is the direct owner.
func (l *Look) Pods(ctx context.Context) ([]sources.Pod, error) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	list, err := l.c.set.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, l.c.explain(err, Need{Verb: "list", Resource: "pods"}, listTimeout)
	}
	out := make([]sources.Pod, len(list.Items))
	for i := range list.Items {
		out[i] = toPod(&list.Items[i]).Pod
	}
	return out, nil
}

// Workloads are Deployments, StatefulSets and DaemonSets.
func (l *Look) Workloads(ctx context.Context) ([]sources.Workload, error) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	var out []sources.Workload
	apps := l.c.set.AppsV1()
	deployments, err := apps.Deployments(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, l.c.explain(err, Need{Verb: "list", Group: "apps", Resource: "deployments"}, listTimeout)
	}
	for i := range deployments.Items {
		out = append(out, *toDeployment(&deployments.Items[i]))
	}
	sets, err := apps.StatefulSets(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, l.c.explain(err, Need{Verb: "list", Group: "apps", Resource: "statefulsets"}, listTimeout)
	}
	for i := range sets.Items {
		out = append(out, *toStatefulSet(&sets.Items[i]))
	}
	daemons, err := apps.DaemonSets(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, l.c.explain(err, Need{Verb: "list", Group: "apps", Resource: "daemonsets"}, listTimeout)
	}
	for i := range daemons.Items {
		out = append(out, *toDaemonSet(&daemons.Items[i]))
	}
	return out, nil
}
