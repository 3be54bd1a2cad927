package main

import (
	"context"
	"fmt"
	"time"

	"daytwo/actions/drain"
	"daytwo/actions/upgrade"
	"daytwo/sources"
	"daytwo/sources/release"
	"daytwo/sources/ssh"
)

// newFleet is the way to the machines behind the nodes.
func (s *session) newFleet(ctx context.Context, o ssh.Options, settings sources.Settings) *ssh.Fleet {
	o.Log = s.log
	if settings.SSH.Given() {
		o.Settings = settings.SSH
	}
	o.Nodes = func() []sources.Node { return s.knownNodes(ctx) }
	return ssh.New(ctx, o)
}

// nodesWithin bounds the question for nodes that the picture does not have
// yet: a run that is resumed does not wait for the first picture.
const nodesWithin = 5 * time.Second

func (s *session) knownNodes(ctx context.Context) []sources.Node {
	if nodes := s.store.Snapshot().Nodes.Value; len(nodes) > 0 {
		return nodes
	}
	ctx, stop := context.WithTimeout(ctx, nodesWithin)
	defer stop()
	nodes, err := s.client.Look().Nodes(ctx)
	if err != nil {
		s.log("looking for the addresses of the nodes: %v", err)
	}
	return nodes
}

// newUpgrade is what upgrades of the session's cluster work with. dir is the
// cluster's folder, "" where there is none.
func (s *session) newUpgrade(dir string, settings sources.Settings, drains drain.Kit) (*upgrade.Kit, error) {
	releases, err := release.New(settings.Releases, nil)
	if err != nil {
		return nil, fmt.Errorf("preparing upgrades: %w", err)
	}
	return &upgrade.Kit{
		Cluster: s.client.Look(), Drain: drains, Hosts: s.hosts, Releases: releases, Records: s.records,
		Prefer: upgrade.OpenPreference(dir), Snapshot: s.store.Snapshot,
	}, nil
}
