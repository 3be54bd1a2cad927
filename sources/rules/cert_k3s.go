package rules

import (
	"maps"
	"slices"
	"strings"
	"time"

	"daytwo/sources"
)

// nodeEvents is what daytwo reads in the events of nodes.
type nodeEvents struct {
	leaf    map[string]*sources.Event // newest of CertificateExpirationWarning, unless OK came later
	ca      map[string]*sources.Event
	gcFails map[string]*sources.Event
}

// readNodeEvents takes the newest of each kind by node. k3s's monitor repeats
// its warnings every 30 min and says OK once, after a start that renewed
// (k3s pkg/certmonitor/certmonitor.go).
func readNodeEvents(events []sources.Event, now time.Time) nodeEvents {
	out := nodeEvents{map[string]*sources.Event{}, map[string]*sources.Event{}, map[string]*sources.Event{}}
	fine := map[string]time.Time{}
	newest := func(m map[string]*sources.Event, e *sources.Event) {
		if old := m[e.About.Name]; old == nil || e.Last.After(old.Last) ||
			(e.Last.Equal(old.Last) && e.Message < old.Message) {
			m[e.About.Name] = e
		}
	}
	for i := range events {
		e := &events[i]
		if e.About.Kind != "Node" {
			continue
		}
		switch e.Reason {
		case "CertificateExpirationWarning":
			newest(out.leaf, e)
		case "CACertificateExpirationWarning":
			newest(out.ca, e)
		case "FreeDiskSpaceFailed", "ImageGCFailed":
			if now.Sub(e.Last) < 2*time.Hour {
				newest(out.gcFails, e)
			}
		case "CertificateExpirationOK":
			if e.Last.After(fine[e.About.Name]) {
				fine[e.About.Name] = e.Last
			}
		}
	}
	renewed := func(n string, e *sources.Event) bool { return fine[n].After(e.Last) }
	maps.DeleteFunc(out.leaf, renewed)
	maps.DeleteFunc(out.ca, renewed)
	return out
}

// k3sCerts makes a row for each node whose k3s warns of its own certificates.
// Leaves are renewed only when k3s starts with less than 120 days left (90
// before the releases of May 2025), so a node that is never restarted runs
// into the end; the CA is not renewed at all.
func (l *look) k3sCerts() []sources.CertExpiry {
	names := make([]string, 0, len(l.events.leaf)+len(l.events.ca))
	for n := range l.events.leaf {
		names = append(names, n)
	}
	for n := range l.events.ca {
		if l.events.leaf[n] == nil {
			names = append(names, n)
		}
	}
	slices.SortFunc(names, sources.CompareNames)
	rows := make([]sources.CertExpiry, 0, len(names))
	for _, n := range names {
		rows = append(rows, l.k3sCert(n))
	}
	return rows
}

func (l *look) k3sCert(n string) sources.CertExpiry {
	row := sources.CertExpiry{From: "k3s", Issuer: "k3s"}
	row.About = node(n)
	var say parts
	var facts []sources.Fact
	if e := l.events.leaf[n]; e != nil {
		row.State, row.NotAfter = "restart k3s", firstExpiry(e.Message)
		severity, text := l.k3sSeverity(row.NotAfter, "k3s certificates")
		say.say(CertK3s, severity, text)
		say.say(CertK3s, severity, "restart k3s on the node to renew")
		facts = append(facts, fact(e.Last, "event "+e.Reason, e.Message))
	}
	if e := l.events.ca[n]; e != nil {
		end := firstExpiry(e.Message)
		severity, text := l.k3sSeverity(end, "k3s CA")
		say.say(CertK3s, severity, text+": plan its rotation")
		facts = append(facts, fact(e.Last, "event "+e.Reason, e.Message))
		if row.NotAfter.IsZero() || (!end.IsZero() && end.Before(row.NotAfter)) {
			row.NotAfter = end
		}
		if row.State == "" {
			row.State = "rotate CA"
		}
	}
	if f, ok := say.finding(row.About, facts); ok {
		l.add(&row.Row, f)
	}
	return row
}

func (l *look) k3sSeverity(end time.Time, what string) (sources.Severity, string) {
	left := end.Sub(l.now)
	switch {
	case end.IsZero():
		return sources.Warning, what + " near their end"
	case left <= 0:
		return sources.Critical, what + " expired " + sources.Ago(end, l.now)
	case left < l.limits.CertExpiry/3:
		return sources.Critical, what + " end " + sources.Until(end, l.now)
	}
	return sources.Warning, what + " end " + sources.Until(end, l.now)
}

// firstExpiry is the earliest time that follows " at " in the monitor's
// message; zero if there is none.
func firstExpiry(message string) time.Time {
	var first time.Time
	for _, rest := range strings.Split(message, " at ")[1:] {
		word := rest
		if i := strings.IndexAny(rest, " \n,;)"); i >= 0 {
			word = rest[:i]
		}
		if t, err := time.Parse(time.RFC3339, word); err == nil && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}
