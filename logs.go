package main

import (
	"path/filepath"
	"time"

	"daytwo/actions/trail"
	"daytwo/sources"
)

// readLogs begins to read logs of containers, until they are closed or the
// program ends.
func (s *session) readLogs(asks []sources.LogAsk, name string) *trail.Logs {
	return trail.ReadLogs(s.outer, trail.LogOptions{
		Source: s.client, Asks: asks,
		Keep: trail.Keep{Dir: filepath.Join(s.kept, "logs"), Name: name, At: time.Now()},
	})
}
