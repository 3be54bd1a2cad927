package upgrade

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Version is an exact version of k3s: v1.33.6+k3s1, v1.34.0-rc1+k3s2.
type Version struct {
	Major, Minor, Patch int
	Pre                 string // "rc1"; "" for a release
	Build               int    // of k3s: 1 in +k3s1; 0 if there is none
}

var _ fmt.Stringer = Version{}

// ParseVersion reads an exact version as nodes and tags have it.
func ParseVersion(s string) (Version, error) {
	m := versionShape().FindStringSubmatch(s)
	if m == nil {
		return Version{}, fmt.Errorf("%q is no exact version; it looks like v1.33.6+k3s1", s)
	}
	var n [4]int
	for i, text := range []string{m[1], m[2], m[3], m[5]} {
		if text == "" {
			continue
		}
		v, err := strconv.Atoi(text)
		if err != nil {
			return Version{}, fmt.Errorf("%q is no exact version; its numbers are too large", s)
		}
		n[i] = v
	}
	return Version{Major: n[0], Minor: n[1], Patch: n[2], Pre: m[4], Build: n[3]}, nil
}

func versionShape() *regexp.Regexp {
	return regexp.MustCompile(`^v([1-9]\d{0,3})\.(0|[1-9]\d{0,3})\.(0|[1-9]\d{0,3})(?:-([0-9A-Za-z.]{1,20}))?(?:\+k3s([1-9]\d{0,3}))?$`)
}

// String is the version as a tag has it.
func (v Version) String() string {
	s := fmt.Sprintf("v%d.%d.%d", v.Major, v.Minor, v.Patch)
	if v.Pre != "" {
		s += "-" + v.Pre
	}
	if v.Build > 0 {
		s += fmt.Sprintf("+k3s%d", v.Build)
	}
	return s
}

// Line is the minor as channels are named: v1.33.
func (v Version) Line() string { return fmt.Sprintf("v%d.%d", v.Major, v.Minor) }

// Compare orders by age; a pre-release is older than its release.
func (v Version) Compare(o Version) int {
	if c := cmp.Or(v.minors(o), cmp.Compare(v.Patch, o.Patch)); c != 0 {
		return c
	}
	switch {
	case v.Pre == o.Pre:
	case v.Pre == "":
		return 1
	case o.Pre == "":
		return -1
	default:
		return comparePre(v.Pre, o.Pre)
	}
	return cmp.Compare(v.Build, o.Build)
}

// comparePre orders rc2 before rc10.
func comparePre(a, b string) int {
	word := func(s string) (string, int) {
		i := strings.IndexAny(s, "0123456789")
		if i < 0 {
			return s, 0
		}
		n, err := strconv.Atoi(s[i:])
		if err != nil {
			return s, 0
		}
		return s[:i], n
	}
	wa, na := word(a)
	wb, nb := word(b)
	return cmp.Or(strings.Compare(wa, wb), cmp.Compare(na, nb))
}

// minors compares by major and minor alone.
func (v Version) minors(o Version) int {
	return cmp.Or(cmp.Compare(v.Major, o.Major), cmp.Compare(v.Minor, o.Minor))
}

// ahead is by how many minors v is newer than o; far when majors differ.
func (v Version) ahead(o Version) int {
	const far = 1000
	if v.Major != o.Major {
		return far * cmp.Compare(v.Major, o.Major)
	}
	return v.Minor - o.Minor
}
