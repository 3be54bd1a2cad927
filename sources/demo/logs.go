package demo

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// serveLog answers pods/log with lines that fit what the pod is going through.
func (w *World) serveLog(rw http.ResponseWriter, q *request) error {
	p, c, err := w.containerAsked(q)
	params := q.URL.Query()
	switch {
	case err != nil:
		return err
	case c.State.Waiting != nil && c.LastTerminationState.Terminated == nil:
		return apierrors.NewBadRequest(fmt.Sprintf("container %q in pod %q is waiting to start: %s", c.Name, p.Name, c.State.Waiting.Reason))
	case params.Get("previous") == "true" && c.LastTerminationState.Terminated == nil:
		return apierrors.NewBadRequest(fmt.Sprintf("previous terminated container %q in pod %q not found", c.Name, p.Name))
	}
	run := w.logs.of(p, c, params.Get("previous") == "true", w.now())
	sent := logReply{w: w, rw: rw, q: q, run: run, stamps: params.Get("timestamps") == "true", from: logFrom(params, run.all(), w.now())}
	rw.Header().Set("Content-Type", "text/plain")
	sent.serve(params.Get("follow") == "true", p)
	return nil
}

// logFrom is the index of the first line that was asked for.
func logFrom(params url.Values, lines []logLine, now time.Time) int {
	from := 0
	var since time.Time
	if at, err := time.Parse(time.RFC3339, params.Get("sinceTime")); err == nil {
		since = at
	}
	if n, err := strconv.Atoi(params.Get("sinceSeconds")); err == nil {
		since = now.Add(-time.Duration(n) * time.Second)
	}
	for from < len(lines) && lines[from].at.Before(since) {
		from++
	}
	if n, err := strconv.Atoi(params.Get("tailLines")); err == nil && n >= 0 {
		from = max(from, len(lines)-n)
	}
	return from
}

// containerAsked is the container that a request for a pod's log or for a
// terminal names, else the pod's first.
func (w *World) containerAsked(q *request) (*corev1.Pod, *corev1.ContainerStatus, error) {
	p, ok := fetch[*corev1.Pod](w.store, q.namespace, q.name)
	if !ok {
		return nil, nil, apierrors.NewNotFound(w.store.kind("", "pods").group(), q.name)
	}
	name := q.URL.Query().Get("container")
	if name == "" {
		name = p.Spec.Containers[0].Name
	}
	c := containerStatus(p, name)
	if c == nil {
		return nil, nil, apierrors.NewBadRequest(fmt.Sprintf("container %s is not valid for pod %s", name, p.Name))
	}
	return p, c, nil
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
	var began time.Time
	if c.State.Running != nil && !previous {
		began = c.State.Running.StartedAt.Time
	}
	died := last != nil && (previous || c.State.Running == nil)
	if died {
		end = last.FinishedAt.Time
	}
	var out []logLine
	for i := range 20 {
		at := end.Add(-time.Duration(20-i) * 4 * time.Second)
		if at.Before(began) {
			continue
		}
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
