package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"

	"daytwo/sources"
)

// logLimit is the size in bytes at which the log file is set aside at start.
const logLimit = 5 << 20

// openLog opens the log file and sends klog, slog and the log package there,
// which is all that libraries use (net/http complains through the last):
// nothing but the screen may write to the terminal. Where no file can be
// written, the log is dropped; that must not keep the cockpit from opening.
func openLog(dir string) (sources.Logger, io.Closer) {
	var w io.WriteCloser = discard{}
	path := filepath.Join(dir, "daytwo.log")
	if err := os.MkdirAll(dir, 0o700); err == nil {
		if info, err := os.Stat(path); err == nil && info.Size() > logLimit {
			_ = os.Rename(path, path+".1")
		}
		if file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600); err == nil {
			w = file
		}
	}
	handler := slog.NewTextHandler(w, nil)
	klog.SetLogger(logr.FromSlogHandler(handler))
	logger := slog.New(handler)
	slog.SetDefault(logger) // takes the log package along
	return func(format string, args ...any) { logger.Info(fmt.Sprintf(format, args...)) }, w
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) Close() error                { return nil }
