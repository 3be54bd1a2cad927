//go:build !race

package main

// hurry is how much faster the clock of these worlds goes than that on the
// wall: machines take seconds to restart.
const hurry = 20

const racing = false // the race detector runs
