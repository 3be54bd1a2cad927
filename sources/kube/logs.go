package kube

import (
	"bufio"
	"context"
	"errors"
	"io"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"daytwo/sources"
)

// NeedLogs is for reading what containers write.
func NeedLogs() Need { return Need{Verb: "get", Resource: "pods/log", Lights: "logs"} }

const (
	logBuffer   = 64 << 10
	longestLine = 1 << 20 // a longer one is handed on in pieces
)

// Log implements sources.Logs.
func (c *Client) Log(ctx context.Context, ask sources.LogAsk, sink sources.LogSink) error {
	l := &logReader{
		c: c, ask: ask, sink: sink, memory: newLogMemory(), began: c.now(),
		in: bufio.NewReaderSize(nil, logBuffer), retry: wait.Backoff{Duration: c.pace.retry, Cap: c.pace.retryMax, Factor: 2, Steps: 10},
	}
	defer sink.Pause()
	l.blind = l.retry
	return l.run(ctx)
}

// logReader is one log being read over as many connections as it takes.
type logReader struct {
	c      *Client
	ask    sources.LogAsk
	sink   sources.LogSink
	memory *logMemory
	in     *bufio.Reader
	began  time.Time
	opened bool   // the server answered once
	run1   string // the container's run that is read, by its ID
	over   string // the run that is known to be over and was read to its end
	part   []byte // a last line without an end: whole only if the log ends there
	lost   bool   // the sink was told that the connection is lost
	waits  bool   // the sink was told that a restart is waited for
	retry  wait.Backoff

	blind wait.Backoff // between two readings while the pod may not be looked up
	fresh bool         // the last of them had something new
	told  bool         // the sink was told that it may not
	tail  string       // what had no end at the end of the one before
}

// errLogOver ends the reading: the container will write no more.
var errLogOver = errors.New("the log is over")

func (l *logReader) run(ctx context.Context) error {
	if l.ask.Follow { // which run; what cannot be known now is asked for after the first connection
		if _, state := l.status(ctx); state == podGone && l.ask.UID != "" {
			l.sink.Note(goneNote)
			return nil
		}
	}
	for ctx.Err() == nil {
		err := l.read(ctx, l.options())
		switch {
		case ctx.Err() != nil:
		case err == nil && !l.ask.Follow:
			l.end()
			return nil
		case err != nil && !l.passes(err):
			return l.c.explain(err, NeedLogs(), requestTimeout)
		default:
			err = l.next(ctx, err)
			if errors.Is(err, errLogOver) {
				l.end()
				return nil
			}
			if err != nil {
				return err
			}
		}
	}
	return ctx.Err() //nolint:wrapcheck // the caller's own
}

// end hands on a last line that never got a line break.
func (l *logReader) end() {
	if len(l.part) > 0 {
		l.line(l.part)
		l.part = nil
	}
}

// passes reports that an error may be over soon: the server or the line to it
// is away, or the container has not begun yet.
func (l *logReader) passes(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return l.c.explainTLS(err) == ""
	}
	switch {
	case l.opened && isGone(err):
		return true // the pod's state tells
	case apierrors.IsBadRequest(err):
		return l.ask.Follow && !l.ask.Previous
	case apierrors.IsTooManyRequests(err), apierrors.IsTimeout(err), apierrors.IsServerTimeout(err),
		apierrors.IsServiceUnavailable(err), apierrors.IsInternalError(err):
		return true
	}
	return false
}

// options are the query for what was not read yet.
func (l *logReader) options() *core.PodLogOptions {
	o := &core.PodLogOptions{Container: l.ask.Container, Follow: l.ask.Follow && !l.ask.Previous, Previous: l.ask.Previous, Timestamps: true}
	switch since := l.memory.since(); {
	case !since.IsZero():
		o.SinceTime = &metav1.Time{Time: since}
	case l.ask.Since > 0: // by the node's clock, which may differ from ours
		o.SinceSeconds = new(int64((l.ask.Since + l.c.now().Sub(l.began)).Seconds() + 1))
	}
	if !l.opened && l.ask.Tail > 0 {
		o.TailLines = &l.ask.Tail
	}
	return o
}

