package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	kubectllogs "k8s.io/kubectl/pkg/cmd/logs"

	"daytwo/actions/trail"
	"daytwo/sources"
	"daytwo/sources/demo"
	"daytwo/sources/kube"
)

// logRace is one pod's log on a demo world, followed into a file by daytwo and
// by kubectl's own code.
type logRace struct {
	b      *testing.B
	ours   *kube.Client
	theirs kubernetes.Interface
	ask    sources.LogAsk
	whole  []byte // what the log is
	lines  int64
}

func newLogRace(b *testing.B, lines int) *logRace {
	b.Helper()
	w, err := demo.Start(b.Context(), demo.Options{Scenario: demo.Healthy, Tick: make(chan time.Time)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = w.Close() })
	raw, err := w.Kubeconfig("admin")
	if err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(b.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		b.Fatal(err)
	}
	r := &logRace{b: b, lines: int64(lines), ask: sources.LogAsk{
		Pod: sources.Ref{Kind: "Pod", Namespace: "shop", Name: "mysql-0"}, Container: "mysql", Follow: true,
	}}
	text := make([]string, lines)
	for i := range text {
		text[i] = fmt.Sprintf("2025-11-22T15:04:31Z level=info msg=\"request served\" id=%08d ms=12", i)
		r.whole = append(append(r.whole, text[i]...), '\n')
	}
	if err := w.WriteLog("shop", "mysql-0", "mysql", text...); err != nil {
		b.Fatal(err)
	}
	if r.ours, err = kube.Connect(kube.Options{Kubeconfig: path}); err != nil {
		b.Fatal(err)
	}
	cfg, err := clientcmd.RESTConfigFromKubeConfig(raw)
	if err != nil {
		b.Fatal(err)
	}
	if r.theirs, err = kubernetes.NewForConfig(cfg); err != nil {
		b.Fatal(err)
	}
	return r
}

// read follows the log with daytwo until all of it is in the file.
func (r *logRace) read(dir string) time.Duration {
	began := time.Now()
	l := trail.ReadLogs(r.b.Context(), trail.LogOptions{Source: r.ours, Asks: []sources.LogAsk{r.ask}, Keep: trail.Keep{Dir: dir, Name: "race", At: began}})
	for l.Tape().Count() < r.lines {
		<-l.Tape().Changed()
	}
	took := time.Since(began)
	l.Close()
	r.same(l.Path())
	return took
}

// enough ends a reading when so many lines are in the file.
type enough struct {
	*os.File

	left int64
	end  func()
}

func (e *enough) Write(p []byte) (int, error) {
	if e.left -= int64(bytes.Count(p, []byte{'\n'})); e.left <= 0 {
		defer e.end()
	}
	return e.File.Write(p)
}

// readAsKubectl follows the log as kubectl logs -f does.
func (r *logRace) readAsKubectl(path string) time.Duration {
	began := time.Now()
	file, err := os.Create(path)
	if err != nil {
		r.b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(r.b.Context())
	defer cancel()
	request := r.theirs.CoreV1().Pods(r.ask.Pod.Namespace).GetLogs(r.ask.Pod.Name, &core.PodLogOptions{Container: r.ask.Container, Follow: true})
	if err := kubectllogs.DefaultConsumeRequest(ctx, request, &enough{file, r.lines, cancel}); err != nil && !errors.Is(err, context.Canceled) {
		r.b.Fatal(err)
	}
	took := time.Since(began)
	_ = file.Close()
	r.same(path)
	return took
}

// same holds that a file is the log, to the byte.
func (r *logRace) same(path string) {
	r.b.Helper()
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, r.whole) {
		r.b.Fatalf("%s has %d bytes of %d (%v)", path, len(got), len(r.whole), err)
	}
}

// BenchmarkLogsBesideKubectl follows one log with daytwo and with kubectl's own
// code in turn, each into a file that must be the log to the byte.
func BenchmarkLogsBesideKubectl(b *testing.B) {
	r, dir := newLogRace(b, 100_000), b.TempDir()
	var ours, theirs time.Duration
	for b.Loop() {
		ours += r.read(dir)
		theirs += r.readAsKubectl(filepath.Join(dir, "theirs"))
	}
	all := float64(r.lines * int64(b.N))
	b.ReportMetric(all/ours.Seconds(), "lines/s")
	b.ReportMetric(all/theirs.Seconds(), "kubectl-lines/s")
	b.ReportMetric(theirs.Seconds()/ours.Seconds(), "ratio")
}
