package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/util/exec"
	"k8s.io/streaming/pkg/httpstream"

	"daytwo/sources"
)

// NeedsExec are for a shell in a container: a WebSocket begins with GET, the
// older way with POST, and newer servers ask for both.
func NeedsExec() []Need {
	const lights = "a shell in a container"
	return []Need{{"get", "", "pods/exec", lights}, {"create", "", "pods/exec", lights}}
}

// bestShell becomes bash where the container has one.
const bestShell = "[ -x /bin/bash ] && exec /bin/bash; exec /bin/sh"

// Exec runs a shell that the container has on a terminal until it ends.
func (c *Client) Exec(ctx context.Context, ask sources.ExecAsk, in io.Reader, out io.Writer, size sources.TerminalSize, resize <-chan sources.TerminalSize) error {
	url := c.set.CoreV1().RESTClient().Post().Resource("pods").Namespace(ask.Pod.Namespace).Name(ask.Pod.Name).SubResource("exec").
		VersionedParams(&v1.PodExecOptions{
			Container: ask.Container, Command: []string{"/bin/sh", "-c", bestShell}, Stdin: true, Stdout: true, TTY: true,
		}, scheme.ParameterCodec).URL()
	cfg := rest.CopyConfig(c.cfg)
	cfg.WrapTransport, cfg.Timeout = nil, 0 // a terminal is no request: it may be quiet for long
	socket, err := remotecommand.NewWebSocketExecutor(cfg, http.MethodGet, url.String())
	if err != nil {
		return fmt.Errorf("preparing a terminal in %s: %w", ask.Pod, err)
	}
	older, err := remotecommand.NewSPDYExecutor(cfg, http.MethodPost, url)
	if err != nil {
		return fmt.Errorf("preparing a terminal in %s: %w", ask.Pod, err)
	}
	executor, err := remotecommand.NewFallbackExecutor(socket, older, httpstream.IsUpgradeFailure)
	if err != nil {
		return fmt.Errorf("preparing a terminal in %s: %w", ask.Pod, err)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	err = executor.StreamWithContext(ctx, remotecommand.StreamOptions{
		Stdin: in, Stdout: out, Tty: true, TerminalSizeQueue: &windows{ctx, &size, resize},
	})
	return c.execEnd(ctx, ask, err)
}

// execEnd says how a terminal ended.
func (c *Client) execEnd(ctx context.Context, ask sources.ExecAsk, err error) error {
	where := ask.Pod.String() + "/" + ask.Container
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("the shell in %s: %w", where, ctx.Err())
	}
	var (
		status apierrors.APIStatus
		code   exec.CodeExitError
		text   = strings.ToLower(err.Error())
	)
	switch {
	case (strings.Contains(text, "no such file") || strings.Contains(text, "not found")) && strings.Contains(text, "/bin/sh"):
		return fmt.Errorf("%s has no /bin/sh, as images made of one program have none; kubectl debug -n %s -it %s --image=busybox --target=%s brings one: %w",
			where, ask.Pod.Namespace, ask.Pod.Name, ask.Container, &plainError{text: oneLine(err), err: err})
	case errors.As(err, &code):
		return &sources.ExitError{Host: where, Line: "the shell", Code: code.Code}
	case errors.As(err, &status) && apierrors.IsForbidden(err), strings.Contains(text, "forbidden"):
		return &sources.AccessError{Verb: "create", Resource: "pods/exec"}
	case errors.As(err, &status):
		return &plainError{text: "no shell in " + where + ": " + sources.Clean(status.Status().Message, 300), err: err}
	}
	return &plainError{text: "no shell in " + where + ": " + strings.TrimPrefix(oneLine(err), "unable to upgrade connection: "), err: err}
}

// windows is what a terminal's size becomes.
type windows struct {
	ctx   context.Context //nolint:containedctx // of one terminal, for an interface that takes none
	first *sources.TerminalSize
	next  <-chan sources.TerminalSize
}

// Next implements remotecommand.TerminalSizeQueue; nil is the end.
func (s *windows) Next() *remotecommand.TerminalSize {
	var size sources.TerminalSize
	if s.first != nil {
		size, s.first = *s.first, nil
	} else {
		select {
		case size = <-s.next:
		case <-s.ctx.Done():
			return nil
		}
	}
	return &remotecommand.TerminalSize{Width: uint16(min(max(size.Columns, 1), 65535)), Height: uint16(min(max(size.Rows, 1), 65535))}
}
