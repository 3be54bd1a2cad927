package demo

import (
	"reflect"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientscheme "k8s.io/client-go/kubernetes/scheme"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"
)

// object is what the store keeps: a typed object, or an unstructured one for
// custom resources. A stored object is never modified; it is replaced.
type object interface {
	runtime.Object
	metav1.Object
}

// kind describes one resource the server offers.
type kind struct {
	gvk        schema.GroupVersionKind
	resource   string
	short      []string
	namespaced bool
	status     bool     // has a status subresource
	sub        []string // other subresources
	goType     reflect.Type
}

// qualified is resource.group, as messages and RBAC name it.
func (k *kind) group() schema.GroupResource {
	return schema.GroupResource{Group: k.gvk.Group, Resource: k.resource}
}

func (k *kind) singular() string { return strings.ToLower(k.gvk.Kind) }

// lingers holds for what goes only when a controller says so: pods when their
// containers have stopped, namespaces when they are empty.
func (k *kind) lingers() bool { return k.resource == "pods" || k.resource == "namespaces" }

func (k *kind) gvr() schema.GroupVersionResource {
	return k.gvk.GroupVersion().WithResource(k.resource)
}

// newScheme knows every typed kind the server speaks of.
func newScheme() *runtime.Scheme {
	s := runtime.NewScheme()
	utilruntime.Must(clientscheme.AddToScheme(s))
	utilruntime.Must(metricsv1beta1.AddToScheme(s))
	utilruntime.Must(metav1.AddMetaToScheme(s))
	return s
}

func typed[T object](gv schema.GroupVersion, resource string, namespaced, status bool, short ...string) *kind {
	t := reflect.TypeFor[T]()
	return &kind{
		gvk: gv.WithKind(t.Elem().Name()), resource: resource, short: short,
		namespaced: namespaced, status: status, goType: t,
	}
}

func (k *kind) with(sub ...string) *kind {
	k.sub = append(k.sub, sub...)
	return k
}

func builtinKinds() []*kind {
	core, apps, batch := corev1.SchemeGroupVersion, appsv1.SchemeGroupVersion, batchv1.SchemeGroupVersion
	net, stor := networkingv1.SchemeGroupVersion, storagev1.SchemeGroupVersion
	return []*kind{
		typed[*corev1.Namespace](core, "namespaces", false, true, "ns"),
		typed[*corev1.Node](core, "nodes", false, true, "no").with("proxy"),
		typed[*corev1.Pod](core, "pods", true, true, "po").with("eviction", "exec", "log"),
		typed[*corev1.Event](core, "events", true, false, "ev"),
		typed[*corev1.Service](core, "services", true, true, "svc"),
		typed[*corev1.Endpoints](core, "endpoints", true, false, "ep"),
		typed[*corev1.ConfigMap](core, "configmaps", true, false, "cm"),
		typed[*corev1.Secret](core, "secrets", true, false),
		typed[*corev1.ServiceAccount](core, "serviceaccounts", true, false, "sa"),
		typed[*corev1.PersistentVolume](core, "persistentvolumes", false, true, "pv"),
		typed[*corev1.PersistentVolumeClaim](core, "persistentvolumeclaims", true, true, "pvc"),
		typed[*appsv1.Deployment](apps, "deployments", true, true, "deploy").with("scale"),
		typed[*appsv1.StatefulSet](apps, "statefulsets", true, true, "sts").with("scale"),
		typed[*appsv1.DaemonSet](apps, "daemonsets", true, true, "ds"),
		typed[*appsv1.ReplicaSet](apps, "replicasets", true, true, "rs").with("scale"),
		typed[*appsv1.ControllerRevision](apps, "controllerrevisions", true, false),
		typed[*batchv1.Job](batch, "jobs", true, true),
		typed[*batchv1.CronJob](batch, "cronjobs", true, true, "cj"),
		typed[*networkingv1.Ingress](net, "ingresses", true, true, "ing"),
		typed[*networkingv1.IngressClass](net, "ingressclasses", false, false),
		typed[*networkingv1.NetworkPolicy](net, "networkpolicies", true, false, "netpol"),
		typed[*policyv1.PodDisruptionBudget](policyv1.SchemeGroupVersion, "poddisruptionbudgets", true, true, "pdb"),
		typed[*coordinationv1.Lease](coordinationv1.SchemeGroupVersion, "leases", true, false),
		typed[*storagev1.StorageClass](stor, "storageclasses", false, false, "sc"),
		typed[*storagev1.VolumeAttachment](stor, "volumeattachments", false, true),
		custom("apiextensions.k8s.io", "CustomResourceDefinition", "customresourcedefinitions", false, "crd"),
	}
}

// certManagerKinds are served only where the scenario has cert-manager.
func certManagerKinds() []*kind {
	const cm, acme = "cert-manager.io", "acme.cert-manager.io"
	return []*kind{
		custom(cm, "Certificate", "certificates", true, "cert"),
		custom(cm, "CertificateRequest", "certificaterequests", true, "cr"),
		custom(cm, "Issuer", "issuers", true),
		custom(cm, "ClusterIssuer", "clusterissuers", false),
		custom(acme, "Order", "orders", true),
		custom(acme, "Challenge", "challenges", true),
	}
}

// custom is a resource of a CRD in version v1.
func custom(group, kindName, resource string, namespaced bool, short ...string) *kind {
	return &kind{
		gvk:      schema.GroupVersionKind{Group: group, Version: "v1", Kind: kindName},
		resource: resource, short: short, namespaced: namespaced, status: true,
	}
}

// registry finds kinds by what a request or a controller names them.
type registry struct {
	list   []*kind
	byGVR  map[schema.GroupVersionResource]*kind
	byType map[reflect.Type]*kind
}

func newRegistry(kinds []*kind) *registry {
	r := &registry{
		list:  kinds,
		byGVR: map[schema.GroupVersionResource]*kind{}, byType: map[reflect.Type]*kind{},
	}
	for _, k := range kinds {
		r.byGVR[k.gvr()] = k
		if k.goType != nil {
			r.byType[k.goType] = k
		}
	}
	return r
}
