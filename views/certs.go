package views

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"daytwo/sources"
	"daytwo/ui"
)

func certKind() kind[sources.CertExpiry] {
	k := kind[sources.CertExpiry]{
		part: certs, name: "Certificates", topic: "cert",
		rows: func(j *sources.Judgement) []sources.CertExpiry { return j.Certs },
		row:  func(c *sources.CertExpiry) *sources.Row { return &c.Row },
		id:   func(c sources.CertExpiry) string { return c.From + " " + c.About.Kind + "/" + c.About.String() },
		match: func(c sources.CertExpiry) string {
			return strings.Join([]string{c.About.String(), c.From, c.State, c.Issuer, strings.Join(c.Names, " ")}, " ")
		},
		narrow: certPane, wide: certList,
	}
	k.note = func(rows []sources.CertExpiry) string { return okOf(k, rows) }
	return k
}

type certColumn = ui.Column[sources.CertExpiry]

func certPane(width int) []certColumn {
	state, rest := 8, 20 // all columns but the name, with their gaps
	if width > 50 {
		state, rest = 14, 37
	}
	name := max(width-rest, 8)
	return []certColumn{
		severityColumn(certKind().row),
		{Title: "certificate", Width: name, Cell: func(f ui.Frame, c sources.CertExpiry) ui.Cell {
			switch {
			case c.About.Kind == "Kubeconfig":
				return strong(f, "kubeconfig") // there is one; its context is in the header
			case c.About.Namespace == "":
				return certName(f, c)
			}
			return strong(f, shortRef(c.About, name))
		}},
		{Title: "left", Width: 5, Right: true, Cell: certDays},
		{Title: "state", Width: state, Priority: 1, Cell: certState},
		{Title: "renewal", Width: 9, Priority: 2, Cell: certRenewal},
	}
}

func certList(width int) []certColumn {
	text := func(title, key string, width, priority int, of func(sources.CertExpiry) string) certColumn {
		return certColumn{
			Title: title, Key: key, Width: width, Priority: priority,
			Cell:    func(f ui.Frame, c sources.CertExpiry) ui.Cell { return dim(f, of(c)) },
			Compare: func(a, b sources.CertExpiry) int { return cmp.Compare(of(a), of(b)) },
		}
	}
	return []certColumn{
		severityColumn(certKind().row),
		{Title: "certificate", Key: "C", Width: nameWidth(width), Cell: certName, Compare: func(a, b sources.CertExpiry) int {
			return sources.CompareRefs(a.About, b.About)
		}},
		{Title: "left", Key: "L", Width: 7, Right: true, Cell: certDays, Compare: func(a, b sources.CertExpiry) int {
			return a.NotAfter.Compare(b.NotAfter)
		}},
		{Title: "state", Key: "T", Width: 14, Cell: certState, Falls: true, Compare: func(a, b sources.CertExpiry) int {
			return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(a.State, b.State))
		}},
		{Title: "not after", Width: 10, Priority: 2, Cell: func(f ui.Frame, c sources.CertExpiry) ui.Cell {
			return dim(f, date(c.NotAfter))
		}},
		{Title: "renewal", Key: "R", Width: 10, Priority: 1, Cell: certRenewal, Compare: func(a, b sources.CertExpiry) int {
			return compareSoonest(a.Renewal, b.Renewal)
		}},
		text("from", "F", 12, 4, func(c sources.CertExpiry) string { return c.From }),
		text("issuer", "I", 20, 3, func(c sources.CertExpiry) string { return c.Issuer }),
		text("names", "N", 36, 5, func(c sources.CertExpiry) string { return strings.Join(c.Names, " ") }),
	}
}

func certName(f ui.Frame, c sources.CertExpiry) ui.Cell {
	name := c.About.String()
	switch c.About.Kind {
	case "Node":
		name = "k3s " + name
	case "Kubeconfig":
		name = "kubeconfig " + name
	}
	return strong(f, name)
}

// daysLeft is the remaining life in whole days.
func daysLeft(c sources.CertExpiry, now time.Time) string {
	switch {
	case c.NotAfter.IsZero():
		return unsure
	case !c.NotAfter.After(now):
		return "expired"
	}
	return strconv.Itoa(int(c.NotAfter.Sub(now)/day)) + " d"
}

func certDays(f ui.Frame, c sources.CertExpiry) ui.Cell {
	text := daysLeft(c, f.Now)
	if text == "expired" {
		text = "over"
	}
	if c.Severity > sources.OK {
		return judged(f, c.Severity, text)
	}
	return plain(f, text)
}

func certState(f ui.Frame, c sources.CertExpiry) ui.Cell {
	if c.Severity > sources.OK {
		return judged(f, c.Severity, c.State)
	}
	return dim(f, c.State)
}

// certRenewal is how far the next renewal is, or for how long it is due.
func certRenewal(f ui.Frame, c sources.CertExpiry) ui.Cell {
	if c.Renewal.IsZero() {
		return dim(f, "")
	}
	return dim(f, untilOrAgo(f, c.Renewal))
}

// untilOrAgo is a time on either side of now: "in 12 d", "26 h ago".
func untilOrAgo(f ui.Frame, t time.Time) string {
	if t.After(f.Now) {
		return sources.Until(t, f.Now)
	}
	return sources.Ago(t, f.Now)
}
