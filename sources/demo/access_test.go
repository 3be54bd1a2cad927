package demo_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"daytwo/sources/demo"
)

func TestViewerSeesAndTouchesNothing(t *testing.T) {
	t.Parallel()
	w, _ := start(t, demo.Options{})
	k := client(t, w, "viewer", protobuf)
	if _, err := k.CoreV1().Pods("").List(t.Context(), metav1.ListOptions{}); err != nil {
		t.Errorf("the viewer may not list pods: %v", err)
	}
	if _, err := k.Discovery().ServerVersion(); err != nil {
		t.Errorf("the viewer may not read the version: %v", err)
	}
	_, err := k.CoreV1().Secrets("shop").List(t.Context(), metav1.ListOptions{})
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), `User "viewer" cannot list resource "secrets" in API group "" in the namespace "shop"`) {
		t.Errorf("secrets give %v", err)
	}
	if err = k.CoreV1().Pods("shop").Delete(t.Context(), "redis-0", metav1.DeleteOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("a deletion gives %v", err)
	}
	err = k.PolicyV1().Evictions("shop").Evict(t.Context(), &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: "redis-0", Namespace: "shop"}})
	if !apierrors.IsForbidden(err) {
		t.Errorf("an eviction gives %v", err)
	}
}

func TestViewerRulesCanBeGiven(t *testing.T) {
	t.Parallel()
	w, _ := start(t, demo.Options{ViewerRules: []rbacv1.PolicyRule{
		{Verbs: []string{"get"}, APIGroups: []string{""}, Resources: []string{"secrets"}, ResourceNames: []string{"tls"}},
	}})
	k := client(t, w, "viewer", "")
	if _, err := k.CoreV1().Secrets("shop").Get(t.Context(), "tls", metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
	if _, err := k.CoreV1().Secrets("media").Get(t.Context(), "media-tls", metav1.GetOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("another name gives %v", err)
	}
	for verb, want := range map[string]bool{"get": true, "list": false} {
		r, err := k.AuthorizationV1().SelfSubjectAccessReviews().Create(t.Context(), &authorizationv1.SelfSubjectAccessReview{
			Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: verb, Resource: "secrets", Name: "tls"}},
		}, metav1.CreateOptions{})
		if err != nil || r.Status.Allowed != want {
			t.Errorf("may %s: %v, %v", verb, r.Status, err)
		}
	}
	r, err := k.AuthorizationV1().SelfSubjectRulesReviews().Create(t.Context(), &authorizationv1.SelfSubjectRulesReview{}, metav1.CreateOptions{})
	if err != nil || len(r.Status.ResourceRules) != 2 {
		t.Errorf("%v %v", r, err)
	}
}

func TestWhoMayComeIn(t *testing.T) {
	t.Parallel()
	w, _ := start(t, demo.Options{Scenario: demo.Empty})
	for user, want := range map[string]bool{"admin": true, "certificate": true, "expired": false} {
		_, err := client(t, w, user, "").CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
		if want != (err == nil) || (!want && !apierrors.IsUnauthorized(err)) {
			t.Errorf("%s: %v", user, err)
		}
	}
	c := restConfig(t, w, "admin")
	c.BearerToken = "wrong"
	k, err := kubernetes.NewForConfig(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = k.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{}); !apierrors.IsUnauthorized(err) {
		t.Errorf("a wrong token gives %v", err)
	}
	if _, err = w.Kubeconfig("nobody"); err == nil {
		t.Error("a kubeconfig for nobody")
	}
}

func TestRefusesOtherAddresses(t *testing.T) {
	t.Parallel()
	if w, err := demo.Start(t.Context(), demo.Options{Addr: "0.0.0.0:0", Scenario: demo.Empty}); err == nil {
		_ = w.Close()
		t.Error("the demo listens on every address")
	}
	if w, err := demo.Start(t.Context(), demo.Options{Scenario: "storm"}); err == nil {
		_ = w.Close()
		t.Error("an unknown scenario starts")
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	w, _ := start(t, demo.Options{})
	c := restConfig(t, w, "admin")
	k, err := kubernetes.NewForConfig(c)
	if err != nil {
		t.Fatal(err)
	}
	list := func(ctx context.Context) error {
		_, err := k.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
		return err
	}
	for _, f := range []struct {
		fault demo.Fault
		is    func(error) bool
	}{
		{demo.Fault{Resource: "pods", Code: http.StatusForbidden}, apierrors.IsForbidden},
		{demo.Fault{Verb: "list", Code: http.StatusInternalServerError}, apierrors.IsInternalError},
		{demo.Fault{Resource: "pods", Code: http.StatusTooManyRequests}, apierrors.IsTooManyRequests},
	} {
		lift := w.Fault(f.fault)
		if err := list(t.Context()); !f.is(err) {
			t.Errorf("%+v gives %v", f.fault, err)
		}
		lift()
		lift()
		if err := list(t.Context()); err != nil {
			t.Errorf("after %+v was lifted: %v", f.fault, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	lift := w.Fault(demo.Fault{Hang: true})
	if err := list(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a hanging server gives %v", err)
	}
	done := make(chan error, 1)
	go func() { done <- list(t.Context()) }()
	lift()
	if err := <-done; err != nil {
		t.Errorf("after the hang: %v", err)
	}
	if w.Requests("list", "pods") < 7 {
		t.Errorf("%d lists counted", w.Requests("list", "pods"))
	}
}

func TestKubeletDownHangsItsNodeAlone(t *testing.T) {
	t.Parallel()
	w, _ := start(t, demo.Options{})
	k := client(t, w, "admin", "")
	defer w.KubeletDown("worker-1")()
	summaryOf(t, k, "worker-0")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := k.CoreV1().RESTClient().Get().AbsPath("/api/v1/nodes/worker-1/proxy/stats/summary").DoRaw(ctx)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a dead kubelet gives %v", err)
	}
}

func TestServerGoesAndComesBackWithAnotherHistory(t *testing.T) {
	t.Parallel()
	w, c := start(t, demo.Options{})
	cfg := restConfig(t, w, "admin")
	cfg.Timeout = 5 * time.Second
	k, err := kubernetes.NewForConfig(rest.CopyConfig(cfg))
	if err != nil {
		t.Fatal(err)
	}
	before, err := k.CoreV1().Pods("").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w.StopServer()
	if _, err = k.CoreV1().Pods("").List(t.Context(), metav1.ListOptions{}); err == nil {
		t.Error("a stopped server answers")
	}
	w.RestartHistory()
	if err = w.StartServer(); err != nil {
		t.Fatal(err)
	}
	after, err := k.CoreV1().Pods("").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(after.ResourceVersion) >= len(before.ResourceVersion) || len(after.Items) != len(before.Items) {
		t.Errorf("version %s after %s", after.ResourceVersion, before.ResourceVersion)
	}
	if err = k.CoreV1().Pods("shop").Delete(t.Context(), "redis-1", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	c.pass(15 * time.Second)
	if p, err := k.CoreV1().Pods("shop").Get(t.Context(), "redis-1", metav1.GetOptions{}); err != nil || p.DeletionTimestamp != nil {
		t.Errorf("the controllers do not work in the new history: %v %v", p, err)
	}
}
