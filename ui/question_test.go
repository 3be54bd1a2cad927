package ui_test

import (
	"context"
	"strings"
	"testing"

	"daytwo/actions"
	"daytwo/keymap"
	"daytwo/ui"
	"daytwo/ui/uitest"

	tea "charm.land/bubbletea/v2"
)

// asking is a view whose key d asks a question.
func asking(q ui.Question) *listView {
	v := newListView(things(3))
	v.extra = []ui.Command{{Key: keymap.Default().Tools.Drain, Risk: keymap.Destroys, Do: func() tea.Cmd { return ui.Ask(q) }}}
	return v
}

func TestANameMustBeTypedExactly(t *testing.T) {
	t.Parallel()
	done := 0
	q := ui.Confirm("Drain worker-0", "worker-0", "drain", []string{"moves 21 pods"}, func() tea.Cmd { done++; return nil })
	d := open(t, asking(q), 100, 30)
	d.Press("d")
	d.See("Drain worker-0", "moves 21 pods", "type worker-0 to drain", "enter drain", "esc cancel")
	d.Press("enter")
	d.Type("worker-")
	d.Press("enter")
	d.See("type worker-0 to go on")
	d.Type("q0")
	d.Press("enter")
	if done != 0 {
		t.Fatal("a wrong name was taken for the right one")
	}
	d.Press("ctrl+u")
	d.Paste("worker-0\n")
	d.Press("enter")
	d.NotSee("Drain worker-0")
	if done != 1 {
		t.Fatalf("done %d times, want once", done)
	}
	d.Press("d")
	d.Type("worker-0")
	d.Press("esc")
	d.NotSee("Drain worker-0")
	if done != 1 {
		t.Fatal("esc did it")
	}
}

func TestAReasonIsAsked(t *testing.T) {
	t.Parallel()
	why := ""
	d := open(t, asking(ui.Question{
		Title: "Skip backup", Label: "why is it skipped?", Yes: "skip",
		Do: func(text string) tea.Cmd { why = text; return nil },
	}), 80, 24)
	d.Press("d", "space", "enter")
	d.See("it needs some words")
	d.Type("restored by hand")
	d.Press("enter")
	if why != "restored by hand" {
		t.Fatalf("the reason is %q", why)
	}
}

// passphrase asks for a secret.
func passphrase(got *string) ui.Question {
	return ui.Question{
		Title: "Key", Label: "passphrase", Yes: "unlock", Secret: true,
		Do: func(text string) tea.Cmd { *got = text; return nil },
	}
}

func TestASecretIsNotShown(t *testing.T) {
	t.Parallel()
	got := ""
	d := open(t, asking(passphrase(&got)), 80, 24)
	d.Press("d")
	d.Type("hunter2 ")
	d.See("********")
	d.NotSee("hunter2")
	d.Press("enter")
	if got != "hunter2 " {
		t.Fatalf("got %q", got)
	}
}

// TestNothingComesBetweenWords: a page or question that something else opens
// while a passphrase is typed waits, so that no letter of it goes there.
func TestNothingComesBetweenWords(t *testing.T) {
	t.Parallel()
	got := ""
	d := open(t, asking(passphrase(&got)), 80, 24)
	d.Press("d")
	d.Type("hun")
	later := newListView(things(1))
	later.extra = []ui.Command{{Key: keymap.Default().Tools.Drain, Do: func() tea.Cmd { t.Error("a letter of it was a command"); return nil }}}
	d.Send(ui.Open(later)())
	d.Send(ui.Ask(ui.Question{Title: "Skip backup", Label: "why?", Yes: "skip", Do: func(string) tea.Cmd { return nil }})())
	d.NotSee("Skip backup")
	d.Type("drd2")
	d.Press("enter")
	if got != "hundrd2" {
		t.Fatalf("got %q", got)
	}
	d.See("Skip backup")
}

