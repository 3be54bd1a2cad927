// Package actions is what daytwo does to a cluster, as opposed to what it
// knows of one: steps, the runs that they make, and the journal that outlives
// the screen. Everything here knows no terminal and is given what it needs
// through small interfaces.
package actions
