package demo_test

import (
	"context"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"daytwo/sources/demo"
)

// noon is when test worlds begin.
func noon() time.Time { return time.Date(2026, 11, 22, 15, 4, 31, 0, time.UTC) }

// start runs a world on a clock that only the test moves.
func start(t *testing.T, o demo.Options) (*demo.World, *clock) {
	t.Helper()
	c := &clock{at: noon()}
	o.Clock, o.Tick = c.now, make(chan time.Time)
	w, err := demo.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	c.w = w
	t.Cleanup(func() { _ = w.Close() })
	return w, c
}

func restConfig(t *testing.T, w *demo.World, user string) *rest.Config {
	t.Helper()
	raw, err := w.Kubeconfig(user)
	if err != nil {
		t.Fatal(err)
	}
	c, err := clientcmd.RESTConfigFromKubeConfig(raw)
	if err != nil {
		t.Fatal(err)
	}
	c.QPS, c.Burst = 1000, 1000
	return c
}

func client(t *testing.T, w *demo.World, user string, contentType string) kubernetes.Interface {
	t.Helper()
	c := restConfig(t, w, user)
	if contentType != "" {
		c.ContentType, c.AcceptContentTypes = contentType, contentType+",application/json"
	}
	k, err := kubernetes.NewForConfig(c)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestIncidentHasItsNodesAndPods(t *testing.T) {
	t.Parallel()
	w, _ := start(t, demo.Options{})
	for _, contentType := range []string{"", "application/vnd.kubernetes.protobuf"} {
		k := client(t, w, "admin", contentType)
		nodes, err := k.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if len(nodes.Items) != 5 || nodes.Items[0].Name != "master-0" || nodes.Items[4].Name != "worker-3" {
			t.Errorf("%q: nodes %d", contentType, len(nodes.Items))
		}
		pods, err := k.CoreV1().Pods("").List(context.Background(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if n := len(pods.Items); n < 60 || n > 130 {
			t.Errorf("%q: %d pods", contentType, n)
		}
	}
}
