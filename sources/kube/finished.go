package kube

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"daytwo/sources"
)

// DeletePod deletes a pod that is over, only if it is the one with the UID. It
// goes by the eviction API, which asks no disruption budget for such a pod and
// protects one that runs. That it is gone is no error.
func (o *Operator) DeletePod(ctx context.Context, pod sources.Ref, uid string) error {
	err := o.Evict(ctx, sources.Tenant{Namespace: pod.Namespace, Name: pod.Name, UID: uid}, false)
	if refused, ok := errors.AsType[*sources.EvictionError](err); ok && refused.Why == sources.RefusedGone {
		return nil
	}
	return err
}

// PodGone reports that the pod with the UID is no more.
func (o *Operator) PodGone(ctx context.Context, pod sources.Ref, uid string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	p, err := o.set.CoreV1().Pods(pod.Namespace).Get(ctx, pod.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err) && !isMissing(err):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("looking at %s: %w", pod, o.c.explain(err, Need{Verb: "get", Resource: "pods"}, requestTimeout))
	}
	return string(p.UID) != uid, nil
}
