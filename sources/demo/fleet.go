package demo

import (
	"fmt"
	"time"
)

// fleet is 500 nodes and 15,000 pods: four daemons a node, the rest in 260
// Deployments of 50.
func (b *builder) fleet() {
	const nodes, apps, replicas, spaces = 500, 260, 50, 40
	b.old = b.now.Add(-200 * day).Truncate(time.Second)
	ms := make([]*machine, nodes)
	for i := range ms {
		name := fmt.Sprintf("worker-%03d", i)
		m := &machine{
			name: name, cores: 8, memory: 16 << 30, created: b.now.Add(-150 * day), disk: 240e9, inodes: 14_600_000, perFile: 46_000,
			cpuBase: 0.15 + 0.45*unit(name, "c"), memBase: 0.3 + 0.4*unit(name, "m"), saw: 2e9,
		}
		perDay := 0.02e9 + 0.2e9*unit(name, "d")
		used := 40e9 + 130e9*unit(name, "u")
		switch {
		case i == 0:
			m.name, m.server = "master-0", true
		case i == 17:
			perDay, used = 2.1e9, 0.92*240e9*(1-reserved)
		case i%83 == 5:
			perDay, used = 0.9e9, 0.83*240e9*(1-reserved)
		}
		m.used = []diskPeriod{{b.now.Add(-14 * day), used - 14*perDay, perDay}}
		ms[i] = m
	}
	b.machines(ms...)
	b.namespaces("default", "kube-system", leaseNamespace, "monitoring")
	b.customResources()
	b.system()
	b.daemonSets(
		app{ns: "kube-system", name: "hcloud-csi-node", image: "hetznercloud/hcloud-csi-driver:v2.16.0", age: 150 * day, mem: "40Mi"},
		app{ns: "monitoring", name: "node-exporter", image: "prom/node-exporter:v1.9.1", age: 150 * day, mem: "30Mi"},
		app{ns: "monitoring", name: "promtail", image: "grafana/promtail:3.5.3", age: 150 * day, mem: "90Mi"},
	)
	for i := range spaces {
		b.namespaces(fmt.Sprintf("team-%02d", i))
	}
	for i := range apps {
		n := int32(replicas)
		if i == 0 {
			n = nodes*30 - 4*nodes - (apps-1)*replicas - 4 // coredns, local-path, metrics-server and traefik run too
		}
		a := app{
			ns: fmt.Sprintf("team-%02d", i%spaces), name: fmt.Sprintf("app-%03d", i), image: "registry.example.org/team/app:1.0",
			replicas: n, age: time.Duration(1+i%90) * day, cpu: "50m", mem: "96Mi", limit: "256Mi",
		}
		if i%130 == 7 {
			b.m.traits["Deployment/"+a.ns+"/"+a.name] = trait{loop: &crashLoop{
				runs: 200 * time.Second, waits: 5 * time.Minute, reason: "OOMKilled", exit: 137, leaks: true,
			}}
		}
		b.deployments(a)
	}
	b.settle()
}
