package main

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"daytwo/actions/trail"
	"daytwo/sources"
	"daytwo/sources/kube"
	"daytwo/ui"
	"daytwo/views"
)

// byHand is where it is written down what people did by hand.
func (s *session) byHand() *trail.Book {
	return &trail.Book{Dir: s.folder(recordFolder), Who: whoami(), Clock: time.Now}
}

// trail is the commands that one types in an incident.
func (s *session) trail() views.Trail {
	kit := trail.Kit{
		Kubectl: s.client, Check: kube.CheckKubectl, Hosts: s.hosts, Own: s.store.Snapshot().Settings.Trail,
		Clock: time.Now, Book: s.byHand(),
	}
	if record := s.folder(recordFolder); record != "" {
		kit.Dir = filepath.Join(record, "trail")
	}
	return views.Trail{Kit: kit, Door: s.door(), Start: func(l trail.Line, nodes []sources.Node) *trail.Fan {
		fan := kit.Start(s.life, l, nodes)
		s.done.Go(fan.Wait)
		return fan
	}}
}

// hand gives the terminal away.
func (s *session) hand() views.Hand {
	return views.Hand{
		Book: s.byHand(), Door: s.door(),
		Shell: func(ctx context.Context, node string, t ui.Terminal) error {
			shell, ok := s.hosts.Host(node).(sources.Shell)
			if !ok {
				return errors.New("there is no way to a terminal on " + node)
			}
			return shell.Shell(ctx, t.In, t.Out, t.Size, t.Resize)
		},
	}
}
