package main

import (
	"bufio"
	"io"
	"os"
	"sync"
	"time"

	"daytwo/sources"
)

// lastWords is how long what was written to standard error is read at most when
// the screen closes.
const lastWords = 100 * time.Millisecond

// lastLine ends the reading: the pipe itself stays open for a plug-in that
// still runs, or is about to.
const lastLine = "\x04"

// openScreenLog is openLog, and sends there also what a kubeconfig's
// credential plug-in writes to standard error, which would land on the screen.
// It comes before the client is made: client-go takes os.Stderr then. Closing
// the log gives standard error back.
func openScreenLog(dir string) (sources.Logger, io.Closer) {
	log, file := openLog(dir)
	r, w, err := os.Pipe()
	if err != nil {
		log("keeping standard error off the screen: %v", err)
		return log, file
	}
	taken := &takenStderr{before: os.Stderr, r: r, w: w, log: file, done: make(chan struct{})}
	os.Stderr = w
	go taken.pump(log)
	return log, taken
}

// takenStderr is standard error while it goes to the log.
type takenStderr struct {
	before *os.File
	r, w   *os.File
	log    io.Closer
	done   chan struct{}
}

// pump logs line by line, long lines in parts, until Close.
func (s *takenStderr) pump(log sources.Logger) {
	defer close(s.done)
	for lines := bufio.NewReader(s.r); ; {
		line, _, err := lines.ReadLine()
		if err != nil {
			return
		}
		if string(line) == lastLine {
			return
		}
		if len(line) > 0 {
			log("standard error: %s", line)
		}
	}
}

// Close implements io.Closer.
func (s *takenStderr) Close() error {
	os.Stderr = s.before
	_ = s.r.SetReadDeadline(time.Now().Add(lastWords))
	var told sync.WaitGroup
	told.Go(func() { _, _ = io.WriteString(s.w, "\n"+lastLine+"\n") }) // a full pipe ends with its reader
	<-s.done
	_ = s.r.Close()
	told.Wait()
	return s.log.Close() //nolint:wrapcheck // the log's own
}
