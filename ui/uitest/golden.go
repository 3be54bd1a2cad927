package uitest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// updateEnv set to 1 rewrites the golden screens instead of comparing.
const updateEnv = "UPDATE_SCREENS"

// Golden compares the screen with testdata/screens/<name>.txt of the
// repository. UPDATE_SCREENS=1 rewrites the file; look at the difference
// before committing it.
func (d *Driver) Golden(name string) {
	d.t.Helper()
	Golden(d.t, name, d.Screen())
}

// Golden compares a text with a golden screen.
func Golden(t testing.TB, name, got string) {
	t.Helper()
	path := filepath.Join(repository(t), "testdata", "screens", name+".txt")
	got += "\n"
	if os.Getenv(updateEnv) == "1" {
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatalf("make the folder of golden screens: %v", err)
		}
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatalf("write golden screen: %v", err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("read golden screen (%s=1 writes it): %v\n%s", updateEnv, err, got)
	}
	if string(want) != got {
		t.Fatalf("the screen differs from %s (%s=1 rewrites it):\n%s\nthe whole screen:\n%s",
			path, updateEnv, difference(string(want), got), got)
	}
}

// difference shows the lines that differ, the wanted one first.
func difference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	var b strings.Builder
	for i := range max(len(w), len(g)) {
		var was, is string
		if i < len(w) {
			was = w[i]
		}
		if i < len(g) {
			is = g[i]
		}
		if was != is {
			fmt.Fprintf(&b, "%3d - %s\n    + %s\n", i+1, was, is)
		}
	}
	return b.String()
}

// repository is the folder with go.mod above the test.
func repository(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatalf("find the repository: %v", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("find the repository: no go.mod above the test")
		}
		dir = up
	}
}
