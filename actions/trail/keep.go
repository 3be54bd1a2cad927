package trail

import (
	"cmp"
	"fmt"
	"strings"
)

// Keep writes what there is of the output into a file, and what comes. It
// returns where that is, and why it is not whole. Asked again it says the same.
func (f *Fan) Keep() (path, trouble string) {
	f.keeping.Lock()
	if f.paper == nil {
		f.paper = NewPaper(Keep{Dir: f.kit.Dir, Name: "trail-" + f.line.Name, At: f.kit.Clock()})
		head := "# " + f.kit.Clock().UTC().Format("2006-01-02 15:04:05") + " UTC, " + f.line.Name + "\n"
		_, _ = f.paper.Write([]byte(head))
	}
	f.keeping.Unlock()
	for _, t := range f.targets {
		f.save(t)
	}
	return f.Kept()
}

// Kept is where the output is kept and why that is not whole; both are "" if
// nobody asked for it.
func (f *Fan) Kept() (path, trouble string) {
	f.keeping.Lock()
	defer f.keeping.Unlock()
	if f.paper == nil {
		return "", ""
	}
	return f.paper.Path(), f.paper.Trouble()
}

// save puts what is new on a target's tape into the paper, if there is one.
func (f *Fan) save(t *target) {
	f.keeping.Lock()
	defer f.keeping.Unlock()
	if f.paper == nil {
		return
	}
	before := ""
	if len(f.targets) > 1 {
		before = cmp.Or(t.is.Name, "cluster") + " | "
	}
	first, lines := t.is.Tape.After(t.kept)
	var b strings.Builder
	if gone := first - t.kept; gone > 0 {
		fmt.Fprintf(&b, "%s%s%d lines were no longer there when this was to be kept\n", before, noteMark, gone)
	}
	for _, l := range lines {
		b.WriteString(before + l + "\n")
	}
	t.kept = first + int64(len(lines))
	_, _ = f.paper.Write([]byte(b.String()))
}
