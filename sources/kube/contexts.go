package kube

import (
	"maps"
	"slices"

	"daytwo/sources"
)

// Contexts lists the names of a kubeconfig's contexts, for shell completion;
// none where it cannot be read. The path is as in Options. Names that a
// terminal must not be given (control characters) are left out.
func Contexts(kubeconfig string) []string {
	rules, err := rulesFor(kubeconfig)
	if err != nil {
		return nil
	}
	raw, err := rules.Load()
	if err != nil {
		return nil
	}
	names := slices.SortedFunc(maps.Keys(raw.Contexts), sources.CompareNames)
	return slices.DeleteFunc(names, func(n string) bool { return sources.Clean(n, len(n)) != n })
}
