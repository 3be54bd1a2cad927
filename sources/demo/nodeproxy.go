package demo

import (
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	stats "k8s.io/kubelet/pkg/apis/stats/v1alpha1"
)

// serveNodeProxy answers as the kubelet behind /api/v1/nodes/NAME/proxy.
func (w *World) serveNodeProxy(rw http.ResponseWriter, q *request) error {
	m := w.machine(q.name)
	if m == nil {
		return apierrors.NewNotFound(w.store.kind("", "nodes").group(), q.name)
	}
	switch q.tail {
	case "stats/summary":
		return respondJSON(rw, w.summary(m))
	case "configz":
		return respondJSON(rw, map[string]any{"kubeletconfig": w.configz()})
	case "healthz":
		_, _ = rw.Write([]byte("ok"))
		return nil
	}
	return errNoPath
}

// configz is the kubelet's live configuration as k3s sets it: eviction at
// 5 % and no more, image GC at the upstream 85/80.
func (w *World) configz() map[string]any {
	return map[string]any{
		"kind": "KubeletConfiguration", "apiVersion": "kubelet.config.k8s.io/v1beta1",
		"evictionHard":                     map[string]string{"imagefs.available": "5%", "nodefs.available": "5%"},
		"evictionMinimumReclaim":           map[string]string{"imagefs.available": "10%", "nodefs.available": "10%"},
		"evictionPressureTransitionPeriod": "5m0s",
		"imageMinimumGCAge":                "2m0s", "imageMaximumGCAge": "0s",
		"imageGCHighThresholdPercent": 85, "imageGCLowThresholdPercent": 80,
		"containerLogMaxSize": "10Mi", "containerLogMaxFiles": 5,
		"maxPods": 110, "nodeStatusUpdateFrequency": "10s", "nodeStatusReportFrequency": "5m0s",
		"cgroupDriver": "systemd", "containerRuntimeEndpoint": "unix:///run/k3s/containerd/containerd.sock",
		"failSwapOn": false, "serializeImagePulls": false,
	}
}

func (w *World) summary(m *machine) *stats.Summary {
	now := w.now().Truncate(10 * time.Second)
	at := metav1.NewTime(now)
	fs := fsOf(m, now, m.diskUsed(now))
	images := fsOf(m, now, w.imageBytes(m))
	s := &stats.Summary{Node: stats.NodeStats{
		NodeName: m.name, StartTime: metav1.NewTime(m.created),
		CPU: cpuStats(at, m.cpu(now)*float64(m.cores)), Memory: memoryStats(at, int64(m.mem(now)*float64(m.memory)), m.memory),
		Fs: fs, Runtime: &stats.RuntimeStats{ImageFs: images, ContainerFs: images},
		Rlimit: &stats.RlimitStats{Time: at, MaxPID: new(int64(4194304)), NumOfRunningProcesses: new(int64(700 + hash(m.name)%300))},
	}}
	for _, p := range w.podsOn(m.name) {
		if p.Status.Phase == corev1.PodRunning {
			s.Pods = append(s.Pods, w.podStats(m, p, now))
		}
	}
	return s
}

func (w *World) podStats(m *machine, p *corev1.Pod, now time.Time) stats.PodStats {
	at := metav1.NewTime(now)
	out := stats.PodStats{
		PodRef:    stats.PodReference{Name: p.Name, Namespace: p.Namespace, UID: string(p.UID)},
		StartTime: p.CreationTimestamp,
	}
	var ephemeral int64
	for i := range p.Spec.Containers {
		c := &p.Spec.Containers[i]
		cpu, mem := w.containerUse(p, c, now)
		layer, logs := w.written(m, p, c.Name, now)
		ephemeral += layer + logs
		out.Containers = append(out.Containers, stats.ContainerStats{
			Name: c.Name, StartTime: p.CreationTimestamp,
			CPU: cpuStats(at, cpu), Memory: memoryStats(at, mem, 0),
			Rootfs: fsOf(m, now, layer), Logs: fsOf(m, now, logs),
		})
	}
	for _, v := range p.Spec.Volumes {
		if v.EmptyDir != nil {
			used := scratch(p, v.Name)
			ephemeral += used
			out.VolumeStats = append(out.VolumeStats, stats.VolumeStats{FsStats: *fsOf(m, now, used), Name: v.Name})
		}
	}
	out.EphemeralStorage = fsOf(m, now, ephemeral)
	return out
}

func fsOf(m *machine, now time.Time, used int64) *stats.FsStats {
	inodes, inodesUsed := uint64(m.inodes), uint64(m.inodesUsed(now))
	return &stats.FsStats{
		Time: metav1.NewTime(now), CapacityBytes: new(uint64(m.disk)), UsedBytes: new(uint64(max(0, used))),
		AvailableBytes: new(uint64(max(0, m.diskAvailable(now)))),
		Inodes:         &inodes, InodesUsed: &inodesUsed, InodesFree: new(inodes - inodesUsed),
	}
}

func cpuStats(at metav1.Time, cores float64) *stats.CPUStats {
	return &stats.CPUStats{
		Time: at, UsageNanoCores: new(uint64(cores * 1e9)),
		UsageCoreNanoSeconds: new(uint64(cores * 1e9 * 86400)),
	}
}

func memoryStats(at metav1.Time, workingSet, total int64) *stats.MemoryStats {
	ws := uint64(workingSet)
	s := &stats.MemoryStats{Time: at, WorkingSetBytes: &ws, UsageBytes: new(ws + ws/4), RSSBytes: new(ws * 9 / 10)}
	if total > 0 {
		s.AvailableBytes = new(uint64(total - workingSet))
	}
	return s
}
