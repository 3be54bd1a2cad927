package trail_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"daytwo/actions/trail"
	"daytwo/sources"
)

// machines answer by node.
type machines map[string]func(context.Context, sources.Command) error

func (m machines) Host(node string) sources.Host { return machine{run: m[node]} }

type machine struct {
	sources.Host

	run func(context.Context, sources.Command) error
}

func (m machine) Run(ctx context.Context, c sources.Command) error { return m.run(ctx, c) }

// cluster answers kubectl's lines with its words.
type cluster struct{}

func (cluster) Kubectl(_ context.Context, args []string, out io.Writer) error {
	_, err := fmt.Fprintf(out, "%q\n", args)
	return err
}

func kit(t *testing.T, m machines) trail.Kit {
	t.Helper()
	return trail.Kit{Kubectl: cluster{}, Hosts: m, Clock: at, Dir: t.TempDir(), Check: func(args []string) error {
		if len(args) < 2 || args[1] != "get" {
			return errors.New("only get is understood")
		}
		return nil
	}}
}

func nodes(names ...string) []sources.Node {
	out := make([]sources.Node, len(names))
	for i, n := range names {
		out[i].Name = n
	}
	return out
}

func says(text string, err error) func(context.Context, sources.Command) error {
	return func(_ context.Context, c sources.Command) error {
		_, _ = io.WriteString(c.Stdout, text)
		return err
	}
}

func disk() trail.Line { return trail.Line{Name: "disk", Command: "df -h", Node: true} }

func screen(s trail.Stand) string {
	_, lines := s.Tape.After(0)
	return strings.Join(lines, "\n")
}

// TestEachTargetSaysHowItEnded and the others are not touched by it.
func TestEachTargetSaysHowItEnded(t *testing.T) {
	t.Parallel()
	k := kit(t, machines{
		"good": says("one\ntwo\nno end", nil),
		"bad":  says("", &sources.ExitError{Host: "bad", Line: "df -h", Code: 3}),
		"dead": says("", &sources.ExitError{Host: "dead", Line: "df -h", Code: -1, Signal: "KILL"}),
		"lost": says("half\n", &sources.LineLostError{Host: "lost", Err: io.EOF}),
		"sudo": says("", &sources.SudoError{Host: "sudo", User: "me", Why: "a password is required", Next: "Allow it."}),
	})
	fan := k.Start(t.Context(), disk(), nodes("good", "bad", "dead", "lost", "sudo"))
	defer fan.Close()
	fan.Wait()
	for i, want := range []struct {
		state trail.State
		exit  int
		lines int64
		why   string
		shown string
	}{
		{trail.Done, 0, 3, "", "$ ssh good 'df -h'\none\ntwo\nno end"},
		{trail.Failed, 3, 0, "exit code 3", "-- daytwo: exit code 3"},
		{trail.Failed, -1, 0, "ended by signal KILL", "-- daytwo: ended by signal KILL"},
		{trail.Failed, 0, 1, "the line to lost was lost", "half\n-- daytwo: the line to lost was lost"},
		{trail.Failed, 0, 0, "may not become root", "-- daytwo: me may not become root"},
	} {
		s := fan.Stands()[i]
		if s.State != want.state || s.Exit != want.exit || s.Lines != want.lines || !strings.Contains(s.Why, want.why) || !strings.Contains(screen(s), want.shown) || !s.Tape.Ended() {
			t.Errorf("%s: %+v\n%s", s.Name, s, screen(s))
		}
	}
	if last := fan.Stands()[3].Last; last != "half" {
		t.Errorf("the last line of lost is %q", last)
	}
	if fan.Running() {
		t.Error("it still runs")
	}
}

