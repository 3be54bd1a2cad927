package forensics

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"daytwo/actions"
	"daytwo/sources"
)

// canned answers commands by their beginning, behind nice and timeout.
type canned struct {
	t       *testing.T
	answers map[string]string
	errs    map[string]error
	mu      sync.Mutex
	ran     []string
}

func (c *canned) Host(string) sources.Host { return c }

func (c *canned) Run(ctx context.Context, cmd sources.Command) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !cmd.Root {
		c.t.Errorf("not as root: %s", cmd.Line)
	}
	c.mu.Lock()
	c.ran = append(c.ran, cmd.Line)
	c.mu.Unlock()
	for part, err := range c.errs {
		if strings.Contains(cmd.Line, part) {
			return err
		}
	}
	for part, text := range c.answers {
		if strings.Contains(cmd.Line, part) {
			_, err := io.WriteString(cmd.Stdout, text)
			return err
		}
	}
	return &sources.ExitError{Host: "worker-0", Line: cmd.Line, Code: 127, Stderr: "sh: 1: not found"}
}

func (c *canned) Start(context.Context, sources.Unit) error { return errors.New("not here") }

func (c *canned) Follow(context.Context, string, string, io.Writer, func(string)) (sources.UnitState, error) {
	return sources.UnitState{}, errors.New("not here")
}

func (c *canned) Look(context.Context, string) (sources.UnitState, error) {
	return sources.UnitState{}, errors.New("not here")
}

const dfText = "Filesystem Type 1-blocks Used Available Capacity Mounted on\n/dev/sda1 ext4 1000 600 300 67% /\n"

// run does the steps of an action as a run in a folder would.
func run(t *testing.T, a actions.Action, dir string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	ctx := actions.WithRun(t.Context(), actions.Run{ID: filepath.Base(dir), Dir: dir})
	for _, s := range a.Steps() {
		if s.Done != nil {
			done, err := s.Done(ctx)
			if err != nil {
				return out.String(), err
			}
			if done {
				continue
			}
		}
		if err := s.Do(ctx, &out); err != nil {
			return out.String(), err
		}
	}
	return out.String(), nil
}

// paired lets a quick probe end only when another one was begun beside it, and
// complains of two that walk the disk at once.
type paired struct {
	canned
	walking, quick int
	met            chan struct{}
}

func (p *paired) Host(string) sources.Host { return p }

func (p *paired) Run(ctx context.Context, cmd sources.Command) error {
	walk := !strings.Contains(cmd.Line, "timeout 60 ")
	p.mu.Lock()
	if walk {
		p.walking++
	} else {
		p.quick++
	}
	if p.walking > 1 || p.quick > 2 {
		p.t.Errorf("%d walk the disk at once, and %d quick ones: %s", p.walking, p.quick, cmd.Line)
	}
	p.mu.Unlock()
	switch {
	case strings.Contains(cmd.Line, "crictl ps"):
		close(p.met)
	case strings.Contains(cmd.Line, "crictl images -o json"):
		select {
		case <-p.met:
		case <-ctx.Done():
			p.t.Error("nothing was asked beside a quick probe")
		}
	}
	err := p.canned.Run(ctx, cmd)
	p.mu.Lock()
	defer p.mu.Unlock()
	if walk {
		p.walking--
	} else {
		p.quick--
	}
	return err
}

// TestQuickProbesAreAskedAhead: two at once, while walks over the disk are alone
// among their kind.
func TestQuickProbesAreAskedAhead(t *testing.T) {
	t.Parallel()
	host := &paired{canned: canned{t: t, answers: map[string]string{"df -PT -B1": dfText}}, met: make(chan struct{})}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	a, dir := Inspect(Means{Hosts: host, Clock: clock}, &sources.Snapshot{}, "worker-0"), t.TempDir()
	ctx = actions.WithRun(ctx, actions.Run{ID: "r1", Dir: dir})
	for _, s := range a.Steps() {
		if err := s.Do(ctx, io.Discard); err != nil {
			t.Fatal(err)
		}
	}
	if len(host.ran) != len(probes("k3s-agent")) {
		t.Errorf("%d commands were run for %d probes", len(host.ran), len(probes("k3s-agent")))
	}
}

