// Package actions is what daytwo does to a cluster, as opposed to what it
// knows of one. Everything here knows no terminal and is given what it needs
// through small interfaces. Nothing here changes a cluster yet: the cockpit
// only looks.
package actions
