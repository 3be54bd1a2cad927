package kube

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"daytwo/sources"
)

// pageSize bounds how many full objects are in memory at once.
const pageSize = 500

// pace is how often things are done; tests make it quick.
type pace struct {
	probe        time.Duration // between two probes of the API server
	calm         time.Duration // between two publications of a probe that only says "still well"
	version      time.Duration // between two readings of /version
	coalesce     time.Duration // least time between two publications
	coalesceMost time.Duration // the same while changes never end
	first        time.Duration // the same until everything was answered once
	denied       time.Duration // before asking again for what was refused
	absent       time.Duration // before asking again for what is not installed
	secrets      time.Duration // between two readings of all TLS Secrets
	retry        time.Duration // first pause after a failure; doubles to retryMax
	retryMax     time.Duration
	timeout      time.Duration // of a probe
}

func usualPace() pace {
	return pace{
		probe: 4 * time.Second, calm: 12 * time.Second, version: time.Minute, coalesce: 250 * time.Millisecond, coalesceMost: 2 * time.Second,
		first: 25 * time.Millisecond, denied: 30 * time.Second, absent: time.Minute, secrets: 5 * time.Minute,
		retry: 500 * time.Millisecond, retryMax: 5 * time.Second, timeout: requestTimeout,
	}
}

// resource is one kind of object that is listed and watched.
type resource struct {
	group, version, name string
	fields               string // field selector
	custom               bool   // may be absent: a custom resource
	convert              func(runtime.Object) any
}

func (r resource) path() string {
	if r.group == "" {
		return "/api/" + r.version + "/" + r.name
	}
	return "/apis/" + r.group + "/" + r.version + "/" + r.name
}

func (r resource) need(verb string) Need { return Need{Verb: verb, Group: r.group, Resource: r.name} }

// store is the part of a table that does not depend on what is in it.
type store interface {
	cache.ReflectorStore
	fail(error)
	open(time.Time) int
	closed(int)
	forget()
}

// lister lists and watches one resource, makes objects small as they arrive,
// and keeps the table's state. It forces a new list after the server was not
// reachable: it may be another history of versions then (a restored
// database), in which an old version never fires a watch.
type lister struct {
	resource

	c    *Client
	rest rest.Interface
	to   store
	lost func() // the server could not be reached

	denials int  // in a row; used by the reflector alone, as is what follows
	resumes bool // the next watch is not the first since the list
}

func (l *lister) request(o metav1.ListOptions) *rest.Request {
	if l.fields != "" {
		o.FieldSelector = l.fields
	}
	return l.rest.Get().AbsPath(l.path()).MaxRetries(0).
		SpecificallyVersionedParams(&o, scheme.ParameterCodec, schema.GroupVersion{Version: "v1"})
}

// list asks for one page.
func (l *lister) list(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
	if o.Continue == "" {
		l.resumes = false
		o.ResourceVersion, o.ResourceVersionMatch = "", "" // what is true now, in pages
	}
	page, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	list, err := l.request(o).Do(page).Get()
	if err != nil {
		if ctx.Err() == nil && !apierrors.IsResourceExpired(err) {
			l.failed(ctx, "list", err)
		}
		return nil, err //nolint:wrapcheck // the reflector looks for its status
	}
	return l.shrink(list)
}

// shrink makes a page small.
func (l *lister) shrink(list runtime.Object) (runtime.Object, error) {
	from, err := meta.ListAccessor(list)
	if err != nil {
		return nil, err //nolint:wrapcheck // seen by the reflector alone
	}
	out := &internalversion.List{}
	out.ResourceVersion, out.Continue = from.GetResourceVersion(), from.GetContinue()
	out.RemainingItemCount = from.GetRemainingItemCount()
	out.Items = make([]runtime.Object, 0, meta.LenList(list))
	err = meta.EachListItem(list, func(o runtime.Object) error {
		if s := l.small(o); s.value != nil {
			out.Items = append(out.Items, s)
		}
		return nil
	})
	return out, err //nolint:wrapcheck // seen by the reflector alone
}