// TestNothingIsLeftBehind: a stop ends what was asked ahead as well and waits for
// it, and so does a step that is skipped.
func TestNothingIsLeftBehind(t *testing.T) {
	t.Parallel()
	answers := map[string]string{"df -PT": dfText, "find / ": "2049 /\x00"}
	for _, x := range []struct {
		name string
		stop bool
		step int // what is run then: the one asked ahead, or the one behind it
	}{{"stopped", true, 3}, {"skipped", false, 4}} {
		host := &hanging{canned: canned{t: t, answers: answers}, on: "mountinfo", begun: make(chan struct{}), ended: make(chan struct{})}
		ctx, stop := context.WithCancel(actions.WithRun(t.Context(), actions.Run{ID: "r1", Dir: t.TempDir()}))
		steps := Inspect(Means{Hosts: host, Clock: clock}, &sources.Snapshot{}, "worker-0").Steps()
		for _, s := range steps[:3] { // the third asks the mounts ahead
			if err := s.Do(ctx, io.Discard); err != nil {
				t.Fatal(err)
			}
		}
		<-host.begun
		if x.stop {
			stop()
		}
		if err := steps[x.step].Do(ctx, io.Discard); (err != nil) != x.stop {
			t.Errorf("%s: %v", x.name, err)
		}
		select {
		case <-host.ended:
		default:
			t.Errorf("%s: the probe asked ahead still runs", x.name)
		}
		stop()
	}
}

// hanging does not answer one command.
type hanging struct {
	canned
	on           string
	begun, ended chan struct{}
}

func (h *hanging) Host(string) sources.Host { return h }

func (h *hanging) Run(ctx context.Context, cmd sources.Command) error {
	if strings.Contains(cmd.Line, h.on) {
		close(h.begun)
		<-ctx.Done()
		close(h.ended)
	}
	return h.canned.Run(ctx, cmd)
}

func clock() time.Time { return time.Unix(1_700_000_000, 0) }

// TestProbesThatFailAreTold: each probe that fails is its own line and the
// others go on; what is known is in the verdict, which is saved.
func TestProbesThatFailAreTold(t *testing.T) {
	t.Parallel()
	host := &canned{t: t, answers: map[string]string{
		"df -PT -B1": dfText, "du -x0 -B1 -d3": "400\t/\x00100\t/var/log/journal\x00",
		"journalctl --disk": "Archived and active journals take up 4.0K in the file system.\n",
	}, errs: map[string]error{
		"crictl ps":                    &sources.ExitError{Host: "worker-0", Code: 124},
		"du -x0 -B1 -d5 " + kubeletDir: &sources.LineLostError{Host: "worker-0", Err: io.EOF},
	}}
	a := Inspect(Means{Hosts: host, Clock: clock}, &sources.Snapshot{}, "worker-0")
	dir := t.TempDir()
	out, err := run(t, a, dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"unknown: sh: 1: not found", "unknown: not done within 60 s", "unknown: the line to worker-0 was lost"} {
		if !strings.Contains(out, want) {
			t.Errorf("the stream lacks %q", want)
		}
	}
	for _, line := range host.ran {
		if !strings.HasPrefix(line, "nice -n19 ionice -c3 timeout ") {
			t.Errorf("does not stand back: %s", line)
		}
	}
	v, err := Load(dir)
	if err != nil || v == nil {
		t.Fatal(v, err)
	}
	root, _ := v.Root()
	if root.Sum() != 600 || root.Share(Journal).Bytes != 100 || root.Share(Other).Bytes != 300 || root.Share(EmptyDir).Unknown == "" {
		t.Errorf("%+v", root.Shares)
	}
	if len(v.Unknown) < 8 {
		t.Errorf("only %d probes are unknown", len(v.Unknown))
	}
}

// TestNothingToLookAt: a node that cannot be spoken to is asked once, and why
// is the run's error.
func TestNothingToLookAt(t *testing.T) {
	t.Parallel()
	why := errors.New("sudo on worker-0 asks for a password")
	host := &canned{t: t, errs: map[string]error{"": why}}
	_, err := run(t, Inspect(Means{Hosts: host, Clock: clock}, &sources.Snapshot{}, "worker-0"), t.TempDir())
	if err == nil || !strings.Contains(err.Error(), why.Error()) {
		t.Errorf("the run says %v", err)
	}
	if len(host.ran) != 1 {
		t.Errorf("it was asked %d times", len(host.ran))
	}
}

