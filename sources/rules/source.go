package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"daytwo/sources"
)

// How old a part may get while its source claims to be well. The API server
// is asked every few seconds and each kubelet about every half minute.
const (
	staleAPI     = 2 * time.Minute
	staleKubelet = 10 * time.Minute
	staleHistory = 30 * time.Minute
)

// judgeSources applies the source rules: looking that fails is a finding too.
func (l *look) judgeSources() {
	l.sourceAPI()
	l.sourceReadings()
	l.sourceHistory()
	l.sourceFailing()
	l.sourceStale()
}

// sourceAPI: no answer, or none that can be used (expired credentials). All else is then judged from the last picture.
func (l *look) sourceAPI() {
	c := l.s.Cluster
	if !l.apiErr {
		return // a refusal is an answer; sourceReadings names the permission
	}
	text := "API server cannot be read"
	if c.Loaded() {
		text += fmt.Sprintf(" · the picture is %s old", sources.Span(c.Age(l.now)))
	}
	l.add(nil, sources.Finding{
		Rule: SourceAPI, Severity: sources.Critical, About: l.cluster(),
		Summary:  join(text, brief(c.Err.Error(), 60)),
		Evidence: []sources.Fact{fact(c.At, "API server "+c.Value.Server, c.Err.Error())},
	})
}

// reading is one part of the snapshot without its value, and what goes dark
// without it.
type reading struct {
	name, dark string
	at         time.Time
	err        error
}

func readingOf[T any](name, dark string, r sources.Reading[T]) reading {
	return reading{name, dark, r.At, r.Err}
}

func (l *look) readings() []reading {
	s := l.s
	return []reading{
		readingOf("cluster", "API server version", s.Cluster),
		readingOf("nodes", "nodes, disks", s.Nodes),
		readingOf("pods", "restarts, pods", s.Pods),
		readingOf("workloads", "ready counts", s.Workloads),
		readingOf("disruption budgets", "drain checks", s.Budgets),
		readingOf("cron jobs", "backups", s.CronJobs),
		readingOf("jobs", "backup runs", s.Jobs),
		readingOf("ingresses", "served certificates", s.Ingresses),
		readingOf("certificates", "cert-manager certificates", s.Certificates),
		readingOf("TLS secrets", "served certificates", s.Secrets),
		readingOf("events", "event details, k3s certificates", s.Events),
	}
}

// permission is what RBAC refuses, whatever the namespace.
type permission struct{ verb, group, resource string }

// refusal is where it was refused and what is dark because of it.
type refusal struct {
	first *sources.AccessError
	count int
	dark  []string
	facts []sources.Fact
}

// sourceReadings: each missing permission once, with what is dark because of
// it, and each reading that fails for another reason while the server answers.
func (l *look) sourceReadings() {
	refused := map[permission]*refusal{}
	for _, r := range l.readings() {
		if r.err == nil || errors.Is(r.err, sources.ErrNotInstalled) {
			continue
		}
		if a, ok := isAccess(r.err); ok {
			refuse(refused, a, r.dark, fact(r.at, r.name, r.err.Error()))
			continue
		}
		if l.apiErr {
			continue // source.api says it for all of them
		}
		l.add(nil, sources.Finding{
			Rule: SourceRead, Severity: sources.Unknown, About: sources.Ref{Kind: "Source", Name: r.name},
			Summary:  join("cannot be read"+lasting(r.at, l.now)+": "+brief(r.err.Error(), 60), "dark: "+r.dark),
			Evidence: []sources.Fact{fact(r.at, r.name, r.err.Error())},
		})
	}
	for i := range l.s.Secrets.Value {
		s := &l.s.Secrets.Value[i]
		if a, ok := isAccess(s.Err); ok {
			refuse(refused, a, "served certificates", fact(l.s.Secrets.At, "Secret "+s.Ref.String(), s.Err.Error()))
		}
	}
	for p, r := range refused {
		l.add(nil, r.finding(p))
	}
}

