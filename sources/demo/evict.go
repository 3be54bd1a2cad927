package demo

import (
	"fmt"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	policyv1beta1 "k8s.io/api/policy/v1beta1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// serveEviction evicts a pod if its disruption budget allows it; the rules
// are those of the API server's pkg/registry/core/pod/storage/eviction.go.
func (w *World) serveEviction(rw http.ResponseWriter, q *request, pods *kind) error {
	if q.verb != "create" {
		return apierrors.NewMethodNotSupported(pods.group(), q.verb)
	}
	opts, err := w.evictionOptions(q)
	if err != nil {
		return err
	}
	pod, ok := fetch[*corev1.Pod](w.store, q.namespace, q.name)
	if !ok {
		return apierrors.NewNotFound(pods.group(), q.name)
	}
	if err := checkPreconditions(pods, pod, opts.Preconditions); err != nil {
		return err
	}
	w.evictions.Lock()
	defer w.evictions.Unlock()
	if !bypassesBudget(pod) {
		if err := w.spendBudget(pod, q.dryRun); err != nil {
			return err
		}
	}
	if _, _, err := w.deleteObject(pods, q.namespace, q.name, opts, q.dryRun); err != nil {
		return err
	}
	if !q.dryRun {
		w.did.note("evict", string(pod.UID))
	}
	f := negotiate(q.Header.Get("Accept"), true)
	f.as = ""
	return w.respond(rw, f, http.StatusCreated, &metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusSuccess,
	})
}

func (w *World) evictionOptions(q *request) (*metav1.DeleteOptions, error) {
	body, err := readBody(q.Request)
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	o, err := w.codec.decode(body, nil)
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	var opts *metav1.DeleteOptions
	switch e := o.(type) {
	case *policyv1.Eviction:
		opts = e.DeleteOptions
	case *policyv1beta1.Eviction:
		opts = e.DeleteOptions
	default:
		return nil, apierrors.NewBadRequest(fmt.Sprintf("a %T instead of an Eviction", o))
	}
	if opts == nil {
		opts = &metav1.DeleteOptions{}
	}
	for _, d := range opts.DryRun {
		q.dryRun = q.dryRun || d == metav1.DryRunAll
	}
	return opts, nil
}

// bypassesBudget holds for pods whose going disrupts nothing.
func bypassesBudget(p *corev1.Pod) bool {
	switch p.Status.Phase {
	case corev1.PodPending, corev1.PodSucceeded, corev1.PodFailed:
		return true
	}
	return p.DeletionTimestamp != nil
}

// spendBudget takes one disruption from the pod's budget, or says why not.
func (w *World) spendBudget(pod *corev1.Pod, dryRun bool) error {
	budgets := w.budgetsOf(pod)
	if len(budgets) == 0 {
		return nil
	}
	if len(budgets) > 1 {
		return apierrors.NewInternalError(fmt.Errorf("this pod has more than one PodDisruptionBudget, which the eviction subresource does not support"))
	}
	b := budgets[0]
	if !podReady(pod) {
		always := b.Spec.UnhealthyPodEvictionPolicy != nil && *b.Spec.UnhealthyPodEvictionPolicy == policyv1.AlwaysAllow
		if always || (b.Status.CurrentHealthy >= b.Status.DesiredHealthy && b.Status.DesiredHealthy > 0) {
			return nil
		}
	}
	if b.Status.ObservedGeneration < b.Generation {
		return tooManyRequests("The disruption budget "+b.Name+" is still being processed by the server.", 10)
	}
	if b.Status.DisruptionsAllowed <= 0 {
		return tooManyRequests(fmt.Sprintf("The disruption budget %s needs %d healthy pods and has %d currently",
			b.Name, b.Status.DesiredHealthy, b.Status.CurrentHealthy), 0)
	}
	if !dryRun {
		edit(w.store, b, func(b *policyv1.PodDisruptionBudget) bool {
			b.Status.DisruptionsAllowed--
			if b.Status.DisruptedPods == nil {
				b.Status.DisruptedPods = map[string]metav1.Time{}
			}
			b.Status.DisruptedPods[pod.Name] = metav1.NewTime(w.now())
			return true
		})
	}
	return nil
}

func tooManyRequests(cause string, retryAfter int) error {
	e := apierrors.NewTooManyRequests("Cannot evict pod as it would violate the pod's disruption budget.", retryAfter)
	e.ErrStatus.Details.Causes = append(e.ErrStatus.Details.Causes,
		metav1.StatusCause{Type: policyv1.DisruptionBudgetCause, Message: cause})
	return e
}

// budgetsOf returns the disruption budgets that select a pod.
func (w *World) budgetsOf(pod *corev1.Pod) []*policyv1.PodDisruptionBudget {
	var out []*policyv1.PodDisruptionBudget
	for _, b := range all[*policyv1.PodDisruptionBudget](w.store, pod.Namespace) {
		sel, err := metav1.LabelSelectorAsSelector(b.Spec.Selector)
		if err == nil && !sel.Empty() && sel.Matches(labels.Set(pod.Labels)) {
			out = append(out, b)
		}
	}
	return out
}

func podReady(p *corev1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}
