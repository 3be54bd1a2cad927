package demo

import "time"

// storyDays is how long worker-0's disk has been filling.
const storyDays = 141

// shop builds a small shop's cluster: one server, four agents, about eighty
// pods. With trouble it is the night of the incident, else a good day.
func (b *builder) shop(trouble bool) {
	b.old = b.now.Add(-412 * day).Truncate(time.Second)
	b.shopMachines(trouble)
	b.namespaces("default", "kube-system", "kube-public", leaseNamespace, "cert-manager", "monitoring", "shop", "media", "backup")
	b.customResources()
	b.system()
	b.platform()
	b.shopApps(trouble)
	b.mediaApps(trouble)
	b.settle()
	b.findSpills()
	b.cronJobs(trouble)
	b.certificates(trouble)
	if trouble {
		b.breakPods()
		// The owners' status says what is ready: first the ReplicaSets', then
		// the Deployments'.
		for range 2 {
			b.m.catchUp()
			b.m.workloads(b.now)
		}
	}
}

func (b *builder) shopMachines(trouble bool) {
	start := b.now.Add(-storyDays * day)
	grow := func(used, perDay float64) []diskPeriod {
		return []diskPeriod{{start, used - storyDays*perDay, perDay}}
	}
	worker := func(name string, disk int64, used, perDay, cpu, mem float64) *machine {
		return &machine{
			name: name, cores: 8, memory: 16 << 30, created: b.now.Add(-storyDays*day - 9*time.Hour),
			disk: disk, inodes: disk / 16384, perFile: 46_000, used: grow(used, perDay), saw: 2.4e9, cpuBase: cpu, memBase: mem,
		}
	}
	w0 := worker("worker-0", 300e9, 84e9, 0.2e9, 0.58, 0.71)
	w2 := worker("worker-2", 240e9, 92e9, 0.11e9, 0.44, 0.62)
	if trouble {
		w0.used = b.slowStory(w0)
		w0.spill = &spill{
			owner: "StatefulSet/media/minio", path: "/var/log/minio/audit.log", share: 0.68, above: 96e9,
			line: `{"version":"1","api":{"name":"GetObject","bucket":"uploads","statusCode":200}}` + "\n",
		}
		w2.hot = []hotSpell{{from: b.now.Add(-26 * time.Minute), to: b.now.Add(2 * time.Hour), cpu: 0.93}}
	}
	b.machines(
		&machine{
			name: "master-0", server: true, cores: 4, memory: 8 << 30, created: b.old,
			disk: 160e9, inodes: 9_830_400, perFile: 52_000, used: grow(41e9, 0.05e9), saw: 1.1e9, cpuBase: 0.27, memBase: 0.52,
		},
		w0,
		worker("worker-1", 240e9, 71e9, 0.1e9, 0.35, 0.55),
		w2,
		worker("worker-3", 240e9, 57e9, 0.06e9, 0.29, 0.48),
	)
}

// slowStory is the failure of the playbook: 1.6 GB a day for four months,
// 2.1 GB a day in the last three weeks, and 92 % by df's formula now.
func (b *builder) slowStory(m *machine) []diskPeriod {
	const slow, fast, fastDays = 1.6e9, 2.1e9, 21
	m.saw = 1.5e9
	// A third of a percent above 92, so that it reads 92 % whatever the noise.
	now := 0.9233*float64(m.disk)*(1-reserved) - m.saw*sawTooth(m.name, b.now)
	turn := now - fastDays*fast
	return []diskPeriod{
		{b.now.Add(-storyDays * day), turn - (storyDays-fastDays)*slow, slow},
		{b.now.Add(-fastDays * day), turn, fast},
	}
}

func (b *builder) platform() {
	ks := func(name, image, mem string) app {
		return app{ns: "kube-system", name: name, image: image, age: 380 * day, cpu: "20m", mem: mem}
	}
	b.deployments(ks("hcloud-csi-controller", "hetznercloud/hcloud-csi-driver:v2.16.0", "80Mi"),
		ks("hcloud-cloud-controller-manager", "hetznercloud/hcloud-cloud-controller-manager:v1.26.0", "50Mi"))
	b.daemonSets(ks("hcloud-csi-node", "hetznercloud/hcloud-csi-driver:v2.16.0", "40Mi"))
	cm := func(name string) app {
		return app{ns: "cert-manager", name: name, image: "quay.io/jetstack/" + name + ":v1.18.2", age: 300 * day, rolled: 55 * day, cpu: "10m", mem: "64Mi"}
	}
	b.deployments(cm("cert-manager"), cm("cert-manager-cainjector"), cm("cert-manager-webhook"))
	mon := func(name, image, mem string, port int32) app {
		return app{ns: "monitoring", name: name, image: image, age: 260 * day, cpu: "100m", mem: mem, port: port}
	}
	b.deployments(mon("grafana", "grafana/grafana:12.1.0", "200Mi", 3000),
		mon("kube-state-metrics", "registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.16.0", "80Mi", 8080),
		mon("pushgateway", "prom/pushgateway:v1.11.1", "40Mi", 9091))
	prometheus, loki := mon("prometheus", "prom/prometheus:v3.5.0", "2Gi", 9090), mon("loki", "grafana/loki:3.5.3", "600Mi", 3100)
	prometheus.volume, prometheus.class, prometheus.node = "60Gi", "local-path", "worker-3"
	loki.volume, loki.class = "80Gi", "hcloud-volumes"
	b.statefulSets(prometheus, loki, mon("alertmanager", "prom/alertmanager:v0.28.1", "50Mi", 9093))
	b.daemonSets(mon("node-exporter", "prom/node-exporter:v1.9.1", "30Mi", 0), mon("promtail", "grafana/promtail:3.5.3", "90Mi", 0))
}

