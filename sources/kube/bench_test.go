package kube

import (
	"fmt"
	goruntime "runtime"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"

	"daytwo/sources"
)

// bigPod is a pod as a real API server sends it: some 4 kB.
func bigPod(i int) *core.Pod {
	app := fmt.Sprintf("app-%d", i/30)
	p := &core.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: fmt.Sprintf("team-%d", i%20), Name: fmt.Sprintf("%s-5d8f9c7b64-%05d", app, i),
			UID: types.UID(fmt.Sprintf("df0b47d8-b706-4fd3-96d6-%012d", i)), ResourceVersion: fmt.Sprint(i),
			Labels:          map[string]string{"app.kubernetes.io/name": app, "pod-template-hash": "5d8f9c7b64"},
			Annotations:     map[string]string{"checksum/config": "5f67222f59bbfe56197d175eff4668f582de3174030bdee1cf313966c80b8e88"},
			OwnerReferences: controller("ReplicaSet", app+"-5d8f9c7b64"),
			ManagedFields:   []metav1.ManagedFieldsEntry{managed("kubelet", `{"f:status":{`+string(make([]byte, 1500))+`}}`, at(0))},
		},
		Spec: core.PodSpec{NodeName: fmt.Sprintf("worker-%d", i%200), Containers: []core.Container{{
			Name: "app", Image: "registry.example.org/" + app + ":1.2.3", Env: make([]core.EnvVar, 20), VolumeMounts: make([]core.VolumeMount, 5),
		}}, Volumes: make([]core.Volume, 5), Tolerations: make([]core.Toleration, 2)},
		Status: core.PodStatus{Phase: core.PodRunning, PodIP: "10.42.0.7", Conditions: []core.PodCondition{{Type: core.PodReady, Status: core.ConditionTrue}}},
	}
	started := at(-time.Hour)
	p.Status.ContainerStatuses = []core.ContainerStatus{{
		Name: "app", Ready: true, Image: p.Spec.Containers[0].Image, RestartCount: int32(i % 3),
		ImageID: "registry.example.org/" + app + "@sha256:5f67222f59bbfe56197d175eff4668f582de3174030bdee1cf313966c80b8e88",
		State:   core.ContainerState{Running: &core.ContainerStateRunning{StartedAt: started}},
	}}
	return p
}

func filled(n int) (*world, []any) {
	c := &Client{now: time.Now, pace: usualPace(), log: func(string, ...any) {}}
	c.roster.init()
	w := newWorld(c)
	l := &lister{resource: resource{convert: of(toPod)}, c: c}
	list := make([]any, n)
	for i := range list {
		list[i] = l.small(bigPod(i))
	}
	_ = w.pods.Replace(list, "1")
	return w, list
}

// BenchmarkPodFromTheWire decodes one pod from protobuf and makes it small.
func BenchmarkPodFromTheWire(b *testing.B) {
	wire := protobuf(b)
	p := bigPod(7)
	p.APIVersion, p.Kind = "v1", "Pod"
	raw, err := runtime.Encode(wire, p)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		o, _, err := wire.Decode(raw, nil, nil)
		if err != nil {
			b.Fatal(err)
		}
		p, ok := o.(*core.Pod)
		if !ok || toPod(p) == nil {
			b.Fatal("not a pod")
		}
	}
}

func protobuf(b *testing.B) runtime.Serializer {
	b.Helper()
	for _, m := range scheme.Codecs.SupportedMediaTypes() {
		if m.MediaType == runtime.ContentTypeProtobuf {
			return m.Serializer
		}
	}
	b.Fatal("no protobuf")
	return nil
}

// BenchmarkRestartStorm is 5,000 of 6,000 pods that change at once, with one
// publication for each 1,000 changes.
func BenchmarkRestartStorm(b *testing.B) {
	w, list := filled(6000)
	w.edits()
	b.ReportAllocs()
	for b.Loop() {
		for i, obj := range list[:5000] {
			s, ok := obj.(*small)
			if !ok {
				b.Fatal("not small")
			}
			p, ok := s.value.(*pod)
			if !ok {
				b.Fatal("not a pod")
			}
			next := *p
			next.Containers = []sources.Container{p.Containers[0]}
			next.Containers[0].Restarts++
			s = &small{ObjectMeta: s.ObjectMeta, value: &next}
			list[i] = s
			_ = w.pods.Update(s)
			if i%1000 == 999 {
				w.edits()
			}
		}
	}
}

// BenchmarkPublishPods is one publication after one of 6,000 pods changed.
func BenchmarkPublishPods(b *testing.B) {
	w, _ := filled(6000)
	b.ReportAllocs()
	for b.Loop() {
		w.pods.version++
		if len(w.edits()) == 0 {
			b.Fatal("nothing to publish")
		}
	}
}

// BenchmarkIdleProbe is what a probe costs when nothing changed.
func BenchmarkIdleProbe(b *testing.B) {
	w, _ := filled(6000)
	now := time.Now()
	w.pods.open(now)
	w.edits()
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(time.Second)
		w.confirm(now)
		if len(w.edits()) != 1 {
			b.Fatal("the age of the pods did not move")
		}
	}
}

// BenchmarkMemoryOfPods reports the heap that 6,000 pods and two snapshots of
// them keep.
func BenchmarkMemoryOfPods(b *testing.B) {
	for b.Loop() {
		var before, after goruntime.MemStats
		goruntime.GC()
		goruntime.ReadMemStats(&before)
		w, list := filled(6000)
		clear(list)
		older, newer := w.podList(), w.podList()
		goruntime.GC()
		goruntime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/6000, "B/pod")
		goruntime.KeepAlive([]any{w, older, newer})
	}
}
