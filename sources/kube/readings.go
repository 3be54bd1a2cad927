package kube

import (
	"slices"

	"daytwo/sources"
)

// readings says which field of the snapshot is made from which tables.
func (w *world) readings() []output {
	return []output{
		&reading[sources.Node]{
			feeds: []*feed{&w.nodes.feed}, build: w.nodeList,
			field: func(s *sources.Snapshot) *sources.Reading[[]sources.Node] { return &s.Nodes },
		},
		&reading[sources.Pod]{
			feeds: []*feed{&w.pods.feed}, helpers: []*feed{&w.replicas.feed, &w.jobs.feed}, build: w.podList,
			field: func(s *sources.Snapshot) *sources.Reading[[]sources.Pod] { return &s.Pods },
		},
		&reading[sources.Workload]{
			feeds: []*feed{&w.deploys.feed, &w.stateful.feed, &w.daemons.feed, &w.replicas.feed}, build: w.workloadList,
			field: func(s *sources.Snapshot) *sources.Reading[[]sources.Workload] { return &s.Workloads },
		},
		one(w.budgets, func(s *sources.Snapshot) *sources.Reading[[]sources.DisruptionBudget] { return &s.Budgets }),
		one(w.cronJobs, func(s *sources.Snapshot) *sources.Reading[[]sources.CronJob] { return &s.CronJobs }),
		one(w.jobs, func(s *sources.Snapshot) *sources.Reading[[]sources.Job] { return &s.Jobs }),
		one(w.ingresses, func(s *sources.Snapshot) *sources.Reading[[]sources.Ingress] { return &s.Ingresses }),
		&reading[sources.Event]{
			feeds: []*feed{&w.warnings.feed, &w.nodeEvents.feed}, build: w.eventList,
			field: func(s *sources.Snapshot) *sources.Reading[[]sources.Event] { return &s.Events },
		},
		&reading[sources.Certificate]{
			feeds: []*feed{&w.certs.feed}, helpers: []*feed{&w.requests.feed, &w.orders.feed, &w.challenges.feed},
			build: w.certificateList,
			field: func(s *sources.Snapshot) *sources.Reading[[]sources.Certificate] { return &s.Certificates },
		},
		&reading[sources.TLSSecret]{
			feeds: []*feed{&w.secrets.feed}, build: w.secrets.list,
			field: func(s *sources.Snapshot) *sources.Reading[[]sources.TLSSecret] { return &s.Secrets },
		},
	}
}

// one is a reading that is one table's content.
func one[T any](t *table[T], field func(*sources.Snapshot) *sources.Reading[[]T]) output {
	return &reading[T]{feeds: []*feed{&t.feed}, build: t.values, field: field}
}

// nodeList orders nodes as people count them.
func (w *world) nodeList() []sources.Node {
	out := w.nodes.values()
	slices.SortStableFunc(out, func(a, b sources.Node) int { return sources.CompareNames(a.Name, b.Name) })
	return out
}