// shopImages is where the shop's own images are.
const shopImages = "registry.example.org/shop/"

func (b *builder) shopApps(trouble bool) {
	sh := func(name, tag string, n int32, mem, limit string) app {
		return app{ns: "shop", name: name, image: shopImages + name + ":" + tag, replicas: n, age: 137 * day, rolled: 19 * day, cpu: "150m", mem: mem, limit: limit, port: 8080}
	}
	api := sh("api", "2.8.1", 3, "192Mi", "256Mi")
	api.rolled = 26 * time.Hour
	if trouble {
		api.rolled = 3*time.Hour + 31*time.Minute
		api.image = shopImages + "api:2.9.0"
		b.m.traits["Deployment/shop/api"] = trait{loop: &crashLoop{
			runs: 3*time.Minute + 30*time.Second, waits: 5 * time.Minute, reason: "OOMKilled", exit: 137, leaks: true,
		}}
	}
	search := sh("search", "1.14.2", 1, "1Gi", "1536Mi")
	search.node, search.scratch = "worker-2", true
	if !trouble {
		search.replicas, search.node = 2, ""
	}
	cart := sh("cart", "3.0.4", 2, "128Mi", "256Mi")
	cart.scratch = true
	b.deployments(api, search, cart, sh("web", "5.21.0", 4, "96Mi", "192Mi"), sh("checkout", "2.2.9", 3, "160Mi", "320Mi"),
		sh("worker", "2.8.1", 3, "256Mi", "512Mi"), sh("mailer", "1.3.0", 2, "64Mi", "128Mi"))
	mysql := app{ns: "shop", name: "mysql", image: "mysql:8.4.6", age: 400 * day, cpu: "500m", mem: "2Gi", limit: "3Gi", port: 3306, volume: "40Gi", class: "hcloud-volumes", node: "worker-1"}
	redis := app{ns: "shop", name: "redis", image: "redis:7.4.5", replicas: 3, age: 210 * day, cpu: "50m", mem: "128Mi", port: 6379}
	rabbit := app{ns: "shop", name: "rabbitmq", image: "rabbitmq:4.1.3", age: 210 * day, cpu: "100m", mem: "256Mi", port: 5672, volume: "8Gi", class: "hcloud-volumes"}
	b.statefulSets(mysql, redis, rabbit)
	b.budget("shop", "web", "max=1")
	b.budget("shop", "api", "max=1")
	b.budget("shop", "search", "min=1")
	b.budget("shop", "redis", "min=2")
}

func (b *builder) mediaApps(trouble bool) {
	me := func(name, tag string, n int32, mem string) app {
		return app{ns: "media", name: name, image: "registry.example.org/media/" + name + ":" + tag, replicas: n, age: 133 * day, rolled: 41 * day, cpu: "100m", mem: mem, port: 8080}
	}
	transcoder := me("transcoder", "0.18.3", 2, "1Gi")
	transcoder.scratch, transcoder.limit = true, "2Gi"
	apps := []app{
		transcoder, me("web", "2.4.0", 2, "96Mi"), me("api", "2.4.0", 2, "192Mi"), me("uploader", "1.9.1", 2, "128Mi"),
		me("thumbnailer", "1.2.2", 3, "256Mi"), me("imgproxy", "3.28.0", 2, "256Mi"),
	}
	if trouble {
		b.m.traits["Deployment/media/transcoder"] = trait{loop: &crashLoop{
			runs: day - 20*time.Second, waits: 20 * time.Second, reason: "Error", exit: 1,
		}}
		importer := me("importer", "0.7.0-rc2", 1, "128Mi")
		importer.age, importer.rolled = 90*day, 0
		b.m.traits["Deployment/media/importer"] = trait{image: "rpc error: code = NotFound desc = failed to pull and unpack image " +
			"\"registry.example.org/media/importer:0.7.0-rc2\": failed to resolve reference \"registry.example.org/media/importer:0.7.0-rc2\": " +
			"registry.example.org/media/importer:0.7.0-rc2: not found"}
		apps = append(apps, importer)
	}
	b.deployments(apps...)
	minio := app{ns: "media", name: "minio", image: "minio/minio:RELEASE.2025-07-23T15-54-02Z", age: 133 * day, cpu: "200m", mem: "512Mi", port: 9000, volume: "200Gi", class: "hcloud-volumes"}
	b.statefulSets(minio)
	b.budget("media", "thumbnailer", "max=1")
	b.budget("media", "web", "max=1")
}
