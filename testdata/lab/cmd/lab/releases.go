package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"daytwolab/internal/place"
	"daytwolab/internal/proc"
	"daytwolab/internal/release"
)

const releases = "releases"

// startReleases runs the release server, which is this program again.
func (t tools) startReleases(versions []string) error {
	dir := filepath.Dir(filepath.Dir(t.k3s(versions[0])))
	return proc.Spawn(t.place, proc.Spec{
		Name: releases,
		Args: []string{t.place.Cached("lab", "lab"), "serve-releases", "-dir", dir, "-versions", strings.Join(versions, ",")},
		Env:  []string{"LAB_SOURCE=" + t.place.Source},
	})
}

// serveReleases is the release server itself.
func (t tools) serveReleases(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("serve-releases", flag.ContinueOnError)
	dir := flags.String("dir", "", "folder with VERSION/k3s")
	versions := flags.String("versions", "", "versions, by commas")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("reading the arguments: %w", err)
	}
	addr := fmt.Sprintf("%s:%d", place.ControlIP, place.ReleasePort)
	handler := &release.Server{Dir: *dir, Versions: strings.Split(*versions, ","), Base: "http://" + addr}
	server := &http.Server{
		Addr: addr, Handler: handler.Handler(), ReadHeaderTimeout: 10 * time.Second,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.ListenAndServe(); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving releases on %s: %w", addr, err)
	}
	return nil
}
