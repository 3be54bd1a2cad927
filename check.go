package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"daytwo/sources"
	"daytwo/views/report"

	"github.com/spf13/cobra"
)

type checkFlags struct {
	output  string
	failOn  string
	timeout time.Duration
}

func checkCommand(f *flags, tty terminal) *cobra.Command {
	var k checkFlags
	c := &cobra.Command{
		Use:   "check",
		Short: "Print what needs attention, without a screen",
		Long: `Looks at the cluster once, with the same rules as the cockpit, and prints the
findings. Exit code: 0 ok, 1 warning, 2 critical, 3 could not look: not at all,
or not at any disk, backup or certificate.`,
		Example: `  daytwo check
  daytwo check -o json | jq '.findings[] | select(.severity == "critical")'
  daytwo check --fail-on critical`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runCheck(c.Context(), *f, k, tty) },
	}
	c.Flags().StringVarP(&k.output, "output", "o", string(report.Text), "text, json or markdown")
	c.Flags().StringVar(&k.failOn, "fail-on", "warning", "the mildest finding that fails: warning, critical or unknown")
	c.Flags().DurationVar(&k.timeout, "timeout", 20*time.Second, "how long to wait for answers")
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json", "markdown"}, cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("fail-on", cobra.FixedCompletions(failOn(), cobra.ShellCompDirectiveNoFileComp))
	return c
}

func failOn() []string { return []string{"warning", "critical", "unknown"} }

func (k checkFlags) validate() error {
	if !slices.Contains([]string{"text", "json", "markdown"}, k.output) {
		return fmt.Errorf("no output format %q; there are text, json and markdown", k.output)
	}
	if !slices.Contains(failOn(), k.failOn) {
		return fmt.Errorf("cannot fail on %q; there are warning, critical and unknown", k.failOn)
	}
	if k.timeout <= 0 {
		return fmt.Errorf("a timeout of %s leaves no time to look; the default is 20s", k.timeout)
	}
	return nil
}

func runCheck(ctx context.Context, f flags, k checkFlags, tty terminal) error {
	if err := k.validate(); err != nil {
		return err
	}
	cfg, err := f.settings()
	if err != nil {
		return err
	}
	s, err := openSession(ctx, f, cfg, openLog)
	if err != nil {
		return err
	}
	defer s.close(ctx)
	ctx, stop := context.WithTimeout(ctx, k.timeout)
	defer stop()
	snap := settle(ctx, s.store)
	if errors.Is(ctx.Err(), context.Canceled) {
		return errNoLook // interrupted: half a picture is not an answer
	}
	doc := report.Of(snap)
	if err := report.Write(tty.out, doc, report.Format(k.output)); err != nil {
		return err
	}
	return verdict(snap, doc, k.failOn)
}

// settle waits until every reading was answered, well or badly, or ctx ends.
func settle(ctx context.Context, store *sources.Store) *sources.Snapshot {
	for {
		snap := store.Snapshot()
		if settled(snap) {
			return snap
		}
		select {
		case <-ctx.Done():
			return store.Snapshot()
		case <-store.Changed():
		}
	}
}

// settled reports whether there is nothing left to wait for: everything was
// answered, be it with an error.
func settled(s *sources.Snapshot) bool {
	return !slices.ContainsFunc(s.Readings(), sources.ReadingState.Waiting)
}

// partUnseen reports whether a whole pane could not be filled: no kubelet
// could be read, or no backup or certificate. That is no "ok"; a single
// unknown is one for who asks with --fail-on.
func partUnseen(s *sources.Snapshot) bool {
	certificates := s.Certificates.Usable()
	if errors.Is(s.Certificates.Err, sources.ErrNotInstalled) {
		certificates = s.Ingresses.Usable() // those they serve are all there are
	}
	if !certificates || !s.CronJobs.Usable() {
		return true
	}
	for _, r := range s.Stats {
		if r.Usable() {
			return false
		}
	}
	return len(s.Nodes.Value) > 0
}

// verdict turns a document into the exit code.
func verdict(s *sources.Snapshot, d report.Document, failOn string) error {
	switch {
	case !s.Nodes.Usable():
		return errNoLook
	case d.Counts.Critical > 0:
		return errCritical
	case d.Counts.Warning > 0 && failOn != "critical":
		return errWarning
	case !s.Pods.Usable(), partUnseen(s):
		return errNoLook
	case failOn == "unknown" && (d.Counts.Unknown > 0 || len(d.Unread) > 0):
		return errNoLook
	}
	return nil
}
