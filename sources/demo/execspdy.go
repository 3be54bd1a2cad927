package demo

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"

	"golang.org/x/term"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
)

// streams is the server's end of a terminal over SPDY: a stream for each
// direction, one for sizes, and one for how it ended.
type streams struct {
	conn                      httpstream.Connection
	stdin, stdout, fail, size httpstream.Stream
}

var errNoStreams = errors.New("the client opened no streams")

// newStreams answers the request and waits for the client's streams, at most
// until ctx ends: that of the request does not once its line is taken over.
func newStreams(ctx context.Context, rw http.ResponseWriter, r *http.Request) (*streams, error) {
	if _, err := httpstream.Handshake(r, rw, []string{"v4.channel.k8s.io"}); err != nil {
		return nil, err
	}
	opened := make(chan httpstream.Stream, 8)
	l := &streams{conn: spdy.NewResponseUpgrader().UpgradeResponse(rw, r, func(s httpstream.Stream, _ <-chan struct{}) error {
		select {
		case opened <- s:
			return nil
		default:
			return errNoStreams // more than a terminal has
		}
	})}
	if l.conn == nil {
		return nil, errNoStreams
	}
	for l.stdin == nil || l.stdout == nil || l.fail == nil || l.size == nil {
		select {
		case s := <-opened:
			l.take(s)
		case <-l.conn.CloseChan():
			return nil, errNoStreams
		case <-ctx.Done():
			_ = l.conn.Close()
			return nil, errNoStreams
		}
	}
	return l, nil
}

// take puts a stream where it belongs.
func (l *streams) take(s httpstream.Stream) {
	switch s.Headers().Get(corev1.StreamType) {
	case corev1.StreamTypeStdin:
		l.stdin = s
	case corev1.StreamTypeStdout:
		l.stdout = s
	case corev1.StreamTypeError:
		l.fail = s
	case corev1.StreamTypeResize:
		l.size = s
	}
}

// Write sends what the terminal shows.
func (l *streams) Write(p []byte) (int, error) { return l.stdout.Write(p) }

// Close cuts the line.
func (l *streams) Close() error { return l.conn.Close() }

func (l *streams) end(code int) {
	_, _ = l.fail.Write(exitStatus(code))
	_ = l.fail.Close()
	_ = l.stdout.Close()
}

func (l *streams) read(typed *io.PipeWriter, tty *term.Terminal) {
	var sizes sync.WaitGroup
	sizes.Go(func() {
		for in := json.NewDecoder(l.size); ; {
			var text json.RawMessage
			if in.Decode(&text) != nil {
				return
			}
			resized(tty, text)
		}
	})
	_, _ = io.Copy(typed, l.stdin) // ends with the line
	_ = typed.Close()
	sizes.Wait()
}
