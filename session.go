package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"daytwo/actions"
	"daytwo/actions/drain"
	"daytwo/actions/upgrade"
	"daytwo/sources"
	"daytwo/sources/config"
	"daytwo/sources/history"
	"daytwo/sources/kube"
	"daytwo/sources/kubelet"
	"daytwo/sources/record"
	"daytwo/sources/rules"
	"daytwo/sources/ssh"
)

// rejudgeEvery is how often findings are judged again though nothing was
// read: ages and deadlines move with the time.
const rejudgeEvery = 15 * time.Second

// session is one cluster being looked at: the store, and the sources that
// fill it until close.
type session struct {
	store    *sources.Store
	client   *kube.Client
	hist     *history.History
	runner   *actions.Runner
	operator *kube.Operator // what changes the cluster
	drains   drain.Kit
	hosts    *ssh.Fleet
	records  *record.Folder
	dir      string // the cluster's folder of state
	upgrade  *upgrade.Kit
	ssh      ssh.Options // whose keys and files; zero: the user's
	log      sources.Logger
	stop     context.CancelFunc
	done     sync.WaitGroup
	logs     io.Closer
	past     []sources.Sample // history to begin with; the demo's
	notice   io.Writer        // told what is waited for at the end; nil: nobody
	outer    context.Context  //nolint:containedctx // the program's: why it ended goes into the journals of what runs
	life     context.Context  //nolint:containedctx // the session's: what the screen began ends with it
	readonly bool
	hooks    hooks
}

// hooks are told of each entry of a run's journal before it is written, and
// once it is on the disk; nil: nobody is.
type hooks struct {
	journaling func(actions.Entry)
	journaled  func(n int, e actions.Entry)
}

// logDir is where the log is kept: beside the history, or in a temporary
// folder where there is no place for that.
func logDir() string {
	dir, err := history.Base()
	if err != nil {
		return filepath.Join(os.TempDir(), fmt.Sprintf("daytwo-%d", os.Getuid()))
	}
	return dir
}

// recordFolder has what is kept for people: notes, checklists, what was done by
// hand.
const recordFolder = "record"

// folder is where one sort of what is kept of the cluster lies; "" where
// nothing can be kept.
func (s *session) folder(name string) string {
	if s.dir == "" {
		return ""
	}
	return filepath.Join(s.dir, name)
}

// logOpener is openLog, or openScreenLog where there is a screen.
type logOpener func(dir string) (sources.Logger, io.Closer)

// openSession connects and starts to look. The caller closes it.
func openSession(ctx context.Context, f flags, cfg config.Config, open logOpener) (*session, error) {
	log, logs := open(logDir())
	client, err := kube.Connect(kube.Options{Kubeconfig: f.kubeconfig, Context: f.context, Log: log})
	if err != nil {
		_ = logs.Close()
		return nil, err
	}
	dir, err := history.Dir(client.ContextName(), client.Identity())
	if err != nil {
		log("history: %v", err)
	}
	return startSession(ctx, client, dir, cfg, &session{log: log, logs: logs, readonly: f.readonly})
}

func startSession(ctx context.Context, client *kube.Client, dir string, cfg config.Config, s *session) (*session, error) {
	s.outer = ctx
	ctx, s.stop = context.WithCancel(ctx)
	s.life = ctx
	s.client = client
	s.store = sources.NewStore(cfg.Settings(client.ContextName()), rules.Judge, time.Now)
	s.store.LogTo(s.log)
	s.store.Publish(func(snap *sources.Snapshot) {
		snap.Cluster.Value.Name = sources.Clean(client.ContextName(), sources.MaxName)
		snap.Cluster.Value.Server = client.ServerURL()
	})
	hist, err := history.Open(ctx, history.Options{Dir: dir, Clock: time.Now, Log: s.log})
	if err != nil {
		s.stop()
		_ = s.logs.Close()
		return nil, fmt.Errorf("opening the history: %w", err)
	}
	s.hist = hist
	if err := hist.Preload(ctx, s.past); err != nil {
		s.log("loading the demo's past: %v", err)
	}
	if s.ssh.Home == "" {
		s.ssh = ssh.FromUser()
	}
	s.hosts = s.newFleet(ctx, s.ssh, cfg.Settings(client.ContextName()))
	s.dir = dir
	s.records = record.Open(s.folder(recordFolder), time.Now)
	if s.runner, err = s.newRunner(dir, cfg); err != nil {
		s.stop()
		s.hosts.Close()
		_ = hist.Close()
		_ = s.logs.Close()
		return nil, err
	}
	s.look(ctx)
	return s, nil
}

// look starts every source and the clock of the rules; close ends them.
func (s *session) look(ctx context.Context) {
	minute, notes, rejudge := time.NewTicker(time.Minute), time.NewTicker(time.Minute), time.NewTicker(rejudgeEvery)
	context.AfterFunc(ctx, func() { minute.Stop(); notes.Stop(); rejudge.Stop() })
	for _, src := range []sources.Source{
		s.client.Source(), kubelet.New(s.client), s.hist.Source(s.store, minute.C), s.records.Source(notes.C),
	} {
		s.done.Go(func() { sources.Supervise(ctx, src, s.store.Publish, s.log) })
	}
	s.done.Go(func() { s.store.Rejudge(ctx, rejudge.C) })
	s.done.Go(func() { s.tellRuns(ctx) })
}

// close ends all runs and sources and waits for them.
func (s *session) close(ctx context.Context) {
	s.endRuns(ctx)
	s.stop()
	s.hosts.Close()
	s.done.Wait()
	if err := s.hist.Close(); err != nil {
		s.log("closing the history: %v", err)
	}
	_ = s.logs.Close()
}
