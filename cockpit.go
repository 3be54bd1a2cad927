package main

import (
	"context"
	"time"

	"daytwo/keymap"
	"daytwo/sources"
	"daytwo/sources/config"
	"daytwo/ui"
	"daytwo/views"
)

// cockpit opens the screen on the cluster that the flags name.
func cockpit(ctx context.Context, f flags, tty terminal) error {
	cfg, err := f.settings()
	if err != nil {
		return err
	}
	s, err := openSession(ctx, f, cfg, openScreenLog)
	if err != nil {
		return err
	}
	s.notice = tty.err
	defer s.close(ctx)
	return show(ctx, s, f, cfg, tty)
}

// show runs the screen until the user quits.
func show(ctx context.Context, s *session, f flags, cfg config.Config, tty terminal) error {
	watching, stop := context.WithCancel(ctx)
	defer stop()
	s.done.Go(func() { sources.Supervise(watching, s.hosts.Source(), s.store.Publish, s.log) })
	return ui.Run(ctx, screen(s, f, cfg), tty.in, tty.out)
}

// screen is what the root model needs to show a session.
func screen(s *session, f flags, cfg config.Config) ui.Options {
	keys := keymap.Default()
	return ui.Options{
		Title: "daytwo",
		Store: s.store, Clock: time.Now, Keys: keys,
		Home: views.NewCockpit(keys), Objects: views.Objects, Runner: s.runner,
		Tools:    s.tools(),
		ReadOnly: f.readonly, ASCII: cfg.UI.ASCII, Mouse: cfg.UI.Mouse,
		Theme: ui.ThemeName(cfg.UI.Theme), Color: !colourless(cfg.UI.Theme),
		Log: s.log,
	}
}
