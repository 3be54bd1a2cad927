// Package ssh speaks to the machines behind the nodes: one connection a
// machine, shared by all who run something there, with the keys, hops and
// known hosts that the user's own ssh has.
package ssh
