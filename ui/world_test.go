package ui_test

import (
	"time"

	"daytwo/sources"
	"daytwo/ui"
	"daytwo/ui/uitest"
)

// options is a coloured screen with a view, on a store that tests publish to.
func options(v ui.View, clock *uitest.Clock) ui.Options {
	store := sources.NewStore(sources.DefaultSettings(), keepJudgement, clock.Now)
	return ui.Options{Store: store, Clock: clock.Now, Home: v, Theme: ui.Dark, Color: true, Mouse: true}
}

// keepJudgement lets tests publish findings themselves.
func keepJudgement(s *sources.Snapshot, _ time.Time) sources.Judgement { return s.Judged }

// cluster is a healthy cluster as its sources would publish it.
func cluster(s *sources.Snapshot) {
	at := uitest.Start()
	s.Cluster = sources.Read(sources.Cluster{Name: "prod-fsn1", Version: "v1.33.4+k3s1"}, at)
	nodes := []sources.Node{{Name: "master-0", Roles: []string{"control-plane"}}}
	for _, name := range []string{"worker-0", "worker-1", "worker-2", "worker-3"} {
		nodes = append(nodes, sources.Node{Name: name})
	}
	s.Nodes = sources.Read(nodes, at)
	s.Sources = map[string]sources.Health{
		"history":    {Name: "history", At: at},
		"kubelets":   {Name: "kubelets", At: at, Note: "5/5"},
		"api":        {Name: "api", At: at, Latency: 12 * time.Millisecond, Note: "12ms"},
		"prometheus": {Name: "prometheus", Off: true, Note: "not set up"},
	}
	s.Judged.Findings = []sources.Finding{
		{
			Rule: "disk.used", Severity: sources.Critical,
			About: sources.Ref{Kind: "Node", Name: "worker-0"}, Summary: "92 % used",
		},
		{
			Rule: "cert.renewal", Severity: sources.Warning,
			About: sources.Ref{Kind: "Certificate", Namespace: "shop", Name: "tls"}, Summary: "renewal due",
		},
	}
}
