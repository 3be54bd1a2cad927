package rules

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"daytwo/sources"
)

// story is one owner's restarts while they are being counted.
type story struct {
	owner    sources.Ref
	tally    tally
	total    int
	pods     []string
	loud     bool // one container alone is over the limit
	last     lastEnd
	now      string // state now: CrashLoopBackOff
	evidence []sources.Fact
}

// lastEnd is how the container that ended last ended.
type lastEnd struct {
	at        time.Time
	reason    string
	container string
	memLimit  int64
}

// seriesKey finds the counters that belong to pods which exist.
type seriesKey struct {
	owner          sources.Ref
	pod, container string
}

// judgeRestarts counts restarts by owner from the counters of the pods that
// exist, from what containers say of their last end, and from the samples of
// pods that are gone, and applies the restarts rules.
func (l *look) judgeRestarts() {
	if waiting(l, "restarts", "pods", l.s.Pods) {
		return
	}
	stories := map[sources.Ref]*story{}
	counted := map[seriesKey]bool{}
	for i := range l.s.Pods.Value {
		p := &l.s.Pods.Value[i]
		for c := range p.Containers {
			if k := &p.Containers[c]; k.Restarts > 0 || !k.Last.Finished.IsZero() {
				l.countContainer(stories, counted, p, k)
			}
		}
	}
	l.countGone(stories, counted)
	rows := make([]sources.RestartStory, 0, len(stories))
	for _, st := range stories {
		if st.total > 0 || st.tally.day > 0 {
			rows = append(rows, l.restartRow(st))
		}
	}
	slices.SortFunc(rows, compareStories)
	for i := range rows {
		l.judgeStory(&rows[i], stories[rows[i].About])
	}
	slices.SortStableFunc(rows, compareStories)
	l.out.Restarts = rows
	if len(rows) == 0 {
		l.out.Missing["restarts"] = "no container of any pod has restarted"
	}
}

// compareStories puts the worst first: by severity, then by restarts in the
// hour, the day and at all, then by name.
func compareStories(a, b sources.RestartStory) int {
	for _, d := range [...]int{int(b.Severity) - int(a.Severity), b.Hour - a.Hour, b.Day - a.Day, b.Total - a.Total} {
		if d != 0 {
			return d
		}
	}
	return sources.CompareRefs(a.About, b.About)
}

func (l *look) story(stories map[sources.Ref]*story, owner sources.Ref) *story {
	st := stories[owner]
	if st == nil {
		st = &story{owner: owner, tally: tally{now: l.now, window: l.limits.RestartWindow}}
		stories[owner] = st
	}
	return st
}

// countContainer adds one container of a pod that exists.
func (l *look) countContainer(stories map[sources.Ref]*story, counted map[seriesKey]bool, p *sources.Pod, c *sources.Container) {
	owner := p.Owner
	if owner.Name == "" {
		owner = p.Ref()
	}
	st := l.story(stories, owner)
	before := st.tally.hour
	st.total += int(c.Restarts)
	if len(st.pods) == 0 || st.pods[len(st.pods)-1] != p.Name {
		st.pods = append(st.pods, p.Name)
	}
	counted[seriesKey{owner, p.Name, c.Name}] = true
	l.countCounter(st, p, c)
	if st.tally.hour-before > float64(l.limits.Restarts) {
		st.loud = true
	}
	st.ended(c)
	if len(st.evidence) < 20 {
		st.evidence = append(st.evidence, fact(l.s.Pods.At, "pod status", containerText(p, c)))
	}
}

// countCounter walks the samples of the container's counter up to what the
// pod says now.
func (l *look) countCounter(st *story, p *sources.Pod, c *sources.Container) {
	var last sources.Point
	known := false
	if len(l.s.History.Value.Series) > 0 {
		points := l.s.History.Value.Points(sources.RestartSeries(st.owner, p.Name, c.Name))
		last, known = st.tally.series(points, p.Created, c.Last.Finished)
	}
	seen := l.s.Pods.At
	switch n := float64(c.Restarts); {
	case !known || p.Created.After(last.At):
		st.tally.step(n, p.Created, seen, c.Last.Finished)
	case n > last.Value:
		st.tally.step(n-last.Value, last.At, seen, c.Last.Finished)
	case n < last.Value:
		st.tally.step(n, last.At, seen, c.Last.Finished)
	}
}

// ended keeps the newest end of a container, and whether one loops now.
func (s *story) ended(c *sources.Container) {
	if c.State == "waiting" && c.Reason == "CrashLoopBackOff" {
		s.now = c.Reason
	}
	end := c.Last
	if c.State == "terminated" && c.Reason == "OOMKilled" && c.Since.After(end.Finished) {
		end = sources.Termination{Reason: c.Reason, Finished: c.Since}
	}
	if end.Finished.After(s.last.at) || s.last.container == "" {
		s.last = lastEnd{end.Finished, endText(end), c.Name, c.MemLimit}
	}
}

// endText is the short reason of an end: OOMKilled, exit 2, signal 9. The
// kubelet's "Error" says less than the exit code.
func endText(t sources.Termination) string {
	switch {
	case t.Reason == "OOMKilled":
		return t.Reason
	case t.Signal != 0:
		return fmt.Sprintf("signal %d", t.Signal)
	case t.Reason == "Error" || t.Reason == "Completed":
		return fmt.Sprintf("exit %d", t.ExitCode)
	}
	return t.Reason
}

