package rules

import "strings"

// Doc describes one rule for people: docs/rules.md is made of these.
type Doc struct {
	Rule      string
	Meaning   string
	Threshold string // with the severity it gives
	Source    string // where the facts and the threshold come from
}

// All lists every rule that Judge can name, by topic.
func All() []Doc {
	docs := nodeDocs()
	docs = append(docs, diskDocs()...)
	docs = append(docs, podDocs()...)
	docs = append(docs, certDocs()...)
	docs = append(docs, backupDocs()...)
	docs = append(docs, runDocs()...)
	return append(docs, sourceDocs()...)
}

func nodeDocs() []Doc {
	return []Doc{
		{
			NodeReady, "The node is not ready, or its kubelet stopped reporting.",
			"Ready is not True: critical; no Ready condition: unknown", "node conditions; Unknown is set after 40 s without a heartbeat (kube-controller-manager)",
		},
		{NodePressure, "The kubelet reports pressure.", "DiskPressure: critical; MemoryPressure, PIDPressure: warning", "node conditions"},
		{NodeNetwork, "The node's network is not set up.", "NetworkUnavailable is True: critical", "node conditions"},
		{NodeCordoned, "No pod can be scheduled there; says by whom and since when if known.", "spec.unschedulable: warning", "node spec, managed fields, unschedulable taint"},
		{LoadCPU, "CPU is high in every sample of the whole span.", "> 85 % of allocatable for 10 min: warning; fewer samples: unknown, no finding", "own samples of metrics.k8s.io or stats/summary; weekly checklist"},
		{LoadMemory, "Memory is high in every sample of the whole span.", "> 85 % of allocatable for 10 min: warning; fewer samples: unknown, no finding", "own samples; weekly checklist"},
		{LoadUnknown, "CPU and memory can be read of no node.", "unknown, one finding for all nodes", "metrics.k8s.io, stats/summary"},
	}
}

func diskDocs() []Doc {
	return []Doc{
		{
			DiskUsed, "The root filesystem fills up; the same line tells growth and what comes when.",
			"df's Use%, used/(used+available) > 80 %: warning, > 90 %: critical; raised by disk.forecast", "kubelet stats/summary; weekly checklist",
		},
		{
			DiskForecast, "Not full yet, but soon at the present growth: image GC and eviction threshold, 90 %, full.",
			"eviction or full within 14 d: warning, within 2 d: critical; silent below 12 samples or 6 h", "own samples: Theil–Sen slope over 14 d on the lower envelope, from the last big clean-up; thresholds live from configz",
		},
		{DiskInodes, "The root filesystem runs out of inodes; k3s evicts nothing for that.", "> 80 %: warning, > 90 %: critical", "kubelet stats/summary"},
		{DiskImages, "An image filesystem of its own fills up.", "1 − available/capacity > 80 %: warning, > 90 %: critical", "kubelet stats/summary"},
		{DiskUnknown, "The kubelet cannot be read, so nothing is known of the disk; one finding for each reason.", "no answer yet, or older than 10 min: unknown", "kubelet stats/summary (get nodes/proxy)"},
	}
}

func podDocs() []Doc {
	return []Doc{
		{
			RestartsRate, "A container, or all of an owner's together, restarts often. A new pod does not reset the count.",
			"> 5 in 1 h: warning", "restart counters and last ends of containers, own samples; weekly checklist",
		},
		{RestartsLoop, "A container is waiting in CrashLoopBackOff now, however often it restarted.", "CrashLoopBackOff now: warning", "container statuses"},
		{RestartsDaily, "It restarts every day and nobody looks any more.", "a known restart on each of the last 3 days: warning", "own samples, last ends"},
		{PodPending, "Pods wait for a place or to start; with the scheduler's words.", "> 10 min: warning, one finding for an owner", "pod status, events"},
		{PodStuck, "Pods do not go away; finalizers are named.", "> 10 min past deletionTimestamp, which holds the grace period: warning", "pod metadata"},
		{PodConfig, "Containers cannot be created: a ConfigMap, Secret or key is missing, or a mount or hook fails.", "at once: warning", "waiting reason CreateContainerConfigError and its kin"},
		{PodImage, "Images cannot be pulled; the image is named.", "at once: warning", "waiting reason ImagePullBackOff, ErrImagePull and their kin"},
		{PodEvicted, "The kubelet evicted pods from a node.", "within 72 h: warning, one finding for a node", "pod status"},
	}
}

