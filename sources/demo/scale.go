package demo

import (
	"encoding/json"
	"fmt"
	"net/http"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// serveScale reads and writes the number of replicas.
func (w *World) serveScale(rw http.ResponseWriter, q *request, k *kind) error {
	o, ok := w.store.get(k, q.namespace, q.name)
	if !ok {
		return apierrors.NewNotFound(k.group(), q.name)
	}
	if q.verb != "get" {
		var err error
		if o, err = w.writeScale(q, k, o); err != nil {
			return err
		}
	}
	f := negotiate(q.Header.Get("Accept"), true)
	f.as = ""
	return w.respond(rw, f, http.StatusOK, scaleOf(o))
}

func (w *World) writeScale(q *request, k *kind, o object) (object, error) {
	body, err := readBody(q.Request)
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	scale, err := w.wantedScale(q, k, o, body)
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	return w.store.update(k, q.namespace, q.name, q.dryRun, func(o object) (object, error) {
		n := replicasOf(o)
		if n == nil || **n == scale.Spec.Replicas {
			return nil, nil
		}
		*n = &scale.Spec.Replicas
		o.SetGeneration(o.GetGeneration() + 1)
		return o, nil
	})
}

// wantedScale is what an update or a patch makes of an object's scale.
func (w *World) wantedScale(q *request, k *kind, o object, body []byte) (*autoscalingv1.Scale, error) {
	if q.verb == "patch" {
		scale := scaleOf(o)
		doc, err := json.Marshal(scale)
		if err == nil {
			doc, err = patchJSON(k, types.MergePatchType, doc, body)
		}
		if err == nil {
			err = json.Unmarshal(doc, scale)
		}
		return scale, err
	}
	sent, err := w.codec.decode(body, nil)
	if err != nil {
		return nil, err
	}
	scale, ok := sent.(*autoscalingv1.Scale)
	if !ok {
		return nil, fmt.Errorf("a %T instead of a Scale", sent)
	}
	return scale, nil
}

func replicasOf(o object) **int32 {
	switch t := o.(type) {
	case *appsv1.Deployment:
		return &t.Spec.Replicas
	case *appsv1.StatefulSet:
		return &t.Spec.Replicas
	case *appsv1.ReplicaSet:
		return &t.Spec.Replicas
	}
	return nil
}

func scaleOf(o object) *autoscalingv1.Scale {
	s := &autoscalingv1.Scale{ObjectMeta: metav1.ObjectMeta{
		Name: o.GetName(), Namespace: o.GetNamespace(), UID: o.GetUID(), ResourceVersion: o.GetResourceVersion(),
		CreationTimestamp: o.GetCreationTimestamp(),
	}}
	s.SetGroupVersionKind(autoscalingv1.SchemeGroupVersion.WithKind("Scale"))
	if n := replicasOf(o); n != nil {
		s.Spec.Replicas, s.Status.Replicas = orOne(*n), orOne(*n)
	}
	return s
}
