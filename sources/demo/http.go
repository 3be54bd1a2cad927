package demo

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// ServeHTTP answers one API request: who, what is broken, whether it is
// allowed, then what was asked.
func (w *World) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	q := parseRequest(r)
	w.faults.count(q)
	handled, err := w.faults.apply(rw, q)
	if !handled {
		err = w.serve(rw, q)
	}
	if err != nil {
		w.respondError(rw, q, err)
	}
}

func (w *World) serve(rw http.ResponseWriter, q *request) error {
	u, ok := w.authenticate(q.Request)
	if !ok {
		return apierrors.NewUnauthorized("Unauthorized")
	}
	q.user = u
	a := attributes{verb: q.verb, group: q.gv.Group, resource: q.resource, sub: q.sub, name: q.name}
	if q.resource == "" {
		a = attributes{verb: strings.ToLower(q.Method), path: q.URL.Path}
	}
	if !u.may(a) {
		return forbidden(q)
	}
	if q.resource == "" {
		return w.servePath(rw, q)
	}
	switch q.gv.Group {
	case "metrics.k8s.io":
		return w.serveMetrics(rw, q)
	case "authorization.k8s.io":
		return w.serveReview(rw, q)
	}
	k, ok := w.store.reg.byGVR[q.gv.WithResource(q.resource)]
	if !ok {
		return errNoPath
	}
	return w.serveResource(rw, q, k)
}

func (w *World) serveResource(rw http.ResponseWriter, q *request, k *kind) error {
	if q.sub != "" && (q.sub != "status" || !k.status) {
		return w.serveSubresource(rw, q, k)
	}
	switch q.verb {
	case "get":
		return w.serveGet(rw, q, k)
	case "list":
		return w.serveList(rw, q, k)
	case "watch":
		return w.serveWatch(rw, q, k)
	case "create":
		return w.serveCreate(rw, q, k)
	case "update":
		return w.serveUpdate(rw, q, k)
	case "patch":
		return w.servePatch(rw, q, k)
	case "delete":
		return w.serveDelete(rw, q, k)
	case "deletecollection":
		return w.serveDeleteAll(rw, q, k)
	}
	return apierrors.NewMethodNotSupported(k.group(), q.verb)
}

func (w *World) serveSubresource(rw http.ResponseWriter, q *request, k *kind) error {
	if !slices.Contains(k.sub, q.sub) {
		return errNoPath
	}
	switch q.sub {
	case "eviction":
		return w.serveEviction(rw, q, k)
	case "exec":
		return w.serveExec(rw, q)
	case "log":
		return w.serveLog(rw, q)
	case "proxy":
		return w.serveNodeProxy(rw, q)
	case "scale":
		return w.serveScale(rw, q, k)
	}
	return errNoPath
}

// errNoPath is the API server's answer to a path it does not know.
var errNoPath = &apierrors.StatusError{ErrStatus: metav1.Status{
	Status: metav1.StatusFailure, Code: http.StatusNotFound, Reason: metav1.StatusReasonNotFound,
	Message: "the server could not find the requested resource", Details: &metav1.StatusDetails{},
}}

// forbidden words a denial as RBAC does.
func forbidden(q *request) error {
	gr := schema.GroupResource{Group: q.gv.Group, Resource: q.resource}
	if q.resource == "" {
		return apierrors.NewForbidden(gr, "", fmt.Errorf("user %q cannot %s path %q", q.user.name, strings.ToLower(q.Method), q.URL.Path))
	}
	resource := q.resource
	if q.sub != "" {
		resource += "/" + q.sub
	}
	where := "at the cluster scope"
	if q.namespace != "" {
		where = fmt.Sprintf("in the namespace %q", q.namespace)
	}
	return apierrors.NewForbidden(gr, q.name, fmt.Errorf("User %q cannot %s resource %q in API group %q %s", //nolint:staticcheck // ST1005: the API server's own words
		q.user.name, q.verb, resource, q.gv.Group, where))
}

// statusOf is any error as the Status object that clients expect.
func statusOf(err error) metav1.Status {
	var api apierrors.APIStatus
	if !errors.As(err, &api) {
		api = apierrors.NewInternalError(err)
	}
	s := api.Status()
	s.Kind, s.APIVersion = "Status", "v1"
	return s
}

func (w *World) respondError(rw http.ResponseWriter, q *request, err error) {
	s := statusOf(err)
	f := negotiate(q.Header.Get("Accept"), true)
	f.as = ""
	code := int(s.Code)
	if code == 0 {
		code = http.StatusInternalServerError
	}
	if w.respond(rw, f, code, &s) != nil {
		rw.WriteHeader(http.StatusInternalServerError)
	}
}

func respondJSON(rw http.ResponseWriter, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return apierrors.NewInternalError(err)
	}
	rw.Header().Set("Content-Type", mediaJSON)
	_, _ = rw.Write(append(b, '\n')) // the client is gone; nobody is left to tell
	return nil
}
