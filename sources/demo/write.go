package demo

import (
	"fmt"
	"net/http"
	"reflect"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func (w *World) readObject(q *request, k *kind) (object, error) {
	body, err := readBody(q.Request)
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	o, err := w.codec.decode(body, k)
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	obj, ok := o.(object)
	if !ok || (k.goType != nil && reflect.TypeOf(o) != k.goType) {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("the object provided is a %T, expected %s", o, k.gvk.Kind))
	}
	if k.namespaced && obj.GetNamespace() == "" {
		obj.SetNamespace(q.namespace)
	}
	if obj.GetNamespace() != q.namespace {
		return nil, apierrors.NewBadRequest("the namespace of the provided object does not match the namespace sent on the request")
	}
	return obj, nil
}

func (w *World) serveCreate(rw http.ResponseWriter, q *request, k *kind) error {
	o, err := w.readObject(q, k)
	if err != nil {
		return err
	}
	if k.namespaced {
		if err := w.namespaceOpen(q.namespace, k); err != nil {
			return err
		}
	}
	o.SetUID("")
	o.SetResourceVersion("")
	o.SetCreationTimestamp(metav1.Time{})
	o.SetDeletionTimestamp(nil)
	o.SetGeneration(0)
	if k.status {
		copyStatus(o, nil)
	}
	defaults(o)
	w.stampManager(q, nil, o)
	o, err = w.store.create(k, o, q.dryRun)
	if err != nil {
		return err
	}
	return w.respondObject(rw, q, k, o, http.StatusCreated)
}

func (w *World) namespaceOpen(name string, k *kind) error {
	ns, ok := w.store.get(w.store.kind("", "namespaces"), "", name)
	if !ok {
		return apierrors.NewNotFound(w.store.kind("", "namespaces").group(), name)
	}
	if ns.GetDeletionTimestamp() != nil {
		return apierrors.NewForbidden(k.group(), "", fmt.Errorf("unable to create new content in namespace %s because it is being terminated", name))
	}
	return nil
}

func (w *World) serveUpdate(rw http.ResponseWriter, q *request, k *kind) error {
	o, err := w.readObject(q, k)
	if err != nil {
		return err
	}
	if o.GetName() != q.name {
		return apierrors.NewBadRequest("the name of the object does not match the name on the URL")
	}
	return w.change(rw, q, k, func(object) (object, error) { return copyOf(o), nil })
}

// change applies an edit under the rules of the API: no write from an old
// version, no change of identity, status and spec each by its own path.
func (w *World) change(rw http.ResponseWriter, q *request, k *kind, fn func(old object) (object, error)) error {
	o, err := w.store.update(k, q.namespace, q.name, q.dryRun, func(old object) (object, error) {
		next, err := fn(copyOf(old))
		if err != nil {
			return nil, err
		}
		if v := next.GetResourceVersion(); v != "" && v != old.GetResourceVersion() {
			return nil, apierrors.NewConflict(k.group(), q.name, fmt.Errorf(
				"the object has been modified; please apply your changes to the latest version and try again"))
		}
		if u := next.GetUID(); u != "" && u != old.GetUID() {
			return nil, apierrors.NewConflict(k.group(), q.name, fmt.Errorf(
				"Precondition failed: UID in precondition: %s, UID in object meta: %s", u, old.GetUID()))
		}
		keepIdentity(next, old)
		next.GetObjectKind().SetGroupVersionKind(k.gvk)
		next = mergeHalves(k, q.sub, old, next)
		w.stampManager(q, old, next)
		if equality.Semantic.DeepEqual(old, next) {
			return nil, nil
		}
		return next, nil
	})
	if err != nil {
		return err
	}
	return w.respondObject(rw, q, k, o, http.StatusOK)
}

func keepIdentity(next, old object) {
	next.SetUID(old.GetUID())
	next.SetName(old.GetName())
	next.SetNamespace(old.GetNamespace())
	next.SetResourceVersion(old.GetResourceVersion())
	next.SetCreationTimestamp(old.GetCreationTimestamp())
	next.SetDeletionTimestamp(old.GetDeletionTimestamp())
	next.SetDeletionGracePeriodSeconds(old.GetDeletionGracePeriodSeconds())
	next.SetGeneration(old.GetGeneration())
}

// mergeHalves keeps the half of an object that the path may not write, and
// counts the generation up when the spec changed.
func mergeHalves(k *kind, sub string, old, next object) object {
	if sub == "status" {
		merged := copyOf(old)
		copyStatus(merged, next)
		return merged
	}
	if k.status {
		copyStatus(next, old)
	}
	if !equality.Semantic.DeepEqual(half(old, "Spec"), half(next, "Spec")) {
		next.SetGeneration(old.GetGeneration() + 1)
	}
	return next
}

