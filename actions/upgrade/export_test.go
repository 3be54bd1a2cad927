package upgrade

import "daytwo/sources"

// Fewer is fewer with no workload stranded.
func Fewer(p Plan, now []sources.Workload) []string {
	return p.fewer(now, func(sources.Ref) bool { return false })
}

// Loops are the owners of pods that end again and again just now.
var Loops = loops
