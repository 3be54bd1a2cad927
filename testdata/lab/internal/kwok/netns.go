package kwok

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// dialIn opens a connection from inside a network namespace. A socket belongs to the
// namespace of the thread that makes it. The thread is not handed back: Go ends a
// thread whose goroutine ends while locked to it.
func dialIn(ctx context.Context, netns, network, addr string) (net.Conn, error) {
	type result struct {
		conn net.Conn
		err  error
	}
	done := make(chan result, 1)
	go func() {
		runtime.LockOSThread()
		file, err := os.Open(netns)
		if err != nil {
			done <- result{err: fmt.Errorf("entering the lab's namespace: %w", err)}
			return
		}
		defer file.Close()
		if err := unix.Setns(int(file.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- result{err: fmt.Errorf("entering the lab's namespace: %w", err)}
			return
		}
		// A literal address and one family: the dialer then stays on this goroutine.
		conn, err := (&net.Dialer{FallbackDelay: -1}).DialContext(ctx, network, addr)
		done <- result{conn, err}
	}()
	r := <-done
	return r.conn, r.err
}
