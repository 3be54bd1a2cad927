package demo

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// serveLog answers pods/log with lines that fit what the pod is going through.
func (w *World) serveLog(rw http.ResponseWriter, q *request) error {
	p, ok := fetch[*corev1.Pod](w.store, q.namespace, q.name)
	if !ok {
		return apierrors.NewNotFound(w.store.kind("", "pods").group(), q.name)
	}
	params := q.URL.Query()
	container := params.Get("container")
	if container == "" {
		container = p.Spec.Containers[0].Name
	}
	c := containerStatus(p, container)
	switch {
	case c == nil:
		return apierrors.NewBadRequest(fmt.Sprintf("container %s is not valid for pod %s", container, p.Name))
	case c.State.Waiting != nil && c.LastTerminationState.Terminated == nil:
		return apierrors.NewBadRequest(fmt.Sprintf("container %q in pod %q is waiting to start: %s", container, p.Name, c.State.Waiting.Reason))
	case params.Get("previous") == "true" && c.LastTerminationState.Terminated == nil:
		return apierrors.NewBadRequest(fmt.Sprintf("previous terminated container %q in pod %q not found", container, p.Name))
	}
	lines := logLines(p, c, params.Get("previous") == "true", w.now())
	if n, err := strconv.Atoi(params.Get("tailLines")); err == nil && n >= 0 && n < len(lines) {
		lines = lines[len(lines)-n:]
	}
	rw.Header().Set("Content-Type", "text/plain")
	for _, l := range lines {
		text := l.text
		if params.Get("timestamps") == "true" {
			text = l.at.Format(time.RFC3339Nano) + " " + text
		}
		if _, err := fmt.Fprintln(rw, text); err != nil {
			return nil //nolint:nilerr // the client is gone; nobody is left to tell
		}
	}
	if params.Get("follow") == "true" {
		w.followLog(rw, q, p)
	}
	return nil
}

func containerStatus(p *corev1.Pod, name string) *corev1.ContainerStatus {
	for i := range p.Status.ContainerStatuses {
		if p.Status.ContainerStatuses[i].Name == name {
			return &p.Status.ContainerStatuses[i]
		}
	}
	return nil
}

type logLine struct {
	at   time.Time
	text string
}

// logLines makes up the end of a container's log.
func logLines(p *corev1.Pod, c *corev1.ContainerStatus, previous bool, now time.Time) []logLine {
	end, last := now, c.LastTerminationState.Terminated
	died := last != nil && (previous || c.State.Running == nil)
	if died {
		end = last.FinishedAt.Time
	}
	var out []logLine
	for i := range 20 {
		at := end.Add(-time.Duration(20-i) * 4 * time.Second)
		out = append(out, logLine{at, fmt.Sprintf("%s level=info msg=\"request served\" id=%08x ms=%d",
			at.Format(time.RFC3339), uint32(hash(p.Name, strconv.Itoa(i))), 3+hash(p.Name, at.String())%90)})
	}
	stamp := end.Format(time.RFC3339)
	switch {
	case died && last.Reason == "OOMKilled":
		out = append(out, logLine{end, stamp + " level=warn msg=\"cache grew\" entries=184220 heap_mb=251 limit_mb=256"})
	case c.State.Terminated != nil && c.State.Terminated.ExitCode != 0:
		at := c.State.Terminated.FinishedAt.Time
		return []logLine{
			{at.Add(-time.Second), "-- dumping shop to /backup/shop.sql.gz"},
			{at, "mysqldump: Got error: 2013: Lost connection to server during query when dumping table `orders` at row: 48211"},
		}
	case died:
		out = append(out, logLine{end, stamp + " level=error msg=\"fatal: encoder exited\" code=" + strconv.Itoa(int(last.ExitCode))})
	}
	return out
}

// followLog adds a line at each step of the world until the client leaves or
// the pod is gone.
func (w *World) followLog(rw http.ResponseWriter, q *request, p *corev1.Pod) {
	flusher, ok := rw.(http.Flusher)
	if !ok {
		return
	}
	flusher.Flush()
	for {
		_, _, more, err := w.store.since(w.store.version())
		if err != nil {
			return
		}
		select {
		case <-q.Context().Done():
			return
		case <-more:
		}
		now := w.now()
		if _, ok := fetch[*corev1.Pod](w.store, p.Namespace, p.Name); !ok {
			return
		}
		if _, err := fmt.Fprintf(rw, "%s level=info msg=\"request served\" ms=%d\n", now.Format(time.RFC3339), 3+hash(p.Name, now.String())%90); err != nil {
			return
		}
		flusher.Flush()
	}
}