// read is one connection, to its end.
func (l *logReader) read(ctx context.Context, o *core.PodLogOptions) error {
	l.memory.rewind()
	body, err := l.c.set.CoreV1().Pods(l.ask.Pod.Namespace).GetLogs(l.ask.Pod.Name, o).MaxRetries(0).Stream(ctx)
	if err != nil {
		return err //nolint:wrapcheck // told apart and explained by the caller
	}
	defer func() { _ = body.Close() }()
	l.opened, l.part = true, nil
	l.retry.Duration, l.retry.Steps = l.c.pace.retry, 10
	if l.lost {
		l.lost = false
		l.sink.Note("connected again")
	}
	l.in.Reset(body)
	for {
		if l.in.Buffered() == 0 {
			l.sink.Pause()
		}
		if err := l.readLine(); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}

// readLine hands on one line. What has no end when the connection has one
// stays in part.
func (l *logReader) readLine() error {
	chunk, err := l.in.ReadSlice('\n')
	switch {
	case err == nil && len(l.part) == 0:
		l.line(chunk[:len(chunk)-1])
		return nil
	case err == nil:
		l.line(append(l.part, chunk[:len(chunk)-1]...))
		l.part = l.part[:0]
		return nil
	case !errors.Is(err, bufio.ErrBufferFull):
		l.part = append(l.part, chunk...)
		return err //nolint:wrapcheck // told apart by the caller
	}
	l.part = append(l.part, chunk...)
	if len(l.part) >= longestLine {
		l.line(l.part)
		l.part = l.part[:0]
	}
	return nil
}

func (l *logReader) line(line []byte) {
	if text, fresh := l.memory.fresh(line); fresh {
		l.fresh = true
		l.sink.Line(text)
	}
}

// next decides, after a connection ended (err says how, nil is in peace), how
// to go on, and waits until that makes sense.
func (l *logReader) next(ctx context.Context, err error) error {
	if err != nil {
		if !isGone(err) { // else the pod's state tells
			l.say(err)
		}
		l.rest(ctx)
	}
	if !l.ask.Follow || l.ask.Previous {
		return nil // once more
	}
	c, state := l.status(ctx)
	switch state {
	case podAway:
		l.rest(ctx)
		return nil
	case podGone:
		l.sink.Note(goneNote)
		return errLogOver
	case podHidden:
		return l.unseen(ctx, err)
	case podKnown:
	}
	if !c.declared(l.ask.Container) {
		return l.c.explain(err, NeedLogs(), requestTimeout)
	}
	if now := runOf(c); now != l.run1 && now != "" {
		return l.follow(ctx, c, now)
	}
	if c.status.State.Running != nil {
		if err == nil {
			l.rest(ctx) // the connection ended, the container did not
		}
		return nil
	}
	return l.stopped(ctx, c)
}

// unseen goes on though the pod may not be looked up: its log is asked for
// again and again, until the server says that there is no such pod.
func (l *logReader) unseen(ctx context.Context, err error) error {
	if isGone(err) {
		l.sink.Note(goneNote)
		return errLogOver
	}
	if !l.told {
		l.told = true
		l.sink.Note((&sources.AccessError{Verb: "get", Resource: "pods"}).Error() +
			": it cannot be told whether this container ended or restarts, so its log is asked for again and again")
	}
	if err == nil { // else it was waited for already
		l.quiet(ctx)
	}
	return nil
}

// quiet waits the longer, the longer there was nothing new.
func (l *logReader) quiet(ctx context.Context) {
	if len(l.part) > 0 && l.tail == string(l.part) {
		l.end() // it had time to get an end
	}
	l.tail = string(l.part)
	if l.fresh {
		l.fresh, l.blind.Duration, l.blind.Steps = false, l.c.pace.retry, 10
	}
	pause(ctx, l.blind.Step())
}

// follow goes over to the container's next run, after what is left of the one
// before.
func (l *logReader) follow(ctx context.Context, c container, now string) error {
	last := c.status.LastTerminationState.Terminated
	switch {
	case last != nil && last.ContainerID == l.run1:
		o := l.options()
		o.Follow, o.Previous = false, true
		if err := l.read(ctx, o); err != nil && ctx.Err() == nil {
			l.say(err)
			l.rest(ctx)
			return nil // the state is looked at again
		}
		l.end()
		l.sink.Note("the container restarted; it had ended with " + ending(last))
	default:
		l.sink.Note("the container restarted more than once meanwhile: what its runs in between wrote can no longer be read")
	}
	l.run1, l.waits = now, false
	l.memory.anew()
	return nil
}

// stopped is for a container that does not run: what is left of its log, then
// its end, or the wait for its restart.
func (l *logReader) stopped(ctx context.Context, c container) error {
	if l.run1 != l.over {
		o := l.options()
		o.Follow = false
		if err := l.read(ctx, o); err != nil && ctx.Err() == nil {
			if l.passes(err) {
				l.say(err)
				l.rest(ctx)
				return nil
			}
			return l.c.explain(err, NeedLogs(), requestTimeout)
		}
		l.end()
		l.over = l.run1
	}
	if c.final() {
		return errLogOver
	}
	if !l.waits {
		l.waits = true
		l.sink.Note("the container does not run (" + c.why() + "); waiting for it to start again")
		l.sink.Pause()
	}
	for ctx.Err() == nil {
		l.rest(ctx)
		again, state := l.status(ctx)
		if state == podGone || state == podHidden || state == podKnown && (runOf(again) != l.run1 || again.final() || again.status.State.Running != nil) {
			return nil
		}
	}
	return nil
}

// say tells once why the log cannot be read now.
func (l *logReader) say(err error) {
	if l.lost {
		return
	}
	l.lost = true
	why := l.c.explain(err, NeedLogs(), requestTimeout).Error()
	l.sink.Note(why + "; trying again, nothing is lost by that")
	l.sink.Pause()
}

func (l *logReader) rest(ctx context.Context) { pause(ctx, l.retry.Step()) }
