package views_test

import "testing"

// atSizes runs a test at every size that screens are kept in.
func atSizes(t *testing.T, do func(t *testing.T, size string, width, height int)) {
	t.Helper()
	for _, s := range []struct {
		name          string
		width, height int
	}{{"80x24", 80, 24}, {"120x40", 120, 40}, {"200x50", 200, 50}} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			do(t, s.name, s.width, s.height)
		})
	}
}
