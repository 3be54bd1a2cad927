package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"os/user"
	"slices"
	"strings"
	"time"

	"daytwo/actions"
	"daytwo/actions/cordon"
	"daytwo/actions/drain"
	"daytwo/actions/forensics"
	"daytwo/actions/upgrade"
	"daytwo/sources"
	"daytwo/sources/config"
)

// finishFor is how long the end of the program waits for the steps that run
// before it interrupts them. A login session that ends leaves its processes
// about this long.
const finishFor = 8 * time.Second

// kinds are the actions that can be started and resumed: every wizard adds
// its own.
func (s *session) kinds(dir string, settings sources.Settings) (map[actions.Kind]actions.Restore, error) {
	op, err := s.client.Operator()
	if err != nil {
		return nil, err
	}
	s.operator = op
	s.drains = drain.Kit{
		Cluster: op, Board: drain.NewBoard(),
		Uncordon: func(node string) actions.Action { return cordon.Lift(op, node) },
	}
	if s.upgrade, err = s.newUpgrade(dir, settings, s.drains); err != nil {
		return nil, err
	}
	return map[actions.Kind]actions.Restore{
		drain.Kind:          drain.Restore(s.drains),
		upgrade.Kind:        upgrade.Restore(s.upgrade),
		upgrade.BackKind:    upgrade.RestoreBack(s.upgrade),
		cordon.KindCordon:   cordon.Restore(op),
		cordon.KindUncordon: cordon.Restore(op),

		forensics.InspectKind: forensics.RestoreInspection(s.looks()),
		forensics.CleanKind:   forensics.RestoreCleanup(s.looks()),
	}, nil
}

// newRunner makes what runs actions on the session's cluster.
func (s *session) newRunner(dir string, cfg config.Config) (*actions.Runner, error) {
	settings := cfg.Settings(s.client.ContextName())
	kinds, err := s.kinds(dir, settings)
	if err != nil {
		return nil, err
	}
	lease, err := s.client.Lease(settings.LeaseNamespace)
	if err != nil {
		return nil, err
	}
	return actions.NewRunner(actions.Options{
		Dir: dir, Who: whoami(), Kinds: kinds, Lease: lease, Snapshot: s.store.Snapshot,
		ReadOnly: s.readonly, Clock: time.Now, Log: s.log, Journaling: s.hooks.journaling, Journaled: s.hooks.journaled,
	}), nil
}

// tellRuns puts the runs that rest unfinished where the rules see them.
func (s *session) tellRuns(ctx context.Context) {
	changed := s.runner.Watch()
	var told []sources.Unfinished
	for {
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
		if now := unfinishedOf(s.runner.Runs()); !slices.Equal(now, told) {
			told = now
			s.store.Publish(func(snap *sources.Snapshot) { snap.Unfinished = now })
		}
	}
}

func unfinishedOf(runs []actions.Run) []sources.Unfinished {
	var out []sources.Unfinished
	for _, r := range runs {
		if r.State.Over() || r.State == actions.Running || r.At >= len(r.Steps) {
			continue
		}
		next := r.Steps[r.At]
		u := sources.Unfinished{
			Run: r.ID, Title: plainLine(r.Title), Target: r.Target, State: string(r.State), Step: plainLine(next.Title),
			At: r.At + 1, Of: len(r.Steps), Since: next.Ended, Why: plainLine(r.Err),
		}
		if u.Since.IsZero() {
			u.Since = r.Began
		}
		out = append(out, u)
	}
	return out
}

// endRuns waits for the steps that run, for some time; then it interrupts
// them.
func (s *session) endRuns(ctx context.Context) {
	why := "daytwo was quit"
	if cause := context.Cause(ctx); cause != nil {
		why = "daytwo ended: " + cause.Error()
	}
	for _, run := range s.runner.Runs() {
		if run.Mine && run.At < len(run.Steps) && s.notice != nil {
			_, _ = fmt.Fprintf(s.notice, "daytwo: %s: waiting up to %s for the step %q, ctrl+c stops it now; daytwo resume %s goes on from there\n",
				run.Title, finishFor, run.Steps[run.At].Title, run.ID)
		}
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), finishFor)
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
