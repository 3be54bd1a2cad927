package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"daytwo/sources"
	"daytwo/sources/config"
	"daytwo/sources/demo"
	"daytwo/sources/kube"
	"daytwo/sources/ssh"
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
	dir, err := os.MkdirTemp("", "daytwo-demo-")
	if err != nil {
		return fmt.Errorf("making a folder for the demo: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if d.print {
		if err := writeDemoSSH(world, dir); err != nil { //nolint:contextcheck // the machines live as long as the world, not as this call
			return err
		}
		return printDemo(ctx, world, dir, kubeconfig, tty)
	}
	return demoCockpit(ctx, f, world, dir, kubeconfig, tty)
}

// demoSSH is the file for ssh -F that leads to the demo's machines.
func demoSSH(dir string) string { return filepath.Join(dir, ".ssh", "config") }

// writeDemoSSH puts into dir what ssh needs for the demo's machines, as if it
// were a home folder.
func writeDemoSSH(world *demo.World, dir string) error {
	access, err := world.SSH()
	if err != nil {
		return fmt.Errorf("opening the demo's machines for SSH: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(demoSSH(dir)), 0o700); err != nil {
		return fmt.Errorf("making a folder for the demo's SSH files: %w", err)
	}
	if _, err := access.Write(filepath.Dir(demoSSH(dir))); err != nil {
		return fmt.Errorf("writing the demo's SSH files: %w", err)
	}
	return nil
}

func printDemo(ctx context.Context, world *demo.World, dir string, kubeconfig []byte, tty terminal) error {
	if _, err := tty.out.Write(kubeconfig); err != nil {
		return fmt.Errorf("printing the kubeconfig: %w", err)
	}
	_, _ = fmt.Fprintf(tty.err, "daytwo: the machines answer too: ssh -F %s %s\n", demoSSH(dir), world.Machine())
	_, _ = fmt.Fprintf(tty.err, "daytwo: releases of k3s are at %s\n", world.ReleaseURL())
	_, _ = fmt.Fprintln(tty.err, "daytwo: the demo cluster answers until you press ctrl+c")
	<-ctx.Done()
	return nil
}

func demoCockpit(ctx context.Context, f flags, world *demo.World, dir string, kubeconfig []byte, tty terminal) error {
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
	s, err := openDemoSession(ctx, f, cfg, dir, world, openScreenLog)
	if err != nil {
		return err
	}
	s.notice = tty.err
	defer s.close(ctx)
	return show(ctx, s, f, cfg, tty)
}

// openDemoSession is openSession with the demo's folder and its preloaded past.
func openDemoSession(ctx context.Context, f flags, cfg config.Config, dir string, world *demo.World, open logOpener) (*session, error) {
	log, logs := open(dir)
	client, err := kube.Connect(kube.Options{Kubeconfig: f.kubeconfig, Log: log})
	if err != nil {
		_ = logs.Close()
		return nil, err
	}
	keys, err := sshOfDemo(dir, world) //nolint:contextcheck // the machines live as long as the world, not as this call
	if err != nil {
		_ = logs.Close()
		return nil, err
	}
	return startSession(ctx, client, dir, cfg, &session{log: log, logs: logs, past: world.History(), readonly: f.readonly, ssh: keys})
}

// sshOfDemo is how the demo's machines are reached: by keys of its own, not
// the user's.
func sshOfDemo(dir string, world *demo.World) (ssh.Options, error) {
	open, err := world.SSH()
	if err != nil {
		return ssh.Options{}, fmt.Errorf("opening the demo's machines: %w", err)
	}
	settings := sources.SSHSettings{
		User: open.User, IdentityFile: filepath.Join(dir, "id_ed25519"), KnownHosts: filepath.Join(dir, "known_hosts"), Hosts: open.Addr,
	}
	for path, text := range map[string][]byte{settings.IdentityFile: open.Key, settings.KnownHosts: open.KnownHosts} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return ssh.Options{}, fmt.Errorf("writing the demo's SSH keys: %w", err)
		}
	}
	return ssh.Options{Settings: settings, Home: dir}, nil
}
