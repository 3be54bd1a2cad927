package forensics

import (
	"fmt"
	"strings"
	"time"

	"daytwo/sources"
)

// Markdown is the verdict as it is kept in the record, and read without daytwo.
func (v *Verdict) Markdown() string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	say("# Forensics of %s", v.Node)
	say("%s, run %s", v.At.UTC().Format(time.RFC3339), v.Run)
	for _, a := range v.Accounts {
		writeAccount(say, a)
	}
	if len(v.Accounts) == 0 {
		say("\nWhere the bytes are is unknown: df told nothing.")
	}
	for _, s := range v.Since {
		say("\nSince %s (%s): %s", s.What, s.At.UTC().Format(time.DateOnly), signed(s.Bytes))
		for _, d := range s.By {
			say("- %s %s", d.Category, signed(d.Bytes))
		}
	}
	writeLevels(say, v)
	say("\n## Suggestions, least risk first")
	for _, s := range v.Suggestions {
		say("\n%d. %s, %s", s.Rung, s.Title, s.FreesWords())
		say("   risk: %s", s.Risk)
		if s.Why != "" {
			say("   seen: %s", s.Why)
		}
		for l := range strings.SplitSeq(s.Command, "\n") {
			say("   `%s`", l)
		}
	}
	if len(v.Suggestions) == 0 {
		say("none: nothing that was found is worth removing")
	}
	if len(v.Log) > 0 {
		say("\n## The log of k3s")
		for _, l := range v.Log[max(0, len(v.Log)-mostParts):] {
			say("- %s: %s", l.Why, l.Text)
		}
	}
	for _, r := range v.Unknown {
		say("\nunknown: %s: %s", r.Title, r.Err)
	}
	return b.String()
}

func writeAccount(say func(string, ...any), a Account) {
	say("\n## %s: %s of %s used, %s", clean(a.Mount.On), bytesOf(a.Mount.Used), bytesOf(a.Mount.Size), sources.Percent(a.Mount.Percent()))
	say("| bytes | what |\n|---:|---|")
	for _, s := range a.Shares {
		name := string(s.Category)
		if s.Category == Unexplained && a.Loud() {
			name = "**UNEXPLAINED**: " + a.Explain()
		}
		if s.Unknown != "" {
			name += " (unknown: " + s.Unknown + ")"
		}
		say("| %s | %s |", bytesOf(s.Bytes), name)
		for _, p := range s.Parts[:min(len(s.Parts), 4)] {
			say("| %s | · %s |", bytesOf(p.Bytes), strings.ReplaceAll(clean(p.Path), "|", `\|`))
		}
	}
}

// Explain says what it may be that df counts and nobody found, or the other
// way round.
func (a Account) Explain() string {
	n := a.Share(Unexplained).Bytes
	var doubts []string
	for _, s := range a.Shares {
		if s.Unknown != "" {
			doubts = append(doubts, string(s.Category))
		}
	}
	switch {
	case len(doubts) > 0:
		return "not looked at: " + strings.Join(doubts, ", ")
	case n < 0:
		return "more was found than df counts: files went away meanwhile, or share blocks"
	}
	return "df counts it and no folder has it: data beneath a mount point, or files that only the kernel holds"
}

func writeLevels(say func(string, ...any), v *Verdict) {
	if len(v.Picture.Levels) == 0 {
		return
	}
	say("\n## Times to trouble")
	for _, l := range v.Picture.Levels {
		say("- %s at %.1f %%: %s", l.What, l.Level, v.Picture.When(l, v.At))
	}
}

// When says when a level is reached.
func (p Picture) When(l sources.Crossing, now time.Time) string {
	switch {
	case l.Passed:
		return "passed"
	case !p.Forecast:
		return "unknown: " + firstOf(p.WhyNot, "no forecast yet")
	case l.At.IsZero():
		return "never at the present growth"
	}
	return sources.Until(l.At, now)
}

// FreesWords says what a suggestion frees.
func (s Suggestion) FreesWords() string {
	if s.Frees < 0 {
		return "frees an unknown amount"
	}
	return "frees " + bytesOf(s.Frees)
}

func signed(n int64) string {
	if n > 0 {
		return "+" + bytesOf(n)
	}
	return bytesOf(n)
}
