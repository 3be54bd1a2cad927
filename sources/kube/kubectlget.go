package kube

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strconv"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/printers"
	"k8s.io/kubectl/pkg/metricsutil"
	"k8s.io/metrics/pkg/apis/metrics"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"
)

// asTable asks the server for kubectl's own columns.
const asTable = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"

// get is kubectl get: tables that the server makes.
func (k boundClient) get(ctx context.Context, a asked, out io.Writer) error {
	m, err := k.mapper()
	if err != nil {
		return err
	}
	printed := false
	for _, word := range a.resources {
		of, err := mapping(m, word)
		if err != nil {
			return err
		}
		t, err := k.table(ctx, a, of)
		if err != nil {
			return err
		}
		if len(t.Rows) == 0 {
			continue
		}
		if printed {
			_, _ = io.WriteString(out, "\n") // the next write has the error too
		}
		printed = true
		w := printers.GetNewTabWriter(out)
		p := printers.NewTablePrinter(printers.PrintOptions{
			WithNamespace: a.all && of.Scope.Name() == meta.RESTScopeNameNamespace,
			WithKind:      len(a.resources) > 1, Kind: of.GroupVersionKind.GroupKind(), Wide: a.wide,
		})
		if err := cmp.Or(p.PrintObj(t, w), w.Flush()); err != nil {
			return fmt.Errorf("writing the table: %w", err)
		}
	}
	if printed {
		return nil
	}
	none := "No resources found\n"
	if !a.all && a.verb == "get" {
		none = "No resources found in " + a.namespace + " namespace.\n"
	}
	_, err = io.WriteString(out, none)
	if err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	return nil
}

// table asks for all pages of a table.
func (k boundClient) table(ctx context.Context, a asked, of *meta.RESTMapping) (*metav1.Table, error) {
	query := url.Values{}
	for name, value := range map[string]string{"labelSelector": a.labels, "fieldSelector": a.fields} {
		if value != "" {
			query.Set(name, value)
		}
	}
	path := pathTo(of, a.where(of))
	if len(a.names) > 0 {
		return k.named(ctx, a, of, path)
	}
	query.Set("limit", strconv.Itoa(pageSize))
	var whole *metav1.Table
	for {
		page, err := k.page(ctx, path+"?"+query.Encode(), Need{Verb: "list", Group: of.Resource.Group, Resource: of.Resource.Resource})
		if err != nil {
			return nil, err
		}
		if whole == nil {
			whole = page
		} else {
			whole.Rows = append(whole.Rows, page.Rows...)
		}
		if page.Continue == "" {
			return whole, nil
		}
		query.Set("continue", page.Continue)
	}
}

// named asks for objects by their names.
func (k boundClient) named(ctx context.Context, a asked, of *meta.RESTMapping, path string) (*metav1.Table, error) {
	var whole *metav1.Table
	for _, name := range a.names {
		one, err := k.page(ctx, path+"/"+url.PathEscape(name), Need{Verb: "get", Group: of.Resource.Group, Resource: of.Resource.Resource})
		if err != nil {
			return nil, err
		}
		if whole == nil {
			whole = one
			continue
		}
		whole.Rows = append(whole.Rows, one.Rows...)
	}
	return whole, nil
}

func (k boundClient) page(ctx context.Context, path string, need Need) (*metav1.Table, error) {
	got := k.c.set.CoreV1().RESTClient().Get().RequestURI(path).SetHeader("Accept", asTable).Do(ctx)
	if err := got.Error(); err != nil {
		return nil, k.c.explain(err, need, listTimeout)
	}
	raw, _ := got.Raw() // no error after that
	t := &metav1.Table{}
	if err := json.Unmarshal(raw, t); err != nil {
		return nil, fmt.Errorf("the server's table of %s cannot be read: %w", need.Resource, err)
	}
	for i := range t.Rows {
		o := &metav1.PartialObjectMetadata{}
		if err := json.Unmarshal(t.Rows[i].Object.Raw, o); err != nil {
			return nil, fmt.Errorf("a row of the server's table of %s cannot be read: %w", need.Resource, err)
		}
		t.Rows[i].Object = runtime.RawExtension{Object: o}
	}
	return t, nil
}

