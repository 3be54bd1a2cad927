package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"daytwo/sources/config"
	"daytwo/sources/demo"
	"daytwo/sources/kube"
)

type demoFlags struct {
	scenario string
	print    bool
}

// runDemo serves the simulated cluster and opens the cockpit on it, or prints
// a kubeconfig for it. State goes to a temporary folder: a demo remembers
// nothing, and mixes with no real cluster's history.
func runDemo(ctx context.Context, f flags, d demoFlags, tty terminal) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	world, err := demo.Start(ctx, demo.Options{Scenario: demo.Scenario(d.scenario)})
	if err != nil {
		return fmt.Errorf("starting the demo world: %w", err)
	}
	defer func() { _ = world.Close() }()
	kubeconfig, err := world.Kubeconfig("admin")
	if err != nil {
		return fmt.Errorf("writing the demo's kubeconfig: %w", err)
	}
	if d.print {
		if _, err := tty.out.Write(kubeconfig); err != nil {
			return fmt.Errorf("printing the kubeconfig: %w", err)
		}
		_, _ = fmt.Fprintln(tty.err, "daytwo: the demo cluster answers until you press ctrl+c")
		<-ctx.Done()
		return nil
	}
	return demoCockpit(ctx, f, world, kubeconfig, tty)
}

func demoCockpit(ctx context.Context, f flags, world *demo.World, kubeconfig []byte, tty terminal) error {
	dir, err := os.MkdirTemp("", "daytwo-demo-")
	if err != nil {
		return fmt.Errorf("making a folder for the demo: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	f.kubeconfig, f.context = filepath.Join(dir, "kubeconfig"), ""
	if err := os.WriteFile(f.kubeconfig, kubeconfig, 0o600); err != nil {
		return fmt.Errorf("writing the demo's kubeconfig: %w", err)
	}
	if f.config == "" {
		f.config = filepath.Join(dir, "config.yaml")
		if err := os.WriteFile(f.config, []byte(world.Config()), 0o600); err != nil {
			return fmt.Errorf("writing the demo's configuration: %w", err)
		}
	}
	cfg, err := f.settings()
	if err != nil {
		return err
	}
	s, err := openDemoSession(ctx, f, cfg, dir, world)
	if err != nil {
		return err
	}
	s.notice = tty.err
	defer s.close()
	return show(ctx, s, f, cfg, tty)
}

// openDemoSession is openSession with the demo's folder and its preloaded past.
func openDemoSession(ctx context.Context, f flags, cfg config.Config, dir string, world *demo.World) (*session, error) {
	log, logs := openScreenLog(dir)
	client, err := kube.Connect(kube.Options{Kubeconfig: f.kubeconfig, Log: log})
	if err != nil {
		_ = logs.Close()
		return nil, err
	}
	return startSession(ctx, client, dir, cfg, &session{log: log, logs: logs, past: world.History(), readonly: f.readonly})
}
