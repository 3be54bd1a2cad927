package ssh

import (
	"context"
	"fmt"
	"time"

	"daytwo/sources"
)

const (
	// doubtTime bounds the login that only asks for doubts: who waits for it
	// wants something else done.
	doubtTime = 4 * time.Second
	// deadFor is how long a machine that could not be reached is not asked for
	// doubts again.
	deadFor = 30 * time.Second
)

// Doubt logs in to see what a person must decide first; see sources.Trust.
func (f *Fleet) Doubt(ctx context.Context, node string) error {
	last := f.last(node)
	if last.err != nil && sources.Doubt(last.err) == nil && time.Since(last.at) < deadFor {
		return nil
	}
	login, stop := context.WithTimeout(Quiet(ctx), doubtTime)
	defer stop()
	l, err := (&host{fleet: f, node: node}).line(login)
	switch {
	case err == nil:
		l.release()
	case login.Err() != nil && ctx.Err() == nil:
		f.note(node, fmt.Errorf("%s does not answer within %v", node, doubtTime))
	}
	return sources.Doubt(err)
}
