package demo

import (
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"
)

// serveMetrics answers as metrics-server does behind metrics.k8s.io.
func (w *World) serveMetrics(rw http.ResponseWriter, q *request) error {
	sel, err := labels.Parse(q.URL.Query().Get("labelSelector"))
	if err != nil {
		return apierrors.NewBadRequest(err.Error())
	}
	var found int
	var list, one runtime.Object
	switch q.resource {
	case "nodes":
		l := w.nodeMetrics(q.name, sel)
		if found = len(l.Items); found > 0 {
			one = &l.Items[0]
		}
		list = l
	case "pods":
		l := w.podMetrics(q.namespace, q.name, sel)
		if found = len(l.Items); found > 0 {
			one = &l.Items[0]
		}
		list = l
	default:
		return errNoPath
	}
	f := negotiate(q.Header.Get("Accept"), true)
	f.as = ""
	if q.name == "" {
		return w.respond(rw, f, http.StatusOK, list)
	}
	if found == 0 {
		return apierrors.NewNotFound(schema.GroupResource{Group: q.gv.Group, Resource: q.resource}, q.name)
	}
	return w.respond(rw, f, http.StatusOK, one)
}

// metricsTime is when metrics-server last scraped.
func (w *World) metricsTime() time.Time { return w.now().Truncate(15 * time.Second) }

func (w *World) nodeMetrics(name string, sel labels.Selector) *metricsv1beta1.NodeMetricsList {
	l := &metricsv1beta1.NodeMetricsList{}
	l.SetGroupVersionKind(metricsv1beta1.SchemeGroupVersion.WithKind("NodeMetricsList"))
	at := w.metricsTime()
	for _, n := range all[*corev1.Node](w.store, "") {
		m := w.machine(n.Name)
		if m == nil || (name != "" && n.Name != name) || !sel.Matches(labels.Set(n.Labels)) {
			continue
		}
		item := metricsv1beta1.NodeMetrics{
			ObjectMeta: metav1.ObjectMeta{Name: n.Name, CreationTimestamp: metav1.NewTime(at), Labels: n.Labels},
			Timestamp:  metav1.NewTime(at), Window: metav1.Duration{Duration: 20 * time.Second},
			Usage: usage(m.cpu(at)*float64(m.cores), int64(m.mem(at)*float64(m.memory))),
		}
		item.SetGroupVersionKind(metricsv1beta1.SchemeGroupVersion.WithKind("NodeMetrics"))
		l.Items = append(l.Items, item)
	}
	return l
}

func (w *World) podMetrics(namespace, name string, sel labels.Selector) *metricsv1beta1.PodMetricsList {
	l := &metricsv1beta1.PodMetricsList{}
	l.SetGroupVersionKind(metricsv1beta1.SchemeGroupVersion.WithKind("PodMetricsList"))
	at := w.metricsTime()
	for _, p := range all[*corev1.Pod](w.store, namespace) {
		if p.Status.Phase != corev1.PodRunning || (name != "" && p.Name != name) || !sel.Matches(labels.Set(p.Labels)) {
			continue
		}
		item := metricsv1beta1.PodMetrics{
			ObjectMeta: metav1.ObjectMeta{Name: p.Name, Namespace: p.Namespace, CreationTimestamp: metav1.NewTime(at), Labels: p.Labels},
			Timestamp:  metav1.NewTime(at), Window: metav1.Duration{Duration: 15 * time.Second},
		}
		item.SetGroupVersionKind(metricsv1beta1.SchemeGroupVersion.WithKind("PodMetrics"))
		for i := range p.Spec.Containers {
			cpu, mem := w.containerUse(p, &p.Spec.Containers[i], at)
			item.Containers = append(item.Containers, metricsv1beta1.ContainerMetrics{Name: p.Spec.Containers[i].Name, Usage: usage(cpu, mem)})
		}
		l.Items = append(l.Items, item)
	}
	return l
}

func usage(cores float64, memory int64) corev1.ResourceList {
	return corev1.ResourceList{
		corev1.ResourceCPU:    *resource.NewScaledQuantity(int64(cores*1e9), resource.Nano),
		corev1.ResourceMemory: *resource.NewQuantity(memory>>10<<10, resource.BinarySI),
	}
}

// containerUse is what a container uses now: cores and bytes. A container
// that leaks towards its limit does so between its restarts.
func (w *World) containerUse(p *corev1.Pod, c *corev1.Container, now time.Time) (cores float64, memory int64) {
	id := string(p.UID) + c.Name
	share := 0.35 + 0.3*unit(id, "use") + 0.05*jitter(id, now)
	mem := float64(c.Resources.Requests.Memory().Value())
	if mem == 0 {
		mem = 48 << 20
	}
	cores = c.Resources.Requests.Cpu().AsApproximateFloat64()
	if cores == 0 {
		cores = 0.02
	}
	memory = int64(mem * (share + 0.3))
	if limit := c.Resources.Limits.Memory().Value(); limit > 0 {
		if full, ok := w.leak(p, c.Name, now); ok {
			memory = int64(float64(limit) * full)
		}
		memory = min(memory, limit)
	}
	return cores * share, memory
}
