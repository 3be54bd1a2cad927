package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"daytwo/actions"
	"daytwo/actions/trail"
	"daytwo/sources"
	"daytwo/sources/history"
	"daytwo/sources/kube"

	"github.com/spf13/cobra"
)

func runsCommand(f *flags, tty terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "runs",
		Short: "List what daytwo did and began on this cluster",
		Long: `Lists the runs of this cluster that were started from this machine and user,
the newest first. A run that is not finished can be resumed: what was done is
found by looking at the cluster, not from memory. Below them is what was done by
hand: shells and commands of one's own, by whom, where and when.`,
		Example: `  daytwo runs
  daytwo runs show last
  daytwo resume last`,
		Args: noSuch,
		RunE: func(c *cobra.Command, _ []string) error {
			runs, dir, err := runsIn(c.Context(), *f)
			if err != nil {
				return err
			}
			if err := writeRuns(tty.out, runs, time.Now()); err != nil {
				return err
			}
			book := trail.Book{Dir: filepath.Join(dir, recordFolder)}
			hand, err := book.Deeds()
			if err != nil {
				return err
			}
			return writeByHand(tty.out, hand, filepath.Join(book.Dir, trail.BookName))
		},
	}
	c.AddCommand(&cobra.Command{
		Use:   "show ID",
		Short: "Show one run: its steps, why it stopped, and the way back",
		Long:  "Shows one run. ID may be the beginning of one, or last.",
		Args:  oneRun,
		RunE: func(c *cobra.Command, args []string) error {
			runs, err := runsOf(c.Context(), *f)
			if err != nil {
				return err
			}
			r, err := findRun(runs, args[0])
			if err != nil {
				return err
			}
			return writeRun(tty.out, r, time.Now())
		},
		ValidArgsFunction: completeRuns(f),
	})
	return c
}

func resumeCommand(f *flags, tty terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "resume ID",
		Short: "Go on with a run that is not finished, without a screen",
		Long: `Goes on with a run that was paused, interrupted or failed. The step that was
begun is looked at first and done again only if the cluster says that it is not
done. ctrl+c lets the step that runs end and stops after it; pressed again it
stops at once. Nothing is asked: an unknown host key or a locked SSH key ends it
before anything is touched (the cockpit asks; or ssh, and ssh-add).

ID may be the beginning of one, or last. Exit code: 0 done, 1 paused or
interrupted, 2 failed, 3 not resumed.`,
		Args:              oneRun,
		RunE:              func(c *cobra.Command, args []string) error { return resume(c.Context(), *f, args[0], tty) },
		ValidArgsFunction: completeRuns(f),
	}
}

func oneRun(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return errors.New("name one run, or write last; daytwo runs lists them")
	}
	return nil
}

func completeRuns(f *flags) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		var out []string
		if len(args) == 0 {
			runs, _ := runsOf(c.Context(), *f)
			for _, r := range runs {
				out = append(out, r.ID+"\t"+plainLine(r.Title))
			}
		}
		return out, cobra.ShellCompDirectiveNoFileComp
	}
}

// runsOf reads the runs of the cluster that the flags name, without asking it
// anything.
func runsOf(ctx context.Context, f flags) ([]actions.Run, error) {
	runs, _, err := runsIn(ctx, f)
	return runs, err
}

// runsIn is runsOf, with the cluster's folder of state.
func runsIn(ctx context.Context, f flags) (runs []actions.Run, dir string, err error) {
	client, err := kube.Connect(kube.Options{Kubeconfig: f.kubeconfig, Context: f.context})
	if err != nil {
		return nil, "", err
	}
	dir, err = history.Dir(client.ContextName(), client.Identity())
	if err != nil {
		return nil, "", fmt.Errorf("looking for runs: %w", err)
	}
	r := actions.NewRunner(actions.Options{Dir: dir, Who: whoami()})
	defer r.Close(ctx, "")
	return r.Runs(), dir, nil
}

// findRun finds a run by its id, by the beginning of one, or the last.
func findRun(runs []actions.Run, name string) (actions.Run, error) {
	var found []actions.Run
	for _, r := range runs {
		if r.ID == name || name == "last" {
			return r, nil
		}
		if strings.HasPrefix(r.ID, name) {
			found = append(found, r)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return actions.Run{}, fmt.Errorf("there is no run %q on this cluster; daytwo runs lists what there is", name)
	}
	return actions.Run{}, fmt.Errorf("%d runs begin with %q; write more of the id", len(found), name)
}

// resume goes on with a run and shows its stream until it rests.
func resume(ctx context.Context, f flags, name string, tty terminal) error {
	cfg, err := f.settings()
	if err != nil {
		return err
	}
	s, err := openSession(ctx, f, cfg, openLog)
	if err != nil {
		return err
	}
	s.notice = tty.err
	closed := false
	end := func() {
		if !closed {
			closed = true
			s.close(ctx)
		}
	}
	defer end()
	found, err := findRun(s.runner.Runs(), name)
	if err != nil {
		return err
	}
	if err := s.undoubted(ctx, found); err != nil {
		return err
	}
	if err := s.runner.Resume(ctx, found.ID); err != nil {
		return err
	}
	if now, ok := s.runner.Run(found.ID); ok && now.Output != nil {
		follow(ctx, tty.out, now.Output)
	}
	if ctx.Err() != nil {
		end()
	}
	now, _ := s.runner.Wait(found.ID, ctx.Done())
	return verdictOf(tty.out, now)
}

// undoubted is an error where a person has to decide something about a machine
// before the run can go on: nobody is asked without a screen.
func (s *session) undoubted(ctx context.Context, r actions.Run) error {
	a, err := s.runner.Action(r.ID)
	if err != nil {
		return nil //nolint:nilerr // Resume says what is wrong with it
	}
	v, ok := a.(actions.Visitor)
	if !ok {
		return nil
	}
	for _, doubt := range sources.Doubts(ctx, s.hosts, v.Machines(r)) {
		if doubt != nil {
			return fmt.Errorf("not resumed, nothing was touched: %w", doubt)
		}
	}
	return nil
}

// follow writes a stream until it ends or ctx does.
func follow(ctx context.Context, w io.Writer, tape *actions.Tape) {
	var next int64
	for {
		ended := tape.Ended()
		first, lines := tape.After(next)
		next = first + int64(len(lines))
		for _, l := range lines {
			if _, err := fmt.Fprintln(w, l); err != nil {
				return // nobody reads it any more; the log has it
			}
		}
		if ended {
			return
		}
		select {
		case <-tape.Changed():
		case <-ctx.Done():
			return
		}
	}
}

// verdictOf says how a run rests, and turns that into the exit code.
func verdictOf(w io.Writer, r actions.Run) error {
	text := fmt.Sprintf("%s: %s\n", plainLine(r.Title), stateText(r))
	if r.Err != "" {
		text += "why: " + plainLine(r.Err) + "\n"
	}
	if r.State != actions.Done {
		if back := r.WayBack(); back != "" {
			text += "way back: " + back + "\n"
		}
		text += "go on: daytwo resume " + r.ID + "\n"
	}
	if err := say(w, text); err != nil {
		return err
	}
	switch r.State {
	case actions.Done:
		return nil
	case actions.Failed:
		return errCritical
	case actions.Waiting, actions.Running, actions.AlreadyTrue, actions.Skipped,
		actions.Interrupted, actions.Paused, actions.Abandoned:
	}
	return errWarning
}
