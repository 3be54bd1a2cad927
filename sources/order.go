package sources

import (
	"cmp"
	"strings"
)

// CompareNames orders names as people do: runs of digits count as numbers, so
// worker-2 comes before worker-10.
func CompareNames(a, b string) int {
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		if isDigit(a[i]) && isDigit(b[j]) {
			na, ni := digits(a, i)
			nb, nj := digits(b, j)
			if c := compareNumbers(na, nb); c != 0 {
				return c
			}
			i, j = ni, nj
			continue
		}
		if a[i] != b[j] {
			return cmp.Compare(a[i], b[j])
		}
		i++
		j++
	}
	if c := cmp.Compare(len(a)-i, len(b)-j); c != 0 {
		return c
	}
	return strings.Compare(a, b) // 07 and 7
}

// CompareRefs orders objects by namespace, name, then kind.
func CompareRefs(a, b Ref) int {
	if c := CompareNames(a.Namespace, b.Namespace); c != 0 {
		return c
	}
	if c := CompareNames(a.Name, b.Name); c != 0 {
		return c
	}
	return strings.Compare(a.Kind, b.Kind)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// digits returns the run of digits at i without leading zeros, and its end.
func digits(s string, i int) (string, int) {
	end := i
	for end < len(s) && isDigit(s[end]) {
		end++
	}
	for i < end-1 && s[i] == '0' {
		i++
	}
	return s[i:end], end
}

func compareNumbers(a, b string) int {
	if c := cmp.Compare(len(a), len(b)); c != 0 {
		return c
	}
	return strings.Compare(a, b)
}
