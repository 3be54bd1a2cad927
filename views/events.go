package views

import (
	"slices"
	"strconv"

	"daytwo/sources"
	"daytwo/ui"
)

// mostEvents is how many events a detail shows.
const mostEvents = 20

// eventSection lists the newest events about any of some objects.
func eventSection(f ui.Frame, width int, about ...sources.Ref) section {
	wanted := make(map[sources.Ref]bool, len(about))
	for _, r := range about {
		wanted[r] = true
	}
	return eventsWhere(f, width, func(e sources.Event) bool { return wanted[e.About] })
}

// diskEventSection lists what a node says of itself, image GC among it, and
// the pods that it evicted; what else happens to its pods is not its disk.
func diskEventSection(f ui.Frame, width int, node string) section {
	pods := map[sources.Ref]bool{}
	for _, r := range podRefs(podsOn(f.Snapshot, node)) {
		pods[r] = true
	}
	return eventsWhere(f, width, func(e sources.Event) bool {
		return e.About.Kind == "Node" && e.About.Name == node || e.Reason == "Evicted" && pods[e.About]
	})
}

// eventsWhere lists the newest of some events.
func eventsWhere(f ui.Frame, width int, want func(sources.Event) bool) section {
	s := section{title: "Events"}
	events := f.Snapshot.Events
	if !events.Loaded() {
		s.lines = []string{f.Theme.Unknown.Render(ui.Fit(notRead("events", events.Err), width))}
		return s
	}
	var found []sources.Event
	for _, e := range events.Value {
		if want(e) {
			found = append(found, e)
		}
	}
	slices.SortStableFunc(found, func(a, b sources.Event) int { return b.Last.Compare(a.Last) })
	if len(found) == 0 {
		s.lines = []string{f.Theme.Dim.Render("no warning about it in what the cluster still remembers")}
		return s
	}
	sh := sheet{titles: []string{"last", "times", "about", "reason", "message"}}
	for _, e := range found[:min(len(found), mostEvents)] {
		sh.rows = append(sh.rows, []ui.Cell{
			plain(f, agoWords(e.Last, f.Now)),
			dim(f, strconv.Itoa(int(max(e.Count, 1)))),
			dim(f, kindWord(e.About.Kind)+" "+e.About.Name),
			judged(f, eventSeverity(e), e.Reason),
			plain(f, e.Message),
		})
	}
	s.lines = sh.lines(f, width)
	if more := len(found) - mostEvents; more > 0 {
		s.lines = append(s.lines, f.Theme.Dim.Render(strconv.Itoa(more)+" older"))
	}
	return s
}

// eventSeverity is the colour of an event's own type.
func eventSeverity(e sources.Event) sources.Severity {
	if e.Type == "Warning" {
		return sources.Warning
	}
	return sources.OK
}

// notRead says of a kind of object why there is nothing of it.
func notRead(what string, err error) string {
	if err != nil {
		return what + " could not be read: " + err.Error()
	}
	return "waiting for " + what
}