func refuse(refused map[permission]*refusal, a *sources.AccessError, dark string, f sources.Fact) {
	key := permission{a.Verb, a.Group, a.Resource}
	r := refused[key]
	if r == nil {
		r = &refusal{first: a}
		refused[key] = r
	}
	r.count++
	if !slices.Contains(r.dark, dark) {
		r.dark = append(r.dark, dark)
	}
	if len(r.facts) < 20 {
		r.facts = append(r.facts, f)
	}
}

func (r *refusal) finding(p permission) sources.Finding {
	text := r.first.Error()
	if r.count > 1 && r.first.Namespace != "" {
		everywhere := *r.first
		everywhere.Namespace = ""
		text = fmt.Sprintf("%s (%d times)", everywhere.Error(), r.count)
	}
	name := p.verb + " " + p.resource
	if p.group != "" {
		name += "." + p.group
	}
	return sources.Finding{
		Rule: SourceAccess, Severity: sources.Unknown, About: sources.Ref{Kind: "Permission", Name: name},
		Summary: text + " · dark: " + strings.Join(r.dark, ", "), Evidence: r.facts,
	}
}

// sourceHistory: without samples there are no forecasts and no 141-day story.
func (l *look) sourceHistory() {
	h := l.s.History
	if h.Err == nil {
		return
	}
	l.add(nil, sources.Finding{
		Rule: SourceHistory, Severity: sources.Warning, About: sources.Ref{Kind: "Source", Name: "history"},
		Summary:  "samples are not kept: " + brief(h.Err.Error(), 60),
		Evidence: []sources.Fact{fact(h.At, "history", h.Err.Error())},
	})
}

// sourceFailing: a source that reports its own failure, unless a finding
// above already speaks of what it reads.
func (l *look) sourceFailing() {
	names := make([]string, 0, len(l.s.Sources))
	for n := range l.s.Sources {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		h := l.s.Sources[n]
		if h.Err == nil || h.Off || l.explained(n, h.Err) {
			continue
		}
		l.add(nil, sources.Finding{
			Rule: SourceFailing, Severity: sources.Warning, About: sources.Ref{Kind: "Source", Name: n},
			Summary:  "fails" + lasting(h.At, l.now) + ": " + brief(h.Err.Error(), 60),
			Evidence: []sources.Fact{fact(h.At, "source "+n, h.Err.Error())},
		})
	}
}

// explained reports whether another finding tells of a source's failure.
func (l *look) explained(name string, err error) bool {
	if _, ok := isAccess(err); ok || name == "kubelets" {
		return true // each kubelet that cannot be read is a disk.unknown
	}
	if name == "history" {
		return l.s.History.Err != nil
	}
	return l.apiErr
}

// sourceStale: nothing failed, yet nothing came. It is what a hung source
// looks like.
func (l *look) sourceStale() {
	l.stale("api", l.s.Cluster.At, l.s.Cluster.Err, staleAPI)
	l.stale("history", l.s.History.At, l.s.History.Err, staleHistory)
	if l.apiErr {
		return
	}
	var oldest time.Time
	count := 0
	for n, r := range l.s.Stats {
		if r.Err == nil && !l.down[n] && r.Loaded() && r.Age(l.now) > staleKubelet {
			count++
			if oldest.IsZero() || r.At.Before(oldest) {
				oldest = r.At
			}
		}
	}
	if count > 0 {
		l.add(nil, staleFinding("kubelets", oldest, l.now, fmt.Sprintf("%d kubelet%s ", count, plural(count))))
	}
}

func (l *look) stale(name string, at time.Time, err error, limit time.Duration) {
	if err == nil && !at.IsZero() && l.now.Sub(at) > limit {
		l.add(nil, staleFinding(name, at, l.now, ""))
	}
}

func staleFinding(name string, at, now time.Time, who string) sources.Finding {
	return sources.Finding{
		Rule: SourceStale, Severity: sources.Warning, About: sources.Ref{Kind: "Source", Name: name},
		Summary:  who + "last read " + sources.Ago(at, now) + " and no error since",
		Evidence: []sources.Fact{fact(at, "source "+name, "newest reading")},
	}
}
