package kube

import (
	"reflect"
	"slices"
	"testing"
	"time"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	quantity "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"daytwo/sources"
	"daytwo/sources/demo"
)

var day = time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)

func at(d time.Duration) metav1.Time { return metav1.NewTime(day.Add(d)) }

func managed(manager, fields string, t metav1.Time) metav1.ManagedFieldsEntry {
	f := &metav1.FieldsV1{}
	f.SetRawBytes([]byte(fields))
	return metav1.ManagedFieldsEntry{Manager: manager, FieldsV1: f, Time: &t}
}

func TestCordonedByWhom(t *testing.T) {
	t.Parallel()
	later, earlier := at(time.Hour), at(0)
	n := &core.Node{ObjectMeta: metav1.ObjectMeta{
		Name: "worker-0", Labels: map[string]string{"node-role.kubernetes.io/etcd": "true", "node-role.kubernetes.io/control-plane": "true", "x": "y"},
		ManagedFields: []metav1.ManagedFieldsEntry{
			managed("k3s", `{"f:spec":{"f:podCIDR":{}}}`, at(2*time.Hour)),
			managed("system-upgrade", `{"f:spec":{"f:unschedulable":{}}}`, earlier),
			managed("kubectl-cordon", `{"f:spec":{"f:unschedulable":{}}}`, later),
		},
	}}
	n.Spec.Unschedulable = true
	n.Spec.Taints = []core.Taint{{Key: core.TaintNodeUnschedulable, Effect: core.TaintEffectNoSchedule}, {Key: "gpu", Value: "yes", Effect: core.TaintEffectNoExecute}}
	n.Status.Allocatable = core.ResourceList{core.ResourceCPU: quantity.MustParse("3800m"), core.ResourceMemory: quantity.MustParse("7Gi"), core.ResourcePods: quantity.MustParse("110")}
	got := toNode(n)
	if got.CordonedBy != "kubectl-cordon" || !got.CordonedAt.Equal(later.Time) {
		t.Errorf("cordoned by %q at %v", got.CordonedBy, got.CordonedAt)
	}
	if !slices.Equal(got.Roles, []string{"control-plane", "etcd"}) || !got.Server() || got.CPU != 3800 || got.Memory != 7<<30 || got.MaxPod != 110 {
		t.Errorf("%+v", got)
	}
	if want := []string{"node.kubernetes.io/unschedulable:NoSchedule", "gpu=yes:NoExecute"}; !slices.Equal(got.Taints, want) {
		t.Errorf("taints %q, want %q", got.Taints, want)
	}
	taintedAt := at(90 * time.Minute)
	n.Spec.Taints[0].TimeAdded = &taintedAt
	if got := toNode(n); !got.CordonedAt.Equal(taintedAt.Time) {
		t.Errorf("the taint's own time is %v, got %v", taintedAt, got.CordonedAt)
	}
	n.Spec.Unschedulable = false
	if got := toNode(n); got.CordonedBy != "" || !got.CordonedAt.IsZero() {
		t.Errorf("not cordoned, yet by %q at %v", got.CordonedBy, got.CordonedAt)
	}
}

func TestHeartbeatIsNoChange(t *testing.T) {
	t.Parallel()
	beat := func(n int) *sources.Node {
		return toNode(&core.Node{ObjectMeta: metav1.ObjectMeta{Name: "a", ResourceVersion: string(rune('0' + n))}, Status: core.NodeStatus{
			Conditions: []core.NodeCondition{{Type: core.NodeReady, Status: core.ConditionTrue, LastTransitionTime: at(0), LastHeartbeatTime: at(time.Duration(n) * time.Minute)}},
		}})
	}
	if !reflect.DeepEqual(beat(1), beat(2)) {
		t.Errorf("%+v differs from %+v", beat(1), beat(2))
	}
}

func controller(kind, name string) []metav1.OwnerReference {
	return []metav1.OwnerReference{{Kind: "Other", Name: "x"}, {Kind: kind, Name: name, Controller: new(true)}}
}

