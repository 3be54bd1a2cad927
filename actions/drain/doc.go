// Package drain empties a node: a plan that says what will move, what could
// block and how to go back, and an evictor that waits for disruption budgets
// where kubectl tries again every five seconds.
package drain