func certDocs() []Doc {
	return []Doc{
		{CertExpired, "The certificate has expired.", "critical", "Certificate, served Secret"},
		{CertOverdue, "cert-manager should have renewed it.", "24 h after status.renewalTime, or a twelfth of a short lifetime: warning", "Certificate status"},
		{CertExpiring, "The certificate expires soon.", "< 21 d: warning, < 7 d: critical; of lifetimes under 63 d a third and a ninth, once renewal is due", "Certificate, served Secret; weekly checklist"},
		{CertIssue, "It was never issued; with the reason of the newest request, order or challenge.", "older than 15 min: warning", "Certificate, CertificateRequest, Order, Challenge"},
		{CertReady, "The Certificate is not ready, with the same reason.", "Ready=False: warning", "Certificate, CertificateRequest, Order, Challenge"},
		{CertFailing, "Renewal was tried and failed more than once, before it is overdue.", "2 failed attempts: warning", "Certificate status"},
		{CertSecret, "The Secret that is served holds another certificate, or cannot be read.", "its end differs: warning", "tls.crt of the Secret"},
		{CertMissing, "An Ingress names a TLS Secret that does not exist or holds no certificate: its controller serves its default one.", "warning", "Secret"},
		{CertUnknown, "A TLS Secret that an Ingress names cannot be read.", "unknown", "Secret"},
		{CertK3s, "k3s warns of its own certificates: leaves are renewed only when k3s starts, the CA never.", "k3s's event (120 d, CA 365 d): warning; < 7 d: critical", "node events of k3s-cert-monitor"},
		{CertKube, "The client certificate of the kubeconfig in use expires.", "< 21 d: warning, < 7 d: critical", "kubeconfig"},
	}
}

func backupDocs() []Doc {
	return []Doc{
		{BackupAge, "The last success is too old.", "> 25 h, or the backup's own limit; without one at least the schedule's longest gap + 4 % + 30 min: critical", "CronJob status, Jobs; weekly checklist"},
		{BackupNever, "It never succeeded.", "older than its limit: critical", "CronJob status, Jobs"},
		{BackupFailed, "The newest job that ended has failed; with exit code where a pod is left.", "warning", "Jobs, pods"},
		{BackupPaused, "The CronJob is suspended.", "warning", "CronJob spec"},
		{BackupSlow, "A job runs far longer than usual.", "> 3 × the median of earlier jobs and > 30 min; without earlier jobs > 24 h: warning", "Jobs"},
		{BackupUnknown, "Nothing speaks for a declared backup; says what would count.", "unknown", "settings, CronJobs"},
	}
}

func sourceDocs() []Doc {
	return []Doc{
		{VersionNewer, "A kubelet is newer than the API server.", "a minor: critical; patches are no finding", "/version, node status; Kubernetes version skew policy"},
		{VersionOlder, "A kubelet lags behind the API server.", "> 1 minor: warning (k3s-io/k3s issue 12819); > 3 minors: critical", "/version, node status; Kubernetes version skew policy"},
		{VersionMixed, "Servers run different minors.", "warning", "node status"},
		{VersionNotes, "The notes of the last upgrade no longer match a node: kubelet, container runtime, OS, arguments or environment of k3s, or the node itself.", "any difference: warning; notes that cannot be read: unknown", "upgrade notes of the record, node status, annotations k3s.io/node-args and node-env; weekly checklist"},
		{SourceAPI, "The API server does not answer, or refuses the credentials; the last picture is shown with its age.", "critical", "API server"},
		{SourceAccess, "A permission is missing; says what is dark without it.", "unknown, one finding for a verb and resource", "API server"},
		{SourceRead, "A resource cannot be read although the server answers.", "unknown", "API server"},
		{SourceHistory, "Samples cannot be kept.", "warning", "state folder"},
		{SourceFailing, "A source fails for a reason that no other finding tells.", "warning; critical where judging itself failed", "source"},
		{SourceStale, "Nothing failed, yet nothing new came.", "API 2 min, kubelets 10 min, history 30 min: warning", "ages of readings"},
	}
}

// Markdown is docs/rules.md.
func Markdown() string {
	var b strings.Builder
	b.WriteString("# Rules\n\n" +
		"What daytwo looks for. `daytwo check` and the cockpit judge by the same rules; thresholds that the\n" +
		"config file can change are shown with their defaults. Severities: critical, warning, unknown, ok.\n" +
		"What could not be looked at is unknown, never ok; what was not read yet is unknown and no finding.\n\n" +
		"| rule | meaning | threshold | source |\n|---|---|---|---|\n")
	for _, d := range All() {
		b.WriteString("| `" + d.Rule + "` | " + d.Meaning + " | " + d.Threshold + " | " + d.Source + " |\n")
	}
	return b.String()
}
