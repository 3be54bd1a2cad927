package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"daytwo/sources"
)

// Evicted pods stay as objects until somebody deletes them; they are told of
// over a weekend, not for ever.
const evictedFor = 72 * time.Hour

// trouble is one kind of trouble of one owner's pods: 5,000 failing pods of
// a Deployment are one line.
type trouble struct {
	rule  string
	about sources.Ref
}

// group is what the pods with the same trouble have in common.
type group struct {
	trouble
	count   int
	oldest  time.Time
	newest  time.Time
	text    string // of the first pod by name
	example string
	facts   []sources.Fact
}

// judgePods applies the pod rules.
func (l *look) judgePods() {
	if !l.s.Pods.Loaded() {
		return
	}
	groups := map[trouble]*group{}
	for i := range l.s.Pods.Value {
		p := &l.s.Pods.Value[i]
		switch {
		case !p.Deleting.IsZero():
			l.podTerminating(groups, p)
		case p.Phase == "Failed" && p.Reason == "Evicted":
			l.podEvicted(groups, p)
		case p.Phase == "Succeeded" || p.Phase == "Failed":
		case podWaiting(p) != nil:
			l.podWaits(groups, p, podWaiting(p))
		case p.Phase == "Pending":
			l.podPending(groups, p)
		}
	}
	l.explainPending(groups)
	for _, g := range groups {
		l.add(nil, l.podFinding(g))
	}
}

// put files a pod under its owner. The example is the first by name, so that
// the line does not change with the order of the list.
func (l *look) put(groups map[trouble]*group, rule string, about sources.Ref, p *sources.Pod, at time.Time, text string) {
	key := trouble{rule, about}
	g := groups[key]
	if g == nil {
		g = &group{trouble: key, oldest: at, newest: at, example: p.Name, text: text}
		groups[key] = g
	}
	g.count++
	if sources.CompareNames(p.Name, g.example) < 0 {
		g.example, g.text = p.Name, text
	}
	if at.Before(g.oldest) {
		g.oldest = at
	}
	if at.After(g.newest) {
		g.newest = at
	}
	if len(g.facts) < 20 {
		g.facts = append(g.facts, fact(l.s.Pods.At, "pod status", p.Name+": "+brief(text, 300)))
	}
}

func ownerOf(p *sources.Pod) sources.Ref {
	if p.Owner.Name == "" {
		return p.Ref()
	}
	return p.Owner
}

// podWaiting is the container that cannot start for a reason that waiting
// does not mend; nil if there is none.
func podWaiting(p *sources.Pod) *sources.Container {
	for i := range p.Containers {
		if c := &p.Containers[i]; c.State == "waiting" && waitRule(c.Reason) != "" {
			return c
		}
	}
	return nil
}

// waitRule maps the kubelet's waiting reasons to rules
// (pkg/kubelet/images/types.go, pkg/kubelet/kuberuntime/kuberuntime_container.go).
func waitRule(reason string) string {
	switch reason {
	case "ImagePullBackOff", "ErrImagePull", "ErrImageNeverPull", "InvalidImageName", "ImageInspectError",
		"RegistryUnavailable", "SignatureValidationFailed":
		return PodImage
	case "CreateContainerConfigError", "CreateContainerError", "RunContainerError", "PreStartHookError",
		"PreCreateHookError", "PostStartHookError":
		return PodConfig
	}
	return ""
}

func (l *look) podWaits(groups map[trouble]*group, p *sources.Pod, c *sources.Container) {
	rule := waitRule(c.Reason)
	text := c.Reason + ": " + brief(c.Message, 60)
	if rule == PodImage {
		text = c.Reason + ": " + c.Image
	}
	at := c.Since
	if at.IsZero() {
		at = p.Created
	}
	l.put(groups, rule, ownerOf(p), p, at, text)
}

