package demo

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

func (w *World) serveGet(rw http.ResponseWriter, q *request, k *kind) error {
	o, ok := w.store.get(k, q.namespace, q.name)
	if !ok {
		return apierrors.NewNotFound(k.group(), q.name)
	}
	return w.respondObject(rw, q, k, o, http.StatusOK)
}

// respondObject answers with one object in the form that was asked for.
func (w *World) respondObject(rw http.ResponseWriter, q *request, k *kind, o object, code int) error {
	f := negotiate(q.Header.Get("Accept"), k.goType != nil)
	var out runtime.Object = o
	switch f.as {
	case "Table":
		out = w.table(k, []object{o}, metav1.ListMeta{ResourceVersion: o.GetResourceVersion()}, includeOf(q), true)
	case "PartialObjectMetadata":
		out = partial(o)
	}
	return w.respond(rw, f, code, out)
}

func (w *World) respond(rw http.ResponseWriter, f format, code int, o runtime.Object) error {
	b, err := w.codec.encode(f, o)
	if err != nil {
		return apierrors.NewInternalError(err)
	}
	rw.Header().Set("Content-Type", f.contentType(false))
	rw.Header().Set("Content-Length", strconv.Itoa(len(b)))
	rw.WriteHeader(code)
	_, _ = rw.Write(b) // the client is gone; nobody is left to tell
	return nil
}

// continueToken is where the next page of a list begins.
type continueToken struct {
	Version uint64 `json:"rv"`
	Start   string `json:"start"`
}

func (w *World) serveList(rw http.ResponseWriter, q *request, k *kind) error {
	match, err := selectorOf(q, k)
	if err != nil {
		return err
	}
	items, rv := w.store.list(k, q.namespace)
	items = slices.DeleteFunc(items, func(o object) bool { return !match(o) })
	items, lm, err := w.page(q, items, rv)
	if err != nil {
		return err
	}
	f := negotiate(q.Header.Get("Accept"), k.goType != nil)
	switch f.as {
	case "Table":
		return w.respond(rw, f, http.StatusOK, w.table(k, items, lm, includeOf(q), true))
	case "PartialObjectMetadataList":
		return w.respond(rw, f, http.StatusOK, partialList(items, lm))
	}
	l, err := w.codec.listOf(k, items, lm)
	if err != nil {
		return apierrors.NewInternalError(err)
	}
	return w.respond(rw, f, http.StatusOK, l)
}

// page cuts a list to limit and continue. All pages of one list carry the
// first page's version, so that a watch from there misses nothing.
func (w *World) page(q *request, items []object, rv uint64) ([]object, metav1.ListMeta, error) {
	params := q.URL.Query()
	if token := params.Get("continue"); token != "" {
		t, err := parseContinue(token)
		if err != nil {
			return nil, metav1.ListMeta{}, apierrors.NewBadRequest("continue key is not valid: " + err.Error())
		}
		if _, _, _, err := w.store.since(t.Version); err != nil {
			return nil, metav1.ListMeta{}, apierrors.NewResourceExpired("The provided continue parameter is too old " +
				"to display a consistent list result. You can start a new list without the continue parameter.")
		}
		rv = t.Version
		i, _ := slices.BinarySearchFunc(items, t.Start, func(o object, key string) int {
			return cmp.Compare(objectKey(o.GetNamespace(), o.GetName()), key)
		})
		items = items[i:]
	}
	lm := metav1.ListMeta{ResourceVersion: strconv.FormatUint(rv, 10)}
	limit, _ := strconv.Atoi(params.Get("limit"))
	if limit > 0 && len(items) > limit {
		rest := int64(len(items) - limit)
		next := items[limit]
		lm.Continue = continueToken{rv, objectKey(next.GetNamespace(), next.GetName())}.String()
		if params.Get("labelSelector") == "" && params.Get("fieldSelector") == "" {
			lm.RemainingItemCount = &rest
		}
		items = items[:limit]
	}
	return items, lm, nil
}

func (t continueToken) String() string {
	b, err := json.Marshal(t)
	if err != nil {
		return "" // two plain fields always marshal
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func parseContinue(s string) (continueToken, error) {
	var t continueToken
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return t, err
	}
	return t, json.Unmarshal(b, &t)
}

func (w *World) respondList(rw http.ResponseWriter, q *request, k *kind, items []object, rv uint64) error {
	l, err := w.codec.listOf(k, items, metav1.ListMeta{ResourceVersion: strconv.FormatUint(rv, 10)})
	if err != nil {
		return apierrors.NewInternalError(err)
	}
	return w.respond(rw, negotiate(q.Header.Get("Accept"), k.goType != nil), http.StatusOK, l)
}
