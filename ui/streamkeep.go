package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"daytwo/sources"

	tea "charm.land/bubbletea/v2"
)

// copy puts the lines in sight on the clipboard, whole.
func (s *Stream) copy(f Frame) tea.Cmd {
	top := s.top
	if !s.back {
		top, _ = s.lastTop()
	}
	end := min(top+max(len(s.visible(f)), 1), s.count())
	text := s.text(top, end)
	if text == "" {
		return Toast(sources.Warning, "copy: nothing was written yet")
	}
	return tea.Batch(tea.SetClipboard(text), Toast(sources.OK, fmt.Sprintf("copied %d lines", end-top)))
}

// text is some lines as they are on the screen, without colours.
func (s *Stream) text(from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		r := s.at(i)
		if r.gap > 0 {
			b.WriteString("-- " + s.gapText(r.gap, "skipped") + " --\n")
			continue
		}
		b.WriteString(visibleText(r.text) + "\n")
	}
	return b.String()
}

// save asks where to keep the stream and writes it there: all of it where it
// is on the disk, else what is kept here.
func (s *Stream) save() tea.Cmd {
	from, name := s.File, s.Name
	text := ""
	lines := []string{"The whole of it is copied."}
	if from == "" {
		text = s.text(0, s.count())
		lines = []string{grouped(int64(len(s.rows))) + " lines are kept here and written."}
		if s.gone > 0 {
			lines = append(lines, s.gapText(s.gone, "are not kept"))
		}
	} else if name == "" {
		name = "daytwo-" + filepath.Base(filepath.Dir(from)) + ".log"
	}
	return Ask(Question{
		Title: "Save", Lines: lines, Label: "file to write (it must not exist yet)", Text: name, Yes: "save",
		Do: func(path string) tea.Cmd {
			return Work(func(context.Context) tea.Msg { return saved(path, from, text) })
		},
	})
}

// saved writes a new file and says how that went.
func saved(path, from, text string) tea.Msg {
	path, err := atHome(path)
	if err == nil {
		err = writeNew(path, from, text)
	}
	switch {
	case errors.Is(err, os.ErrExist):
		return toastMsg{sources.Warning, "not saved, it exists already: " + path}
	case err != nil:
		return toastMsg{sources.Critical, "not saved: " + err.Error()}
	}
	return toastMsg{sources.OK, "saved: " + path}
}

// atHome makes a path of what a person typed.
func atHome(path string) (string, error) {
	rest, home := strings.CutPrefix(path, "~/")
	if !home {
		path, err := filepath.Abs(path)
		if err != nil {
			return "", fmt.Errorf("finding the folder of %s: %w", path, err)
		}
		return path, nil
	}
	dir, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("finding your home: %w; type the whole path", err)
	}
	return filepath.Join(dir, rest), nil
}

func writeNew(path, from, text string) (err error) {
	var in io.Reader = strings.NewReader(text)
	if from != "" {
		whole, err := os.Open(from)
		if err != nil {
			return fmt.Errorf("reading the whole log: %w", err)
		}
		defer func() { _ = whole.Close() }()
		in = whole
	}
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("making the file: %w", err)
	}
	defer func() {
		if closed := out.Close(); err == nil && closed != nil {
			err = fmt.Errorf("writing %s: %w", path, closed)
		}
	}()
	if _, err := io.Copy(out, in); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// Page shows a file in the person's pager, in place of the screen until it
// ends. What runs goes on meanwhile.
func Page(path string) tea.Cmd {
	words := strings.Fields(os.Getenv("PAGER"))
	if len(words) == 0 {
		words = []string{"less", "-R", "+G"}
	}
	found, err := exec.LookPath(words[0])
	if err != nil {
		return Toast(sources.Warning, "no pager "+words[0]+" here (set PAGER); the whole log is "+path)
	}
	if _, err := os.Stat(path); err != nil {
		return Toast(sources.Warning, "the whole log cannot be read: "+err.Error())
	}
	pager := exec.Command(found, append(words[1:], path)...) //nolint:gosec,noctx // the person's own pager, ended by the person
	return tea.ExecProcess(pager, func(err error) tea.Msg {
		if err != nil {
			return toastMsg{sources.Warning, "the pager ended: " + err.Error() + "; the whole log is " + path}
		}
		return nil
	})
}
