package sources

import (
	"math"
	"strconv"
	"time"
)

// How numbers read everywhere: on the screen, in check and in findings. Bytes
// are decimal (df -H, as disks are sold), memory limits are binary as they
// are written in manifests; ages and deadlines are rounded down, so that a
// deadline is never shown later than it is.

// Bytes writes a number of bytes with an SI unit: "2.1 GB", "512 MB", "0 B".
func Bytes(n float64) string {
	if math.IsNaN(n) || math.IsInf(n, 0) {
		return "?"
	}
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	units := [...]string{"B", "kB", "MB", "GB", "TB", "PB", "EB"}
	i := 0
	for i < len(units)-1 && rounded(n, i) >= 1000 {
		n /= 1000
		i++
	}
	if i == 0 || n >= 9.95 {
		return sign + strconv.FormatFloat(n, 'f', 0, 64) + " " + units[i]
	}
	return sign + strconv.FormatFloat(n, 'f', 1, 64) + " " + units[i]
}

// rounded is n as it would be shown, so that 999,700 becomes "1.0 MB" and not
// "1000 kB"; bytes themselves are shown whole.
func rounded(n float64, unit int) float64 {
	if unit == 0 {
		return n
	}
	return math.Round(n)
}

// Growth writes bytes a day with a sign: "+2.1 GB/day".
func Growth(bytesPerDay float64) string {
	if bytesPerDay >= 0 {
		return "+" + Bytes(bytesPerDay) + "/day"
	}
	return Bytes(bytesPerDay) + "/day"
}

// Memory writes bytes as Kubernetes manifests do: "256Mi", "1.5Gi".
func Memory(n int64) string {
	const ki = 1024
	units := [...]string{"", "Ki", "Mi", "Gi", "Ti"}
	v, i := float64(n), 0
	for i < len(units)-1 && v >= ki {
		v /= ki
		i++
	}
	return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) + units[i]
}

// Percent writes 0 to 100 without decimals: "92 %". Rounded down, so that
// "100 %" means full and a threshold is not shown before it is reached.
func Percent(p float64) string {
	if math.IsNaN(p) || math.IsInf(p, 0) || p < 0 {
		return "? %"
	}
	return strconv.Itoa(int(min(p, 999)+1e-9)) + " %"
}

// Span writes a duration in its one fitting unit, rounded down: "45 s",
// "12 min", "31 h", "3 d", "2 y". Hours reach to two days because the limits
// of backups are in hours.
func Span(d time.Duration) string {
	const day = 24 * time.Hour
	d = d.Abs()
	unit := func(u time.Duration, name string) string {
		return strconv.FormatInt(int64(d/u), 10) + name
	}
	switch {
	case d < 90*time.Second:
		return unit(time.Second, " s")
	case d < 90*time.Minute:
		return unit(time.Minute, " min")
	case d < 2*day:
		return unit(time.Hour, " h")
	case d < 2*365*day:
		return unit(day, " d")
	}
	return unit(365*day, " y")
}

// Ago writes how long ago t was: "31 h ago"; "now" within a second and for
// times in the future, which only a clock that jumped can give.
func Ago(t, now time.Time) string {
	d := now.Sub(t)
	if d < time.Second {
		return "now"
	}
	return Span(d) + " ago"
}

// Until writes how far away t is: "in 3 d"; "now" if it is past.
func Until(t, now time.Time) string {
	d := t.Sub(now)
	if d <= 0 {
		return "now"
	}
	return "in " + Span(d)
}
