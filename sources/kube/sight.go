package kube

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	core "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"

	"daytwo/sources"
)

// Watch keeps the pods on a node and the disruption budgets of the cluster in
// sight until Close. It returns once both were listed.
func (o *Operator) Watch(ctx context.Context, node string) (sources.Watched, error) {
	ctx, cancel := context.WithCancel(o.c.logged(ctx))
	s := &sight{op: o, cancel: cancel, changed: make(chan struct{}, 1), objects: map[string]map[string]any{}, errs: map[string]error{}}
	here := fields.OneTermEqualSelector("spec.nodeName", node).String()
	s.follow(ctx, "pods", Need{Verb: "watch", Resource: "pods"}, &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, l metav1.ListOptions) (runtime.Object, error) {
			l.FieldSelector = here
			return o.set.CoreV1().Pods("").List(ctx, l)
		},
		WatchFuncWithContext: func(ctx context.Context, l metav1.ListOptions) (watch.Interface, error) {
			l.FieldSelector = here
			return o.set.CoreV1().Pods("").Watch(ctx, l)
		},
	})
	s.follow(ctx, "poddisruptionbudgets", Need{Verb: "watch", Group: "policy", Resource: "poddisruptionbudgets"}, &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, l metav1.ListOptions) (runtime.Object, error) {
			return o.set.PolicyV1().PodDisruptionBudgets("").List(ctx, l)
		},
		WatchFuncWithContext: func(ctx context.Context, l metav1.ListOptions) (watch.Interface, error) {
			return o.set.PolicyV1().PodDisruptionBudgets("").Watch(ctx, l)
		},
	})
	if err := s.first(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// sight is two resources followed by reflectors.
type sight struct {
	op      *Operator
	cancel  context.CancelFunc
	done    sync.WaitGroup
	changed chan struct{}

	mu      sync.Mutex
	objects map[string]map[string]any // by resource, by namespace/name; nil until listed
	errs    map[string]error          // by resource: why it may be old
}

// follow lists and watches one resource until ctx ends.
func (s *sight) follow(ctx context.Context, what string, need Need, lw *cache.ListWatch) {
	pace := s.op.c.pace
	to := &seen{s: s, what: what}
	list, open := lw.ListWithContextFunc, lw.WatchFuncWithContext
	lw.ListWithContextFunc = func(ctx context.Context, l metav1.ListOptions) (runtime.Object, error) {
		page, cancel := context.WithTimeout(ctx, listTimeout)
		defer cancel()
		if l.Continue == "" {
			l.ResourceVersion, l.ResourceVersionMatch = "", "" // what is true now, not what a cache remembers
		}
		out, err := list(page, l)
		to.note(ctx, err, need)
		return out, err
	}
	lw.WatchFuncWithContext = func(ctx context.Context, l metav1.ListOptions) (watch.Interface, error) {
		out, err := open(ctx, l)
		to.note(ctx, err, need)
		return out, err
	}
	r := cache.NewReflectorWithOptions(noWatchList{lw}, nil, to, cache.ReflectorOptions{
		Name: what, TypeDescription: what,
		Backoff: &wait.Backoff{Duration: pace.retry, Cap: pace.retryMax / 2, Factor: 2, Jitter: 0.2, Steps: 10},
	})
	s.done.Go(func() { r.RunWithContext(ctx) })
}

// first waits until everything was listed once, or what refuses it.
func (s *sight) first(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	for {
		s.mu.Lock()
		ready := len(s.objects) == 2
		failed := errors.Join(slices.Collect(maps.Values(s.errs))...)
		s.mu.Unlock()
		if _, denied := errors.AsType[*sources.AccessError](failed); denied {
			return failed
		}
		if ready {
			return nil
		}
		select {
		case <-ctx.Done():
			if failed != nil {
				return failed
			}
			return ctx.Err() //nolint:wrapcheck // the caller's own end
		case <-s.changed:
		}
	}
}

// Changed implements sources.Watched.
func (s *sight) Changed() <-chan struct{} { return s.changed }

// Close implements sources.Watched.
func (s *sight) Close() {
	s.cancel()
	s.done.Wait()
}

// Sight implements sources.Watched.
func (s *sight) Sight() sources.Sight {
	s.mu.Lock()
	defer s.mu.Unlock()
	var budgets []*policy.PodDisruptionBudget
	out := sources.Sight{Budgets: map[sources.Ref]sources.Budget{}}
	for _, o := range s.objects["poddisruptionbudgets"] {
		if b, ok := o.(*policy.PodDisruptionBudget); ok {
			budgets = append(budgets, b)
		}
	}
	guards := protect(budgets)
	for _, o := range s.objects["pods"] {
		if p, ok := o.(*core.Pod); ok {
			out.Tenants = append(out.Tenants, toTenant(p, guards))
		}
	}
	for _, b := range guards.of(out.Tenants) {
		out.Budgets[b.Ref] = b
	}
	for _, err := range s.errs {
		out.Err = err
	}
	return out
}

func (s *sight) signal() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// seen is where a reflector puts one resource.
type seen struct {
	s    *sight
	what string
}

// note keeps why a resource may be old.
func (k *seen) note(ctx context.Context, err error, need Need) {
	if ctx.Err() != nil {
		return
	}
	k.s.mu.Lock()
	defer k.s.mu.Unlock()
	if err != nil {
		k.s.errs[k.what] = k.s.op.c.explain(err, need, listTimeout)
	} else {
		delete(k.s.errs, k.what)
	}
	k.s.signal()
}

func (k *seen) edit(do func(map[string]any)) error {
	k.s.mu.Lock()
	defer k.s.mu.Unlock()
	if k.s.objects[k.what] == nil {
		k.s.objects[k.what] = map[string]any{}
	}
	do(k.s.objects[k.what])
	k.s.signal()
	return nil
}

func key(o any) string {
	k, err := cache.MetaNamespaceKeyFunc(o)
	if err != nil {
		return ""
	}
	return k
}

// Add implements cache.ReflectorStore, as do the methods below.
func (k *seen) Add(o any) error { return k.edit(func(m map[string]any) { m[key(o)] = o }) }

// Update puts a newer version.
func (k *seen) Update(o any) error { return k.Add(o) }

// Delete takes an object away.
func (k *seen) Delete(o any) error { return k.edit(func(m map[string]any) { delete(m, key(o)) }) }

// Replace puts a new list.
func (k *seen) Replace(list []any, _ string) error {
	return k.edit(func(m map[string]any) {
		clear(m)
		for _, o := range list {
			m[key(o)] = o
		}
	})
}

// Resync has nothing to do.
func (*seen) Resync() error { return nil }

var _ cache.ReflectorStore = (*seen)(nil)