// TestKeysWaitForWhatComes: what is typed while the next page is waited for
// reaches nobody, and esc leaves it.
func TestKeysWaitForWhatComes(t *testing.T) {
	t.Parallel()
	goOn, reached, left := make(chan struct{}), make(chan string, 9), make(chan struct{}, 1)
	v := newListView(things(3))
	keys := keymap.Default().Tools
	v.extra = []ui.Command{
		{Key: keys.Drain, Do: func() tea.Cmd {
			return ui.Meanwhile("asking worker-0", func(ctx context.Context) tea.Cmd {
				select {
				case <-goOn:
				case <-ctx.Done():
				}
				return ui.Ask(ui.Question{Title: "Unknown key", Yes: "go on", Do: func(string) tea.Cmd { reached <- "the dialog"; return nil }})
			}, func() tea.Msg { left <- struct{}{}; return nil })
		}},
		{Key: keys.Cordon, Do: func() tea.Cmd { reached <- "the page below"; return nil }},
	}
	term := uitest.Open(t, options(v, uitest.NewClock()), 100, 20)
	term.Wait("the first row", marked("worker-0"))
	term.Keys("dcc\r")
	term.See("asking worker-0")
	term.Keys("\x1b") // behind the others, so that they were read when it leaves
	<-left
	if len(reached) > 0 {
		t.Errorf("a key reached %s", <-reached)
	}
	term.Keys("d")
	term.See("asking worker-0")
	close(goOn)
	term.See("Unknown key")
	if len(reached) > 0 {
		t.Errorf("a key reached %s", <-reached)
	}
	term.Keys("\r")
	if got := <-reached; got != "the dialog" {
		t.Errorf("enter reached %s", got)
	}
	term.Wait("the page", func(s string) bool { return !strings.Contains(s, "asking") })
}

// runner stands for the runs of this machine.
type runner struct{ runs []actions.Run }

func (r *runner) Runs() []actions.Run      { return r.runs }
func (r *runner) Changed() <-chan struct{} { return nil }

func TestTheHeaderTellsOfRuns(t *testing.T) {
	t.Parallel()
	steps := []actions.StepStatus{{Title: "cordon", Group: "worker-0"}, {Title: "evict", Group: "worker-0"}}
	r := &runner{runs: []actions.Run{{Kind: "drain", Title: "Drain worker-0", State: actions.Interrupted, Steps: steps}}}
	d := open(t, newListView(things(3)), 100, 20, func(o *ui.Options) { o.Runner = r })
	d.See("▲ drain interrupted r", "Drain worker-0 is interrupted; r shows it")
	r.runs = []actions.Run{{Kind: "drain", State: actions.Running, Steps: steps, At: 1, Mine: true}}
	d.Send(ui.RunsChanged())
	d.See("▸ drain 2/2 worker-0 evict")
	r.runs = []actions.Run{{Kind: "drain", State: actions.Done, Steps: steps, At: 2}}
	d.Send(ui.RunsChanged())
	d.NotSee("drain 2/2", "interrupted r")
}

// TestKeysTypedInABurst go to the dialog that the first of them opens, not to
// the page below it.
func TestKeysTypedInABurst(t *testing.T) {
	t.Parallel()
	v := asking(ui.Confirm("Drain worker-0", "worker-0", "drain", nil, func() tea.Cmd { return ui.Open(&textView{"run", "it was begun"}) }))
	term := uitest.Open(t, options(v, uitest.NewClock()), 100, 30)
	term.Wait("the first row", marked("worker-0"))
	term.Keys("dworker-0\r")
	term.See("it was begun")
	if v.opened != "" {
		t.Errorf("enter opened %s below", v.opened)
	}
}

// plan is a view that is left behind by what it leads to.
type plan struct{ textView }

func (*plan) Passing() {}

func (*plan) Commands(f ui.Frame) []ui.Command {
	return []ui.Command{{Key: f.Keys.List.Open, Do: func() tea.Cmd { return ui.OpenPast(&textView{"run", "the run"}) }}}
}

func TestAPlanIsLeftBehind(t *testing.T) {
	t.Parallel()
	v := newListView(things(3))
	v.extra = []ui.Command{{Key: keymap.Default().Tools.Drain, Do: func() tea.Cmd { return ui.Open(&plan{textView{"plan", "the plan"}}) }}}
	d := open(t, v, 100, 30)
	d.Press("d")
	d.See("the plan")
	d.Press("esc")
	d.See("3 nodes")
	d.Press("d", "enter")
	d.See("the run")
	d.NotSee("the plan")
	d.Press("esc")
	d.See("3 nodes")
}
