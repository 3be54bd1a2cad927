package views

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"daytwo/sources"
	"daytwo/ui"
)

// podsWhere picks pods and puts the worst first: not ready, then by restarts,
// then by name.
func podsWhere(s *sources.Snapshot, want func(*sources.Pod) bool) []sources.Pod {
	var out []sources.Pod
	for i := range s.Pods.Value {
		if want(&s.Pods.Value[i]) {
			out = append(out, s.Pods.Value[i])
		}
	}
	slices.SortStableFunc(out, func(a, b sources.Pod) int {
		return cmp.Or(
			cmp.Compare(podWorry(a), podWorry(b)),
			cmp.Compare(podRestarts(b), podRestarts(a)),
			cmp.Compare(a.Namespace, b.Namespace),
			cmp.Compare(a.Name, b.Name))
	})
	return out
}

// podWorry is lower for what wants to be seen first.
func podWorry(p sources.Pod) int {
	if p.Ready || p.Phase == "Succeeded" {
		return 1
	}
	return 0
}

func podsOn(s *sources.Snapshot, node string) []sources.Pod {
	return podsWhere(s, func(p *sources.Pod) bool { return p.Node == node })
}

func podsOf(s *sources.Snapshot, owner sources.Ref) []sources.Pod {
	return podsWhere(s, func(p *sources.Pod) bool {
		return p.Owner == owner || (owner.Kind == "Pod" && p.Name == owner.Name && p.Namespace == owner.Namespace)
	})
}

func podRefs(pods []sources.Pod) []sources.Ref {
	refs := make([]sources.Ref, len(pods))
	for i, p := range pods {
		refs[i] = p.Ref()
	}
	return refs
}

func podRestarts(p sources.Pod) int {
	n := 0
	for _, c := range p.Containers {
		n += int(c.Restarts)
	}
	return n
}

// podState is what kubectl's STATUS column says: the reason of a container
// that does not run, else the pod's own reason or phase.
func podState(p sources.Pod) string {
	if !p.Deleting.IsZero() {
		return "Terminating"
	}
	for _, c := range p.Containers {
		if c.Reason != "" && c.State != "running" && c.Reason != "Completed" {
			return c.Reason
		}
	}
	return cmp.Or(p.Reason, p.Phase, unsure)
}

func readyCount(p sources.Pod) string {
	ready, all := 0, 0
	for _, c := range p.Containers {
		if c.Init {
			continue
		}
		all++
		if c.Ready {
			ready++
		}
	}
	return strconv.Itoa(ready) + "/" + strconv.Itoa(all)
}

// podLines is a table of pods in the order given.
func podLines(f ui.Frame, pods []sources.Pod, width int) []string {
	if len(pods) == 0 {
		return []string{f.Theme.Dim.Render("no pods")}
	}
	sh := sheet{titles: []string{"pod", "ready", "state", "restarts", "age", "node"}}
	for _, p := range pods[:min(len(pods), mostPods)] {
		style := styleIf(podWorry(p) == 0, f.Theme.Warning, f.Theme.Text)
		sh.rows = append(sh.rows, []ui.Cell{
			{Text: p.Ref().String(), Style: style},
			plain(f, readyCount(p)),
			{Text: podState(p), Style: style},
			plain(f, strconv.Itoa(podRestarts(p))),
			dim(f, ago(p.Created, f.Now)),
			dim(f, p.Node),
		})
	}
	lines := sh.lines(f, width)
	if more := len(pods) - mostPods; more > 0 {
		lines = append(lines, f.Theme.Dim.Render(strconv.Itoa(more)+" more"))
	}
	return lines
}

// containerLines is a table of the containers of some pods: what restarts
// them, and what they may use.
func containerLines(f ui.Frame, pods []sources.Pod, width int) []string {
	sh := sheet{titles: []string{"container", "restarts", "state", "last ended", "exit", "when", "memory limit", "pod"}}
	for _, p := range pods[:min(len(pods), mostPods)] {
		for _, c := range p.Containers {
			sh.rows = append(sh.rows, containerRow(f, p, c))
		}
	}
	if len(sh.rows) == 0 {
		return []string{f.Theme.Dim.Render("no containers now")}
	}
	return sh.lines(f, width)
}

