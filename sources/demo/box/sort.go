package box

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
)

func sortLines(ctx context.Context, p *process, args []string) int {
	f, words := parse(args, "k", "t", "S", "T", "key")
	end := endOf(f, "z", "zero-terminated")
	var all []string
	if code := p.records(ctx, "sort", end, words, func(l string) bool { all = append(all, l); return true }); code != 0 {
		return code
	}
	key := f.get("k", "key")
	numeric := f.has("n") || strings.Contains(key, "n")
	column, _ := strconv.Atoi(strings.TrimFunc(strings.Split(key+",", ",")[0], func(r rune) bool { return r < '0' || r > '9' }))
	value := func(l string) string {
		if column < 1 {
			return l
		}
		words := strings.Fields(l)
		if sep := f.get("t"); sep != "" {
			words = strings.Split(l, sep)
		}
		if column > len(words) {
			return ""
		}
		return strings.Join(words[column-1:], " ")
	}
	slices.SortStableFunc(all, func(a, b string) int {
		a, b = value(a), value(b)
		switch {
		case f.has("h"):
			x, _ := bytesOf(strings.Split(strings.TrimSpace(a)+"\t", "\t")[0])
			y, _ := bytesOf(strings.Split(strings.TrimSpace(b)+"\t", "\t")[0])
			return cmp.Compare(x, y)
		case numeric:
			return cmp.Compare(leading(a), leading(b))
		}
		return cmp.Compare(a, b)
	})
	if f.has("r") || strings.Contains(key, "r") {
		slices.Reverse(all)
	}
	if f.has("u") {
		all = slices.Compact(all)
	}
	for _, l := range all {
		if !p.print("%s%c", l, end) {
			return 1
		}
	}
	return 0
}

// leading is the number that a line begins with.
func leading(s string) float64 {
	s = strings.TrimSpace(s)
	end := 0
	for end < len(s) && (s[end] >= '0' && s[end] <= '9' || s[end] == '.' || (end == 0 && s[end] == '-')) {
		end++
	}
	n, _ := strconv.ParseFloat(s[:end], 64)
	return n
}

func uniq(ctx context.Context, p *process, args []string) int {
	f, words := parse(args)
	last, n, some := "", 0, false
	flush := func() {
		switch {
		case some && f.has("c"):
			p.print("%7d %s\n", n, last)
		case some:
			p.print("%s\n", last)
		}
	}
	code := p.lines(ctx, "uniq", words, func(l string) bool {
		if some && l == last {
			n++
			return true
		}
		flush()
		last, n, some = l, 1, true
		return true
	})
	flush()
	return code
}
