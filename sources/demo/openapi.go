package demo

import (
	"net/http"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// openAPIPaths lists the OpenAPI v3 documents, one a group version.
func (w *World) openAPIPaths() map[string]any {
	paths := map[string]any{}
	for _, k := range w.store.reg.list {
		p := groupPath(k.gvk.GroupVersion())
		paths[p] = map[string]string{"serverRelativeURL": "/openapi/v3/" + p}
	}
	return map[string]any{"paths": paths}
}

func groupPath(gv schema.GroupVersion) string {
	if gv.Group == "" {
		return "api/" + gv.Version
	}
	return "apis/" + gv.String()
}

// serveOpenAPI says of each kind that its PATCH checks fields on the server.
// That is all kubectl needs for apply and create; there are no schemas.
func (w *World) serveOpenAPI(rw http.ResponseWriter, path string) error {
	paths := map[string]any{}
	for _, k := range w.store.reg.list {
		if groupPath(k.gvk.GroupVersion()) != path {
			continue
		}
		url := "/" + path + "/" + k.resource + "/{name}"
		if k.namespaced {
			url = strings.Replace(url, k.resource, "namespaces/{namespace}/"+k.resource, 1)
		}
		paths[url] = map[string]any{"patch": map[string]any{
			"x-kubernetes-group-version-kind": map[string]string{"group": k.gvk.Group, "version": k.gvk.Version, "kind": k.gvk.Kind},
			"parameters":                      []any{map[string]any{"name": "fieldValidation", "in": "query", "schema": map[string]string{"type": "string"}}},
			"responses":                       map[string]any{"200": map[string]string{"description": "OK"}},
		}}
	}
	if len(paths) == 0 {
		return errNoPath
	}
	return respondJSON(rw, map[string]any{
		"openapi": "3.0.0", "info": map[string]string{"title": "Kubernetes", "version": *w.version.Load()}, "paths": paths,
	})
}
