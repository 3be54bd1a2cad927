package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "daytwo/"

// layer says what a package may import: of ours (by prefix, without the
// module's name) and which of the libraries that are kept in their rooms.
type layer struct {
	ours      []string
	libraries []string
}

// guarded are libraries that only the rooms which name them may import.
var guarded = []string{
	"charm.land/", "github.com/charmbracelet/",
	"k8s.io/", "sigs.k8s.io/",
	"github.com/hetznercloud/",
	"golang.org/x/crypto/ssh",
	"modernc.org/sqlite",
}

// rooms are matched by the longest prefix of the package's folder.
var rooms = map[string]layer{
	"keymap":          {},
	"sources":         {},
	"sources/config":  {ours: []string{"sources"}},
	"sources/rules":   {ours: []string{"sources"}},
	"sources/history": {ours: []string{"sources"}, libraries: []string{"modernc.org/sqlite"}},
	"sources/kube":    {ours: []string{"sources"}, libraries: []string{"k8s.io/", "sigs.k8s.io/"}},
	"sources/kubelet": {ours: []string{"sources", "sources/kube"}, libraries: []string{"k8s.io/"}},
	"sources/ssh":     {ours: []string{"sources"}, libraries: []string{"golang.org/x/crypto/ssh"}},
	"sources/release": {ours: []string{"sources"}},
	"sources/record":  {ours: []string{"sources"}},
	"sources/demo":    {ours: []string{"sources", "sources/demo/box"}, libraries: []string{"k8s.io/", "sigs.k8s.io/", "golang.org/x/crypto/ssh"}},
	"actions":         {ours: []string{"sources", "actions", "actions/"}},
	"ui":              {ours: []string{"keymap", "sources", "actions"}, libraries: []string{"charm.land/", "github.com/charmbracelet/"}},
	"ui/uitest":       {ours: []string{"keymap", "sources", "actions", "ui"}, libraries: []string{"charm.land/", "github.com/charmbracelet/"}},
	"views":           {ours: []string{"keymap", "sources", "actions", "actions/", "ui", "views/"}, libraries: []string{"charm.land/", "github.com/charmbracelet/"}},
	"views/report":    {ours: []string{"sources"}},

	"sources/demo/box": {libraries: []string{"golang.org/x/crypto/ssh"}},
}

// TestLayers holds the import rules: sources and actions know no terminal,
// ui knows no views, views know no sub-package of sources, and each client
// library stays in the room that speaks its protocol.
func TestLayers(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	eachGoFile(t, func(path string) {
		if strings.HasSuffix(path, "_test.go") {
			return // tests may reach across to set up a world
		}
		dir := filepath.ToSlash(filepath.Dir(path))
		if dir == "." {
			return // main wires everything
		}
		room, ok := roomOf(dir)
		if !ok {
			t.Errorf("%s: package folder %q is in no known room; see CONTRIBUTING.md", path, dir)
			return
		}
		seen[room] = true
		for _, imp := range importsOf(t, path) {
			if why := forbidden(dir, rooms[room], imp); why != "" {
				t.Errorf("%s imports %s: %s", path, imp, why)
			}
		}
	})
	for _, must := range []string{"keymap", "sources", "ui", "views"} {
		if !seen[must] {
			t.Errorf("no Go file seen in %s: the test looks in the wrong place", must)
		}
	}
}

// TestLayersCanFail shows that the rules refuse what they are there to refuse.
func TestLayersCanFail(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ dir, imp string }{
		{"sources/rules", "charm.land/bubbletea/v2"},
		{"ui", module + "views"},
		{"views", module + "sources/kube"},
		{"views", "k8s.io/client-go/kubernetes"},
		{"keymap", module + "sources"},
		{"sources", module + "sources/rules"},
		{"actions", "charm.land/lipgloss/v2"},
	} {
		room, _ := roomOf(c.dir)
		if forbidden(c.dir, rooms[room], c.imp) == "" {
			t.Errorf("%s may import %s: the rule has no teeth", c.dir, c.imp)
		}
	}
}

// TestTopLevel holds the folders of the design card.
func TestTopLevel(t *testing.T) {
	t.Parallel()
	allowed := []string{".ci", ".git", "actions", "docs", "keymap", "sources", "testdata", "ui", "views"}
	entries, err := filepath.Glob("*")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if info, err := os.Stat(e); err == nil && info.IsDir() && !slices.Contains(allowed, e) {
			t.Errorf("top-level folder %q is not on the card", e)
		}
	}
}

func eachGoFile(t *testing.T, do func(path string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || (strings.HasPrefix(d.Name(), ".") && path != ".")):
			return filepath.SkipDir
		case strings.HasSuffix(path, ".go"):
			do(path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func importsOf(t *testing.T, path string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, s := range f.Imports {
		p, err := strconv.Unquote(s.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

// roomOf finds the longest room that holds a folder.
func roomOf(dir string) (string, bool) {
	for d := dir; d != "."; d = filepath.ToSlash(filepath.Dir(d)) {
		if _, ok := rooms[d]; ok {
			// A sub-package of sources must be named: it decides which client it holds.
			if d == "sources" && dir != "sources" {
				return "", false
			}
			return d, true
		}
	}
	return "", false
}

// forbidden says why a folder in a room may not import a path; "" if it may.
func forbidden(dir string, l layer, imp string) string {
	if own, ok := strings.CutPrefix(imp, module); ok {
		for _, o := range l.ours {
			if own == o || (strings.HasSuffix(o, "/") && strings.HasPrefix(own, o)) || own == dir {
				return ""
			}
		}
		return "this room may import of ours only " + strings.Join(l.ours, ", ")
	}
	for _, g := range guarded {
		if strings.HasPrefix(imp, g) && !slices.ContainsFunc(l.libraries, func(p string) bool { return strings.HasPrefix(imp, p) }) {
			return "this library is kept out of this room"
		}
	}
	return ""
}
