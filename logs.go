package main

import (
	"time"

	"daytwo/actions/trail"
	"daytwo/sources"
)

// readLogs begins to read logs of containers, until they are closed or the
// program ends.
func (s *session) readLogs(asks []sources.LogAsk, name string, open bool) *trail.Logs {
	return trail.ReadLogs(s.outer, trail.LogOptions{
		Source: s.client, Asks: asks, Open: open,
		Keep: trail.Keep{Dir: s.folder("logs"), Name: name, At: time.Now()},
	})
}
