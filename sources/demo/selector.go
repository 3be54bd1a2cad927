package demo

import (
	"fmt"
	"strconv"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
)

// selectorOf reads labelSelector and fieldSelector, and narrows to one name
// where the request names one (watch of a single object).
func selectorOf(q *request, k *kind) (func(object) bool, error) {
	params := q.URL.Query()
	ls, err := labels.Parse(params.Get("labelSelector"))
	if err != nil {
		return nil, apierrors.NewBadRequest("unable to parse label selector: " + err.Error())
	}
	fs, err := fields.ParseSelector(params.Get("fieldSelector"))
	if err != nil {
		return nil, apierrors.NewBadRequest("unable to parse field selector: " + err.Error())
	}
	known := fieldsOf(k, nil)
	for _, r := range fs.Requirements() {
		if !known.Has(r.Field) {
			return nil, apierrors.NewBadRequest(fmt.Sprintf("field label not supported: %s", r.Field))
		}
	}
	name := q.name
	if ls.Empty() && fs.Empty() && name == "" {
		return func(object) bool { return true }, nil
	}
	return func(o object) bool {
		return (name == "" || o.GetName() == name) &&
			ls.Matches(labels.Set(o.GetLabels())) &&
			(fs.Empty() || fs.Matches(fieldsOf(k, o)))
	}, nil
}

// fieldsOf lists the fields of an object that can be selected on, the same
// ones as in the API server; with a nil object only their names matter.
func fieldsOf(k *kind, o object) fields.Set {
	set := fields.Set{"metadata.name": ""}
	if k.namespaced {
		set["metadata.namespace"] = ""
	}
	if o != nil {
		set["metadata.name"] = o.GetName()
		if k.namespaced {
			set["metadata.namespace"] = o.GetNamespace()
		}
	}
	switch k.gvk.GroupKind().String() {
	case "Pod":
		podFields(set, orZero[*corev1.Pod](o, &corev1.Pod{}))
	case "Node":
		set["spec.unschedulable"] = strconv.FormatBool(orZero(o, &corev1.Node{}).Spec.Unschedulable)
	case "Event":
		eventFields(set, orZero(o, &corev1.Event{}))
	case "Secret":
		set["type"] = string(orZero(o, &corev1.Secret{}).Type)
	case "Namespace":
		set["status.phase"] = string(orZero(o, &corev1.Namespace{}).Status.Phase)
	case "Service":
		s := orZero(o, &corev1.Service{})
		set["spec.clusterIP"], set["spec.type"] = s.Spec.ClusterIP, string(s.Spec.Type)
	case "Job.batch":
		set["status.successful"] = strconv.Itoa(int(orZero(o, &batchv1.Job{}).Status.Succeeded))
	}
	return set
}

func orZero[T object](o object, zero T) T {
	if o == nil {
		return zero
	}
	return as[T](o)
}

func podFields(set fields.Set, p *corev1.Pod) {
	set["spec.nodeName"] = p.Spec.NodeName
	set["spec.restartPolicy"] = string(p.Spec.RestartPolicy)
	set["spec.schedulerName"] = p.Spec.SchedulerName
	set["spec.serviceAccountName"] = p.Spec.ServiceAccountName
	set["spec.hostNetwork"] = strconv.FormatBool(p.Spec.HostNetwork)
	set["status.phase"] = string(p.Status.Phase)
	set["status.podIP"] = p.Status.PodIP
	set["status.nominatedNodeName"] = p.Status.NominatedNodeName
}

func eventFields(set fields.Set, e *corev1.Event) {
	source := e.Source.Component
	if source == "" {
		source = e.ReportingController
	}
	set["involvedObject.kind"] = e.InvolvedObject.Kind
	set["involvedObject.namespace"] = e.InvolvedObject.Namespace
	set["involvedObject.name"] = e.InvolvedObject.Name
	set["involvedObject.uid"] = string(e.InvolvedObject.UID)
	set["involvedObject.apiVersion"] = e.InvolvedObject.APIVersion
	set["involvedObject.resourceVersion"] = e.InvolvedObject.ResourceVersion
	set["involvedObject.fieldPath"] = e.InvolvedObject.FieldPath
	set["reason"], set["type"] = e.Reason, e.Type
	set["source"], set["reportingComponent"] = source, e.ReportingController
}
