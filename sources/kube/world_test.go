package kube

import (
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	rbac "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"daytwo/sources"
	"daytwo/sources/demo"
)

// namespace is where tests put what they make.
const namespace = "trial"

// bench is a simulated cluster behind a real API, and the source that looks
// at it into a store.
type bench struct {
	*demo.World

	t      *testing.T
	client *Client
	admin  kubernetes.Interface
	store  *sources.Store
}

// start opens a world in which nothing moves by itself.
func start(t *testing.T, o demo.Options) *bench {
	t.Helper()
	if o.Scenario == "" {
		o.Scenario = demo.Empty
	}
	o.Tick = make(chan time.Time)
	w, err := demo.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{World: w, t: t}
	if b.admin, err = b.connect("admin").ForChanges(); err != nil {
		t.Fatal(err)
	}
	ns := &core.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	if _, err := b.admin.CoreV1().Namespaces().Create(t.Context(), ns, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	return b
}

// connect opens a client for a user of the world.
func (b *bench) connect(user string) *Client {
	b.t.Helper()
	raw, err := b.Kubeconfig(user)
	if err != nil {
		b.t.Fatal(err)
	}
	c, err := Connect(Options{Kubeconfig: file(b.t, raw), Log: b.t.Logf})
	if err != nil {
		b.t.Fatal(err)
	}
	c.pace = quick()
	c.log = func(string, ...any) {} // a test that has ended must not be written to
	return c
}

// look runs the source until the test ends.
func (b *bench) look(user string) *bench {
	b.t.Helper()
	b.client = b.connect(user)
	b.store = look(b.t, b.client)
	return b
}

func (b *bench) until(what string, ok func(*sources.Snapshot) bool) *sources.Snapshot {
	b.t.Helper()
	return until(b.t, b.store, what, ok)
}

// roleWithout is everything the source needs except some resources.
func roleWithout(resources ...string) []rbac.PolicyRule {
	var rules []rbac.PolicyRule
	for _, n := range Needs() {
		dropped := false
		for _, r := range resources {
			dropped = dropped || r == n.Resource
		}
		if !dropped {
			rules = append(rules, rbac.PolicyRule{Verbs: []string{n.Verb}, APIGroups: []string{n.Group}, Resources: []string{n.Resource}})
		}
	}
	return rules
}