// small keeps of an object what is shown. An object that cannot be read is
// left out: no object may end the program.
func (l *lister) small(o runtime.Object) (s *small) {
	s = &small{}
	defer func() {
		if p := recover(); p != nil {
			l.c.log("%s %s/%s cannot be read: %v", l.name, s.Namespace, s.Name, p)
		}
	}()
	if m, err := meta.Accessor(o); err == nil {
		s.Namespace, s.Name, s.ResourceVersion = m.GetNamespace(), m.GetName(), m.GetResourceVersion()
		s.value = l.convert(o)
	}
	return s
}

// watch opens a watch. One that does not follow a list at once is preceded by
// a look at the server's present version.
func (l *lister) watch(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
	err := l.sameHistory(ctx, o.ResourceVersion)
	l.resumes = true
	if err == nil {
		var w watch.Interface
		o.Watch = true
		if w, err = l.request(o).Watch(ctx); err == nil {
			l.denials = 0
			return l.follow(w, l.to.open(l.c.now())), nil
		}
	}
	var status apierrors.APIStatus
	answered := errors.As(err, &status)
	if ctx.Err() != nil || (answered && apierrors.IsResourceExpired(err)) {
		return nil, err //nolint:wrapcheck // the reflector looks for its status
	}
	l.failed(ctx, "watch", err)
	if answered {
		return nil, err //nolint:wrapcheck // the reflector looks for its status
	}
	return nil, apierrors.NewResourceExpired("the server was not reachable: list again")
}

// sameHistory finds out whether versions began anew since the last watch, as
// after a database was restored: the server is then behind the version the
// watch would begin at, and would say nothing until it gets there.
func (l *lister) sameHistory(ctx context.Context, since string) error {
	if !l.resumes {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	list, err := l.request(metav1.ListOptions{Limit: 1}).Do(ctx).Get()
	if err != nil {
		return err //nolint:wrapcheck // the reflector looks for its status
	}
	m, err := meta.ListAccessor(list)
	if err != nil {
		return err //nolint:wrapcheck // seen by the reflector alone
	}
	if c, err := resourceversion.CompareResourceVersion(m.GetResourceVersion(), since); err != nil || c < 0 {
		return apierrors.NewResourceExpired("the server is behind what it said before: list again")
	}
	return nil
}

// failed notes a failure and waits where asking again soon is of no use.
func (l *lister) failed(ctx context.Context, verb string, err error) {
	wait := time.Duration(0)
	err = l.c.explain(err, l.need(verb), listTimeout)
	if _, denied := errors.AsType[*sources.AccessError](err); denied {
		// A server that has just started refuses for seconds what it allows.
		wait = min(l.c.pace.denied, l.c.pace.retry<<min(l.denials, 10))
		l.denials++
		if l.custom && l.c.absent(ctx, "/apis/"+l.group+"/"+l.version) {
			err = sources.ErrNotInstalled // the role is silent on what is not there
		}
	}
	if errors.Is(err, sources.ErrNotInstalled) {
		wait = l.c.pace.absent
		l.to.forget()
	}
	l.to.fail(err)
	if _, unreached := errors.AsType[*plainError](err); unreached {
		l.lost()
	}
	pause(ctx, wait)
}

// absent reports that the server does not serve an API group.
func (c *Client) absent(ctx context.Context, path string) bool {
	_, err := c.Get(ctx, path, Need{Verb: "get", Resource: path}, requestTimeout)
	return errors.Is(err, sources.ErrNotInstalled)
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// follow passes the watch with this number on, each object made small. Its
// goroutine ends when either side stops.
func (l *lister) follow(in watch.Interface, number int) watch.Interface {
	events := make(chan watch.Event)
	out := watch.NewProxyWatcher(events)
	go func() {
		defer close(events)
		defer l.to.closed(number)
		defer in.Stop()
		for {
			select {
			case <-out.StopChan():
				return
			case e, ok := <-in.ResultChan():
				if !ok {
					return
				}
				if e.Type != watch.Error {
					e.Object = l.small(e.Object)
				}
				select {
				case events <- e:
				case <-out.StopChan():
					return
				}
			}
		}
	}()
	return out
}
