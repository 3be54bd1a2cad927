package trail_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daytwo/actions"
	"daytwo/actions/trail"
	"daytwo/sources"
)

// spoken is a log source that says what a test lets it say.
type spoken map[string]func(context.Context, sources.LogSink) error

func (s spoken) Log(ctx context.Context, ask sources.LogAsk, sink sources.LogSink) error {
	return s[ask.Pod.Name](ctx, sink)
}

func ask(pod, container string) sources.LogAsk {
	return sources.LogAsk{Pod: sources.Ref{Kind: "Pod", Namespace: "shop", Name: pod}, Container: container, Follow: true}
}

func at() time.Time { return time.Date(2025, 11, 22, 15, 4, 31, 0, time.UTC) }

// ended waits until a tape has its end and returns its lines.
func ended(t *testing.T, tape *actions.Tape) []string {
	t.Helper()
	limit := time.NewTimer(20 * time.Second) // only a failing test gets there
	defer limit.Stop()
	for !tape.Ended() {
		select {
		case <-tape.Changed():
		case <-limit.C:
			t.Fatal("the tape has no end")
		}
	}
	_, lines := tape.After(0)
	return lines
}

func content(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%s may be read by others: %v %v", path, info.Mode(), err)
	}
	return string(raw)
}

// TestLogsTogether: two pods of an owner, each line with its pod in front, the
// file as kubectl would have it with --prefix, hostile text harmless on the
// screen and whole in the file.
func TestLogsTogether(t *testing.T) {
	t.Parallel()
	source := spoken{
		"api-1-a": func(_ context.Context, s sources.LogSink) error {
			s.Line([]byte("hello \x1b[2J\x1b]0;pwned\x07world"))
			return nil
		},
		"api-1-b": func(_ context.Context, s sources.LogSink) error {
			s.Line([]byte("here"))
			s.Note("the container restarted; it had ended with exit code 137")
			return errors.New("no permission to get pods/log")
		},
	}
	dir := filepath.Join(t.TempDir(), "logs")
	l := trail.ReadLogs(t.Context(), trail.LogOptions{Source: source, Asks: []sources.LogAsk{ask("api-1-a", "app"), ask("api-1-b", "app"), ask("api-1-b", "app")}, Keep: trail.Keep{Dir: dir, Name: "shop/api", At: at()}})
	lines := strings.Join(ended(t, l.Tape()), "\n")
	l.Close()
	for _, want := range []string{"a | hello world", "b | here", "b | -- daytwo: the container restarted; it had ended with exit code 137", "b | -- daytwo: no permission to get pods/log"} {
		if !strings.Contains(lines, want) {
			t.Errorf("%q is not on the screen:\n%s", want, lines)
		}
	}
	if strings.Contains(lines, "\x1b") {
		t.Errorf("an escape came through: %q", lines)
	}
	if got := content(t, l.Path()); !strings.Contains(got, "[pod/api-1-a/app] hello \x1b[2J\x1b]0;pwned\x07world\n") {
		t.Errorf("the file has not the line as it was: %q", got)
	}
	if want := "20251122T150431Z-shop-api.log"; filepath.Base(l.Path()) != want {
		t.Errorf("the file is %s, want %s", l.Path(), want)
	}
	states := l.States()
	if len(states) != 2 || states[0].State != trail.Ended || states[1].State != trail.Failed || states[0].Lines != 1 {
		t.Errorf("states: %+v", states)
	}
}

// TestAPodJoins after the reading began.
func TestAPodJoins(t *testing.T) {
	t.Parallel()
	stay := make(chan struct{})
	source := spoken{
		"api-1-a": func(_ context.Context, s sources.LogSink) error {
			s.Line([]byte("one"))
			s.Pause()
			<-stay
			s.Line([]byte("two"))
			return nil
		},
		"api-1-b": func(_ context.Context, s sources.LogSink) error {
			s.Line([]byte("new"))
			s.Pause()
			close(stay)
			return nil
		},
	}
	l := trail.ReadLogs(t.Context(), trail.LogOptions{Source: source, Asks: []sources.LogAsk{ask("api-1-a", "app")}, Keep: trail.Keep{Dir: t.TempDir(), Name: "api", At: at()}})
	defer l.Close()
	<-l.Tape().Changed()
	l.Join(ask("api-1-a", "app"), ask("api-1-b", "app"))
	if got := strings.Join(ended(t, l.Tape()), ", "); got != "one, b | new, a | two" {
		t.Errorf("lines: %s", got)
	}
}

