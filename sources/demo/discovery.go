package demo

import (
	"net/http"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	apiversion "k8s.io/apimachinery/pkg/version"
)

// gitVersion is the version that the simulated cluster says it has.
const gitVersion = "v1.33.4+k3s1"

func (w *World) servePath(rw http.ResponseWriter, q *request) error {
	path := strings.TrimSuffix(q.URL.Path, "/")
	switch path {
	case "/version":
		return respondJSON(rw, apiversion.Info{
			Major: "1", Minor: minorOf(*w.version.Load()), GitVersion: *w.version.Load(),
			GitCommit: "148243c49519922720fe1b340008dbce8fb02516", GitTreeState: "clean",
			BuildDate: "2025-08-26T21:39:08Z", GoVersion: "go1.24.5", Compiler: "gc", Platform: "linux/amd64",
		})
	case "/healthz", "/livez", "/readyz":
		_, _ = rw.Write([]byte("ok"))
		return nil
	case "/api":
		return respondJSON(rw, metav1.APIVersions{
			TypeMeta: metav1.TypeMeta{Kind: "APIVersions"}, Versions: []string{"v1"},
		})
	case "/apis":
		return respondJSON(rw, w.groups())
	case "/openapi/v3":
		return respondJSON(rw, w.openAPIPaths())
	}
	if gv, ok := strings.CutPrefix(path, "/openapi/v3/"); ok {
		return w.serveOpenAPI(rw, gv)
	}
	if gv, ok := strings.CutPrefix(path, "/apis/"); ok {
		return w.serveGroup(rw, gv)
	}
	if path == "/api/v1" {
		return w.serveGroup(rw, "v1")
	}
	return errNoPath
}

// serveGroup answers /apis/GROUP and /apis/GROUP/VERSION.
func (w *World) serveGroup(rw http.ResponseWriter, path string) error {
	if path != "v1" && !strings.Contains(path, "/") {
		groups := w.groups().Groups
		i := slices.IndexFunc(groups, func(g metav1.APIGroup) bool { return g.Name == path })
		if i < 0 {
			return errNoPath
		}
		g := groups[i]
		g.TypeMeta = metav1.TypeMeta{Kind: "APIGroup", APIVersion: "v1"}
		return respondJSON(rw, g)
	}
	gv, err := schema.ParseGroupVersion(path)
	if err != nil {
		return errNoPath
	}
	l := w.resources(gv)
	if len(l.APIResources) == 0 {
		return errNoPath
	}
	return respondJSON(rw, l)
}

func (w *World) groups() metav1.APIGroupList {
	out := metav1.APIGroupList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"}}
	var seen []schema.GroupVersion
	for _, k := range w.store.reg.list {
		if gv := k.gvk.GroupVersion(); gv.Group != "" && !slices.Contains(seen, gv) {
			seen = append(seen, gv)
		}
	}
	seen = append(seen, schema.GroupVersion{Group: "authorization.k8s.io", Version: "v1"},
		schema.GroupVersion{Group: "metrics.k8s.io", Version: "v1beta1"})
	for _, gv := range seen {
		v := metav1.GroupVersionForDiscovery{GroupVersion: gv.String(), Version: gv.Version}
		out.Groups = append(out.Groups, metav1.APIGroup{
			Name: gv.Group, Versions: []metav1.GroupVersionForDiscovery{v}, PreferredVersion: v,
		})
	}
	return out
}

func (w *World) resources(gv schema.GroupVersion) metav1.APIResourceList {
	l := metav1.APIResourceList{
		TypeMeta:     metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"},
		GroupVersion: gv.String(), APIResources: virtualResources(gv.Group),
	}
	verbs := metav1.Verbs{"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}
	for _, k := range w.store.reg.list {
		if k.gvk.GroupVersion() != gv {
			continue
		}
		l.APIResources = append(l.APIResources, metav1.APIResource{
			Name: k.resource, SingularName: k.singular(), Namespaced: k.namespaced,
			Kind: k.gvk.Kind, Verbs: verbs, ShortNames: k.short, Categories: categories(k.resource),
		})
		if k.status {
			l.APIResources = append(l.APIResources, metav1.APIResource{
				Name: k.resource + "/status", Namespaced: k.namespaced, Kind: k.gvk.Kind,
				Verbs: metav1.Verbs{"get", "patch", "update"},
			})
		}
		for _, sub := range k.sub {
			l.APIResources = append(l.APIResources, subresource(k, sub))
		}
	}
	return l
}

func subresource(k *kind, sub string) metav1.APIResource {
	r := metav1.APIResource{Name: k.resource + "/" + sub, Namespaced: k.namespaced, Kind: k.gvk.Kind, Verbs: metav1.Verbs{"get"}}
	switch sub {
	case "eviction":
		r.Group, r.Version, r.Kind, r.Verbs = "policy", "v1", "Eviction", metav1.Verbs{"create"}
	case "scale":
		r.Group, r.Version, r.Kind, r.Verbs = "autoscaling", "v1", "Scale", metav1.Verbs{"get", "patch", "update"}
	case "proxy":
		r.Kind = "NodeProxyOptions"
	}
	return r
}

func virtualResources(group string) []metav1.APIResource {
	switch group {
	case "metrics.k8s.io":
		verbs := metav1.Verbs{"get", "list"}
		return []metav1.APIResource{
			{Name: "nodes", Kind: "NodeMetrics", Verbs: verbs},
			{Name: "pods", Kind: "PodMetrics", Namespaced: true, Verbs: verbs},
		}
	case "authorization.k8s.io":
		return []metav1.APIResource{
			{Name: "selfsubjectaccessreviews", Kind: "SelfSubjectAccessReview", Verbs: metav1.Verbs{"create"}},
			{Name: "selfsubjectrulesreviews", Kind: "SelfSubjectRulesReview", Verbs: metav1.Verbs{"create"}},
		}
	}
	return nil
}

// categories puts into "all" what kubectl get all shows.
func categories(resource string) []string {
	switch resource {
	case "pods", "services", "deployments", "statefulsets", "daemonsets", "replicasets", "jobs", "cronjobs":
		return []string{"all"}
	}
	return nil
}

// minorOf is 33 of v1.33.4+k3s1.
func minorOf(version string) string {
	parts := strings.Split(version, ".")
	if len(parts) < 2 {
		return ""
	}
	return parts[1]
}
