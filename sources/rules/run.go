package rules

import (
	"fmt"

	"daytwo/sources"
)

// judgeRuns tells of each run that rests unfinished: what it left as it is
// stays so until somebody goes on with it or abandons it.
func (l *look) judgeRuns() {
	for _, r := range l.s.Unfinished {
		text := fmt.Sprintf("%q %s at step %d of %d (%s); daytwo resume %s goes on", r.Title, r.State, r.At, r.Of, r.Step, r.Run)
		why := r.Why
		if why == "" {
			why = "no reason was written down"
		}
		l.add(nil, sources.Finding{
			Rule: RunUnfinished, Severity: sources.Warning, About: r.Target, Summary: brief(text, 300),
			Evidence: []sources.Fact{fact(r.Since, "journal", why)},
		})
	}
}

func runDocs() []Doc {
	return []Doc{{
		RunUnfinished, "A run of daytwo from this machine rests half-way: it can be resumed or abandoned.",
		"paused, interrupted or failed: warning", "the journals of runs",
	}}
}