// TestOutputIsHarmless on the screen and in the file, and has no secrets.
func TestOutputIsHarmless(t *testing.T) {
	t.Parallel()
	k := kit(t, machines{"a": says("x\x1b[2J\x1b]0;pwned\x07y\u202ez\ntoken: s3cr3tvalue99\n50%\r100%\n", nil)})
	fan := k.Start(t.Context(), disk(), nodes("a"))
	defer fan.Close()
	path, trouble := fan.Keep()
	fan.Wait()
	if trouble != "" {
		t.Fatal(trouble)
	}
	for name, text := range map[string]string{"screen": screen(fan.Stands()[0]), "file": content(t, path)} {
		if !strings.Contains(text, "xyz\n") || strings.ContainsAny(text, "\x1b\x07") || strings.Contains(text, "s3cr3t") || !strings.Contains(text, "\n100%") {
			t.Errorf("%s: %q", name, text)
		}
	}
	if want := "20251122T150431Z-trail-disk.log"; filepath.Base(path) != want {
		t.Errorf("the file is %s, want %s", path, want)
	}
}

// TestKeepLater has what was said before it was asked for, and names what was
// forgotten meanwhile.
func TestKeepLater(t *testing.T) {
	t.Parallel()
	k := kit(t, machines{"a": says(strings.Repeat("line\n", 12_000)+"end\n", nil), "b": says("short\n", nil)})
	fan := k.Start(t.Context(), disk(), nodes("a", "b"))
	fan.Wait()
	path, _ := fan.Keep()
	fan.Close()
	text := content(t, path)
	for _, want := range []string{"a | -- daytwo: 2002 lines were no longer there", "a | end\n", "b | $ ssh b 'df -h'\nb | short\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("the file lacks %q", want)
		}
	}
	again, _ := fan.Keep()
	if got := content(t, path); again != path || got != text {
		t.Error("asked again it wrote again")
	}
}

// TestNoMoreThanSomeAtOnce, and cancelling ends those that run and those that
// wait.
func TestNoMoreThanSomeAtOnce(t *testing.T) {
	t.Parallel()
	var running, most atomic.Int32
	begun := make(chan struct{}, 9)
	block := func(ctx context.Context, _ sources.Command) error {
		n := running.Add(1)
		defer running.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		begun <- struct{}{}
		<-ctx.Done()
		return fmt.Errorf("ended: %w", ctx.Err())
	}
	m, names := machines{}, []string{}
	for i := range 9 {
		names = append(names, fmt.Sprintf("n%d", i))
		m[names[i]] = block
	}
	k := kit(t, m)
	k.Most = 3
	fan := k.Start(t.Context(), disk(), nodes(names...))
	for range 3 {
		<-begun
	}
	waiting := 0
	for _, s := range fan.Stands() {
		if s.State == trail.Waiting {
			waiting++
		}
	}
	fan.Close()
	if waiting != 6 || most.Load() != 3 {
		t.Errorf("%d waited and %d ran at once", waiting, most.Load())
	}
	for _, s := range fan.Stands() {
		if s.State != trail.Cancelled || !strings.Contains(screen(s), "-- daytwo: cancelled") || !s.Tape.Ended() {
			t.Errorf("%+v", s)
		}
	}
}

