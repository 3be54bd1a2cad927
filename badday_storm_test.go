package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"daytwo/sources/demo"
)

// TestFiveThousandPodsRestart: the storm is a line for each owner, with how many of
// its pods restart, what was worst stays first, and keys are answered.
func TestFiveThousandPodsRestart(t *testing.T) {
	w, term := onDemo(t, demo.Large, flags{}, 160, 50)
	term.Wait("all that is there", shows("500 of 500 ready", "0 in 24 h"))
	restart(t, w, 5000)
	term.Wait("the storm by owners, below what was critical before",
		shows("▌✖ disk", "▲ restarts  monitoring/promtail     501 in 1 h · last exit 1", "500 pods", "more"))
	term.Keys("3\r")
	term.Wait("the list of those that restart", shows("─ Restarts ─", "team-00/app-000", "exit 1"))
	term.Keys("\x1b")
	term.Wait("the cockpit again", shows("Attention", "5 Backups"))
}

// restart makes containers of so many pods say that they crash over and over.
func restart(t *testing.T, w *demo.World, count int) {
	t.Helper()
	client := admin(t, w)
	list, err := client.CoreV1().Pods("").List(t.Context(), metav1.ListOptions{Limit: int64(count)})
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Items) != count {
		t.Fatalf("%d pods of %d", len(list.Items), count)
	}
	turns := make(chan int)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for n := range turns {
				if err := crash(t.Context(), client, list.Items[n].Namespace, list.Items[n].Name, list.Items[n].Spec.Containers[0].Name, w.Now()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for n := range list.Items {
		turns <- n
	}
	close(turns)
	all.Wait()
}

// crash patches what a kubelet reports of a container in CrashLoopBackOff.
func crash(ctx context.Context, client kubernetes.Interface, namespace, name, container string, now time.Time) error {
	patch, err := json.Marshal(map[string]any{"status": map[string]any{"containerStatuses": []any{map[string]any{
		"name": container, "ready": false, "restartCount": 12, "image": "x", "imageID": "x",
		"state": map[string]any{"waiting": map[string]any{"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}},
		"lastState": map[string]any{"terminated": map[string]any{
			"exitCode": 1, "reason": "Error", "startedAt": metav1.NewTime(now.Add(-2 * time.Minute)), "finishedAt": metav1.NewTime(now.Add(-time.Minute)),
		}},
	}}}})
	if err != nil {
		return fmt.Errorf("writing the status: %w", err)
	}
	_, err = client.CoreV1().Pods(namespace).Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{}, "status")
	return err
}
