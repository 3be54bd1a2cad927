package trail

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"daytwo/actions"
	"daytwo/sources"
)

// longestShown is how many bytes of a line are on the screen; the file has
// the whole line.
const longestShown = 16 << 10

// State is how the reading of one log stands.
type State string

// The states of a reading.
const (
	Reading State = "reading"
	Ended   State = "ended"  // the container writes no more
	Failed  State = "failed" // why is in Err
)

// LogState is one log of a reading.
type LogState struct {
	Ask    sources.LogAsk
	State  State
	Err    string
	Lines  int64
	Opened bool // it was read, if only to find nothing in it
}

// Logs reads the logs of some containers together, onto a tape for the screen
// and into a file, which has all of it. Close ends it.
type Logs struct {
	source sources.Logs
	tape   *actions.Tape
	paper  *Paper
	open   bool
	ctx    context.Context //nolint:containedctx // the reading's own lifetime, for logs that join it
	cancel context.CancelFunc
	done   sync.WaitGroup

	out  sync.Mutex // one writer at a time
	told bool       // that the file has not all

	mu    sync.Mutex
	logs  []*logSink
	ended bool
}

// LogOptions say what to read and where to keep it.
type LogOptions struct {
	Source sources.Logs
	Asks   []sources.LogAsk
	Open   bool // more may join at any time: the end of all is not that of the reading
	Keep   Keep
}

// ReadLogs begins to read.
func ReadLogs(ctx context.Context, o LogOptions) *Logs {
	l := &Logs{source: o.Source, tape: actions.NewTape(), paper: NewPaper(o.Keep), open: o.Open}
	l.ctx, l.cancel = context.WithCancel(ctx)
	l.tell()
	l.Join(o.Asks...)
	return l
}

// Join reads some more logs, unless they are read already.
func (l *Logs) Join(asks ...sources.LogAsk) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var fresh []*logSink
	for _, ask := range asks {
		known := slices.ContainsFunc(l.logs, func(s *logSink) bool {
			return s.ask.Pod == ask.Pod && s.ask.UID == ask.UID && s.ask.Container == ask.Container
		})
		if l.ended || known {
			continue
		}
		s := &logSink{l: l, ask: ask, state: Reading}
		l.logs = append(l.logs, s)
		fresh = append(fresh, s)
	}
	label(l.logs, l.open)
	for _, s := range fresh {
		l.done.Go(func() { l.read(s) })
	}
}

func (l *Logs) read(s *logSink) {
	err := l.source.Log(l.ctx, s.ask, s)
	state, why := Ended, ""
	if err != nil && l.ctx.Err() == nil {
		state, why = Failed, sources.Clean(err.Error(), 300)
		s.Note(why)
	}
	s.Pause()
	l.mu.Lock()
	s.state, s.why = state, why
	over := !l.open && !slices.ContainsFunc(l.logs, func(s *logSink) bool { return s.state == Reading })
	l.mu.Unlock()
	if over {
		l.tape.End()
	}
}

// States are copies of how each log stands.
func (l *Logs) States() []LogState {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]LogState, len(l.logs))
	for i, s := range l.logs {
		out[i] = LogState{Ask: s.ask, State: s.state, Err: s.why, Lines: s.lines.Load(), Opened: s.opened.Load()}
	}
	return out
}

// Tape is the newest lines, for the screen.
func (l *Logs) Tape() *actions.Tape { return l.tape }

// Path is the file that has all lines; "" if there is none.
func (l *Logs) Path() string { return l.paper.Path() }

// Trouble says why the file has not all lines; "" if it has.
func (l *Logs) Trouble() string { return l.paper.Trouble() }

// Close ends the reading and waits for its end.
func (l *Logs) Close() {
	l.mu.Lock()
	l.ended = true
	l.mu.Unlock()
	l.cancel()
	l.done.Wait()
	l.tape.End()
	l.paper.Close()
}

// noteMark stands before what is not from the log itself.
const noteMark = "-- daytwo: "

// put writes what one log gathered, on the tape and into the file.
func (l *Logs) put(shown, whole []byte) {
	l.out.Lock()
	defer l.out.Unlock()
	_, _ = l.tape.Write(shown)  // a tape takes all
	_, _ = l.paper.Write(whole) // what it cannot take is its Trouble
	l.tell()
}

// tell says on the tape, once, why the file does not have all.
func (l *Logs) tell() {
	if why := l.paper.Trouble(); why != "" && !l.told {
		l.told = true
		_, _ = l.tape.Write([]byte(noteMark + why + "\n"))
	}
}

// logSink takes one log. What it gathers goes out at a pause, or when it is
// much.
type logSink struct {
	l      *Logs
	ask    sources.LogAsk
	state  State  // guarded by l.mu
	why    string // the same
	lines  atomic.Int64
	opened atomic.Bool
	labels atomic.Pointer[labels]

	shown, whole []byte // its reader's own
}

// labels stand before each line where several logs are read.
type labels struct{ shown, whole string }

const gathered = 32 << 10

// Line implements sources.LogSink.
func (s *logSink) Line(text []byte) {
	s.lines.Add(1)
	s.add(sources.Clean(string(text), longestShown), text)
}

// Note implements sources.LogSink.
func (s *logSink) Note(text string) {
	text = noteMark + text
	s.add(text, []byte(text))
	s.flush()
}

func (s *logSink) add(shown string, whole []byte) {
	before := s.labels.Load()
	s.shown = append(append(append(s.shown, before.shown...), shown...), '\n')
	s.whole = append(append(append(s.whole, before.whole...), whole...), '\n')
	if len(s.whole) >= gathered {
		s.flush()
	}
}

// Pause implements sources.LogSink.
func (s *logSink) Pause() {
	s.opened.Store(true)
	s.flush()
}

func (s *logSink) flush() {
	if len(s.whole) == 0 {
		return
	}
	s.l.put(s.shown, s.whole)
	s.shown, s.whole = s.shown[:0], s.whole[:0]
}

// label names logs that are read together, or to which others may join: in the
// file as kubectl does with --prefix, on the screen, where there are several,
// without what all pods' names begin with.
func label(logs []*logSink, open bool) {
	if len(logs) == 0 || len(logs) == 1 && !open {
		for _, s := range logs {
			s.labels.Store(&labels{})
		}
		return
	}
	same, containers := commonStart(logs), map[string]bool{}
	for _, s := range logs {
		containers[s.ask.Container] = true
	}
	short, widest := make([]string, len(logs)), 0
	for i, s := range logs {
		short[i] = strings.TrimPrefix(s.ask.Pod.Name, same)
		switch {
		case short[i] == "":
			short[i] = s.ask.Container
		case len(containers) > 1:
			short[i] += "/" + s.ask.Container
		}
		short[i] = sources.Clean(short[i], 60)
		widest = max(widest, len(short[i]))
	}
	for i, s := range logs {
		both := &labels{
			shown: short[i] + strings.Repeat(" ", widest-len(short[i])) + " | ",
			whole: "[pod/" + s.ask.Pod.Name + "/" + s.ask.Container + "] ",
		}
		if len(logs) == 1 {
			both.shown = ""
		}
		s.labels.Store(both)
	}
}

// commonStart is what the names of all pods begin with, up to a dash.
func commonStart(logs []*logSink) string {
	same := logs[0].ask.Pod.Name
	for _, s := range logs[1:] {
		for !strings.HasPrefix(s.ask.Pod.Name, same) {
			same = same[:len(same)-1]
		}
	}
	if same == logs[0].ask.Pod.Name {
		return same
	}
	return same[:strings.LastIndexByte(same, '-')+1]
}