// TestOnesOwnIsWrittenDown before it runs, and how it ended.
func TestOnesOwnIsWrittenDown(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var before string
	k := kit(t, machines{
		"a": func(context.Context, sources.Command) error {
			text, err := os.ReadFile(filepath.Join(dir, trail.BookName))
			before = string(text)
			return err
		},
		"b": says("", &sources.ExitError{Code: 2}),
	})
	k.Book = &trail.Book{Dir: dir, Who: "me@here", Clock: at}
	own := trail.Line{Name: "mine", Command: "curl -H 'token: s3cr3tvalue99'", Node: true, Own: true}
	fan := k.Start(t.Context(), own, nodes("a", "b"))
	fan.Wait()
	fan.Close()
	if !strings.Contains(before, `"mark":"began","who":"me@here","what":"command","on":["a","b"]`) {
		t.Errorf("before it ran: %s", before)
	}
	text := content(t, filepath.Join(dir, trail.BookName))
	if strings.Count(text, "\n") != 2 || !strings.Contains(text, `"mark":"ended"`) || !strings.Contains(text, "b: exit code 2") || strings.Contains(text, "s3cr3t") {
		t.Errorf("written down: %s", text)
	}
	k.Book.Dir = ""
	fan = k.Start(t.Context(), own, nodes("b"))
	fan.Wait()
	fan.Close()
	if !strings.Contains(screen(fan.Stands()[0]), "it is not written down that this runs") {
		t.Errorf("nobody is told: %s", screen(fan.Stands()[0]))
	}
	k.Book.Dir = dir
	fan = k.Start(t.Context(), disk(), nodes("b"))
	fan.Wait()
	fan.Close()
	if again := content(t, filepath.Join(dir, trail.BookName)); again != text {
		t.Errorf("what only reads is written down: %s", again)
	}
}

// TestKubectlsLines are taken apart as a shell would, and what needs one is
// said.
func TestKubectlsLines(t *testing.T) {
	t.Parallel()
	k := kit(t, nil)
	for text, want := range map[string]string{
		"get pods -A":                       `["kubectl" "get" "pods" "-A"]`,
		" kubectl get pods -l 'app in (a)'": `["kubectl" "get" "pods" "-l" "app in (a)"]`,
		`kubectl get "a b" c\ d ''`:         `["kubectl" "get" "a b" "c d" ""]`,
	} {
		l := k.Ask(text)
		fan := k.Start(t.Context(), l, nil)
		fan.Wait()
		if got := screen(fan.Stands()[0]); l.WhyNot != "" || !strings.HasSuffix(got, "\n"+want) {
			t.Errorf("%q: %s %s", text, l.WhyNot, got)
		}
		fan.Close()
	}
	for text, why := range map[string]string{
		"get pods | grep x": "| is for a shell", "get pods -l 'a": "is open", "get $X": "$ is for a shell", "delete pod x": "only get is understood",
	} {
		if l := k.Ask(text); !strings.Contains(l.WhyNot, why) {
			t.Errorf("%q: %q", text, l.WhyNot)
		}
	}
}

// TestTheTrailIsThePlaybooks and the unit is that of the node.
func TestTheTrailIsThePlaybooks(t *testing.T) {
	t.Parallel()
	k := kit(t, nil)
	k.Own = []sources.TrailCommand{{Name: "mine", Command: "reboot", Node: true}, {Name: "asks", Command: "kubectl get x"}, {Name: "cannot", Command: "kubectl drain x"}}
	agent, server := sources.Node{Name: "w"}, sources.Node{Name: "m", Roles: []string{"control-plane"}}
	var got []string
	for _, l := range k.Lines() {
		got = append(got, fmt.Sprintf("%s / %s / %v %v", l.Typed(agent), l.Typed(server), l.ReadsOnly(), l.WhyNot == ""))
	}
	want := []string{
		"kubectl get pods -A / kubectl get pods -A / true true",
		"kubectl top nodes / kubectl top nodes / true true",
		"ssh w 'df -h' / ssh m 'df -h' / true true",
		"ssh w 'sudo nice -n19 ionice -c3 du -xhd1 /var/lib/rancher/k3s/agent/containerd | sort -h | tail' / ssh m 'sudo nice -n19 ionice -c3 du -xhd1 /var/lib/rancher/k3s/agent/containerd | sort -h | tail' / true true",
		"ssh w 'sudo journalctl -u k3s-agent -n 200 --no-pager' / ssh m 'sudo journalctl -u k3s -n 200 --no-pager' / true true",
		"ssh w reboot / ssh m reboot / false true",
		"kubectl get x / kubectl get x / true true",
		"kubectl drain x / kubectl drain x / true false",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("lines:\n%s", strings.Join(got, "\n"))
	}
}
