package demo_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/tools/cache"

	"daytwo/sources/demo"
)

const protobuf = "application/vnd.kubernetes.protobuf"

func TestListsInPages(t *testing.T) {
	t.Parallel()
	w, _ := start(t, demo.Options{})
	k := client(t, w, "admin", protobuf)
	whole, err := k.CoreV1().Pods("").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	opts := metav1.ListOptions{Limit: 7}
	for {
		page, err := k.CoreV1().Pods("").List(t.Context(), opts)
		if err != nil {
			t.Fatal(err)
		}
		if page.ResourceVersion != whole.ResourceVersion || len(page.Items) > 7 {
			t.Errorf("a page of %d at version %s, want %s", len(page.Items), page.ResourceVersion, whole.ResourceVersion)
		}
		for i := range page.Items {
			seen[page.Items[i].Namespace+"/"+page.Items[i].Name] = true
		}
		if opts.Continue = page.Continue; opts.Continue == "" {
			break
		}
	}
	if len(seen) != len(whole.Items) {
		t.Errorf("%d pods in pages, %d at once", len(seen), len(whole.Items))
	}
}

func TestPagesExpire(t *testing.T) {
	t.Parallel()
	w, c := start(t, demo.Options{})
	k := client(t, w, "admin", "")
	page, err := k.CoreV1().Pods("").List(t.Context(), metav1.ListOptions{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	c.pass(30 * time.Second)
	w.Compact()
	_, err = k.CoreV1().Pods("").List(t.Context(), metav1.ListOptions{Limit: 1, Continue: page.Continue})
	if !apierrors.IsResourceExpired(err) {
		t.Errorf("an old page gives %v", err)
	}
}

func TestSelectors(t *testing.T) {
	t.Parallel()
	w, _ := start(t, demo.Options{})
	k := client(t, w, "admin", "")
	pods, err := k.CoreV1().Pods("").List(t.Context(), metav1.ListOptions{
		FieldSelector: "spec.nodeName=worker-0,status.phase!=Succeeded", LabelSelector: "app.kubernetes.io/instance=shop",
	})
	if err != nil || len(pods.Items) == 0 {
		t.Fatalf("%d pods, %v", len(pods.Items), err)
	}
	for i := range pods.Items {
		if p := &pods.Items[i]; p.Spec.NodeName != "worker-0" || p.Namespace != "shop" || p.Status.Phase == corev1.PodSucceeded {
			t.Errorf("%s/%s on %s was selected", p.Namespace, p.Name, p.Spec.NodeName)
		}
	}
	if _, err = k.CoreV1().Pods("").List(t.Context(), metav1.ListOptions{FieldSelector: "spec.colour=red"}); !apierrors.IsBadRequest(err) {
		t.Errorf("an unknown field gives %v", err)
	}
}

func next(t *testing.T, w watch.Interface) watch.Event {
	t.Helper()
	select {
	case ev := <-w.ResultChan():
		return ev
	case <-time.After(10 * time.Second):
		t.Fatal("the watch stays silent")
		return watch.Event{}
	}
}

func TestWatchTellsChangesAndBookmarks(t *testing.T) {
	t.Parallel()
	for _, contentType := range []string{"", protobuf} {
		w, c := start(t, demo.Options{Scenario: demo.Empty})
		k := client(t, w, "admin", contentType)
		cm := k.CoreV1().ConfigMaps("default")
		list, err := cm.List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		x, err := cm.Watch(t.Context(), metav1.ListOptions{
			ResourceVersion: list.ResourceVersion, AllowWatchBookmarks: true, LabelSelector: "in=yes",
		})
		if err != nil {
			t.Fatal(err)
		}
		defer x.Stop()
		made, err := cm.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "a", Labels: map[string]string{"in": "yes"}}}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if ev := next(t, x); ev.Type != watch.Added {
			t.Errorf("%q: %s after a create", contentType, ev.Type)
		}
		made.Labels["in"] = "no"
		if _, err = cm.Update(t.Context(), made, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		if ev := next(t, x); ev.Type != watch.Deleted {
			t.Errorf("%q: %s after it left the selection", contentType, ev.Type)
		}
		c.pass(time.Minute)
		if ev := next(t, x); ev.Type != watch.Bookmark {
			t.Errorf("%q: %s instead of a bookmark", contentType, ev.Type)
		}
	}
}

func TestWatchFromLongAgoIsGone(t *testing.T) {
	t.Parallel()
	w, c := start(t, demo.Options{})
	k := client(t, w, "admin", protobuf)
	list, err := k.CoreV1().Pods("").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c.pass(20 * time.Second)
	w.Compact()
	x, err := k.CoreV1().Pods("").Watch(t.Context(), metav1.ListOptions{ResourceVersion: list.ResourceVersion})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Stop()
	ev := next(t, x)
	if ev.Type != watch.Error || !apierrors.IsResourceExpired(apierrors.FromObject(ev.Object)) {
		t.Errorf("%s %v", ev.Type, ev.Object)
	}
}

// TestInformerFollows runs the client-go machinery that everything else uses,
// through a compaction and cut watches.
func TestInformerFollows(t *testing.T) {
	t.Parallel()
	w, c := start(t, demo.Options{})
	k := client(t, w, "admin", protobuf)
	f := informers.NewSharedInformerFactory(k, 0)
	pods := f.Core().V1().Pods()
	changed := make(chan struct{}, 1)
	signal := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	_, err := pods.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(any) { signal() }, UpdateFunc: func(any, any) { signal() }, DeleteFunc: func(any) { signal() },
	})
	if err != nil {
		t.Fatal(err)
	}
	f.Start(t.Context().Done())
	f.WaitForCacheSync(t.Context().Done())
	w.Compact()
	w.CloseWatches()
	if err = k.CoreV1().Pods("shop").Delete(t.Context(), "redis-0", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	before, err := pods.Lister().Pods("shop").Get("redis-0")
	if err != nil {
		t.Fatal(err)
	}
	c.pass(15 * time.Second)
	for {
		p, err := pods.Lister().Pods("shop").Get("redis-0")
		if err == nil && p.UID != before.UID && p.Status.Phase == corev1.PodRunning {
			return
		}
		select {
		case <-changed:
		case <-time.After(20 * time.Second):
			t.Fatalf("the informer never saw the new redis-0: %v", err)
		}
	}
}

