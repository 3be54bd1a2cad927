package upgrade

import "daytwo/sources"

// Fewer is fewer with no workload stranded.
func Fewer(p Plan, now []sources.Workload) []string {
	return p.fewer(now, func(sources.Ref) bool { return false })
}
