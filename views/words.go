package views

import (
	"strconv"
	"strings"
	"time"

	"daytwo/sources"
	"daytwo/ui"
)

const day = 24 * time.Hour

// unsure stands where a value is not known.
const unsure = "?"

// ago is the age of something at a time, short, for columns.
func ago(t, now time.Time) string {
	if t.IsZero() {
		return unsure
	}
	return sources.Span(max(now.Sub(t), 0))
}

// coarse is ago without seconds, for cells that are always in sight: a second
// that ticks there writes to the terminal every second of the night.
func coarse(t, now time.Time) string {
	past := now.Sub(t)
	switch {
	case t.IsZero() || past < 0 || past >= 2*time.Minute:
		return ago(t, now)
	case past >= time.Minute:
		return "1 min"
	}
	return "<1 min"
}

// agoWords is ago with its word.
func agoWords(t, now time.Time) string {
	if t.IsZero() {
		return "at an unknown time"
	}
	return sources.Ago(t, now)
}

// eta is the time until something, short, for columns: "5 d", ">1 y", "now",
// "never".
func eta(t, now time.Time) string {
	switch left := t.Sub(now); {
	case t.IsZero():
		return "never"
	case left <= 0:
		return "now"
	case left > 365*day:
		return ">1 y"
	default:
		return sources.Span(left)
	}
}

// percent is a share of a hundred for columns, rounded down as everywhere.
func percent(v float64) string {
	if v < 0 {
		return unsure
	}
	return strconv.Itoa(int(min(v, 999)+1e-9)) + "%"
}

// limit is a memory limit; 0 is none.
func limit(n int64) string {
	if n <= 0 {
		return "none"
	}
	return sources.Memory(n)
}

// growth is bytes a day for columns: "+2.1G/d". Less than 5 MB a day would
// not fill any disk within a lifetime and shows as 0.
func growth(perDay float64) string {
	const little = 5e6
	if perDay > -little && perDay < little {
		return "0"
	}
	s := sources.Growth(perDay)
	return strings.ReplaceAll(strings.Replace(s, "B/day", "/d", 1), " ", "")
}

// count is a number with its word in singular or plural.
func count(n int, word string) string {
	switch {
	case n == 1:
		return "1 " + word
	case strings.HasSuffix(word, "y") && !strings.HasSuffix(word, "ay") && !strings.HasSuffix(word, "ey"): // day, key
		return strconv.Itoa(n) + " " + strings.TrimSuffix(word, "y") + "ies"
	}
	return strconv.Itoa(n) + " " + word + "s"
}

// moment is a point in time as a log would show it, in UTC as the cluster's
// own components log.
func moment(t time.Time) string {
	if t.IsZero() {
		return unsure
	}
	return t.UTC().Format("2006-01-02 15:04") + " UTC"
}

// date is the day of a point in time.
func date(t time.Time) string {
	if t.IsZero() {
		return unsure
	}
	return t.UTC().Format("2006-01-02")
}

// shortRef is namespace/name within a width: the namespace gives way first,
// because names tell objects apart.
func shortRef(r sources.Ref, width int) string {
	full := ui.Clean(r.String())
	if r.Namespace == "" || ui.Width(full) <= width {
		return full
	}
	name := ui.Clean(r.Name)
	if left := width - ui.Width(name) - 1; left >= 2 {
		return ui.Cut(ui.Clean(r.Namespace), left) + "/" + name
	}
	return name
}