func TestPatches(t *testing.T) {
	t.Parallel()
	w, _ := start(t, demo.Options{})
	for _, contentType := range []string{"", protobuf} {
		nodes := client(t, w, "admin", contentType).CoreV1().Nodes()
		for typ, patch := range map[types.PatchType]string{
			types.JSONPatchType:           `[{"op":"add","path":"/metadata/labels/json","value":"1"}]`,
			types.MergePatchType:          `{"metadata":{"labels":{"merge":"1"}}}`,
			types.StrategicMergePatchType: `{"metadata":{"labels":{"strategic":"1"}},"spec":{"taints":[{"key":"a","effect":"NoSchedule"}]}}`,
		} {
			n, err := nodes.Patch(t.Context(), "worker-1", typ, []byte(patch), metav1.PatchOptions{})
			if err != nil {
				t.Errorf("%s: %v", typ, err)
			} else if len(n.Labels) < 9 {
				t.Errorf("%s: labels %v", typ, n.Labels)
			}
		}
		n, err := nodes.Get(t.Context(), "worker-1", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range []string{"json", "merge", "strategic"} {
			if n.Labels[l] != "1" {
				t.Errorf("label %s is missing", l)
			}
		}
		if _, err = nodes.Patch(t.Context(), "worker-1", types.ApplyPatchType, []byte("{}"), metav1.PatchOptions{FieldManager: "x"}); !apierrors.IsUnsupportedMediaType(err) {
			t.Errorf("server-side apply gives %v", err)
		}
	}
}

func TestWritesFollowTheRules(t *testing.T) {
	t.Parallel()
	w, _ := start(t, demo.Options{})
	k := client(t, w, "admin", "")
	n, err := k.CoreV1().Nodes().Get(t.Context(), "worker-1", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	n.Spec.Unschedulable = true
	n.Status.NodeInfo.KubeletVersion = "v9"
	dry, err := k.CoreV1().Nodes().Update(t.Context(), n, metav1.UpdateOptions{DryRun: []string{"All"}})
	if err != nil || !dry.Spec.Unschedulable {
		t.Fatalf("dry run: %v", err)
	}
	if now, _ := k.CoreV1().Nodes().Get(t.Context(), "worker-1", metav1.GetOptions{}); now.Spec.Unschedulable {
		t.Error("a dry run changed the node")
	}
	done, err := k.CoreV1().Nodes().Update(t.Context(), n, metav1.UpdateOptions{FieldManager: "me"})
	if err != nil {
		t.Fatal(err)
	}
	if done.Status.NodeInfo.KubeletVersion == "v9" {
		t.Error("an update wrote the status")
	}
	if m := done.ManagedFields; len(m) == 0 || m[len(m)-1].Manager != "me" {
		t.Errorf("managedFields do not say who: %v", m)
	}
	if _, err = k.CoreV1().Nodes().Update(t.Context(), n, metav1.UpdateOptions{}); !apierrors.IsConflict(err) {
		t.Errorf("a write from an old version gives %v", err)
	}
	wrong := types.UID("1234")
	err = k.CoreV1().Pods("shop").Delete(t.Context(), "redis-0", metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &wrong}})
	if !apierrors.IsConflict(err) {
		t.Errorf("a deletion of another pod's UID gives %v", err)
	}
	_, err = k.CoreV1().ConfigMaps("nowhere").Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "a"}}, metav1.CreateOptions{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("a create in no namespace gives %v", err)
	}
}

