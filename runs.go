package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"os/user"
	"strings"
	"time"

	"daytwo/actions"
	"daytwo/actions/cordon"
	"daytwo/sources"
	"daytwo/sources/config"
)

// finishFor is how long the end of the program waits for the steps that run
// before it interrupts them. A login session that ends leaves its processes
// about this long.
const finishFor = 8 * time.Second

// kinds are the actions that can be started and resumed: every wizard adds
// its own.
func (s *session) kinds() (map[actions.Kind]actions.Restore, error) {
	cordoner, err := s.client.Cordoner()
	if err != nil {
		return nil, err
	}
	return map[actions.Kind]actions.Restore{
		cordon.KindCordon:   cordon.Restore(cordoner),
		cordon.KindUncordon: cordon.Restore(cordoner),
	}, nil
}

// newRunner makes what runs actions on the session's cluster.
func (s *session) newRunner(dir string, cfg config.Config) (*actions.Runner, error) {
	kinds, err := s.kinds()
	if err != nil {
		return nil, err
	}
	lease, err := s.client.Lease(cfg.Settings(s.client.ContextName()).LeaseNamespace)
	if err != nil {
		return nil, err
	}
	return actions.NewRunner(actions.Options{
		Dir: dir, Who: whoami(), Kinds: kinds, Lease: lease, Snapshot: s.store.Snapshot,
		ReadOnly: s.readonly, Clock: time.Now, Log: s.log,
	}), nil
}

// endRuns waits for the steps that run, for some time; then it interrupts
// them.
func (s *session) endRuns() {
	why := "daytwo was quit"
	if cause := context.Cause(s.outer); cause != nil {
		why = "daytwo ended: " + cause.Error()
	}
	for _, run := range s.runner.Runs() {
		if run.Mine && run.At < len(run.Steps) && s.notice != nil {
			_, _ = fmt.Fprintf(s.notice, "daytwo: %s: waiting up to %s for the step %q, ctrl+c stops it now; daytwo resume %s goes on from there\n",
				run.Title, finishFor, run.Steps[run.At].Title, run.ID)
		}
	}
	ctx, stop := context.WithTimeout(context.Background(), finishFor)
	defer stop()
	ctx, hurry := signal.NotifyContext(ctx, os.Interrupt)
	defer hurry()
	s.runner.Close(ctx, why)
}

// whoami is user@host, for journals and for others who wait.
func whoami() string {
	name, host := "somebody", "somewhere"
	if u, err := user.Current(); err == nil && u.Username != "" {
		name = u.Username
	} else if env := os.Getenv("USER"); env != "" {
		name = env
	}
	if h, err := os.Hostname(); err == nil && h != "" {
		host, _, _ = strings.Cut(h, ".")
	}
	return sources.Clean(name+"@"+host, sources.MaxName)
}
