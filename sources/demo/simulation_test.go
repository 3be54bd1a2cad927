package demo_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"daytwo/sources/demo"
)

func podsOf(t *testing.T, k kubernetes.Interface, ns, app string) []corev1.Pod {
	t.Helper()
	l, err := k.CoreV1().Pods(ns).List(t.Context(), metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=" + app})
	if err != nil {
		t.Fatal(err)
	}
	return l.Items
}

func evict(t *testing.T, k kubernetes.Interface, ns, name string) error {
	t.Helper()
	return k.PolicyV1().Evictions(ns).Evict(t.Context(), &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name}})
}

func TestEvictionAsksTheBudget(t *testing.T) {
	t.Parallel()
	w, c := start(t, demo.Options{})
	k := client(t, w, "admin", protobuf)
	web := podsOf(t, k, "shop", "web")
	if err := evict(t, k, "shop", web[0].Name); err != nil {
		t.Fatalf("the first eviction: %v", err)
	}
	err := evict(t, k, "shop", web[1].Name)
	var status apierrors.APIStatus
	if !apierrors.IsTooManyRequests(err) || !errors.As(err, &status) || !apierrors.HasStatusCause(err, policyv1.DisruptionBudgetCause) {
		t.Fatalf("the second eviction: %v", err)
	}
	if got := status.Status().Details.Causes[0].Message; got != "The disruption budget web needs 3 healthy pods and has 4 currently" && got != "The disruption budget web needs 3 healthy pods and has 3 currently" {
		t.Errorf("the cause says %q", got)
	}
	c.pass(15 * time.Second)
	if err = evict(t, k, "shop", web[1].Name); err != nil {
		t.Errorf("after the first was replaced: %v", err)
	}
	if err = evict(t, k, "shop", podsOf(t, k, "shop", "search")[0].Name); !apierrors.IsTooManyRequests(err) {
		t.Errorf("the only replica of shop/search: %v", err)
	}
	if err = evict(t, k, "shop", "nobody"); !apierrors.IsNotFound(err) {
		t.Errorf("a pod that is not there: %v", err)
	}
}

