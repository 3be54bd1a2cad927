package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/pager"
	helper "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"k8s.io/kubectl/pkg/drain"

	"daytwo/sources"
)

// census is everything of a cluster that decides what a drain would do.
type census struct {
	op *Operator

	nodes    []*core.Node
	pods     []*core.Pod
	budgets  []*policy.PodDisruptionBudget
	replicas map[sources.Ref]int32       // that a workload wants
	above    map[sources.Ref]sources.Ref // Deployment of a ReplicaSet
	daemons  []*apps.DaemonSet
	claims   map[string]*core.PersistentVolumeClaim // by namespace/name
	volumes  map[string]*core.PersistentVolume
	used     map[string]int64 // bytes of emptyDirs, by namespace/pod/volume
	plans    []sources.Fact
	goes     map[string]bool // UIDs that kubectl's drain takes

	mu     sync.Mutex
	unread []string
}

// Occupancy looks at a node from all sides that matter to who wants to empty
// it. What may not be read, or does not answer, is named in it; only without
// nodes, pods and budgets there is no answer.
func (o *Operator) Occupancy(ctx context.Context, node string) (sources.Occupancy, error) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	n := &census{
		op: o, replicas: map[sources.Ref]int32{}, above: map[sources.Ref]sources.Ref{},
		claims: map[string]*core.PersistentVolumeClaim{}, volumes: map[string]*core.PersistentVolume{},
		used: map[string]int64{}, goes: map[string]bool{},
	}
	if err := n.take(ctx, node); err != nil {
		return sources.Occupancy{}, err
	}
	i := slices.IndexFunc(n.nodes, func(x *core.Node) bool { return x.Name == node })
	if i < 0 {
		return sources.Occupancy{}, fmt.Errorf("there is no node %s in this cluster any more; look at the nodes again", node)
	}
	return n.occupancy(n.nodes[i]), nil
}

// take reads everything, all at once.
func (n *census) take(ctx context.Context, node string) error {
	var wg sync.WaitGroup
	must := make([]error, 4)
	wg.Go(func() { must[0] = n.readNodes(ctx) })
	wg.Go(func() { must[1] = n.readPods(ctx, node) })
	wg.Go(func() { must[2] = n.readBudgets(ctx) })
	wg.Go(func() { must[3] = n.filter(ctx, node) })
	for what, read := range map[string]func(context.Context) error{
		"whether a workload has one replica only": n.readWorkloads,
		"which volumes tie a pod to its node":     n.readVolumes,
		"whether kured holds its lock":            n.readDaemons,
		"whether another upgrade is under way":    n.readPlans,
		"how much is in emptyDir volumes":         func(ctx context.Context) error { return n.readScratch(ctx, node) },
	} {
		wg.Go(func() {
			if err := read(ctx); err != nil {
				n.mu.Lock()
				defer n.mu.Unlock()
				n.unread = append(n.unread, what+": "+err.Error())
			}
		})
	}
	wg.Wait()
	slices.Sort(n.unread)
	return errors.Join(must...)
}

// eachItem calls do with every object of a list, page by page.
func eachItem[T runtime.Object](ctx context.Context, c *Client, need Need, list pager.ListPageFunc, do func(T)) error {
	p := pager.New(list)
	p.PageSize = pageSize
	err := p.EachListItem(ctx, metav1.ListOptions{}, func(o runtime.Object) error {
		if x, ok := o.(T); ok {
			do(x)
		}
		return nil
	})
	if err != nil {
		return c.explain(err, need, listTimeout)
	}
	return nil
}

func (n *census) readNodes(ctx context.Context) error {
	return eachItem(ctx, n.op.c, Need{Verb: "list", Resource: "nodes"},
		func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			return n.op.set.CoreV1().Nodes().List(ctx, o)
		}, func(x *core.Node) { n.nodes = append(n.nodes, x) })
}

// readPods keeps of pods elsewhere only what takes room.
func (n *census) readPods(ctx context.Context, node string) error {
	return eachItem(ctx, n.op.c, Need{Verb: "list", Resource: "pods"},
		func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			return n.op.set.CoreV1().Pods("").List(ctx, o)
		}, func(x *core.Pod) {
			if x.Spec.NodeName != node {
				x = &core.Pod{
					ObjectMeta: metav1.ObjectMeta{Namespace: x.Namespace, Name: x.Name, Labels: x.Labels, DeletionTimestamp: x.DeletionTimestamp},
					Spec: core.PodSpec{
						NodeName: x.Spec.NodeName, InitContainers: x.Spec.InitContainers, Containers: x.Spec.Containers, Overhead: x.Spec.Overhead,
					},
					Status: core.PodStatus{Phase: x.Status.Phase},
				}
			}
			n.pods = append(n.pods, x)
		})
}

func (n *census) readBudgets(ctx context.Context) error {
	return eachItem(ctx, n.op.c, Need{Verb: "list", Group: "policy", Resource: "poddisruptionbudgets"},
		func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			return n.op.set.PolicyV1().PodDisruptionBudgets("").List(ctx, o)
		}, func(x *policy.PodDisruptionBudget) { n.budgets = append(n.budgets, x) })
}

