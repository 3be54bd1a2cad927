// Package upgrade brings the nodes of a k3s cluster to another version, one
// by one: a policy that says what may follow what and in which order, a plan
// that a person reads, the steps, the way back of one node, and the notes of
// what was done.
package upgrade
