package demo

import (
	"net/http"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// request is an HTTP request in the API's terms: verb, resource, name.
type request struct {
	*http.Request
	user      user
	verb      string // get, list, watch, create, update, patch, delete, deletecollection
	gv        schema.GroupVersion
	namespace string
	resource  string // "" for discovery and health paths
	name      string
	sub       string
	tail      string // what follows the subresource, for the node proxy
	dryRun    bool
}

// parseRequest reads a path as /api/v1/… or /apis/GROUP/VERSION/…; other
// paths come back without a resource.
func parseRequest(r *http.Request) *request {
	q := &request{Request: r, verb: strings.ToLower(r.Method), dryRun: r.URL.Query().Get("dryRun") == "All"}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case len(parts) > 2 && parts[0] == "api":
		q.gv, parts = schema.GroupVersion{Version: parts[1]}, parts[2:]
	case len(parts) > 3 && parts[0] == "apis":
		q.gv, parts = schema.GroupVersion{Group: parts[1], Version: parts[2]}, parts[3:]
	default:
		return q
	}
	if parts[0] == "namespaces" && len(parts) > 2 {
		q.namespace, parts = parts[1], parts[2:]
	}
	q.resource = parts[0]
	if len(parts) > 1 {
		q.name = parts[1]
	}
	if len(parts) > 2 {
		q.sub, q.tail = parts[2], strings.Join(parts[3:], "/")
	}
	q.verb = verbOf(r, q.name)
	return q
}

func verbOf(r *http.Request, name string) string {
	switch r.Method {
	case http.MethodPost:
		return "create"
	case http.MethodPut:
		return "update"
	case http.MethodPatch:
		return "patch"
	case http.MethodDelete:
		if name == "" {
			return "deletecollection"
		}
		return "delete"
	}
	switch watch := r.URL.Query().Get("watch"); {
	case watch == "1" || watch == "true":
		return "watch"
	case name == "":
		return "list"
	}
	return "get"
}

// fieldManager names who writes, as the API server does: the parameter, else
// the user agent's first word.
func (q *request) fieldManager() string {
	if m := q.URL.Query().Get("fieldManager"); m != "" {
		return m
	}
	agent, _, _ := strings.Cut(q.UserAgent(), "/")
	if agent == "" {
		return "unknown"
	}
	return agent
}