func (l *look) podPending(groups map[trouble]*group, p *sources.Pod) {
	if l.now.Sub(p.Created) <= l.limits.PodStuck || p.Created.IsZero() {
		return
	}
	text := p.Message
	if text == "" && p.Node != "" {
		text = "waiting on " + p.Node
		for i := range p.Containers {
			if r := p.Containers[i].Reason; r != "" {
				text = r + " on " + p.Node
				break
			}
		}
	}
	l.put(groups, PodPending, ownerOf(p), p, p.Created, text)
}

// podTerminating: deletionTimestamp already includes the grace period
// (metav1.ObjectMeta), so what is past it is stuck.
func (l *look) podTerminating(groups map[trouble]*group, p *sources.Pod) {
	if l.now.Sub(p.Deleting) <= l.limits.PodStuck {
		return
	}
	text := ""
	switch {
	case len(p.Finalizers) > 0:
		text = "finalizer " + strings.Join(p.Finalizers, ", ")
	case l.down[p.Node]:
		text = "node " + p.Node + " is not ready"
	case p.Node != "":
		text = "on " + p.Node
	}
	l.put(groups, PodStuck, ownerOf(p), p, p.Deleting, text)
}

// podEvicted groups by node, because the node is what was short of something.
// When that was is told by the pod's conditions or its containers' ends; an
// evicted pod may have neither, and is then reported rather than left out.
func (l *look) podEvicted(groups map[trouble]*group, p *sources.Pod) {
	at := p.Ended
	for i := range p.Containers {
		if c := &p.Containers[i]; c.State == "terminated" && c.Since.After(at) {
			at = c.Since
		}
	}
	if p.Node == "" || !at.IsZero() && l.now.Sub(at) > evictedFor {
		return
	}
	l.put(groups, PodEvicted, node(p.Node), p, at, p.Message)
}

// explainPending asks the events about pods that say nothing themselves:
// volumes that do not mount tell it only there.
func (l *look) explainPending(groups map[trouble]*group) {
	silent := map[sources.Ref]*group{}
	for key, g := range groups {
		if key.rule == PodPending && (g.text == "" || strings.Contains(g.text, " on ")) {
			silent[sources.Ref{Kind: "Pod", Namespace: g.about.Namespace, Name: g.example}] = g
		}
	}
	if len(silent) == 0 {
		return
	}
	newest := map[*group]time.Time{}
	for i := range l.s.Events.Value {
		e := &l.s.Events.Value[i]
		g := silent[e.About]
		if g == nil || e.Type == "Normal" || e.Last.Before(newest[g]) {
			continue
		}
		newest[g] = e.Last
		g.text = e.Reason + ": " + brief(e.Message, 60)
		g.facts = append(g.facts, fact(e.Last, "event "+e.Reason, e.Message))
	}
}

func (l *look) podFinding(g *group) sources.Finding {
	f := sources.Finding{Rule: g.rule, Severity: sources.Warning, About: g.about, Evidence: g.facts}
	pods := ""
	if g.count > 1 {
		pods = fmt.Sprintf("%d pods ", g.count)
	}
	switch g.rule {
	case PodPending:
		f.Summary = join(pods+"pending"+lasting(g.oldest, l.now), brief(g.text, 80))
	case PodStuck:
		f.Summary = join(pods+"terminating"+lasting(g.oldest, l.now), brief(g.text, 80))
	case PodEvicted:
		text := fmt.Sprintf("%d pod%s evicted", g.count, plural(g.count))
		if !g.newest.IsZero() {
			text += ", last " + sources.Ago(g.newest, l.now)
		}
		f.Summary = join(text, brief(g.text, 60))
	default:
		f.Summary = join(brief(g.text, 90), strings.TrimSpace(pods), l.readyText(g.about))
	}
	slices.SortStableFunc(f.Evidence, func(a, b sources.Fact) int { return strings.Compare(a.Text, b.Text) })
	return f
}

// readyText says how much of a workload still serves.
func (l *look) readyText(owner sources.Ref) string {
	for i := range l.s.Workloads.Value {
		if w := &l.s.Workloads.Value[i]; w.Ref == owner && w.Desired > 0 {
			return fmt.Sprintf("%d of %d ready", w.Ready, w.Desired)
		}
	}
	return ""
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}
