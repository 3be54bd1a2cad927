package kube

import (
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"

	"daytwo/sources"
)

// API groups of cert-manager.
const (
	certManagerGroup = "cert-manager.io"
	acmeGroup        = "acme.cert-manager.io"
)

// world is all that one run of the source knows.
type world struct {
	c     *Client
	dirty chan struct{} // capacity 1
	probe *probe

	nodes      *table[sources.Node]
	pods       *table[pod]
	deploys    *table[sources.Workload]
	stateful   *table[sources.Workload]
	daemons    *table[sources.Workload]
	replicas   *table[sources.Workload]
	budgets    *table[sources.DisruptionBudget]
	cronJobs   *table[sources.CronJob]
	jobs       *table[sources.Job]
	ingresses  *table[sources.Ingress]
	warnings   *table[sources.Event]
	nodeEvents *table[sources.Event]
	certs      *table[certificate]
	requests   *table[link]
	orders     *table[link]
	challenges *table[link]
	secrets    *secrets

	feeds   []*feed
	outputs []output
}

func newWorld(c *Client) *world {
	w := &world{c: c, dirty: make(chan struct{}, 1)}
	w.probe = &probe{c: c, wake: w.wake, ok: w.confirm, kick: make(chan struct{}, 1)}
	w.nodes, w.pods = newTable[sources.Node](w), newTable[pod](w)
	w.deploys, w.stateful = newTable[sources.Workload](w), newTable[sources.Workload](w)
	w.daemons, w.replicas = newTable[sources.Workload](w), newTable[sources.Workload](w)
	w.budgets = newTable[sources.DisruptionBudget](w)
	w.cronJobs, w.jobs = newTable[sources.CronJob](w), newTable[sources.Job](w)
	w.ingresses = newTable[sources.Ingress](w)
	w.warnings, w.nodeEvents = newTable[sources.Event](w), newTable[sources.Event](w)
	w.certs, w.requests = newTable[certificate](w), newTable[link](w)
	w.orders, w.challenges = newTable[link](w), newTable[link](w)
	w.secrets = newSecrets(w)
	w.outputs = w.readings()
	return w
}

func newTable[T any](w *world) *table[T] {
	t := &table[T]{now: w.c.now}
	t.wake = w.wake
	w.feeds = append(w.feeds, &t.feed)
	return t
}

// wake says that there is something to publish.
func (w *world) wake() {
	select {
	case w.dirty <- struct{}{}:
	default:
	}
}

// reflectors are one for each resource that is watched.
func (w *world) reflectors() []*cache.Reflector {
	custom := func(group, name string, convert func(runtime.Object) any) resource {
		return resource{group: group, version: "v1", name: name, custom: true, convert: convert}
	}
	return []*cache.Reflector{
		w.reflector(resource{"", "v1", "nodes", "", false, of(toNode)}, w.nodes),
		w.reflector(resource{"", "v1", "pods", "", false, of(toPod)}, w.pods),
		w.reflector(resource{"apps", "v1", "replicasets", "", false, of(toReplicaSet)}, w.replicas),
		w.reflector(resource{"batch", "v1", "jobs", "", false, of(toJob)}, w.jobs),
		w.reflector(resource{"batch", "v1", "cronjobs", "", false, of(toCronJob)}, w.cronJobs),
		w.reflector(resource{"apps", "v1", "deployments", "", false, of(toDeployment)}, w.deploys),
		w.reflector(resource{"apps", "v1", "statefulsets", "", false, of(toStatefulSet)}, w.stateful),
		w.reflector(resource{"apps", "v1", "daemonsets", "", false, of(toDaemonSet)}, w.daemons),
		w.reflector(resource{"policy", "v1", "poddisruptionbudgets", "", false, of(toBudget)}, w.budgets),
		w.reflector(resource{"networking.k8s.io", "v1", "ingresses", "", false, of(toIngress)}, w.ingresses),
		w.reflector(resource{"", "v1", "events", "type=Warning", false, of(toWarning)}, w.warnings),
		w.reflector(resource{"", "v1", "events", "type!=Warning,involvedObject.kind=Node", false, of(toNodeEvent)}, w.nodeEvents),
		w.reflector(custom(certManagerGroup, "certificates", toCertificate), w.certs),
		w.reflector(custom(certManagerGroup, "certificaterequests", toRequest), w.requests),
		w.reflector(custom(acmeGroup, "orders", toOrder), w.orders),
		w.reflector(custom(acmeGroup, "challenges", toChallenge), w.challenges),
	}
}

// of makes a conversion for one type out of one for any object.
func of[O, T any](fn func(*O) *T) func(runtime.Object) any {
	return func(o runtime.Object) any {
		typed, ok := any(o).(*O)
		if !ok {
			return nil
		}
		if kept := fn(typed); kept != nil {
			return kept
		}
		return nil
	}
}
