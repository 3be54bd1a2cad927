package ui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"daytwo/sources"
)

// Sources that the header knows more of than their health. The API is the one
// without which the whole picture is stale.
const (
	apiSource     = "api"
	kubeletSource = "kubelets"
	historySource = "history"
	sshSource     = "ssh"
)

// piece is a part of the header or footer. When there is no room, those with
// the highest number go first; 0 stays.
type piece struct {
	text string // styled
	goes int
}

// header is the first line: where one is, and how well it can be seen.
func (r *Root) header() string {
	t, s := r.theme, r.snapshot
	// Minutes: a second hand would redraw an idle screen every second.
	clock := r.frame.Now.Format("15:04")
	if r.o.ReadOnly {
		clock = t.Warning.Render("[read-only]") + "  " + clock
	}
	pieces := []piece{
		{t.Key.Render(r.o.Title), 18},
		{t.Strong.Render(Cut(Clean(r.clusterName()), r.width/3)), 0},
	}
	if badge := r.badge(); badge != "" {
		pieces = append(pieces, piece{badge, 1})
	}
	if about := aboutVersion(s); about != "" {
		pieces = append(pieces, piece{t.Dim.Render(about), 15})
	}
	if about := aboutNodes(s); about != "" {
		pieces = append(pieces, piece{t.Dim.Render(about), 16})
	}
	pieces = append(pieces, r.health()...)
	room := r.width - Width(clock) - 4
	return Fit(" "+Fit(fitPieces(pieces, room, "  "), room)+"  "+clock+" ", r.width)
}

// fitPieces joins pieces with something between, leaving out the first to go until
// the rest fits.
func fitPieces(pieces []piece, room int, between string) string {
	for {
		text := joinPieces(pieces, between)
		if Width(text) <= room {
			return text
		}
		i := firstToGo(pieces)
		if i < 0 {
			return Cut(text, room)
		}
		pieces = slices.Delete(pieces, i, i+1)
	}
}

func joinPieces(pieces []piece, between string) string {
	texts := make([]string, len(pieces))
	for i, p := range pieces {
		texts[i] = p.text
	}
	return strings.Join(texts, between)
}

// firstToGo is the last of the pieces with the highest number; -1 if none
// may go.
func firstToGo(pieces []piece) int {
	at := -1
	for i, p := range pieces {
		if p.goes > 0 && (at < 0 || p.goes >= pieces[at].goes) {
			at = i
		}
	}
	return at
}

func (r *Root) clusterName() string {
	if name := r.snapshot.Cluster.Value.Name; name != "" {
		return name
	}
	return "no cluster yet"
}

// aboutVersion is "k3s v1.33.4" for v1.33.4+k3s1, else the version as it is.
func aboutVersion(s *sources.Snapshot) string {
	version, build, _ := strings.Cut(Clean(s.Cluster.Value.Version), "+")
	if strings.HasPrefix(build, "k3s") {
		return "k3s " + version
	}
	return version
}

// aboutNodes is "1 server · 4 agents".
func aboutNodes(s *sources.Snapshot) string {
	if !s.Nodes.Loaded() {
		return ""
	}
	servers := 0
	for _, n := range s.Nodes.Value {
		if n.Server() {
			servers++
		}
	}
	return counted(servers, "server") + " · " + counted(len(s.Nodes.Value)-servers, "agent")
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// health is one piece a source, the API first. What works goes before what
// does not when there is no room.
func (r *Root) health() []piece {
	all := r.snapshot.Sources
	if len(all) == 0 {
		return []piece{{r.theme.Dim.Render("waiting for the first answer"), 12}}
	}
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if c := sourceRank(a) - sourceRank(b); c != 0 {
			return c
		}
		return strings.Compare(a, b)
	})
	out := make([]piece, 0, len(names))
	for _, name := range names {
		h := all[name]
		goes := 13
		switch {
		case h.Err != nil:
			goes = 2
		case h.Off:
			goes = 20
		case name == apiSource:
			goes = 3
		}
		out = append(out, piece{r.sourceState(name, h), goes})
	}
	return out
}

func sourceRank(name string) int {
	order := []string{apiSource, kubeletSource, "metrics", historySource}
	if i := slices.Index(order, name); i >= 0 {
		return i
	}
	return len(order)
}

// quantised shows a latency as the nearest of 1, 2, 5, 10, … ms, so that the
// header changes only when the latency really does.
func quantised(d time.Duration) string {
	for decade := time.Millisecond; decade <= time.Second; decade *= 10 {
		for _, step := range []time.Duration{decade, 2 * decade, 5 * decade} {
			if d < step*7/5 {
				return step.String()
			}
		}
	}
	return sources.Span(d.Round(5 * time.Second))
}

// stale reports whether the API server does not answer, so that all is old.
func stale(s *sources.Snapshot) bool {
	h, known := s.Sources[apiSource]
	if known {
		return h.Err != nil
	}
	return s.Cluster.Err != nil
}

// banner says that what is below is old, and how old.
func (r *Root) banner() string {
	s := r.snapshot
	h, known := s.Sources[apiSource]
	if !known {
		h = sources.Health{At: s.Cluster.At, Err: s.Cluster.Err}
	}
	text := "no picture yet: the API server does not answer: "
	if !h.At.IsZero() {
		text = "stale: this picture is " + sources.Span(r.frame.Now.Sub(h.At)) + " old (" +
			h.At.In(r.frame.Now.Location()).Format(time.TimeOnly) + "); the API server does not answer: "
	}
	text = r.theme.Glyph(sources.Critical) + " " + text + Clean(h.Err.Error())
	return r.theme.Alarm.Render(Fit(" "+text, r.width))
}
