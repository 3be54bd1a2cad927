package views

import (
	"slices"
	"time"

	"daytwo/sources"
)

// firstLines is how much of each log is read at first.
const firstLines = 200

// logPart is which part of an object's logs is read.
type logPart struct {
	container string // "" is all of them
	previous  bool   // the containers' runs before the present ones
	since     logSince
}

// logSince is how far back a log is read.
type logSince int

// What one key goes through.
const (
	sinceLines logSince = iota // the newest lines, whatever their age
	sinceMinute
	sinceFive
	sinceHour
	sinceEver
	sinces
)

func (s logSince) next() logSince { return (s + 1) % sinces }

// span is an age; 0 where age does not matter.
func (s logSince) span() time.Duration {
	return [sinces]time.Duration{sinceMinute: time.Minute, sinceFive: 5 * time.Minute, sinceHour: time.Hour}[s]
}

func (s logSince) words() string {
	return [sinces]string{"last 200 lines", "last 1 min", "last 5 min", "last 1 h", "all of it"}[s]
}

// asks are the logs of the containers that some pods have now.
func (l logPart) asks(pods []sources.Pod) []sources.LogAsk {
	var out []sources.LogAsk
	for _, p := range pods {
		for _, c := range p.Containers {
			switch {
			case l.container != "" && c.Name != l.container, l.previous && c.Last.Finished.IsZero(),
				l.container == "" && c.Init && !worthReading(c):
				continue
			}
			ask := sources.LogAsk{Pod: p.Ref(), UID: p.UID, Container: c.Name, Previous: l.previous, Follow: !l.previous, Since: l.since.span()}
			if l.since == sinceLines {
				ask.Tail = firstLines
			}
			out = append(out, ask)
		}
	}
	return out
}

// worthReading reports that an init container is at work, or that it is what
// the pod fails at.
func worthReading(init sources.Container) bool {
	switch init.State {
	case "running":
		return true
	case "waiting":
		return !init.Last.Finished.IsZero()
	case "terminated":
		return init.Reason != "Completed"
	}
	return false
}

// words say which part it is.
func (l logPart) words() []string {
	var out []string
	if l.container != "" {
		out = append(out, "container "+l.container)
	}
	if l.previous {
		out = append(out, "the run before")
	}
	return append(out, l.since.words())
}

// nothing is said where there is no line.
func (l logPart) nothing() string {
	switch {
	case l.since.span() > 0:
		return "nothing was written in the " + l.since.words()
	case l.previous:
		return "that run wrote nothing"
	}
	return ""
}

// containerNames are the names of all containers of some pods, those that work
// before those that prepare.
func containerNames(pods []sources.Pod) []string {
	var work, prepare []string
	for _, p := range pods {
		for _, c := range p.Containers {
			to := &work
			if c.Init {
				to = &prepare
			}
			if !slices.Contains(work, c.Name) && !slices.Contains(prepare, c.Name) {
				*to = append(*to, c.Name)
			}
		}
	}
	return slices.Concat(work, prepare)
}

// following is the name after one, and after the last none.
func following(names []string, one string) string {
	if i := slices.Index(names, one) + 1; i < len(names) {
		return names[i]
	}
	return ""
}
