// Package kube looks at a cluster through its API server: it lists and watches
// what the panes show, measures the server's latency, and says in one line why
// something cannot be read. Objects are made small as they arrive and kept so;
// the large ones are never held.
package kube