func containerRow(f ui.Frame, p sources.Pod, c sources.Container) []ui.Cell {
	last, exit, when := "", "", ""
	if !c.Last.Finished.IsZero() {
		last = cmp.Or(c.Last.Reason, "ended")
		exit = strconv.Itoa(int(c.Last.ExitCode))
		when = agoWords(c.Last.Finished, f.Now)
	}
	state := cmp.Or(c.Reason, c.State, unsure)
	bad := c.State != "running" && c.Reason != "Completed"
	name := c.Name
	if c.Init {
		name += " (init)"
	}
	return []ui.Cell{
		strong(f, name),
		plain(f, strconv.Itoa(int(c.Restarts))),
		{Text: state, Style: styleIf(bad, f.Theme.Warning, f.Theme.Text)},
		{Text: last, Style: styleIf(last == "OOMKilled", f.Theme.Warning, f.Theme.Text)},
		plain(f, exit), dim(f, when), plain(f, limit(c.MemLimit)), dim(f, p.Name),
	}
}

func findPod(s *sources.Snapshot, about sources.Ref) (sources.Pod, bool) {
	for i := range s.Pods.Value {
		if p := &s.Pods.Value[i]; p.Name == about.Name && p.Namespace == about.Namespace {
			return *p, true
		}
	}
	return sources.Pod{}, false
}

// podPicture is the detail of a pod.
func podPicture(f ui.Frame, about sources.Ref, width int) picture {
	p, ok := findPod(f.Snapshot, about)
	if !ok {
		return picture{}
	}
	container, restarted := worstContainer(p)
	return picture{
		found:    true,
		row:      podRow(f.Snapshot, about, p),
		commands: podCommands(about, container, restarted),
		sections: []section{
			{"Pod", podFacts(f, p, width)},
			{"Containers", containerLines(f, []sources.Pod{p}, width)},
			eventSection(f, width, about, p.Owner),
		},
	}
}

// podRow is the state of a pod: the worst that is found of it, else ok if it
// was read and is ready, else unknown with the reason.
func podRow(s *sources.Snapshot, about sources.Ref, p sources.Pod) sources.Row {
	row := sources.Row{About: about, Severity: worstAbout(s, about, sources.OK), Summary: podState(p)}
	why := paneSource(s, restarts).lacks()
	switch {
	case row.Severity > sources.Unknown:
	case why != "":
		row.Severity, row.Summary = sources.Unknown, why
	case podWorry(p) == 0:
		row.Severity, row.Summary = sources.Unknown, podState(p)+", "+readyCount(p)+" ready"
	}
	return row
}

func podFacts(f ui.Frame, p sources.Pod, width int) []string {
	deleting := ""
	if !p.Deleting.IsZero() {
		deleting = "since " + ago(p.Deleting, f.Now)
	}
	return pairs(f, width,
		pair{"state", plain(f, podState(p)+", "+readyCount(p)+" ready")},
		pair{"message", plain(f, p.Message)},
		pair{"terminating", judged(f, sources.Warning, deleting)},
		pair{"finalizers", plain(f, strings.Join(p.Finalizers, ", "))},
		pair{"owner", plain(f, p.Owner.Kind+" "+p.Owner.String())},
		pair{"node", plain(f, cmp.Or(p.Node, "not scheduled"))},
		pair{"created", plain(f, moment(p.Created)+", "+agoWords(p.Created, f.Now))},
	)
}

// worstContainer is the container whose log one would read first: the one
// that restarted most, and whether it did at all.
func worstContainer(p sources.Pod) (name string, restarted bool) {
	most := int32(-1)
	for _, c := range p.Containers {
		if c.Restarts > most {
			most, name = c.Restarts, c.Name
		}
	}
	return name, most > 0
}