func TestMetadataAndDynamicClients(t *testing.T) {
	t.Parallel()
	w, _ := start(t, demo.Options{})
	m, err := metadata.NewForConfig(restConfig(t, w, "admin"))
	if err != nil {
		t.Fatal(err)
	}
	secrets, err := m.Resource(corev1.SchemeGroupVersion.WithResource("secrets")).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(secrets.Items) != 3 {
		t.Fatalf("%v %v", secrets, err)
	}
	d, err := dynamic.NewForConfig(restConfig(t, w, "admin"))
	if err != nil {
		t.Fatal(err)
	}
	certs, err := d.Resource(schema.GroupVersionResource{Group: "cert-manager.io", Version: "v1", Resource: "certificates"}).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(certs.Items) != 3 {
		t.Fatalf("%v %v", certs, err)
	}
	empty, _ := start(t, demo.Options{Scenario: demo.Empty})
	if d, err = dynamic.NewForConfig(restConfig(t, empty, "admin")); err != nil {
		t.Fatal(err)
	}
	if _, err = d.Resource(schema.GroupVersionResource{Group: "cert-manager.io", Version: "v1", Resource: "certificates"}).List(t.Context(), metav1.ListOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("a cluster without cert-manager gives %v", err)
	}
}

func TestNodeProxy(t *testing.T) {
	t.Parallel()
	w, c := start(t, demo.Options{})
	k := client(t, w, "admin", "")
	first := summaryOf(t, k, "worker-0")
	if p := first; p < 92 || p > 93 {
		t.Errorf("worker-0 is %.2f %% full", p)
	}
	c.mu.Lock()
	c.at = c.at.Add(48 * time.Hour)
	c.mu.Unlock()
	if second := summaryOf(t, k, "worker-0"); second < first+1 {
		t.Errorf("after two days %.2f %%, before %.2f %%", second, first)
	}
	raw, err := k.CoreV1().RESTClient().Get().AbsPath("/api/v1/nodes/worker-0/proxy/configz").DoRaw(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var z struct {
		KubeletConfig struct {
			EvictionHard                map[string]string `json:"evictionHard"`
			ImageGCHighThresholdPercent int               `json:"imageGCHighThresholdPercent"`
		} `json:"kubeletconfig"`
	}
	if err = json.Unmarshal(raw, &z); err != nil || z.KubeletConfig.EvictionHard["nodefs.available"] != "5%" || z.KubeletConfig.ImageGCHighThresholdPercent != 85 {
		t.Errorf("configz %s, %v", raw, err)
	}
}

// summaryOf returns a node's disk use in percent by df's formula.
func summaryOf(t *testing.T, k kubernetes.Interface, node string) float64 {
	t.Helper()
	raw, err := k.CoreV1().RESTClient().Get().AbsPath(fmt.Sprintf("/api/v1/nodes/%s/proxy/stats/summary", node)).DoRaw(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Node struct {
			Fs struct {
				Available float64 `json:"availableBytes"`
				Used      float64 `json:"usedBytes"`
			} `json:"fs"`
		} `json:"node"`
		Pods []struct{} `json:"pods"`
	}
	if err = json.Unmarshal(raw, &s); err != nil {
		t.Fatal(err)
	}
	if len(s.Pods) < 5 {
		t.Errorf("%d pods in the summary of %s", len(s.Pods), node)
	}
	return 100 * s.Node.Fs.Used / (s.Node.Fs.Used + s.Node.Fs.Available)
}
