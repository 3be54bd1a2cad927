// Package trail is what one types in an incident, without a change to the
// cluster: logs of containers, and the commands that show where one stands,
// on the cluster, a node or all of them.
package trail
