package actions

import (
	"bytes"
	"io"

	"daytwo/sources"
)

// Strainer passes lines on, cleaned of control sequences and without what
// looks like a secret. A line is held back until it ends, for a secret is only
// known as a whole. One goroutine writes at a time.
type Strainer struct {
	to   io.Writer
	red  *redactor
	part []byte
}

// NewStrainer makes one that writes to w.
func NewStrainer(w io.Writer) *Strainer { return &Strainer{to: w, red: newRedactor(nil)} }

// Redacted is a text without what looks like a secret.
func Redacted(s string) string { return newRedactor(nil).text(s) }

// Write implements io.Writer. It never fails: what becomes of the lines is the
// receiver's to tell.
func (s *Strainer) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		i := bytes.IndexAny(p, "\n\r")
		if i < 0 {
			s.part = append(s.part, p...)
			break
		}
		line := append(s.part, p[:i]...)
		s.emit(line, p[i])
		s.part, p = s.part[:0], p[i+1:]
	}
	if len(s.part) > longestLine {
		s.emit(s.part, '\n')
		s.part = s.part[:0]
	}
	return n, nil
}

// Flush passes on what has no end yet.
func (s *Strainer) Flush() {
	if len(s.part) > 0 {
		s.emit(s.part, '\n')
		s.part = s.part[:0]
	}
	s.red.inKey = false
}

// emit passes on a line with what ended it: \r begins the same line again.
func (s *Strainer) emit(line []byte, end byte) {
	text, ok := s.red.line(sources.CleanStream(string(line)))
	if !ok {
		return
	}
	_, _ = s.to.Write(append([]byte(text), end))
}
