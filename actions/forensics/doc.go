// Package forensics tells what eats a node's disk: read-only probes, an
// account that adds up to df, a verdict with suggestions in order of risk, and
// the clean-ups among them that are safe enough to be done from here.
package forensics
