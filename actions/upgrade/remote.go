package upgrade

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"daytwo/actions"
	"daytwo/sources"
)

// patience is how long a machine may not answer before that is an error.
const patience = 45 * time.Second

// ask runs a script that ends with 0 for yes and 3 for no. A machine that does
// not answer is asked again for a while: a line may just have been lost.
func (w *worker) ask(ctx context.Context, script string) (yes bool, err error) {
	late := w.kit.until(ctx, patience, func(ctx context.Context) (bool, string) {
		err = w.host().Run(ctx, sources.Command{Line: script, Root: true})
		failed, ran := errors.AsType[*sources.ExitError](err)
		switch {
		case err == nil:
			yes = true
			return true, ""
		case ran && failed.Code == 3:
			err = nil
			return true, ""
		}
		return over(err), err.Error()
	})
	if ctx.Err() == nil && late != nil {
		err = late
	}
	if err != nil {
		return false, fmt.Errorf("looking at %s: %w", w.node.Name, err)
	}
	return yes, nil
}

// look asks how a unit stands, with the same patience.
func (w *worker) look(ctx context.Context, name string) (s sources.UnitState, err error) {
	late := w.kit.until(ctx, patience, func(ctx context.Context) (bool, string) {
		if s, err = w.host().Look(ctx, name); err != nil {
			return over(err), err.Error()
		}
		return true, ""
	})
	if late != nil {
		err = late
	}
	if err != nil {
		return s, fmt.Errorf("looking for %s on %s: %w", name, w.node.Name, err)
	}
	return s, nil
}

// run runs a short script as root and streams what it says.
func (w *worker) run(ctx context.Context, script string, out io.Writer) error {
	err := w.host().Run(ctx, sources.Command{Line: script, Root: true, Stdout: out, Stderr: out})
	if failed, ok := errors.AsType[*sources.ExitError](err); ok {
		return fmt.Errorf("on %s it ended with exit code %d; its last lines above say why", w.node.Name, failed.Code)
	}
	if err != nil {
		return fmt.Errorf("on %s: %w", w.node.Name, err)
	}
	return nil
}

// tries is how often the current step was begun before.
func tries(ctx context.Context) int {
	r := actions.CurrentRun(ctx)
	if r.At < 0 || r.At >= len(r.Steps) {
		return 0
	}
	return r.Steps[r.At].Tries
}

// unitName names the unit of a step: once for each time that it is tried, so
// that a try that failed is not taken for the next one.
func (w *worker) unitName(ctx context.Context, step string, try int) string {
	name := "daytwo-" + actions.CurrentRun(ctx).ID + "-" + w.node.Name + "-" + step
	if try > 0 {
		name += fmt.Sprintf("-%d", try)
	}
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '-'
	}, name)
}

// detached runs a script in a unit that goes on without the line, and follows
// it: also one that an earlier try began and that still runs.
func (w *worker) detached(ctx context.Context, step, script string, out io.Writer, limit time.Duration) error {
	name, err := w.mine(ctx, step, out)
	if err != nil {
		return err
	}
	state, err := w.follow(ctx, sources.Unit{Name: name, Script: script}, out, limit)
	switch {
	case err != nil:
		return err
	case !state.Known:
		return fmt.Errorf("%s is no longer known on %s: the machine may have restarted; look there, then retry", name, w.node.Name)
	case state.Exit != 0:
		return fmt.Errorf("%s on %s ended with exit code %d; its last lines above say why", step, w.node.Name, state.Exit)
	}
	return nil
}

// mine is the unit to follow: that of an earlier try if it still runs, else
// the one of this try.
func (w *worker) mine(ctx context.Context, step string, out io.Writer) (string, error) {
	now := tries(ctx)
	for try := now - 1; try >= 0; try-- {
		name := w.unitName(ctx, step, try)
		s, err := w.look(ctx, name)
		if err != nil {
			return "", err
		}
		if s.Known && s.Running {
			say(out, "%s still runs since it was begun before: it is followed again", name)
			return name, nil
		}
	}
	return w.unitName(ctx, step, now), nil
}

// follow starts a unit, unless it was, and writes what it says until it ends,
// over as many lines as that takes: one that is lost loses nothing.
func (w *worker) follow(ctx context.Context, u sources.Unit, out io.Writer, limit time.Duration) (state sources.UnitState, err error) {
	cursor, started := "", false
	late := w.kit.until(ctx, limit, func(ctx context.Context) (bool, string) {
		bounded, stop := w.kit.deadline(ctx, limit)
		defer stop()
		if !started {
			if err = w.host().Start(bounded, u); err != nil {
				return over(err), err.Error()
			}
			started = true
		}
		state, err = w.host().Follow(bounded, u.Name, cursor, out, func(c string) { cursor = c })
		switch {
		case err == nil:
			return true, ""
		case ctx.Err() == nil && bounded.Err() != nil:
			err = &lateError{limit, "the unit still runs there"}
			return true, ""
		case !over(err):
			say(out, "the line to %s was lost (%v); %s goes on there and is followed again", w.node.Name, err, u.Name)
		}
		return over(err), err.Error()
	})
	switch {
	case late != nil && ctx.Err() != nil:
		return state, late
	case late != nil:
		err = late
	}
	if err != nil {
		return state, fmt.Errorf("following %s on %s: %w; if it runs there it goes on by itself, and retry follows it again", u.Name, w.node.Name, err)
	}
	return state, nil
}

// over reports an error that asking again cannot mend: the machine answered,
// or a person has to decide something first.
func over(err error) bool {
	_, ran := errors.AsType[*sources.ExitError](err)
	return ran || sources.Doubt(err) != nil
}

// deadline bounds ctx by the kit's ticks, not by this machine's clock alone.
func (k *Kit) deadline(ctx context.Context, limit time.Duration) (context.Context, func()) {
	bounded, cancel := context.WithCancel(ctx)
	tick, stop := k.ticker(limit)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-bounded.Done():
		case <-tick:
			cancel()
		}
	}()
	return bounded, func() { cancel(); <-ended; stop() }
}