func TestTopOwner(t *testing.T) {
	t.Parallel()
	ref := func(kind, name string) sources.Ref { return sources.Ref{Kind: kind, Namespace: "shop", Name: name} }
	above := map[sources.Ref]sources.Ref{
		ref("ReplicaSet", "api-5d8f"):    ref("Deployment", "api"),
		ref("ReplicaSet", "canary-77"):   ref("Rollout", "canary"),
		ref("Job", "mysql-dump-manual"):  ref("CronJob", "mysql-dump"),
		ref("ReplicaSet", "unrelated-1"): ref("Deployment", "unrelated"),
	}
	for name, c := range map[string]struct {
		owners []metav1.OwnerReference
		hash   string
		want   sources.Ref
	}{
		"Deployment":               {controller("ReplicaSet", "api-5d8f"), "5d8f", ref("Deployment", "api")},
		"known beats named":        {controller("ReplicaSet", "canary-77"), "77", ref("Rollout", "canary")},
		"ReplicaSet not listed":    {controller("ReplicaSet", "web-66bb"), "66bb", ref("Deployment", "web")},
		"bare ReplicaSet":          {controller("ReplicaSet", "lonely-66bb"), "", ref("ReplicaSet", "lonely-66bb")},
		"CronJob, started by hand": {controller("Job", "mysql-dump-manual"), "", ref("CronJob", "mysql-dump")},
		"CronJob, Job not listed":  {controller("Job", "media-29922996"), "", ref("CronJob", "media")},
		"bare Job":                 {controller("Job", "migrate-2"), "", ref("Job", "migrate-2")},
		"StatefulSet":              {controller("StatefulSet", "mysql"), "", ref("StatefulSet", "mysql")},
		"static pod":               {controller("Node", "master-0"), "", ref("Pod", "it")},
		"none":                     {nil, "", ref("Pod", "it")},
		"owned, not controlled":    {[]metav1.OwnerReference{{Kind: "X", Name: "y"}}, "", ref("Pod", "it")},
	} {
		p := toPod(&core.Pod{ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: "it", OwnerReferences: c.owners, Labels: map[string]string{"pod-template-hash": c.hash},
		}})
		if got := topOwner(p, above); got != c.want {
			t.Errorf("%s: %s %s, want %s %s", name, got.Kind, got, c.want.Kind, c.want)
		}
	}
}

func TestPodStatus(t *testing.T) {
	t.Parallel()
	deleting := at(time.Minute)
	p := &core.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "api-1", UID: "u", DeletionTimestamp: &deleting, Finalizers: []string{"f"}},
		Spec: core.PodSpec{
			NodeName: "worker-0", InitContainers: []core.Container{{Name: "init", Image: "i"}},
			Containers: []core.Container{{Name: "api", Image: "api:1", Resources: core.ResourceRequirements{
				Limits: core.ResourceList{core.ResourceMemory: quantity.MustParse("256Mi")},
			}}, {Name: "late", Image: "late:1"}},
		},
		Status: core.PodStatus{
			Phase:                 core.PodRunning,
			Conditions:            []core.PodCondition{{Type: core.PodScheduled, Status: core.ConditionFalse, Message: "0/5 nodes are available"}},
			InitContainerStatuses: []core.ContainerStatus{{Name: "init", State: core.ContainerState{Terminated: &core.ContainerStateTerminated{Reason: "Completed", FinishedAt: at(0)}}}},
			ContainerStatuses: []core.ContainerStatus{{
				Name: "api", RestartCount: 7, State: core.ContainerState{Waiting: &core.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "back-off"}},
				LastTerminationState: core.ContainerState{Terminated: &core.ContainerStateTerminated{Reason: "OOMKilled", ExitCode: 137, StartedAt: at(0), FinishedAt: at(time.Second)}},
			}},
		},
	}
	evicted := p.DeepCopy()
	evicted.Status.Phase = core.PodFailed
	evicted.Status.Conditions = []core.PodCondition{
		{Type: core.DisruptionTarget, Status: core.ConditionTrue, LastTransitionTime: at(time.Hour)},
		{Type: core.PodReady, Status: core.ConditionFalse, LastTransitionTime: at(2 * time.Hour)},
	}
	if e := toPod(evicted); !e.Ended.Equal(at(time.Hour).Time) || !toPod(p).Ended.IsZero() {
		t.Errorf("evicted at %v", e.Ended)
	}
	evicted.Status.Conditions = evicted.Status.Conditions[1:]
	if e := toPod(evicted); !e.Ended.Equal(at(2 * time.Hour).Time) {
		t.Errorf("stopped being ready at %v", e.Ended)
	}
	got := toPod(p)
	if got.Node != "worker-0" || !got.Deleting.Equal(deleting.Time) || got.Message != "0/5 nodes are available" || len(got.Finalizers) != 1 || len(got.Containers) != 3 {
		t.Fatalf("%+v", got)
	}
	init, api, late := got.Containers[0], got.Containers[1], got.Containers[2]
	if !init.Init || init.State != "terminated" || init.Reason != "Completed" || !init.Since.Equal(day) {
		t.Errorf("init: %+v", init)
	}
	if api.Restarts != 7 || api.State != "waiting" || api.Last.Reason != "OOMKilled" || api.Last.ExitCode != 137 || api.MemLimit != 256<<20 {
		t.Errorf("api: %+v", api)
	}
	if late.State != "" || late.Since != (time.Time{}) {
		t.Errorf("a container that was not reported: %+v", late)
	}
}