func (n *census) readWorkloads(ctx context.Context) error {
	set := n.op.set.AppsV1()
	err := eachItem(ctx, n.op.c, Need{Verb: "list", Group: "apps", Resource: "replicasets"},
		func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			return set.ReplicaSets("").List(ctx, o)
		}, func(x *apps.ReplicaSet) {
			w := toReplicaSet(x)
			n.replicas[w.Ref] = w.Desired
			if w.Owner.Name != "" {
				n.above[w.Ref] = w.Owner
			}
		})
	if err != nil {
		return err
	}
	err = eachItem(ctx, n.op.c, Need{Verb: "list", Group: "apps", Resource: "deployments"},
		func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			return set.Deployments("").List(ctx, o)
		}, func(x *apps.Deployment) { w := toDeployment(x); n.replicas[w.Ref] = w.Desired })
	if err != nil {
		return err
	}
	return eachItem(ctx, n.op.c, Need{Verb: "list", Group: "apps", Resource: "statefulsets"},
		func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			return set.StatefulSets("").List(ctx, o)
		}, func(x *apps.StatefulSet) { w := toStatefulSet(x); n.replicas[w.Ref] = w.Desired })
}

func (n *census) readVolumes(ctx context.Context) error {
	err := eachItem(ctx, n.op.c, Need{Verb: "list", Resource: "persistentvolumeclaims"},
		func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			return n.op.set.CoreV1().PersistentVolumeClaims("").List(ctx, o)
		}, func(x *core.PersistentVolumeClaim) { n.claims[x.Namespace+"/"+x.Name] = x })
	if err != nil {
		return err
	}
	return eachItem(ctx, n.op.c, Need{Verb: "list", Resource: "persistentvolumes"},
		func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			return n.op.set.CoreV1().PersistentVolumes().List(ctx, o)
		}, func(x *core.PersistentVolume) { n.volumes[x.Name] = x })
}

func (n *census) readDaemons(ctx context.Context) error {
	return eachItem(ctx, n.op.c, Need{Verb: "list", Group: "apps", Resource: "daemonsets"},
		func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			return n.op.set.AppsV1().DaemonSets("").List(ctx, o)
		}, func(x *apps.DaemonSet) { n.daemons = append(n.daemons, x) })
}

// readScratch asks the node's kubelet how full its pods' emptyDirs are.
func (n *census) readScratch(ctx context.Context, node string) error {
	raw, err := n.op.c.Get(ctx, "/api/v1/nodes/"+node+"/proxy/stats/summary", NeedProxy(), 2*requestTimeout)
	if err != nil {
		return err
	}
	var summary struct {
		Pods []struct {
			Ref struct {
				Namespace, Name string
			} `json:"podRef"`
			Volumes []struct {
				Name string `json:"name"`
				Used *int64 `json:"usedBytes"`
			} `json:"volume"`
		} `json:"pods"`
	}
	if err := json.Unmarshal(raw, &summary); err != nil {
		return fmt.Errorf("its kubelet's stats/summary cannot be read: %w", err)
	}
	for _, p := range summary.Pods {
		for _, v := range p.Volumes {
			if v.Used != nil {
				n.used[p.Ref.Namespace+"/"+p.Ref.Name+"/"+v.Name] = *v.Used
			}
		}
	}
	return nil
}

// filter asks kubectl's own library which pods a drain takes off a node:
// forced, so that what nothing makes again is among them and can be told.
func (n *census) filter(ctx context.Context, node string) error {
	list, errs := n.op.helper(ctx).GetPodsForDeletion(node)
	if list != nil {
		for _, p := range list.Pods() {
			n.goes[string(p.UID)] = true
		}
	}
	switch {
	case len(errs) == 0:
		return nil
	case list == nil:
		return n.op.c.explain(errors.Join(errs...), Need{Verb: "list", Resource: "pods"}, listTimeout)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, err := range errs { // of single pods, which then stay
		n.unread = append(n.unread, oneLine(err))
	}
	return nil
}

// helper is kubectl's, set as kubectl itself sets it for
// "drain --ignore-daemonsets --delete-emptydir-data --force".
func (o *Operator) helper(ctx context.Context) *drain.Helper {
	return &drain.Helper{
		Ctx: ctx, Client: o.set, Force: true, IgnoreAllDaemonSets: true, DeleteEmptyDirData: true,
		GracePeriodSeconds: -1, ChunkSize: pageSize, EvictErrorRetryDelay: 5 * time.Second,
	}
}

// fits reports whether a node's labels and taints let a pod on it.
func fits(p *core.Pod, n *core.Node) bool {
	return fitsLabels(p, n) && tolerated(p.Spec.Tolerations, n.Spec.Taints...)
}

// fitsLabels reports whether a pod's selector and required affinity choose a
// node.
func fitsLabels(p *core.Pod, n *core.Node) bool {
	ok, err := nodeaffinity.GetRequiredNodeAffinity(p).Match(n)
	return err == nil && ok
}

// tolerated reports whether none of the taints keeps new pods off.
func tolerated(by []core.Toleration, taints ...core.Taint) bool {
	_, kept := helper.FindMatchingUntoleratedTaint(logr.Discard(), taints, by, func(t *core.Taint) bool {
		return t.Effect == core.TaintEffectNoSchedule || t.Effect == core.TaintEffectNoExecute
	}, false)
	return !kept
}
