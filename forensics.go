package main

import (
	"time"

	"daytwo/actions/forensics"
	"daytwo/sources/kubelet"
	"daytwo/views"
)

// looks is what forensics and clean-ups work with.
func (s *session) looks() forensics.Means {
	return forensics.Means{Hosts: s.hosts, Kubelet: kubelet.NewDisks(s.client), Pods: s.operator, Clock: time.Now}
}

// forensics leads from a node to what eats its disk.
func (s *session) forensics() views.Forensics {
	return views.Forensics{Runner: s.runner, Door: s.door(), Means: s.looks(), Record: s.folder(recordFolder)}
}
