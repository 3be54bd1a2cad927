package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"

	"daytwo/sources"
)

// logLimit is the size in bytes at which the log file is set aside; one older
// file is kept.
const logLimit = 5 << 20

// logAgain is how long a message that is logged over and over is left out.
const logAgain = time.Minute

// openLog opens the log file and sends klog, slog and the log package there,
// which is all that libraries use (net/http complains through the last):
// nothing but the screen may write to the terminal. Where no file can be
// written, the log is dropped; that must not keep the cockpit from opening.
func openLog(dir string) (sources.Logger, io.Closer) {
	w := &logFile{path: filepath.Join(dir, "daytwo.log"), limit: logLimit}
	if err := os.MkdirAll(dir, 0o700); err == nil {
		w.open()
	}
	handler := &sparse{Handler: slog.NewTextHandler(w, nil), said: &said{at: map[string]time.Time{}}}
	logger := slog.New(handler)
	slog.SetDefault(logger) // takes the log package along
	klogOnce.Do(func() { klog.SetLogger(logr.FromSlogHandler(toDefault{})) })
	return func(format string, args ...any) { logger.Info(fmt.Sprintf(format, args...)) }, w
}

// klogOnce sets klog's logger: it is read without a lock by all that runs.
var klogOnce sync.Once //nolint:gochecknoglobals // klog has one logger a process

// toDefault hands on to what slog's default is at that moment.
type toDefault struct{}

func (toDefault) Enabled(ctx context.Context, l slog.Level) bool {
	return slog.Default().Enabled(ctx, l)
}

func (toDefault) Handle(ctx context.Context, r slog.Record) error {
	_ = slog.Default().Handler().Handle(ctx, r) // what cannot be written is dropped
	return nil
}

func (toDefault) WithAttrs(a []slog.Attr) slog.Handler { return slog.Default().Handler().WithAttrs(a) }

func (toDefault) WithGroup(g string) slog.Handler { return slog.Default().Handler().WithGroup(g) }

// logFile is a file that is set aside when it has grown to its limit. What
// cannot be written is dropped.
type logFile struct {
	path  string
	limit int64

	mu   sync.Mutex
	file *os.File // nil: cannot be written
	size int64
}

func (l *logFile) open() {
	l.file, l.size = nil, 0
	file, err := os.OpenFile(l.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	if info, err := file.Stat(); err == nil {
		l.size = info.Size()
	}
	l.file = file
}

// Write implements io.Writer; it never fails, the program goes on without.
func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil && l.size > 0 && l.size+int64(len(p)) > l.limit {
		_ = l.file.Close()
		_ = os.Rename(l.path, l.path+".1")
		l.open()
	}
	if l.file != nil {
		n, _ := l.file.Write(p)
		l.size += int64(n)
	}
	return len(p), nil
}

// Close implements io.Closer.
func (l *logFile) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	file := l.file
	l.file = nil
	return file.Close() //nolint:wrapcheck // the file's own
}

// sparse leaves out a message that was logged less than logAgain before: a
// server that is away for a weekend fails each reading every few seconds.
type sparse struct {
	slog.Handler
	said *said
	with string // what every message of this logger has
}

// said is when each message was logged last.
type said struct {
	mu sync.Mutex
	at map[string]time.Time
}

// Handle implements slog.Handler.
func (s *sparse) Handle(ctx context.Context, r slog.Record) error {
	key := s.with + r.Message
	r.Attrs(func(a slog.Attr) bool {
		key += " " + a.String()
		return true
	})
	if !s.said.due(key, r.Time) {
		return nil
	}
	return s.Handler.Handle(ctx, r) //nolint:wrapcheck // the handler's own
}

// WithAttrs implements slog.Handler.
func (s *sparse) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &sparse{s.Handler.WithAttrs(attrs), s.said, s.with + fmt.Sprint(attrs) + " "}
}

// WithGroup implements slog.Handler.
func (s *sparse) WithGroup(name string) slog.Handler {
	return &sparse{s.Handler.WithGroup(name), s.said, s.with + name + "."}
}

func (s *said) due(message string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last, ok := s.at[message]; ok && now.Sub(last) < logAgain && !now.Before(last) {
		return false
	}
	if len(s.at) > 1000 {
		clear(s.at)
	}
	s.at[message] = now
	return true
}
