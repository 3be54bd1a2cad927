package kube

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"daytwo/sources"
	"daytwo/sources/demo"
)

// said gathers what a terminal shows and tells when something is in it.
type said struct {
	text  strings.Builder
	until string
	then  func()
}

func (s *said) Write(p []byte) (int, error) {
	s.text.Write(p)
	if s.then != nil && strings.Contains(s.text.String(), s.until) {
		s.then()
		s.then = nil
	}
	return len(p), nil
}

func redis() sources.ExecAsk {
	return sources.ExecAsk{Pod: sources.Ref{Kind: "Pod", Namespace: "shop", Name: "redis-0"}, Container: "redis"}
}

// TestExec has a terminal in a container, with sizes, and its exit code.
func TestExec(t *testing.T) {
	t.Parallel()
	c := start(t, demo.Options{Scenario: demo.Healthy}).connect("admin")
	resize := make(chan sources.TerminalSize, 1)
	resize <- sources.TerminalSize{Columns: 40, Rows: 10}
	out := &said{}
	err := c.Exec(t.Context(), redis(), strings.NewReader("hostname\rexit 7\r"), out, sources.TerminalSize{Columns: 80, Rows: 24}, resize)
	exit, ok := errors.AsType[*sources.ExitError](err)
	if !ok || exit.Code != 7 || exit.Host != "shop/redis-0/redis" || !strings.Contains(out.text.String(), "\nredis-0") {
		t.Errorf("%v: %q", err, out.text.String())
	}
	if err := c.Exec(t.Context(), redis(), strings.NewReader("exit\r"), io.Discard, sources.TerminalSize{}, nil); err != nil {
		t.Errorf("a shell that ended well: %v", err)
	}
}

// TestExecTheOlderWay: where WebSockets are refused, as by a proxy of old, the
// terminal is had over SPDY, with what is typed, sizes and the exit code.
func TestExecTheOlderWay(t *testing.T) {
	t.Parallel()
	b := start(t, demo.Options{Scenario: demo.Healthy})
	c := b.connect("admin")
	defer b.Fault(demo.Fault{Verb: "get", Resource: "pods", Subresource: "exec", Code: 400})()
	resize := make(chan sources.TerminalSize, 1)
	resize <- sources.TerminalSize{Columns: 40, Rows: 10}
	out, before := &said{}, b.Requests("create", "pods")
	err := c.Exec(t.Context(), redis(), strings.NewReader("hostname\rexit 7\r"), out, sources.TerminalSize{Columns: 80, Rows: 24}, resize)
	exit, ok := errors.AsType[*sources.ExitError](err)
	if !ok || exit.Code != 7 || exit.Host != "shop/redis-0/redis" || !strings.Contains(out.text.String(), "\nredis-0") {
		t.Errorf("%v: %q", err, out.text.String())
	}
	if n := b.Requests("create", "pods") - before; n != 1 {
		t.Errorf("%d requests the older way", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	in, typed := io.Pipe()
	defer func() { _ = typed.Close() }()
	err = c.Exec(ctx, redis(), in, &said{until: "/ #", then: cancel}, sources.TerminalSize{Columns: 80, Rows: 24}, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
	defer b.Fault(demo.Fault{Verb: "create", Resource: "pods", Subresource: "exec", Code: 403})()
	err = c.Exec(t.Context(), redis(), strings.NewReader(""), io.Discard, sources.TerminalSize{}, nil)
	if err == nil || !strings.Contains(err.Error(), "no permission to create pods/exec") {
		t.Errorf("without permission: %v", err)
	}
}

// TestExecEndsWithItsContext though nothing is typed.
func TestExecEndsWithItsContext(t *testing.T) {
	t.Parallel()
	c := start(t, demo.Options{Scenario: demo.Healthy}).connect("admin")
	ctx, cancel := context.WithCancel(t.Context())
	in, typed := io.Pipe()
	defer func() { _ = typed.Close() }()
	err := c.Exec(ctx, redis(), in, &said{until: "/ #", then: cancel}, sources.TerminalSize{Columns: 80, Rows: 24}, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
}

// TestExecSaysWhyNot in words that lead on.
func TestExecSaysWhyNot(t *testing.T) {
	t.Parallel()
	b := start(t, demo.Options{Scenario: demo.Healthy})
	for name, c := range map[string]struct {
		user string
		ask  func(*sources.ExecAsk)
		want string
	}{
		"no permission": {"viewer", func(*sources.ExecAsk) {}, "no permission to create pods/exec"},
		"no pod":        {"admin", func(a *sources.ExecAsk) { a.Pod.Name = "gone" }, `no shell in shop/gone/redis: pods "gone" not found`},
		"no container":  {"admin", func(a *sources.ExecAsk) { a.Container = "gone" }, "container gone is not valid for pod redis-0"},
	} {
		ask := redis()
		c.ask(&ask)
		err := b.connect(c.user).Exec(t.Context(), ask, strings.NewReader(""), io.Discard, sources.TerminalSize{}, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
