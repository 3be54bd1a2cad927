//go:build race

package main

// hurry is less under the race detector, which slows the program, not the
// clock: what may take minutes there has to fit.
const hurry = 8

const racing = true // the race detector runs