func TestEventTimes(t *testing.T) {
	t.Parallel()
	series := &core.Event{Type: "Warning", EventTime: metav1.NewMicroTime(day), ReportingController: "kubelet", Series: &core.EventSeries{Count: 9, LastObservedTime: metav1.NewMicroTime(day.Add(time.Hour))}}
	if e := toEvent(series); e.Count != 9 || !e.Last.Equal(day.Add(time.Hour)) || !e.First.Equal(day) || e.Component != "kubelet" {
		t.Errorf("%+v", e)
	}
	bare := &core.Event{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: at(0)}, Type: "Warning"}
	if e := toEvent(bare); e.Count != 1 || !e.First.Equal(day) || !e.Last.Equal(day) {
		t.Errorf("%+v", e)
	}
	if toWarning(&core.Event{Type: "Normal"}) != nil || toNodeEvent(&core.Event{Type: "Normal", Reason: "NodeReady"}) != nil {
		t.Error("events that are not read are kept")
	}
	if toNodeEvent(&core.Event{Type: "Normal", Reason: "CertificateExpirationOK"}) == nil {
		t.Error("k3s's certificate event is not kept")
	}
}

func TestBatchAndIngress(t *testing.T) {
	t.Parallel()
	suspend, zone := true, "Europe/Berlin"
	last := at(0)
	c := toCronJob(&batch.CronJob{
		ObjectMeta: metav1.ObjectMeta{Name: "dump", Labels: map[string]string{"a": string(make([]byte, 10000)) + "z"}},
		Spec:       batch.CronJobSpec{Schedule: "0 3 * * *", Suspend: &suspend, TimeZone: &zone}, Status: batch.CronJobStatus{LastSuccessfulTime: &last},
	})
	if !c.Suspended || c.TimeZone != zone || !c.LastSuccess.Equal(day) || !c.LastScheduled.IsZero() || c.Labels["a"] != "z" {
		t.Errorf("%+v", c)
	}
	j := toJob(&batch.Job{Status: batch.JobStatus{Failed: 3, Conditions: []batch.JobCondition{
		{Type: batch.JobFailed, Status: core.ConditionTrue, Reason: "BackoffLimitExceeded", LastTransitionTime: at(0)},
	}}})
	if j.Failures != 3 || j.Reason != "BackoffLimitExceeded" || !j.Failed.Equal(day) {
		t.Errorf("%+v", j)
	}
	i := toIngress(&networking.Ingress{Spec: networking.IngressSpec{
		Rules: []networking.IngressRule{{Host: "a.example"}, {Host: "b.example"}},
		TLS:   []networking.IngressTLS{{Hosts: []string{"a.example"}, SecretName: "tls"}, {SecretName: "tls"}, {}},
	}})
	if !slices.Equal(i.Hosts, []string{"a.example", "b.example"}) || !slices.Equal(i.Secrets, []string{"tls"}) {
		t.Errorf("%+v", i)
	}
}

// TestUnreadableObject: whatever a custom resource holds, nothing breaks.
func TestUnreadableObject(t *testing.T) {
	t.Parallel()
	l := &lister{resource: resource{name: "certificates", convert: toCertificate}, c: &Client{log: func(string, ...any) {}}}
	for _, o := range []map[string]any{
		{},
		{"metadata": map[string]any{"name": "a", "namespace": "b"}, "spec": "text", "status": []any{1}},
		{"metadata": map[string]any{"name": "a"}, "status": map[string]any{"notAfter": "yesterday"}},
	} {
		_ = l.small(&unstructured.Unstructured{Object: o})
	}
	l.convert = of(func(*core.Node) *sources.Node { panic("boom") })
	if s := l.small(&core.Node{ObjectMeta: metav1.ObjectMeta{Name: "a"}}); s.value != nil || s.Name != "a" {
		t.Errorf("%+v", s)
	}
}

// TestIncident reads the demo's stories as the panes need them.
func TestIncident(t *testing.T) {
	t.Parallel()
	b := start(t, demo.Options{Scenario: demo.Incident}).look("admin")
	s := b.until("owners and steps", func(s *sources.Snapshot) bool {
		return settled(s) && len(s.Secrets.Value) > 0 && slices.ContainsFunc(s.Certificates.Value, func(c sources.Certificate) bool { return len(c.Steps) > 1 })
	})
	for _, c := range s.Certificates.Value {
		for i, step := range c.Steps {
			if want := []string{"CertificateRequest", "Order", "Challenge"}[min(i, 2)]; step.Ref.Kind != want || step.State == "" {
				t.Errorf("%s step %d: %+v", c.Ref, i, step)
			}
		}
	}
	kinds := map[string]int{}
	for _, p := range s.Pods.Value {
		kinds[p.Owner.Kind]++
	}
	if kinds["Deployment"] == 0 || kinds["CronJob"] == 0 || kinds["ReplicaSet"] > 0 || kinds["Job"] > 0 {
		t.Errorf("owners: %v", kinds)
	}
	for _, c := range s.Secrets.Value {
		if c.Err != nil || c.NotAfter.IsZero() || len(c.SHA256) != 64 || len(c.DNSNames) == 0 {
			t.Errorf("Secret %+v", c)
		}
	}
}
