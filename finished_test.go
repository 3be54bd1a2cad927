package main

import (
	"slices"
	"testing"

	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"daytwo/sources"
	"daytwo/sources/config"
	"daytwo/sources/demo"
)

// TestFinishedPodsAreDeletedOneByOne: the very pod that was seen, no other of
// its name, and never one that a budget holds.
func TestFinishedPodsAreDeletedOneByOne(t *testing.T) {
	home(t)
	w, kubeconfig := world(t, demo.Incident, "admin")
	s, err := openSession(t.Context(), flags{kubeconfig: kubeconfig}, config.Default(), openLog)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.close(t.Context()) })
	pods := s.looks().Pods
	over, held := podWhere(t, w, core.PodSucceeded, ""), podWhere(t, w, core.PodRunning, "shop")
	ref := sources.Ref{Kind: "Pod", Namespace: over.Namespace, Name: over.Name}
	for _, step := range []struct {
		uid  string
		gone bool
	}{{"another", false}, {string(over.UID), true}, {string(over.UID), true}} {
		if err := pods.DeletePod(t.Context(), ref, step.uid); err != nil {
			t.Fatalf("deleting %s by the UID %s: %v", ref, step.uid, err)
		}
		if gone, err := pods.PodGone(t.Context(), ref, string(over.UID)); err != nil || gone != step.gone {
			t.Errorf("after deleting %s by the UID %s it is gone: %v, %v", ref, step.uid, gone, err)
		}
	}
	ref = sources.Ref{Kind: "Pod", Namespace: held.Namespace, Name: held.Name}
	if err := pods.DeletePod(t.Context(), ref, string(held.UID)); err == nil {
		t.Errorf("%s runs, its budget allows nothing, and it was deleted", ref)
	}
}

// podWhere is a pod in a phase; with a namespace, one of its app api that
// is ready, whose budget allows nothing in the incident.
func podWhere(t *testing.T, w *demo.World, phase core.PodPhase, namespace string) core.Pod {
	t.Helper()
	o := metav1.ListOptions{FieldSelector: "status.phase=" + string(phase)}
	if namespace != "" {
		o.LabelSelector = "app.kubernetes.io/name=api"
	}
	list, err := admin(t, w).CoreV1().Pods(namespace).List(t.Context(), o)
	for _, p := range list.Items {
		ready := func(c core.PodCondition) bool { return c.Type == core.PodReady && c.Status == core.ConditionTrue }
		if phase != core.PodRunning || slices.ContainsFunc(p.Status.Conditions, ready) {
			return p
		}
	}
	t.Fatalf("no pod is %s in %q: %v", phase, namespace, err)
	return core.Pod{}
}
