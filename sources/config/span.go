package config

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

const (
	dayLong  = 24 * time.Hour
	weekLong = 7 * dayLong
	longest  = 20 * 365 * dayLong
)

var errSpan = errors.New("is no duration; write a number and a unit, for instance 10m, 25h, 21d or 2w")

// units are Go's, and days and weeks. Longer names come first.
func units() []struct {
	name string
	is   time.Duration
} {
	return []struct {
		name string
		is   time.Duration
	}{{"ms", time.Millisecond}, {"s", time.Second}, {"m", time.Minute}, {"h", time.Hour}, {"d", dayLong}, {"w", weekLong}}
}

// parseSpan reads a duration above zero: Go's, with d for 24 h and w for 7 d.
func parseSpan(text string) (time.Duration, error) {
	var total float64
	rest := text
	for rest != "" {
		n := strings.IndexFunc(rest, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
		if n <= 0 {
			return 0, errSpan
		}
		number, err := strconv.ParseFloat(rest[:n], 64)
		if err != nil {
			return 0, errSpan
		}
		rest = rest[n:]
		unit := time.Duration(0)
		for _, u := range units() {
			if after, ok := strings.CutPrefix(rest, u.name); ok {
				unit, rest = u.is, after
				break
			}
		}
		if unit == 0 {
			return 0, errSpan
		}
		total += number * float64(unit)
	}
	switch {
	case text == "":
		return 0, errSpan
	case total < float64(time.Second):
		return 0, errors.New("is too short; write 1s or more")
	case total > float64(longest):
		return 0, errors.New("is too long; write 20 years (7300d) or less")
	}
	return time.Duration(total), nil
}

// spanText writes a duration as parseSpan reads it.
func spanText(d time.Duration) string {
	switch {
	case d >= 2*dayLong && d%dayLong == 0:
		return strconv.FormatInt(int64(d/dayLong), 10) + "d"
	case d%time.Hour == 0:
		return strconv.FormatInt(int64(d/time.Hour), 10) + "h"
	case d%time.Minute == 0:
		return strconv.FormatInt(int64(d/time.Minute), 10) + "m"
	}
	return d.String()
}