// pathTo is where the server has a resource, in a namespace if it is not "".
func pathTo(of *meta.RESTMapping, namespace string) string {
	path := "/apis/" + of.Resource.Group
	if of.Resource.Group == "" {
		path = "/api"
	}
	path += "/" + of.Resource.Version
	if namespace != "" {
		path += "/namespaces/" + url.PathEscape(namespace)
	}
	return path + "/" + of.Resource.Resource
}

// top is kubectl top.
func (k boundClient) top(ctx context.Context, a asked, out io.Writer) error {
	switch a.resources[0] {
	case "node", "nodes", "no":
		return k.topNodes(ctx, a, out)
	case "pod", "pods", "po":
		return k.topPods(ctx, a, out)
	}
	return fmt.Errorf("kubectl top knows nodes and pods, not %q", a.resources[0])
}

func (k boundClient) topNodes(ctx context.Context, a asked, out io.Writer) error {
	of := &metricsv1beta1.NodeMetricsList{}
	path := "/apis/metrics.k8s.io/v1beta1/nodes"
	if err := k.measured(ctx, path, a, NeedMetrics(), of, func() any {
		of.Items = make([]metricsv1beta1.NodeMetrics, 1)
		return &of.Items[0]
	}); err != nil {
		return err
	}
	if len(of.Items) == 0 {
		return fmt.Errorf("error: metrics not available yet")
	}
	found := &metrics.NodeMetricsList{}
	if err := metricsv1beta1.Convert_v1beta1_NodeMetricsList_To_metrics_NodeMetricsList(of, found, nil); err != nil {
		return fmt.Errorf("the metrics of nodes cannot be read: %w", err)
	}
	nodes, err := k.c.set.CoreV1().Nodes().List(ctx, metav1.ListOptions{LabelSelector: a.labels})
	if err != nil {
		return k.c.explain(err, Need{Verb: "list", Resource: "nodes"}, listTimeout)
	}
	available := map[string]v1.ResourceList{}
	for i := range nodes.Items {
		if n := &nodes.Items[i]; len(a.names) == 0 || n.Name == a.names[0] {
			available[n.Name] = n.Status.Allocatable
		}
	}
	if err := metricsutil.NewTopCmdPrinter(out, false).PrintNodeMetrics(found.Items, available, false, ""); err != nil {
		return fmt.Errorf("writing the metrics of nodes: %w", err)
	}
	return nil
}

func (k boundClient) topPods(ctx context.Context, a asked, out io.Writer) error {
	of := &metricsv1beta1.PodMetricsList{}
	path := "/apis/metrics.k8s.io/v1beta1/pods"
	if !a.all {
		path = "/apis/metrics.k8s.io/v1beta1/namespaces/" + url.PathEscape(a.namespace) + "/pods"
	}
	need := Need{Verb: "list", Group: "metrics.k8s.io", Resource: "pods"}
	if err := k.measured(ctx, path, a, need, of, func() any {
		of.Items = make([]metricsv1beta1.PodMetrics, 1)
		return &of.Items[0]
	}); err != nil {
		return err
	}
	found := &metrics.PodMetricsList{}
	if err := metricsv1beta1.Convert_v1beta1_PodMetricsList_To_metrics_PodMetricsList(of, found, nil); err != nil {
		return fmt.Errorf("the metrics of pods cannot be read: %w", err)
	}
	if err := metricsutil.NewTopCmdPrinter(out, false).PrintPodMetrics(found.Items, false, a.all, false, "", false); err != nil {
		return fmt.Errorf("writing the metrics of pods: %w", err)
	}
	return nil
}

// measured reads a list of metrics, or the one that is named.
func (k boundClient) measured(ctx context.Context, path string, a asked, need Need, list any, one func() any) error {
	into, query := list, url.Values{}
	if a.labels != "" {
		query.Set("labelSelector", a.labels)
	}
	if len(a.names) > 0 {
		path, into = path+"/"+url.PathEscape(a.names[0]), one()
	}
	raw, err := k.c.Get(ctx, path+"?"+query.Encode(), need, listTimeout)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("the metrics of the server cannot be read: %w", err)
	}
	return nil
}
