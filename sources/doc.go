// Package sources holds what daytwo knows of a cluster: readings with their
// age and error, the snapshot they make together, and the findings that rules
// draw from it. It knows nothing of terminals, of Kubernetes clients or of SSH;
// the packages below it (kube, kubelet, history, config, demo) do the looking.
package sources