// half returns the Spec or Status of an object, nil if it has none.
func half(o object, field string) any {
	if u, ok := o.(*unstructured.Unstructured); ok {
		return u.Object[string(field[0]|0x20)+field[1:]]
	}
	v := reflect.ValueOf(o).Elem().FieldByName(field)
	if !v.IsValid() {
		return nil
	}
	return v.Interface()
}

// copyStatus overwrites dst's status with src's, or clears it if src is nil.
func copyStatus(dst, src object) {
	if u, ok := dst.(*unstructured.Unstructured); ok {
		delete(u.Object, "status")
		if src != nil {
			if s := half(src, "Status"); s != nil {
				u.Object["status"] = s
			}
		}
		return
	}
	v := reflect.ValueOf(dst).Elem().FieldByName("Status")
	switch {
	case !v.IsValid():
	case src == nil:
		v.SetZero()
	default:
		v.Set(reflect.ValueOf(src).Elem().FieldByName("Status"))
	}
}

// deleteOptions come in the body or, for a few, as parameters.
func (w *World) deleteOptions(q *request) (*metav1.DeleteOptions, error) {
	opts := &metav1.DeleteOptions{}
	body, err := readBody(q.Request)
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	if len(body) > 0 {
		if opts, err = w.codec.deleteOptions(body); err != nil {
			return nil, apierrors.NewBadRequest(err.Error())
		}
	}
	for _, d := range opts.DryRun {
		q.dryRun = q.dryRun || d == metav1.DryRunAll
	}
	return opts, nil
}

func (w *World) serveDelete(rw http.ResponseWriter, q *request, k *kind) error {
	opts, err := w.deleteOptions(q)
	if err != nil {
		return err
	}
	o, gone, err := w.deleteObject(k, q.namespace, q.name, opts, q.dryRun)
	if err != nil {
		return err
	}
	if k.resource == "pods" || !gone {
		return w.respondObject(rw, q, k, o, http.StatusOK)
	}
	f := negotiate(q.Header.Get("Accept"), true)
	f.as = ""
	return w.respond(rw, f, http.StatusOK, &metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusSuccess,
		Details: &metav1.StatusDetails{Name: q.name, Group: k.gvk.Group, Kind: k.resource, UID: o.GetUID()},
	})
}

func (w *World) serveDeleteAll(rw http.ResponseWriter, q *request, k *kind) error {
	opts, err := w.deleteOptions(q)
	if err != nil {
		return err
	}
	match, err := selectorOf(q, k)
	if err != nil {
		return err
	}
	items, rv := w.store.list(k, q.namespace)
	for _, o := range items {
		if !match(o) {
			continue
		}
		if _, _, err := w.deleteObject(k, o.GetNamespace(), o.GetName(), opts, q.dryRun); err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return w.respondList(rw, q, k, nil, rv)
}

// deleteObject deletes as the API does: pods and what has finalizers are
// marked and go later, everything else goes at once.
func (w *World) deleteObject(k *kind, namespace, name string, opts *metav1.DeleteOptions, dryRun bool) (o object, gone bool, err error) {
	o, err = w.store.update(k, namespace, name, dryRun, func(old object) (object, error) {
		if err := checkPreconditions(k, old, opts.Preconditions); err != nil {
			return nil, err
		}
		grace := graceOf(old, opts.GracePeriodSeconds)
		gone = grace == 0 && len(old.GetFinalizers()) == 0 && k.resource != "namespaces"
		if old.GetDeletionTimestamp() != nil && !gone {
			return nil, nil
		}
		at := metav1.NewTime(w.now().Add(time.Duration(grace) * time.Second).Truncate(time.Second))
		old.SetDeletionTimestamp(&at)
		old.SetDeletionGracePeriodSeconds(&grace)
		return old, nil
	})
	if err == nil && gone && !dryRun {
		w.store.remove(k, namespace, name)
	}
	return o, gone, err
}

func checkPreconditions(k *kind, o object, p *metav1.Preconditions) error {
	switch {
	case p == nil:
		return nil
	case p.UID != nil && *p.UID != o.GetUID():
		return apierrors.NewConflict(k.group(), o.GetName(), fmt.Errorf(
			"Precondition failed: UID in precondition: %s, UID in object meta: %s", *p.UID, o.GetUID()))
	case p.ResourceVersion != nil && *p.ResourceVersion != o.GetResourceVersion():
		return apierrors.NewConflict(k.group(), o.GetName(), fmt.Errorf(
			"Precondition failed: ResourceVersion in precondition: %s, ResourceVersion in object meta: %s",
			*p.ResourceVersion, o.GetResourceVersion()))
	}
	return nil
}
