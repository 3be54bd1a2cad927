package kube

import (
	"maps"
	"slices"

	"daytwo/sources"
)

// Contexts lists the names of a kubeconfig's contexts, for shell completion;
// none where it cannot be read. The path is as in Options.
func Contexts(kubeconfig string) []string {
	rules, err := rulesFor(kubeconfig)
	if err != nil {
		return nil
	}
	raw, err := rules.Load()
	if err != nil {
		return nil
	}
	return slices.SortedFunc(maps.Keys(raw.Contexts), sources.CompareNames)
}
