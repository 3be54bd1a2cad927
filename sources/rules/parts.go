package rules

import (
	"slices"
	"strings"
	"unicode/utf8"

	"daytwo/sources"
)

// part is one thing a rule has to say of an object that gets one line for
// all of them: a certificate, a backup.
type part struct {
	rule     string
	severity sources.Severity
	text     string
}

// parts collects them. The line's rule is the worst part's, the first among
// equals, and the line says the worst first.
type parts []part

func (p *parts) say(rule string, severity sources.Severity, text string) {
	*p = append(*p, part{rule, severity, text})
}

// finding joins the parts to one; ok is false when there is nothing to say.
func (p parts) finding(about sources.Ref, evidence []sources.Fact) (sources.Finding, bool) {
	if len(p) == 0 {
		return sources.Finding{}, false
	}
	sorted := slices.Clone(p)
	slices.SortStableFunc(sorted, func(a, b part) int { return int(b.severity) - int(a.severity) })
	texts := make([]string, len(sorted))
	for i, x := range sorted {
		texts[i] = x.text
	}
	return sources.Finding{
		Rule: sorted[0].rule, Severity: sorted[0].severity, About: about,
		Summary: strings.Join(texts, " · "), Evidence: evidence,
	}, true
}

// brief cuts foreign text to one clean line of at most n characters: messages
// of schedulers and issuers can be pages, and hold what a terminal obeys.
func brief(s string, n int) string {
	if i := strings.IndexAny(s, "\r\n"); i >= 0 {
		s = s[:i]
	}
	s = strings.TrimSpace(sources.Clean(s, sources.MaxMessage))
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s
	}
	runes := 0
	for i := range s {
		if runes == n-1 {
			return strings.TrimSpace(s[:i]) + "…"
		}
		runes++
	}
	return s
}

// condition words a Ready condition as it stands, without what it leaves open.
func condition(status, reason, message string) string {
	text := strings.TrimSpace("Ready=" + status + " " + reason)
	if message != "" {
		text += ": " + message
	}
	return text
}

// join puts the non-empty texts on one line.
func join(texts ...string) string {
	kept := texts[:0:0]
	for _, t := range texts {
		if t != "" {
			kept = append(kept, t)
		}
	}
	return strings.Join(kept, " · ")
}
