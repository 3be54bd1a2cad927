package demo

import (
	"net/http"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
)

// watcher streams the changes of one kind to one client.
type watcher struct {
	w         *World
	k         *kind
	f         format
	match     func(object) bool
	namespace string
	include   metav1.IncludeObjectPolicy
	out       http.ResponseWriter
	flush     func()
	first     bool // the first table carries the column definitions
	bookmarks bool
}

func (w *World) serveWatch(rw http.ResponseWriter, q *request, k *kind) error {
	match, err := selectorOf(q, k)
	if err != nil {
		return err
	}
	rv, initial, err := watchStart(q, w.store.version())
	if err != nil {
		return err
	}
	flusher, ok := rw.(http.Flusher)
	if !ok {
		return apierrors.NewInternalError(http.ErrNotSupported)
	}
	f := negotiate(q.Header.Get("Accept"), k.goType != nil)
	x := &watcher{
		w: w, k: k, f: f, match: match, namespace: q.namespace, include: includeOf(q),
		out: rw, flush: flusher.Flush, first: true,
		bookmarks: q.URL.Query().Get("allowWatchBookmarks") == "true",
	}
	closing := w.faults.watchesClose()
	rw.Header().Set("Content-Type", f.contentType(true))
	rw.WriteHeader(http.StatusOK)
	x.flush()
	if w.faults.watchesGone(q) {
		x.fail(apierrors.NewResourceExpired("too old resource version: the history was compacted"))
		return nil
	}
	if initial {
		if rv, ok = x.sendAll(q.URL.Query().Get("sendInitialEvents") == "true"); !ok {
			return nil
		}
	}
	x.follow(q, rv, closing)
	return nil
}

// watchStart says from which version to watch, and whether the present
// state is to be sent first.
func watchStart(q *request, current uint64) (rv uint64, initial bool, err error) {
	params := q.URL.Query()
	s := params.Get("resourceVersion")
	if params.Get("sendInitialEvents") == "true" || s == "" || s == "0" {
		return current, true, nil
	}
	rv, err = strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, false, apierrors.NewBadRequest("invalid resource version " + strconv.Quote(s))
	}
	return rv, false, nil
}

// sendAll sends every object as added, and for a streaming list the bookmark
// that ends it.
func (x *watcher) sendAll(end bool) (uint64, bool) {
	items, rv := x.w.store.list(x.k, x.namespace)
	for _, o := range items {
		if x.match(o) && !x.send(watch.Added, o) {
			return 0, false
		}
	}
	if end && !x.sendBookmark(rv, map[string]string{metav1.InitialEventsAnnotationKey: "true"}) {
		return 0, false
	}
	x.flush()
	return rv, true
}

// follow sends changes until the client leaves, the time it asked for is
// over, or watches are closed.
func (x *watcher) follow(q *request, rv uint64, closing <-chan struct{}) {
	var timeout <-chan time.Time
	if s, err := strconv.Atoi(q.URL.Query().Get("timeoutSeconds")); err == nil && s > 0 {
		t := time.NewTimer(time.Duration(s) * time.Second)
		defer t.Stop()
		timeout = t.C
	}
	_, beat, _, _ := x.w.store.since(rv)
	for {
		more, ok := x.sendSince(&rv, &beat)
		if !ok {
			return
		}
		select {
		case <-more:
		case <-timeout:
			return
		case <-closing:
			return
		case <-q.Context().Done(): // also when the world ends
			return
		}
	}
}

// sendSince sends what came after version rv and, at a new beat, a bookmark.
// It moves both on and returns what to wait for.
func (x *watcher) sendSince(rv, beat *uint64) (more <-chan struct{}, ok bool) {
	changes, nowBeat, more, err := x.w.store.since(*rv)
	if err != nil {
		x.fail(err)
		return nil, false
	}
	for _, c := range changes {
		*rv = c.rv
		if c.kind == x.k && !x.sendChange(c) {
			return nil, false
		}
	}
	if x.bookmarks && nowBeat != *beat && !x.sendBookmark(*rv, nil) {
		return nil, false
	}
	*beat = nowBeat
	x.flush()
	return more, true
}

// sendChange turns a change into what it means to a client that sees only
// what its selector matches.
func (x *watcher) sendChange(c change) bool {
	if x.namespace != "" && c.now.GetNamespace() != x.namespace {
		return true
	}
	is := c.typ != watch.Deleted && x.match(c.now)
	was := c.before != nil && x.match(c.before)
	switch {
	case is && was:
		return x.send(watch.Modified, c.now)
	case is:
		return x.send(watch.Added, c.now)
	case was:
		return x.send(watch.Deleted, c.now)
	}
	return true
}

func (x *watcher) send(typ watch.EventType, o object) bool {
	var out runtime.Object = o
	switch x.f.as {
	case "Table":
		out = x.w.table(x.k, []object{o}, metav1.ListMeta{ResourceVersion: o.GetResourceVersion()}, x.include, x.first)
		x.first = false
	case "PartialObjectMetadata", "PartialObjectMetadataList":
		out = partial(o)
	}
	return x.write(typ, out)
}

// sendBookmark tells the version up to which the client has seen everything.
func (x *watcher) sendBookmark(rv uint64, annotations map[string]string) bool {
	version := strconv.FormatUint(rv, 10)
	var out runtime.Object
	switch {
	case x.f.as != "":
		p := &metav1.PartialObjectMetadata{}
		p.SetGroupVersionKind(metav1.SchemeGroupVersion.WithKind("PartialObjectMetadata"))
		p.ResourceVersion, p.Annotations = version, annotations
		out = p
	default:
		o, err := x.empty()
		if err != nil {
			return false
		}
		o.SetResourceVersion(version)
		o.SetAnnotations(annotations)
		out = o
	}
	return x.write(watch.Bookmark, out)
}

func (x *watcher) empty() (object, error) {
	if x.k.goType == nil {
		u := &unstructured.Unstructured{}
		u.SetGroupVersionKind(x.k.gvk)
		return u, nil
	}
	o, err := x.w.codec.scheme.New(x.k.gvk)
	if err != nil {
		return nil, err
	}
	o.GetObjectKind().SetGroupVersionKind(x.k.gvk)
	return mustObject(o), nil
}

// fail ends a watch the way the API server does: an ERROR event that holds a
// Status.
func (x *watcher) fail(err error) {
	status := statusOf(err)
	x.write(watch.Error, &status)
	x.flush()
}

func (x *watcher) write(typ watch.EventType, o runtime.Object) bool {
	b, err := x.w.codec.frame(x.f, typ, o)
	if err != nil {
		return false
	}
	_, err = x.out.Write(b)
	return err == nil
}
