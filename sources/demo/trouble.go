package demo

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"daytwo/sources"
)

// The incident's clock, before the world began.
const (
	oomLast     = 3 * time.Minute                // since shop/api's last OOM kill
	oomCycle    = 8*time.Minute + 30*time.Second // one run and one back-off
	oomRestarts = 24                             // of the newest version's pod so far
	importerAge = 20 * time.Minute               // of the pod whose image is missing
	dailyDays   = 24                             // days on which media/transcoder restarted
	dailyAt     = 3*time.Hour + 10*time.Minute   // after midnight UTC
)

// breakPods gives the pods in trouble their past.
func (b *builder) breakPods() {
	for _, p := range all[*corev1.Pod](b.s, "") {
		switch b.m.topOwner(p) {
		case "Deployment/shop/api":
			b.breakFirst("Deployment/shop/api", p, b.oomTimes(), b.now.Add(-oomLast), true)
		case "Deployment/media/transcoder":
			b.breakFirst("Deployment/media/transcoder", p, b.dailyTimes(), b.lastDaily(), false)
		case "Deployment/media/importer":
			b.breakImage(p)
		}
	}
}

// lastDaily is when media/transcoder last died.
func (b *builder) lastDaily() time.Time {
	at := b.now.Truncate(day).Add(dailyAt)
	if at.After(b.now.Add(-time.Minute)) {
		at = at.Add(-day)
	}
	return at
}

// oomTimes are the restarts of shop/api: each a back-off after a kill.
func (b *builder) oomTimes() []time.Time {
	at := make([]time.Time, oomRestarts)
	for i := range at {
		killed := b.now.Add(-oomLast - time.Duration(oomRestarts-i)*oomCycle)
		at[i] = killed.Add(b.m.traits["Deployment/shop/api"].loop.waits)
	}
	return at
}

func (b *builder) dailyTimes() []time.Time {
	at := make([]time.Time, dailyDays)
	for i := range at {
		died := b.lastDaily().Add(-time.Duration(dailyDays-1-i) * day)
		at[i] = died.Add(b.m.traits["Deployment/media/transcoder"].loop.waits)
	}
	return at
}

// breakFirst puts the first pod of an owner into its loop: it died at last,
// and either waits now or runs again.
func (b *builder) breakFirst(owner string, p *corev1.Pod, restarts []time.Time, last time.Time, waiting bool) {
	if _, taken := b.m.bearers[owner]; taken {
		return
	}
	b.m.bearers[owner] = bearer{p.Name, p.UID}
	parts := strings.Split(owner, "/")
	b.w.loops = append(b.w.loops, loopPast{
		owner: sources.Ref{Kind: parts[0], Namespace: parts[1], Name: parts[2]},
		pod:   p.Name, container: p.Spec.Containers[0].Name, restarts: restarts,
	})
	loop := b.m.traits[owner].loop
	text := fmt.Sprintf("back-off %s restarting failed container=%s pod=%s_%s(%s)", loop.waits, p.Spec.Containers[0].Name, p.Name, p.Namespace, p.UID)
	edit(b.s, p, func(p *corev1.Pod) bool {
		c := &p.Status.ContainerStatuses[0]
		c.State = corev1.ContainerState{}
		die(c, loop, last, text)
		c.RestartCount = int32(len(restarts))
		if waiting {
			setReady(p, false, last)
			return true
		}
		again := last.Add(loop.waits)
		c.ContainerID = containerID(p, c)
		c.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(again)}}
		setReady(p, true, again)
		return true
	})
}

func (b *builder) breakImage(p *corev1.Pod) {
	created := b.now.Add(-importerAge).Truncate(time.Second)
	why := b.m.traits["Deployment/media/importer"].image
	edit(b.s, p, func(p *corev1.Pod) bool {
		p.CreationTimestamp = metav1.NewTime(created)
		p.Status = corev1.PodStatus{Phase: corev1.PodPending, QOSClass: p.Status.QOSClass, HostIP: p.Status.HostIP, HostIPs: p.Status.HostIPs}
		setCondition(p, corev1.PodScheduled, corev1.ConditionTrue, "", "", created)
		begin(p, created)
		return waitAll(p, "ImagePullBackOff", fmt.Sprintf("Back-off pulling image %q: ErrImagePull: %s", p.Spec.Containers[0].Image, why))
	})
}

// incidentEvents are what the API server still remembers of the last hour.
func (b *builder) incidentEvents() {
	warn := func(o object, first, last time.Duration, count int32, reason, message, component string) {
		b.m.eventTimes(o, b.now.Add(-first), b.now.Add(-last), count, corev1.EventTypeWarning, reason, message, component)
	}
	n, _ := fetch[*corev1.Node](b.s, "", "worker-0")
	warn(n, 55*time.Minute, 2*time.Minute, 11, "FreeDiskSpaceFailed", gcFailed(), "kubelet")
	warn(n, 55*time.Minute, 2*time.Minute, 11, "ImageGCFailed", gcFailed(), "kubelet")
	for _, p := range all[*corev1.Pod](b.s, "") {
		name := p.Spec.Containers[0].Name
		switch owner := b.m.topOwner(p); {
		case b.m.bearers[owner].uid == p.UID && strings.HasSuffix(owner, "shop/api"):
			warn(p, 54*time.Minute, 10*time.Second, 160, "BackOff",
				fmt.Sprintf("Back-off restarting failed container %s in pod %s_%s(%s)", name, p.Name, p.Namespace, p.UID), "kubelet")
			warn(p, 53*time.Minute, oomLast+10*time.Second, 9, "Unhealthy",
				"Readiness probe failed: Get \"http://"+p.Status.PodIP+":8080/healthz\": context deadline exceeded", "kubelet")
		case strings.HasSuffix(owner, "media/importer"):
			image := p.Spec.Containers[0].Image
			warn(p, importerAge, 4*time.Minute, 6, "Failed", fmt.Sprintf("Failed to pull image %q: %s", image, b.m.traits[owner].image), "kubelet")
			warn(p, importerAge, 15*time.Second, 84, "Failed", "Error: ImagePullBackOff", "kubelet")
			b.m.eventTimes(p, b.now.Add(-importerAge), b.now.Add(-15*time.Second), 84, corev1.EventTypeNormal, "BackOff", fmt.Sprintf("Back-off pulling image %q", image), "kubelet")
		}
	}
	if o, ok := b.s.get(b.s.kind("cert-manager.io", "certificates"), "shop", "tls"); ok {
		warn(o, 50*time.Minute, 50*time.Minute, 1, "Failed", "The certificate request has failed to complete and will be retried: "+orderFailed, "cert-manager-certificates-issuing")
	}
}
