package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/gorilla/websocket"
	"golang.org/x/term"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/streaming/pkg/httpstream/spdy"
)

// Channels of the API server's protocol for terminals: the first byte of each
// message.
const (
	stdinChannel = iota
	stdoutChannel
	_ // stderr, which a terminal has none of
	errorChannel
	resizeChannel
)

// execLine is a line on which a terminal in a container is had.
type execLine interface {
	io.Writer                                      // what the terminal shows
	io.Closer                                      // cuts it
	read(typed *io.PipeWriter, tty *term.Terminal) // what is typed, and sizes, until the line ends
	end(code int)
}

// serveExec opens a terminal in a container, over a WebSocket or, as clients
// of old do, over SPDY.
func (w *World) serveExec(rw http.ResponseWriter, q *request) error {
	p, c, err := w.containerAsked(q)
	switch {
	case err != nil:
		return err
	case c.State.Running == nil:
		return apierrors.NewBadRequest(fmt.Sprintf("container %q in pod %q is not running", c.Name, p.Name))
	}
	var line execLine
	switch {
	case websocket.IsWebSocketUpgrade(q.Request):
		line, err = newChannels(rw, q.Request)
	case strings.EqualFold(q.Header.Get("Upgrade"), spdy.HeaderSpdy31):
		line, err = newStreams(w.ctx, rw, q.Request)
	default:
		return apierrors.NewBadRequest("Upgrade request required")
	}
	if err != nil {
		return nil // it was answered already
	}
	stop := context.AfterFunc(w.ctx, func() { _ = line.Close() })
	defer stop()
	in, typed := io.Pipe()
	tty := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{in, line}, "")
	ended := make(chan struct{})
	go func() { // ends with the connection
		defer close(ended)
		line.read(typed, tty)
	}()
	if slices.ContainsFunc(q.URL.Query()["command"], func(s string) bool { return strings.Contains(s, "/bin/sh") }) {
		line.end(containerShell(p, c, tty))
	} else {
		line.end(127)
	}
	_ = in.Close()
	_ = line.Close()
	<-ended
	return nil
}

func newChannels(rw http.ResponseWriter, r *http.Request) (*channels, error) {
	up := websocket.Upgrader{Subprotocols: []string{"v5.channel.k8s.io", "v4.channel.k8s.io"}}
	conn, err := up.Upgrade(rw, r, nil)
	return &channels{conn: conn}, err
}

// exitStatus tells an exit code as the API server does.
func exitStatus(code int) []byte {
	s := metav1.Status{Status: metav1.StatusSuccess}
	if code != 0 {
		s = metav1.Status{
			Status: metav1.StatusFailure, Reason: "NonZeroExitCode", Message: "command terminated with non-zero exit code",
			Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{{Type: "ExitCode", Message: strconv.Itoa(code)}}},
		}
	}
	text, _ := json.Marshal(s) // a Status always can be
	return text
}

// channels is the server's end of a terminal.
type channels struct {
	conn *websocket.Conn
	mu   sync.Mutex
}

func (l *channels) send(channel byte, p []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.conn.WriteMessage(websocket.BinaryMessage, append([]byte{channel}, p...))
}

// Write sends what the terminal shows.
func (l *channels) Write(p []byte) (int, error) { return len(p), l.send(stdoutChannel, p) }

// Close cuts the line.
func (l *channels) Close() error { return l.conn.Close() }

func (l *channels) end(code int) {
	_ = l.send(errorChannel, exitStatus(code))
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.conn.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""))
}

func (l *channels) read(typed *io.PipeWriter, tty *term.Terminal) {
	defer func() { _ = typed.Close() }()
	for {
		_, m, err := l.conn.ReadMessage()
		if err != nil {
			return
		}
		switch {
		case len(m) < 2:
		case m[0] == stdinChannel:
			if _, err := typed.Write(m[1:]); err != nil {
				return
			}
		case m[0] == resizeChannel:
			resized(tty, m[1:])
		}
	}
}

// resized takes a new size of the terminal.
func resized(tty *term.Terminal, text []byte) {
	var size struct{ Width, Height int }
	if json.Unmarshal(text, &size) == nil && size.Width > 0 {
		_ = tty.SetSize(size.Width, size.Height) // only a terminal of no width is refused
	}
}

// containerShell is a small shell: enough to see where one is.
func containerShell(p *corev1.Pod, c *corev1.ContainerStatus, tty *term.Terminal) int {
	code := 0
	tty.SetPrompt("/ # ")
	for {
		line, err := tty.ReadLine()
		if err != nil {
			return code
		}
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if words[0] == "exit" {
			if len(words) > 1 {
				code, _ = strconv.Atoi(words[1])
			}
			return code
		}
		var said string
		said, code = containerSays(p, c, words)
		_, _ = io.WriteString(tty, said)
	}
}

func containerSays(p *corev1.Pod, c *corev1.ContainerStatus, words []string) (string, int) {
	switch words[0] {
	case "hostname":
		return p.Name + "\n", 0
	case "echo":
		return strings.Join(words[1:], " ") + "\n", 0
	case "id":
		return "uid=0(root) gid=0(root) groups=0(root)\n", 0
	case "pwd":
		return "/\n", 0
	case "ls":
		return "bin  dev  etc  home  proc  root  run  sys  tmp  usr  var\n", 0
	case "env":
		return "HOSTNAME=" + p.Name + "\nKUBERNETES_SERVICE_HOST=10.43.0.1\nKUBERNETES_SERVICE_PORT=443\nPATH=/usr/local/bin:/usr/bin:/bin\n", 0
	case "ps":
		return "PID   USER     TIME  COMMAND\n    1 root      0:07 " + c.Name + "\n   42 root      0:00 /bin/sh\n", 0
	case "help":
		return "simulated by daytwo's demo: echo env exit hostname id ls ps pwd\n", 0
	}
	return "/bin/sh: " + words[0] + ": not found\n", 127
}