func TestCancelEndsAProbe(t *testing.T) {
	t.Parallel()
	host := &canned{t: t}
	a := Inspect(Means{Hosts: host, Clock: clock}, &sources.Snapshot{}, "worker-0")
	ctx, cancel := context.WithCancel(actions.WithRun(t.Context(), actions.Run{Dir: t.TempDir()}))
	cancel()
	if err := a.Steps()[0].Do(ctx, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled probe says %v", err)
	}
}

func TestInspectionIsRestored(t *testing.T) {
	t.Parallel()
	a := Inspect(Means{}, &sources.Snapshot{}, "worker-0")
	a.Picture.Levels = []sources.Crossing{{What: "full", Level: 100}}
	raw, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	b, err := RestoreInspection(Means{})(raw)
	if err != nil || len(b.Steps()) != len(a.Steps()) || b.Title() != a.Title() {
		t.Errorf("%v %v", b, err)
	}
}

func cleanupOf(host *canned, c Cleanup) *Cleanup {
	c.Node = "worker-0"
	return c.With(Means{Hosts: host, Clock: clock})
}

// TestCleanupMeasures: before and after are measured, and the difference said.
func TestCleanupMeasures(t *testing.T) {
	t.Parallel()
	host := &canned{t: t, answers: map[string]string{
		"df -PT -B1 /": dfText, "--disk-usage": "Archived and active journals take up 4.0G in the file system.\n", "--vacuum-size=500M": "Vacuuming done\n",
	}}
	c := cleanupOf(host, Cleanup{What: CleanJournal})
	dir := t.TempDir()
	out, err := run(t, c, dir)
	if err != nil || !strings.Contains(out, "freed 0 B: 66 % -> 66 %") || !strings.Contains(out, "Vacuuming done") {
		t.Errorf("%s\n%v", out, err)
	}
	if c.Confirm() != "worker-0" || !c.Changes() {
		t.Error("a clean-up goes on without the node's name")
	}
}

// TestCleanupRefusesWhatIsInUseNow: an image that a container was made from
// since, or that is pinned, stays, and so do all others of the plan.
func TestCleanupRefusesWhatIsInUseNow(t *testing.T) {
	t.Parallel()
	id := "sha256:" + strings.Repeat("b", 64)
	for want, answers := range map[string][2]string{
		"a container uses": {`{"images":[{"id":"` + id + `","repoTags":["x:1"]}]}`, `{"containers":[{"id":"c","image":{"image":"` + id + `"}}]}`},
		"is pinned now":    {`{"images":[{"id":"` + id + `","repoTags":["x:1"],"pinned":true}]}`, `{"containers":[]}`},
	} {
		host := &canned{t: t, answers: map[string]string{"df -PT": dfText, "crictl images": answers[0], "crictl ps": answers[1], "rmi": "deleted"}}
		_, err := run(t, cleanupOf(host, Cleanup{What: CleanImages, Images: []CleanImage{{ID: id, Name: "x:1"}}}), t.TempDir())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		for _, l := range host.ran {
			if strings.Contains(l, "rmi") {
				t.Errorf("ran %s", l)
			}
		}
	}
}

// TestCleanupTakesNoCommandsForNames: what goes into a command line must look
// like an id.
func TestCleanupTakesNoCommandsForNames(t *testing.T) {
	t.Parallel()
	for _, c := range []Cleanup{
		{What: CleanImages, Images: []CleanImage{{ID: "--prune"}}},
		{What: CleanImages},
		{What: CleanBundles, Bundles: []string{"../server"}},
		{What: CleanBundles, Bundles: []string{"current"}},
		{What: "format"},
	} {
		if got := c.Preflight(t.Context(), &sources.Snapshot{}); len(got) != 1 || got[0].Severity != sources.Critical {
			t.Errorf("%+v is let through: %+v", c, got)
		}
	}
}
