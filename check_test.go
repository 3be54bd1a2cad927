package main

import (
	"errors"
	"testing"
	"time"

	"daytwo/sources"
	"daytwo/views/report"
)

// TestCertificatesWithoutCertManager are those that Ingresses serve: without
// these no certificate was looked at.
func TestCertificatesWithoutCertManager(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)
	s := &sources.Snapshot{
		At: at, Nodes: sources.Read([]sources.Node(nil), at), Pods: sources.Read([]sources.Pod(nil), at),
		CronJobs: sources.Read([]sources.CronJob(nil), at), Ingresses: sources.Read([]sources.Ingress(nil), at),
		Certificates: sources.Reading[[]sources.Certificate]{Err: sources.ErrNotInstalled},
	}
	if err := verdict(s, report.Of(s), "warning"); err != nil {
		t.Errorf("with Ingresses: %v", err)
	}
	s.Ingresses = s.Ingresses.Failed(errors.New("refused"))
	if err := verdict(s, report.Of(s), "warning"); !errors.Is(err, errNoLook) {
		t.Errorf("without Ingresses: %v", err)
	}
}