// TestTheFileIsBounded: when there is no more room on disk the screen goes on
// and says so; a folder keeps no more than its share.
func TestTheFileIsBounded(t *testing.T) {
	t.Parallel()
	long := []byte(strings.Repeat("x", 1<<10-1))
	source := spoken{"api": func(_ context.Context, s sources.LogSink) error {
		for range 300 {
			s.Line(long)
		}
		s.Line([]byte("the end"))
		return nil
	}}
	dir := t.TempDir()
	for i := range 4 { // sparse, and older than the new one
		old := filepath.Join(dir, fmt.Sprintf("2024010%dT000000Z-old.log", i))
		if err := errors.Join(os.WriteFile(old, nil, 0o600), os.Truncate(old, 400<<20)); err != nil {
			t.Fatal(err)
		}
	}
	l := trail.ReadLogs(t.Context(), trail.LogOptions{Source: source, Asks: []sources.LogAsk{ask("api", "app")}, Keep: trail.Keep{Dir: dir, Name: "api", At: at(), Most: 256 << 10}})
	lines := strings.Join(ended(t, l.Tape()), "\n")
	l.Close()
	const why = "from here on it is only on the screen: the file has reached its bound of 262 kB"
	if !strings.Contains(lines, "-- daytwo: "+why) || !strings.HasSuffix(lines, "the end") || l.Trouble() != why {
		t.Errorf("trouble %q; the last of the screen: %q", l.Trouble(), lines[max(0, len(lines)-200):])
	}
	info, err := os.Stat(l.Path())
	if err != nil || info.Size() != 256<<10 {
		t.Errorf("the file: %v %v", info.Size(), err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*-old.log"))
	if err != nil || len(left) != 2 || !strings.Contains(left[0], "20240102") {
		t.Errorf("old files left: %v", left)
	}
}

// TestNoFolder: the log is on the screen, and why it is not kept.
func TestNoFolder(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	source := spoken{"api": func(_ context.Context, s sources.LogSink) error { s.Line([]byte("hello")); return nil }}
	l := trail.ReadLogs(t.Context(), trail.LogOptions{Source: source, Asks: []sources.LogAsk{ask("api", "app")}, Keep: trail.Keep{Dir: filepath.Join(file, "logs"), Name: "api", At: at()}})
	defer l.Close()
	if lines := strings.Join(ended(t, l.Tape()), "\n"); !strings.Contains(lines, "it is not kept on disk: making the folder") || !strings.Contains(lines, "hello") {
		t.Errorf("lines: %s", lines)
	}
}

// BenchmarkLogs is how many lines a second reach tape and file.
func BenchmarkLogs(b *testing.B) {
	const many = 200_000
	text := []byte("2025-11-22T15:04:31Z level=info msg=\"request served\" id=00000000 ms=12")
	source := spoken{"api": func(_ context.Context, s sources.LogSink) error {
		for range many {
			s.Line(text)
		}
		return nil
	}}
	for b.Loop() {
		l := trail.ReadLogs(b.Context(), trail.LogOptions{Source: source, Asks: []sources.LogAsk{ask("api", "app")}, Keep: trail.Keep{Dir: b.TempDir(), Name: "api", At: at()}})
		for !l.Tape().Ended() {
			<-l.Tape().Changed()
		}
		l.Close()
	}
	b.ReportMetric(float64(many*b.N)/b.Elapsed().Seconds(), "lines/s")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(many*b.N), "ns/line")
}