func TestDeletedPodsComeBackElsewhere(t *testing.T) {
	t.Parallel()
	w, c := start(t, demo.Options{})
	k := client(t, w, "admin", "")
	before := podsOf(t, k, "shop", "checkout")
	if err := k.CoreV1().Pods("shop").Delete(t.Context(), before[0].Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	p, err := k.CoreV1().Pods("shop").Get(t.Context(), before[0].Name, metav1.GetOptions{})
	if err != nil || p.DeletionTimestamp == nil {
		t.Fatalf("a deleted pod does not terminate first: %v", err)
	}
	c.pass(12 * time.Second)
	after := podsOf(t, k, "shop", "checkout")
	ready := 0
	for i := range after {
		if after[i].Name == before[0].Name {
			t.Error("the deleted pod is still there")
		}
		for _, cond := range after[i].Status.Conditions {
			if cond.Type == corev1.PodReady && cond.Status == corev1.ConditionTrue {
				ready++
			}
		}
	}
	if ready != len(before) {
		t.Errorf("%d ready pods of %d", ready, len(before))
	}
	d, err := k.AppsV1().Deployments("shop").Get(t.Context(), "checkout", metav1.GetOptions{})
	if err != nil || d.Status.ReadyReplicas != 3 {
		t.Errorf("the Deployment says %d ready (%v)", d.Status.ReadyReplicas, err)
	}
}

func TestOOMLoopGoesOn(t *testing.T) {
	t.Parallel()
	w, c := start(t, demo.Options{})
	k := client(t, w, "admin", "")
	restarts := func() (n int32, state corev1.ContainerStatus) {
		for _, p := range podsOf(t, k, "shop", "api") {
			n += p.Status.ContainerStatuses[0].RestartCount
			if p.Status.ContainerStatuses[0].RestartCount > 0 {
				state = p.Status.ContainerStatuses[0]
			}
		}
		return n, state
	}
	first, s := restarts()
	if first != 24 || s.State.Waiting == nil || s.LastTerminationState.Terminated.ExitCode != 137 {
		t.Fatalf("%d restarts, %+v", first, s)
	}
	c.pass(150 * time.Second)
	if n, s := restarts(); n != 25 || s.State.Running == nil {
		t.Errorf("after the back-off: %d restarts, %+v", n, s.State)
	}
	c.pass(4 * time.Minute)
	if n, s := restarts(); n != 25 || s.State.Waiting == nil || s.State.Waiting.Reason != "CrashLoopBackOff" {
		t.Errorf("after another run: %d restarts, %+v", n, s.State)
	}
}

func TestBackupFailsAgainOnItsSchedule(t *testing.T) {
	t.Parallel()
	w, c := start(t, demo.Options{})
	k := client(t, w, "admin", "")
	cj, err := k.BatchV1().CronJobs("backup").Get(t.Context(), "mysql", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if age := noon().Sub(cj.Status.LastSuccessfulTime.Time); age < 30*time.Hour || age > 32*time.Hour {
		t.Errorf("the last success is %s old", age)
	}
	c.mu.Lock()
	c.at = cj.Status.LastScheduleTime.Add(24*time.Hour - 5*time.Second).UTC()
	c.mu.Unlock()
	c.pass(3 * time.Minute)
	now, err := k.BatchV1().CronJobs("backup").Get(t.Context(), "mysql", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := now.Status.LastScheduleTime.Sub(cj.Status.LastScheduleTime.Time); got != 24*time.Hour {
		t.Errorf("scheduled %s after the last", got)
	}
	if !now.Status.LastSuccessfulTime.Equal(cj.Status.LastSuccessfulTime) {
		t.Error("a failing backup succeeded")
	}
	jobs, err := k.BatchV1().Jobs("backup").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	failed := 0
	for i := range jobs.Items {
		j := &jobs.Items[i]
		if strings.HasPrefix(j.Name, "mysql-") && j.Status.Failed == 2 {
			failed++
		}
	}
	if failed != 1 { // the newest; its history limit is 1
		t.Errorf("%d failed jobs", failed)
	}
}

func TestDiskFillsUntilPressure(t *testing.T) {
	t.Parallel()
	w, c := start(t, demo.Options{})
	k := client(t, w, "admin", "")
	c.mu.Lock()
	c.at = c.at.Add(6 * 24 * time.Hour)
	c.mu.Unlock()
	c.pass(time.Second)
	n, err := k.CoreV1().Nodes().Get(t.Context(), "worker-0", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, cond := range n.Status.Conditions {
		if cond.Type == corev1.NodeDiskPressure && cond.Status != corev1.ConditionTrue {
			t.Errorf("no disk pressure six days on: %+v", cond)
		}
	}
}

// TestSameSeedSameWorld compares whole worlds after the same steps.
func TestSameSeedSameWorld(t *testing.T) {
	t.Parallel()
	picture := func(seed uint64) string {
		w, c := start(t, demo.Options{Seed: seed})
		c.pass(90 * time.Second)
		k := client(t, w, "admin", "")
		pods, err := k.CoreV1().Pods("").List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		secrets, err := k.CoreV1().Secrets("").List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal([]any{pods, secrets})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	first := picture(1)
	if again := picture(1); again != first {
		t.Error("two worlds of one seed differ")
	}
	if picture(2) == first {
		t.Error("the seed changes nothing")
	}
}

func TestNamespacesGoWithWhatIsInThem(t *testing.T) {
	t.Parallel()
	w, c := start(t, demo.Options{Scenario: demo.Empty})
	k := client(t, w, "admin", "")
	_, err := k.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "scratch"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = k.CoreV1().Pods("scratch").Create(t.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "p"}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "busybox"}}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c.pass(10 * time.Second)
	p, err := k.CoreV1().Pods("scratch").Get(t.Context(), "p", metav1.GetOptions{})
	if err != nil || p.Status.Phase != corev1.PodRunning {
		t.Fatalf("%v %v", p.Status.Phase, err)
	}
	if err = k.CoreV1().Namespaces().Delete(t.Context(), "scratch", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	c.pass(10 * time.Second)
	if _, err = k.CoreV1().Namespaces().Get(t.Context(), "scratch", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the namespace is still there: %v", err)
	}
	if _, err = k.CoreV1().Pods("scratch").Get(t.Context(), "p", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("its pod is still there: %v", err)
	}
}

func TestScaleMovesReplicas(t *testing.T) {
	t.Parallel()
	w, c := start(t, demo.Options{Scenario: demo.Healthy})
	k := client(t, w, "admin", "")
	s, err := k.AppsV1().Deployments("shop").GetScale(t.Context(), "web", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s.Spec.Replicas = 6
	if _, err = k.AppsV1().Deployments("shop").UpdateScale(t.Context(), "web", s, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	c.pass(12 * time.Second)
	d, err := k.AppsV1().Deployments("shop").Get(t.Context(), "web", metav1.GetOptions{})
	if err != nil || d.Status.ReadyReplicas != 6 {
		t.Errorf("%d ready, %v", d.Status.ReadyReplicas, err)
	}
	e, err := k.CoreV1().Endpoints("shop").Get(t.Context(), "web", metav1.GetOptions{})
	if err != nil || len(e.Subsets) != 1 || len(e.Subsets[0].Addresses) != 6 {
		t.Errorf("endpoints %v, %v", reflect.ValueOf(e.Subsets).Len(), err)
	}
}