func containerText(p *sources.Pod, c *sources.Container) string {
	text := fmt.Sprintf("%s/%s: %d restarts", p.Name, c.Name, c.Restarts)
	if end := endText(c.Last); end != "" {
		text += ", last " + end
		if !c.Last.Finished.IsZero() {
			text += " at " + c.Last.Finished.UTC().Format(time.RFC3339)
		}
	}
	if c.State == "waiting" && c.Reason != "" {
		text += ", now " + c.Reason
	}
	return text
}

// countGone adds the samples of pods that do not exist any more: a new pod
// of the same owner does not reset the story.
func (l *look) countGone(stories map[sources.Ref]*story, counted map[seriesKey]bool) {
	horizon := l.now.Add(-restartHorizon)
	gone := make([]string, 0, 16)
	for name, points := range l.s.History.Value.Series {
		if n := len(points); n < 2 || points[n-1].At.Before(horizon) || points[n-1].Value == 0 ||
			!strings.HasPrefix(name, "restarts/") {
			continue
		}
		gone = append(gone, name)
	}
	slices.Sort(gone) // a map has no order, a judgement has
	for _, name := range gone {
		owner, pod, container, ok := sources.ParseRestartSeries(name)
		if !ok || counted[seriesKey{owner, pod, container}] {
			continue
		}
		st := l.story(stories, owner)
		before := st.tally.day
		st.tally.series(l.s.History.Value.Series[name], time.Time{}, time.Time{})
		if d := st.tally.day - before; d > 0 && len(st.evidence) < 20 {
			st.evidence = append(st.evidence, fact(l.s.History.At, "history",
				fmt.Sprintf("%s/%s, gone now: %.0f restarts in 24 h", pod, container, d)))
		}
	}
}

// restartRow makes the row; times are oldest first.
func (l *look) restartRow(st *story) sources.RestartStory {
	slices.SortFunc(st.tally.events, func(a, b sources.Point) int { return a.At.Compare(b.At) })
	row := sources.RestartStory{
		Hour: whole(st.tally.hour), Day: whole(st.tally.day), Total: st.total,
		DaysInRow: st.tally.inRow(), Reason: st.last.reason, LastAt: st.last.at,
		MemLimit: st.last.memLimit, Container: st.last.container, Pods: st.pods, Times: st.tally.events,
	}
	row.About = st.owner
	if n := len(row.Times); row.LastAt.IsZero() && n > 0 {
		row.LastAt = row.Times[n-1].At
	}
	if row.Reason == "" {
		row.Reason = st.now
	}
	return row
}

// whole rounds down: what is spread over an unwatched time adds fractions,
// and a fraction of a restart is none.
func whole(n float64) int { return int(min(n, math.MaxInt32) + 1e-6) }

// judgeStory applies restarts.rate (more than the limit within the window,
// of one container or of the owner's together), restarts.loop (one waits in
// CrashLoopBackOff now: without samples its rate may be unknown) and
// restarts.daily (every day for some days: the loop that people have stopped
// seeing). One finding tells all that is true.
func (l *look) judgeStory(row *sources.RestartStory, st *story) {
	rate := row.Hour > l.limits.Restarts || st.loud
	daily := row.DaysInRow >= l.limits.RestartDays
	loop := st.now != ""
	if !rate && !daily && !loop {
		return
	}
	var text []string
	if len(st.evidence) == 0 { // all of it is older than a day, of pods that are gone
		st.evidence = []sources.Fact{fact(l.s.History.At, "history", fmt.Sprintf("%d known restarts in 14 d", len(row.Times)))}
	}
	f := sources.Finding{Rule: RestartsDaily, Severity: sources.Warning, About: row.About, Evidence: st.evidence}
	switch {
	case rate:
		f.Rule = RestartsRate
		text = append(text, fmt.Sprintf("%d in %s", row.Hour, window(l.limits.RestartWindow)))
	case loop:
		f.Rule = RestartsLoop
		text = append(text, st.now)
	}
	if daily {
		text = append(text, fmt.Sprintf("restarts every day for %d d", row.DaysInRow))
	}
	if !rate {
		text = append(text, fmt.Sprintf("%d in 24 h", row.Day))
	}
	text = append(text, lastText(row, l.now))
	if row.Reason == "OOMKilled" && row.MemLimit > 0 {
		text = append(text, "limit "+sources.Memory(row.MemLimit))
	}
	if len(row.Pods) > 1 {
		text = append(text, fmt.Sprintf("%d pods", len(row.Pods)))
	}
	f.Summary = join(text...)
	l.add(&row.Row, f)
}

// lastText is "last OOMKilled 3 min ago".
func lastText(row *sources.RestartStory, now time.Time) string {
	text := "last"
	if row.Reason != "" && row.Reason != "CrashLoopBackOff" {
		text += " " + row.Reason
	}
	text += lately(row.LastAt, now)
	if text == "last" {
		return ""
	}
	return text
}

// window is "1 h" for an hour, where Span would say "60 min".
func window(d time.Duration) string {
	if d >= time.Hour && d%time.Hour == 0 {
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return sources.Span(d)
}
