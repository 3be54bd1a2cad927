// Lab starts, stops and disturbs a real cluster on this machine. The files up, down,
// status, scale, fault and bench beside the README call it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"daytwolab/internal/build"
	"daytwolab/internal/place"
	"daytwolab/internal/say"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "lab: %v\n", err)
		os.Exit(1)
	}
}

// tools is what every command works with.
type tools struct {
	place place.Place
	build build.Builder
	log   *say.Log
}

var errUsage = errors.New("usage: up|down|status|scale|fault|bench (see testdata/lab/README.md)")

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	source := os.Getenv("LAB_SOURCE")
	if source == "" {
		return errors.New("start the lab by testdata/lab/up and its neighbours, which say where the checkout is (LAB_SOURCE)")
	}
	p, err := place.FromEnv(source)
	if err != nil {
		return err
	}
	log := say.New(os.Stderr)
	t := tools{place: p, build: build.Builder{Place: p, Log: log}, log: log}
	commands := map[string]func(context.Context, []string) error{
		"up": t.up, "down": t.down, "status": t.status, "scale": t.scale, "fault": t.fault, "bench": t.bench,
		"serve-releases": t.serveReleases, "keep-leases": t.keepLeases,
	}
	command, ok := commands[args[0]]
	if !ok {
		return errUsage
	}
	if err := possible(); err != nil {
		return err
	}
	return command(ctx, args[1:])
}

// possible says why this machine cannot run a lab, if so.
func possible() error {
	if runtime.GOOS != "linux" {
		return errors.New("the lab needs Linux: its servers boot in systemd-nspawn")
	}
	if os.Geteuid() != 0 {
		return errors.New("the lab needs root for namespaces and mounts: run it with sudo")
	}
	return nil
}

// debian names the package that has each program the lab calls.
var debian = map[string]string{
	"etcd": "etcd-server", "systemd-nspawn": "systemd-container", "debootstrap": "debootstrap",
	"ip": "iproute2", "nsenter": "util-linux", "mkfs.ext4": "e2fsprogs", "ssh": "openssh-client", "curl": "curl",
}

// programs installs what is missing, where there is apt.
func (t tools) programs(ctx context.Context) error {
	var missing []string
	for program, pkg := range debian {
		if _, err := exec.LookPath(program); err != nil {
			missing = append(missing, pkg)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("install these Debian packages or your system's equal ones: %s", strings.Join(missing, " "))
	}
	t.log.Step("installing %s", strings.Join(missing, " "))
	// A policy of 101 keeps Debian from starting the services of what it installs.
	const install = `export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
if [ ! -e /usr/sbin/policy-rc.d ]; then
	printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod 0755 /usr/sbin/policy-rc.d
	trap 'rm -f /usr/sbin/policy-rc.d' EXIT
fi
apt-get update -qq && apt-get install -qq -y --no-install-recommends "$@"`
	cmd := exec.CommandContext(ctx, "sh", append([]string{"-c", install, "sh"}, missing...)...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("installing %s: %w", strings.Join(missing, " "), err)
	}
	return nil
}
