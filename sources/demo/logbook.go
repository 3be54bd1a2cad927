package demo

import (
	"bufio"
	"fmt"
	"net/http"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// mostLogLines is how many lines a run of a container keeps of those that it
// makes up by itself.
const mostLogLines = 5000

// logbook is what containers wrote, as far as anybody asked for it.
type logbook struct {
	mu    sync.Mutex
	runs  map[string]*logRun // by container ID
	wrote chan struct{}      // closed when something is written, and made anew
	cut   chan struct{}      // closed when connections are to break, and made anew
}

// logRun is what one run of a container wrote.
type logRun struct {
	book                      *logbook
	namespace, pod, name, uid string
	id                        string
	lines                     []logLine
}

func newLogbook() *logbook {
	return &logbook{runs: map[string]*logRun{}, wrote: make(chan struct{}), cut: make(chan struct{})}
}

// runID is the run whose log is asked for, as the kubelet finds it.
func runID(c *corev1.ContainerStatus, previous bool) string {
	if last := c.LastTerminationState.Terminated; last != nil && (previous || c.State.Waiting != nil) {
		return last.ContainerID
	}
	return c.ContainerID
}

// of is the run that is asked for; the first time it is made up.
func (b *logbook) of(p *corev1.Pod, c *corev1.ContainerStatus, previous bool, now time.Time) *logRun {
	b.mu.Lock()
	defer b.mu.Unlock()
	id := runID(c, previous)
	r, ok := b.runs[id]
	if !ok {
		r = b.add(p, c, id)
		r.lines = logLines(p, c, previous, now)
	}
	return r
}

func (b *logbook) add(p *corev1.Pod, c *corev1.ContainerStatus, id string) *logRun {
	r := &logRun{book: b, namespace: p.Namespace, pod: p.Name, name: c.Name, uid: string(p.UID), id: id}
	b.runs[id] = r
	return r
}

func (r *logRun) all() []logLine {
	r.book.mu.Lock()
	defer r.book.mu.Unlock()
	return r.lines
}

// next waits for nothing: it returns the lines from an index on, and what is
// closed when there are more or the connection breaks.
func (r *logRun) next(from int) (lines []logLine, more, cut <-chan struct{}) {
	r.book.mu.Lock()
	defer r.book.mu.Unlock()
	return r.lines[min(from, len(r.lines)):], r.book.wrote, r.book.cut
}

func (b *logbook) wake() {
	close(b.wrote)
	b.wrote = make(chan struct{})
}

// grow lets every running container that somebody read write one more line.
func (w *World) growLogs(now time.Time) {
	b := w.logs
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, r := range b.runs {
		p, ok := fetch[*corev1.Pod](w.store, r.namespace, r.pod)
		if !ok || string(p.UID) != r.uid {
			delete(b.runs, id)
			continue
		}
		if c := containerStatus(p, r.name); c != nil && c.State.Running != nil && c.ContainerID == id && len(r.lines) < mostLogLines {
			r.lines = append(r.lines, logLine{now, fmt.Sprintf("%s level=info msg=\"request served\" id=%08x ms=%d",
				now.Format(time.RFC3339), uint32(hash(p.Name, now.String())), 3+hash(p.Name, now.String())%90)})
		}
	}
	b.wake()
}

// WriteLog lets a container write lines, instead of what it would make up.
func (w *World) WriteLog(namespace, pod, name string, lines ...string) error {
	p, ok := fetch[*corev1.Pod](w.store, namespace, pod)
	if !ok {
		return fmt.Errorf("the demo has no pod %s/%s", namespace, pod)
	}
	c := containerStatus(p, name)
	if c == nil || c.ContainerID == "" {
		return fmt.Errorf("container %s of %s/%s does not run", name, namespace, pod)
	}
	b, now := w.logs, w.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	r, ok := b.runs[c.ContainerID]
	if !ok {
		r = b.add(p, c, c.ContainerID)
	}
	for _, l := range lines {
		r.lines = append(r.lines, logLine{now, l})
	}
	b.wake()
	return nil
}

// CutLogs breaks every connection on which a log is read.
func (w *World) CutLogs() {
	w.logs.mu.Lock()
	defer w.logs.mu.Unlock()
	close(w.logs.cut)
	w.logs.cut = make(chan struct{})
}

// RestartContainer ends a container with an exit code and starts it again.
func (w *World) RestartContainer(namespace, pod, name string, exit int32) error {
	now := metav1.NewTime(w.now())
	_, err := w.store.update(kindOf[*corev1.Pod](w.store), namespace, pod, false, func(o object) (object, error) {
		p, ok := o.(*corev1.Pod)
		if !ok {
			return nil, apierrors.NewInternalError(fmt.Errorf("%T is no pod", o))
		}
		c := containerStatus(p, name)
		if c == nil {
			return nil, apierrors.NewBadRequest("no container " + name)
		}
		ended := &corev1.ContainerStateTerminated{ExitCode: exit, Reason: "Error", FinishedAt: now, ContainerID: c.ContainerID}
		if c.State.Running != nil {
			ended.StartedAt = c.State.Running.StartedAt
		}
		c.RestartCount++
		c.LastTerminationState = corev1.ContainerState{Terminated: ended}
		c.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}}
		c.ContainerID = containerID(p, c)
		return p, nil
	})
	return err
}

// logReply is one answer to a request for a log.
type logReply struct {
	w      *World
	rw     http.ResponseWriter
	q      *request
	run    *logRun
	stamps bool
	from   int
}

// serve sends what there is and, if it is followed, what comes, until the run
// is over or the client leaves.
func (l *logReply) serve(follow bool, p *corev1.Pod) {
	out := bufio.NewWriterSize(l.rw, 32<<10)
	flusher, canFlush := l.rw.(http.Flusher)
	_, _, cut := l.run.next(0) // once, so that none is missed
	for {
		_, _, changed, err := l.w.store.since(l.w.store.version())
		over := err != nil || !l.runs(p)
		lines, more, _ := l.run.next(l.from)
		l.from += len(lines)
		if l.send(out, lines) != nil || !follow || !canFlush || over {
			return
		}
		flusher.Flush()
		select {
		case <-l.q.Context().Done():
			return
		case <-cut:
			panic(http.ErrAbortHandler)
		case <-more:
		case <-changed:
		}
	}
}

func (l *logReply) send(out *bufio.Writer, lines []logLine) error {
	for _, line := range lines {
		if l.stamps {
			_, _ = out.WriteString(line.at.Format(time.RFC3339Nano) + " ") // Flush returns the error
		}
		_, _ = out.WriteString(line.text)
		_ = out.WriteByte('\n')
	}
	return out.Flush()
}

// runs reports that the run that is sent may write more.
func (l *logReply) runs(p *corev1.Pod) bool {
	now, ok := fetch[*corev1.Pod](l.w.store, p.Namespace, p.Name)
	if !ok || now.UID != p.UID {
		return false
	}
	c := containerStatus(now, l.run.name)
	return c != nil && c.State.Running != nil && c.ContainerID == l.run.id
}
