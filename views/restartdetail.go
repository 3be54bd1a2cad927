package views

import (
	"cmp"
	"slices"
	"strconv"

	"daytwo/sources"
	"daytwo/ui"
)

func findStory(s *sources.Snapshot, about sources.Ref) (sources.RestartStory, bool) {
	i := slices.IndexFunc(s.Judged.Restarts, func(r sources.RestartStory) bool { return r.About == about })
	if i < 0 {
		return sources.RestartStory{}, false
	}
	return s.Judged.Restarts[i], true
}

func findWorkload(s *sources.Snapshot, about sources.Ref) (sources.Workload, bool) {
	i := slices.IndexFunc(s.Workloads.Value, func(w sources.Workload) bool { return w.Ref == about })
	if i < 0 {
		return sources.Workload{}, false
	}
	return s.Workloads.Value[i], true
}

// ownerPicture is the detail of an owner of pods: its restarts, containers
// and pods.
func ownerPicture(f ui.Frame, about sources.Ref, width int) picture {
	story, told := findStory(f.Snapshot, about)
	load, known := findWorkload(f.Snapshot, about)
	pods := podsOf(f.Snapshot, about)
	if !told && !known && len(pods) == 0 {
		return picture{}
	}
	p := picture{found: true, row: story.Row}
	if !told {
		p.row = ownerRow(f.Snapshot, about, load, known, pods)
	}
	pod, container, restarted := "", story.Container, false
	if len(pods) > 0 {
		pod = pods[0].Name
		most, some := worstContainer(pods[0])
		container, restarted = cmp.Or(container, most), some
	}
	p.commands = ownerCommands(about, pod, container, restarted)
	refs := append([]sources.Ref{about}, podRefs(pods)...)
	if told {
		p.sections, p.first = append(p.sections, section{"Last 24 h", restartTimeline(f, story, width)}), 1
	}
	p.sections = append(p.sections,
		section{"Restarts", storyFacts(f, story, load, known, width)},
		section{"Containers", containerLines(f, pods, width)},
		section{"Pods, worst first", podLines(f, pods, width)},
		eventSection(f, width, refs...))
	return p
}

// ownerRow is the state of an owner that no row of a pane is about: what the
// findings say, else ok if it was read and all that is wanted is there, else
// unknown with the reason.
func ownerRow(s *sources.Snapshot, about sources.Ref, load sources.Workload, known bool, pods []sources.Pod) sources.Row {
	row := sources.Row{About: about}
	if found := findingsAbout(s, about); len(found) > 0 {
		row.Severity, row.Summary = found[0].Severity, found[0].Summary
		return row
	}
	worried := 0
	for _, p := range pods {
		worried += 1 - podWorry(p)
	}
	src := paneSource(s, restarts)
	switch {
	case src.lacks() != "":
		row.Summary = src.lacks()
	case known && s.Workloads.Err != nil:
		row.Summary = "workloads: " + s.Workloads.Err.Error()
	case known && load.Ready < load.Desired:
		row.Summary = strconv.Itoa(int(load.Ready)) + " of " + strconv.Itoa(int(load.Desired)) + " ready, and no rule says why"
	case worried > 0:
		row.Summary = count(worried, "pod") + " of " + strconv.Itoa(len(pods)) + " not ready, and no rule says why"
	default:
		return row
	}
	row.Severity = sources.Unknown
	return row
}

func restartTimeline(f ui.Frame, s sources.RestartStory, width int) []string {
	if len(s.Times) == 0 {
		return []string{f.Theme.Dim.Render(ui.Fit("no restart is known of the last day", width))}
	}
	style := f.Theme.Severity(max(s.Severity, sources.Unknown))
	return ui.Timeline(f.Theme, s.Times, f.Now.Add(-day), f.Now, width, style)
}

func storyFacts(f ui.Frame, s sources.RestartStory, w sources.Workload, known bool, width int) []string {
	ready, inRow := "", ""
	if known {
		ready = strconv.Itoa(int(w.Ready)) + " ready of " + strconv.Itoa(int(w.Desired)) + " wanted"
	}
	if s.DaysInRow > 1 {
		inRow = "on each of the last " + count(s.DaysInRow, "day")
	}
	last := ""
	if s.Reason != "" || !s.LastAt.IsZero() {
		last = cmp.Or(s.Reason, "unknown reason") + ", " + agoWords(s.LastAt, f.Now)
	}
	return pairs(f, width,
		pair{"replicas", plain(f, ready)},
		pair{"restarts", judged(f, s.Severity, strconv.Itoa(s.Hour)+" in 1 h, "+strconv.Itoa(s.Day)+" in 24 h, "+
			strconv.Itoa(s.Total)+" in the lives of the present pods")},
		pair{"every day", judged(f, sources.Warning, inRow)},
		pair{"last", plain(f, last)},
		pair{"container", plain(f, s.Container)},
		pair{"memory limit", plain(f, limit(s.MemLimit))},
	)
}
