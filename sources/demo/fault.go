package demo

import (
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Fault is something that goes wrong with matching requests until it is
// lifted. Empty selecting fields match everything, also discovery and
// /version. The first matching fault decides, newest first.
type Fault struct {
	Verb        string // get, list, watch, create, …
	Resource    string // nodes, pods, …; "version" matches /version
	Subresource string // proxy, eviction, log, …
	Name        string

	Hang       bool          // no answer until the client leaves or the fault is lifted
	Code       int           // answer with this status: 403, 429, 500, 503, …
	RetryAfter time.Duration // with 429 or 503: the Retry-After header, whole seconds
	Gone       bool          // watches open and at once say 410 Gone
}

// faults are the faults in force, and what watches wait on to be closed.
type faults struct {
	mu      sync.Mutex
	active  []*activeFault
	closing chan struct{}
	seen    map[[2]string]int
}

type activeFault struct {
	Fault
	lifted chan struct{}
}

func newFaults() *faults {
	return &faults{closing: make(chan struct{}), seen: map[[2]string]int{}}
}

// Fault puts f in force and returns what lifts it again. Open watches go on;
// use CloseWatches to end them too.
func (w *World) Fault(f Fault) (lift func()) {
	a := &activeFault{Fault: f, lifted: make(chan struct{})}
	w.faults.mu.Lock()
	defer w.faults.mu.Unlock()
	w.faults.active = append(w.faults.active, a)
	return sync.OnceFunc(func() {
		w.faults.mu.Lock()
		defer w.faults.mu.Unlock()
		w.faults.active = slices.DeleteFunc(w.faults.active, func(b *activeFault) bool { return a == b })
		close(a.lifted)
	})
}

// KubeletDown makes the kubelet of one node never answer, as when the API
// server's connection to it runs into nothing.
func (w *World) KubeletDown(node string) (lift func()) {
	return w.Fault(Fault{Resource: "nodes", Subresource: "proxy", Name: node, Hang: true})
}

// CloseWatches ends every open watch, as an API server does that shuts down.
func (w *World) CloseWatches() {
	w.faults.mu.Lock()
	defer w.faults.mu.Unlock()
	close(w.faults.closing)
	w.faults.closing = make(chan struct{})
}

// Compact forgets the history of changes: a watch that starts from a version
// older than now gets 410 Gone. Open watches go on.
func (w *World) Compact() { w.store.compact() }

// RestartHistory gives every object a new, lower resource version, as after
// the datastore was restored, and closes all watches. As with the real API
// server, a watch that resumes from a version of the old history hears
// nothing at all; a client has to notice and list again.
func (w *World) RestartHistory() {
	w.store.rebase(1)
	w.CloseWatches()
}

// Requests counts the requests so far by verb and resource ("" for paths
// that name none).
func (w *World) Requests(verb, resource string) int {
	w.faults.mu.Lock()
	defer w.faults.mu.Unlock()
	return w.faults.seen[[2]string{verb, resource}]
}

func (f *faults) watchesClose() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.closing
}

func (f *faults) watchesGone(q *request) bool {
	a := f.find(q)
	return a != nil && a.Gone
}

func (f *faults) find(q *request) *activeFault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range slices.Backward(f.active) {
		if a.hits(q) {
			return a
		}
	}
	return nil
}

func (f *faults) count(q *request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen[[2]string{q.verb, q.resource}]++
}

func (f Fault) hits(q *request) bool {
	resource := q.resource
	if q.URL.Path == "/version" {
		resource = "version"
	}
	same := func(want, have string) bool { return want == "" || want == have }
	return same(f.Verb, q.verb) && same(f.Resource, resource) && same(f.Subresource, q.sub) &&
		same(f.Name, q.name) && (!f.Gone || q.verb == "watch")
}

// apply makes a request suffer what is in force; it reports whether the
// request was answered, or left without an answer, because of that.
func (f *faults) apply(rw http.ResponseWriter, q *request) (handled bool, err error) {
	a := f.find(q)
	switch {
	case a == nil || a.Gone:
		return false, nil
	case a.Hang:
		select {
		case <-q.Context().Done():
			return true, nil
		case <-a.lifted:
			return false, nil
		}
	case a.Code == 0:
		return false, nil
	}
	if a.RetryAfter > 0 {
		rw.Header().Set("Retry-After", strconv.Itoa(int(a.RetryAfter.Seconds())))
	}
	return true, a.status(q)
}

func (f Fault) status(q *request) error {
	gr := schema.GroupResource{Group: q.gv.Group, Resource: q.resource}
	if f.Code == http.StatusForbidden {
		return forbidden(q)
	}
	e := apierrors.NewGenericServerResponse(f.Code, q.verb, gr, q.name, "", int(f.RetryAfter.Seconds()), true)
	e.ErrStatus.Status = metav1.StatusFailure
	return e
}
