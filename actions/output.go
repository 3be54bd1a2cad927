package actions

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

const (
	// longestLine is where a line without an end is cut.
	longestLine = 64 << 10
	// rewound is how much of an earlier stream is shown when a run is resumed.
	rewound = 16 << 10
)

// output is where a run's steps write: cleaned and without secrets it goes to
// the log as a whole, and to the tape for the screen.
type output struct {
	mu     sync.Mutex
	file   *os.File
	tape   *Tape
	strain *Strainer
	lost   error // the log could not be written: the first reason
}

// strained takes what came through an output's strainer.
type strained struct{ o *output }

// Write implements io.Writer; the output is locked.
func (s strained) Write(line []byte) (int, error) {
	_, _ = s.o.tape.Write(line)
	if _, err := s.o.file.Write(line); err != nil && s.o.lost == nil {
		s.o.lost = err
	}
	return len(line), nil
}

// openOutput goes on with the log of a run.
func openOutput(dir string, red *redactor) (*output, error) {
	path := filepath.Join(dir, outputName)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the run's log: %w", err)
	}
	o := &output{file: file, tape: NewTape()}
	o.strain = &Strainer{to: strained{o}, red: red}
	if info, err := file.Stat(); err == nil && info.Size() > 0 {
		from := max(0, info.Size()-rewound)
		old, _ := io.ReadAll(io.NewSectionReader(file, from, rewound))
		if from > 0 { // not from the middle of a line
			_, old, _ = bytes.Cut(old, []byte("\n"))
		}
		_, _ = o.tape.Write(old)
	}
	return o, nil
}

// Write implements io.Writer. It does not fail for want of a disk: what runs
// must not be cut off in the middle because its log is full.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.strain.Write(p)
}

// heading says which step what follows belongs to, and what a person would
// have typed.
func (o *output) heading(now time.Time, s Step) {
	var text strings.Builder
	text.WriteString(marked(now, s, ""))
	for line := range strings.Lines(s.Command) {
		text.WriteString("$ " + strings.TrimSuffix(line, "\n") + "\n")
	}
	_, _ = o.Write([]byte(text.String()))
}

// footing says how a step ended.
func (o *output) footing(now time.Time, s Step, state State, reason string) {
	text := string(state)
	if reason != "" {
		text += ": " + reason
	}
	_, _ = o.Write([]byte(marked(now, s, text)))
}

// marked is a line of the engine's own between those of the steps.
func marked(now time.Time, s Step, text string) string {
	title := s.Title
	if s.Group != "" {
		title = s.Group + " · " + s.Title
	}
	if text != "" {
		title += " · " + strings.Join(strings.Fields(text), " ")
	}
	return "# " + now.UTC().Format("15:04:05") + " " + title + "\n"
}

// flush writes what has no end yet, puts all on the disk, and says what could
// not be kept.
func (o *output) flush() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.strain.Flush()
	if o.lost != nil {
		return fmt.Errorf("the log is not whole: %w", o.lost)
	}
	if err := o.file.Sync(); err != nil {
		return fmt.Errorf("keeping the log: %w", err)
	}
	return nil
}

// Close ends the stream.
func (o *output) Close() error {
	err := o.flush()
	o.tape.End()
	if closed := o.file.Close(); closed != nil {
		err = errors.Join(err, fmt.Errorf("closing the log: %w", closed))
	}
	return err
}
