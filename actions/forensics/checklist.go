package forensics

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

//go:embed checklist.md
var shipped string

// mostChecklist bounds what is read of a checklist.
const mostChecklist = 256 << 10

// Checklist is a Markdown file with boxes to tick. What is not a box stays as
// it is.
type Checklist struct{ Lines []CheckLine }

// CheckLine is one line of it.
type CheckLine struct {
	Text   string // without the box
	Box    bool
	Ticked bool
	Title  bool

	indent string
}

// ChecklistFile is where the checklist is kept, beside the upgrade notes.
func ChecklistFile(record string) string { return filepath.Join(record, "forensics-checklist.md") }

// EnsureChecklist writes the shipped checklist where there is none yet, so
// that there is something to edit.
func EnsureChecklist(record string) (string, error) {
	if record == "" {
		return "", errors.New("there is no state folder to keep the checklist in; set XDG_STATE_HOME")
	}
	path := ChecklistFile(record)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	} else if !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("looking for the checklist: %w", err)
	}
	if err := os.MkdirAll(record, 0o700); err != nil {
		return "", fmt.Errorf("making the folder of the record: %w", err)
	}
	return path, writeFile(path, []byte(shipped))
}

// ReadChecklist reads the checklist of a record, or the shipped one where
// there is none.
func ReadChecklist(record string) (Checklist, error) {
	if record == "" {
		return ParseChecklist(shipped), nil
	}
	return readChecklist(ChecklistFile(record), shipped)
}

// ReadTicked reads the checklist that was saved with a run; ok is false where
// nobody ticked anything yet.
func ReadTicked(dir string) (list Checklist, ok bool, err error) {
	path := filepath.Join(dir, tickedFile)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return Checklist{}, false, nil
	}
	list, err = readChecklist(path, "")
	return list, err == nil, err
}

const tickedFile = "checklist.md"

// SaveTicked keeps a ticked checklist with a run.
func SaveTicked(dir string, c Checklist) error {
	return writeFile(filepath.Join(dir, tickedFile), []byte(c.String()))
}

func readChecklist(path, instead string) (Checklist, error) {
	raw, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist) && instead != "":
		raw = []byte(instead)
	case err != nil:
		return Checklist{}, fmt.Errorf("reading the checklist: %w", err)
	case len(raw) > mostChecklist:
		return Checklist{}, fmt.Errorf("the checklist %s has %s: more than a person ticks", path, bytesOf(int64(len(raw))))
	}
	return ParseChecklist(string(raw)), nil
}

// ParseChecklist reads Markdown.
func ParseChecklist(text string) Checklist {
	var c Checklist
	for l := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		l = strings.TrimRight(l, "\r")
		trimmed := strings.TrimLeft(l, " \t")
		line := CheckLine{Text: l, Title: strings.HasPrefix(trimmed, "#")}
		for _, bullet := range []string{"- [", "* [", "+ ["} {
			rest, ok := strings.CutPrefix(trimmed, bullet)
			if ok && len(rest) >= 2 && rest[1] == ']' && strings.ContainsRune(" xX", rune(rest[0])) {
				line.Box, line.Ticked = true, rest[0] != ' '
				line.indent = l[:len(l)-len(trimmed)] + bullet[:2]
				line.Text = strings.TrimPrefix(rest[2:], " ")
			}
		}
		c.Lines = append(c.Lines, line)
	}
	return c
}

// String is the Markdown again.
func (c Checklist) String() string {
	var b strings.Builder
	for _, l := range c.Lines {
		switch {
		case !l.Box:
			b.WriteString(l.Text)
		case l.Ticked:
			b.WriteString(l.indent + "[x] " + l.Text)
		default:
			b.WriteString(l.indent + "[ ] " + l.Text)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// Tick returns the checklist with a line's tick turned over.
func (c Checklist) Tick(n int) Checklist {
	lines := make([]CheckLine, len(c.Lines))
	copy(lines, c.Lines)
	if n >= 0 && n < len(lines) && lines[n].Box {
		lines[n].Ticked = !lines[n].Ticked
	}
	return Checklist{lines}
}

// Count is how many boxes are ticked, and how many there are.
func (c Checklist) Count() (ticked, all int) {
	for _, l := range c.Lines {
		if l.Box {
			all++
			if l.Ticked {
				ticked++
			}
		}
	}
	return ticked, all
}

// TickedAs ticks the boxes that another list has ticked under the same words.
func (c Checklist) TickedAs(other Checklist) Checklist {
	done := map[string]bool{}
	for _, l := range other.Lines {
		if l.Ticked {
			done[l.Text] = true
		}
	}
	lines := make([]CheckLine, len(c.Lines))
	for i, l := range c.Lines {
		l.Ticked = l.Box && (l.Ticked || done[l.Text])
		lines[i] = l
	}
	return Checklist{lines}
}
