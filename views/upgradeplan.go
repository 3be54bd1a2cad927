package views

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"daytwo/actions"
	"daytwo/actions/upgrade"
	"daytwo/keymap"
	"daytwo/sources"
	"daytwo/ui"

	tea "charm.land/bubbletea/v2"
)

// upgradePlan is the wizard's second page: what would be done, what is in the
// way, and what a person decides.
type upgradePlan struct {
	tools  Upgrades
	door   Door
	start  func(actions.Action) tea.Cmd
	plan   upgrade.Plan
	cursor int // among the nodes in their order
	top    int // first line in sight
	height int
	total  int
	follow bool   // keep the cursor in sight
	again  bool   // it is being planned again
	note   string // why something could not be done
}

func newUpgradePlan(from *upgradeTargets, p upgrade.Plan) *upgradePlan {
	return &upgradePlan{tools: from.tools, door: from.door, start: from.start, plan: p}
}

// Title names the page for the header's path.
func (v *upgradePlan) Title() string { return "plan to " + v.plan.Target }

// Passing implements ui.Passing.
func (*upgradePlan) Passing() {}

// Commands change the plan and start it.
func (v *upgradePlan) Commands(f ui.Frame) []ui.Command {
	k := f.Keys.Upgrade
	begin := ui.Command{Key: k.Start, Risk: keymap.Destroys, Do: func() tea.Cmd { return v.confirm() }}
	for _, p := range v.plan.Problems() {
		if p.Severity == sources.Critical {
			begin.WhyNot = inTheWay(p)
			break
		}
	}
	if v.again {
		begin.WhyNot = "it is being planned again"
	}
	tick := reword(k.Notes, "notes read")
	if v.plan.NotesRead {
		tick.Words = "notes not read"
	}
	out := []ui.Command{
		begin,
		{Key: tick, Do: func() tea.Cmd { v.plan.NotesRead = !v.plan.NotesRead; return nil }},
		v.reason(k),
		v.move(k.Earlier, -1), v.move(k.Later, 1), v.other(k), v.keepPods(k), v.method(k), v.soak(k),
		{Key: k.Again, Do: func() tea.Cmd { return v.planAgain(f) }},
		{Key: reword(f.Keys.Global.Copy, "copy notes' address"), Minor: true, Do: func() tea.Cmd { return ui.Copy(v.plan.Notes()) }},
	}
	return append(out, v.scrolling(f)...)
}

func inTheWay(p upgrade.Problem) string {
	if p.Node != "" {
		return p.Node + ": " + p.Text
	}
	return p.Text
}

// confirm asks for the cluster's name.
func (v *upgradePlan) confirm() tea.Cmd {
	p := v.plan
	a := v.tools.Action(p)
	lines := []string{
		fmt.Sprintf("%s to %s, one after the other: %s.", goes(len(namesOf(p))), p.Target, strings.Join(namesOf(p), ", ")),
		"Each is drained" + unless(p) + ", gets the verified binary, restarts, and is compared with what was before; the next one waits for that.",
		"The run stops at the first thing that is not as it should be, and says how to go back.",
	}
	if p.Method == upgrade.Installer {
		lines = append(lines, "The install script is run with the arguments and environment that each unit has now.")
	}
	return ui.Ask(ui.Confirm(a.Title(), a.Confirm(), "upgrade", lines, func() tea.Cmd {
		v.tools.Remember(p)
		return v.start(a)
	}))
}

// namesOf are the nodes that change, in their order.
func namesOf(p upgrade.Plan) []string {
	var names []string
	for _, n := range p.Nodes {
		if !p.There(n) {
			names = append(names, n.Name)
		}
	}
	return names
}

func goes(n int) string {
	if n == 1 {
		return "1 node goes"
	}
	return fmt.Sprintf("%d nodes go", n)
}

// unless names the nodes that are left undrained.
func unless(p upgrade.Plan) string {
	var kept []string
	for _, n := range p.Nodes {
		if n.NoDrain && !p.There(n) {
			kept = append(kept, n.Name)
		}
	}
	if len(kept) == 0 {
		return ""
	}
	return " (not " + strings.Join(kept, ", ") + ")"
}

// reason takes a typed reason for what needs one.
func (v *upgradePlan) reason(k keymap.Upgrade) ui.Command {
	c := ui.Command{Key: k.Reason, WhyNot: "nothing asks for a reason"}
	for _, p := range v.plan.Problems() {
		if p.Answer != upgrade.SayBackup && p.Answer != upgrade.SayDatastore {
			continue
		}
		c.WhyNot = ""
		c.Do = func() tea.Cmd {
			return ui.Ask(ui.Question{
				Title: "Say why it goes on", Yes: "write it down", Lines: []string{p.Text, p.Way}, Label: "it goes into the record",
				Do: func(text string) tea.Cmd {
					if p.Answer == upgrade.SayDatastore {
						v.plan.DatastoreNote = text
					} else {
						v.plan.BackupReason = text
					}
					return nil
				},
			})
		}
		break
	}
	return c
}

func (v *upgradePlan) node() (upgrade.NodePlan, bool) {
	if len(v.plan.Nodes) == 0 {
		return upgrade.NodePlan{}, false
	}
	v.cursor = min(max(v.cursor, 0), len(v.plan.Nodes)-1)
	return v.plan.Nodes[v.cursor], true
}

// move puts the node under the cursor earlier or later, where the rules let
// it.
func (v *upgradePlan) move(b keymap.Binding, by int) ui.Command {
	c := ui.Command{Key: b, WhyNot: "it cannot go further"}
	n, ok := v.node()
	if to := v.cursor + by; !ok || to < 0 || to >= len(v.plan.Nodes) {
		return c
	}
	c.WhyNot = ""
	trial := v.plan
	if err := trial.Move(n.Name, by); err != nil {
		c.WhyNot = err.Error()
	}
	c.Do = func() tea.Cmd {
		v.plan = trial
		v.cursor += by
		v.follow = true
		return nil
	}
	return c
}

// other takes the other of the orders that are offered.
func (v *upgradePlan) other(k keymap.Upgrade) ui.Command {
	orders := v.plan.Verdict.Orders
	c := ui.Command{Key: k.Order}
	if len(orders) < 2 {
		c.WhyNot = "the servers go first in a minor step; there is no other order"
		return c
	}
	at := slices.IndexFunc(orders, func(o upgrade.Order) bool { return o.Style == v.plan.Style })
	next := orders[(at+1)%len(orders)]
	c.Key.Words = string(next.Style)
	c.Do = func() tea.Cmd { v.plan.Follow(next.Style); return nil }
	return c
}

// keepPods leaves the node under the cursor undrained, or not after all.
func (v *upgradePlan) keepPods(k keymap.Upgrade) ui.Command {
	c := ui.Command{Key: k.KeepPods}
	n, ok := v.node()
	switch {
	case !ok:
		c.WhyNot = "there is no node"
	case n.NoDrain:
		c.Key.Words = "drain " + n.Name
	default:
		c.Key.Words = "do not drain " + n.Name
	}
	c.Do = func() tea.Cmd { v.plan.KeepPods(n.Name, !n.NoDrain); return nil }
	return c
}

// method changes between the swap of the binary and the install script.
func (v *upgradePlan) method(k keymap.Upgrade) ui.Command {
	c := ui.Command{Key: reword(k.Method, "by the install script"), Minor: true}
	to := upgrade.Installer
	if v.plan.Method == upgrade.Installer {
		to, c.Key.Words = upgrade.Swap, "by swapping the binary"
	}
	c.Do = func() tea.Cmd { v.plan.Method = to; return nil }
	return c
}

// soak changes how long the cluster must stay as before after each node.
func (v *upgradePlan) soak(k keymap.Upgrade) ui.Command {
	return ui.Command{Key: k.Soak, Minor: true, Do: func() tea.Cmd {
		return ui.Ask(ui.Question{
			Title: "Watch the cluster after each node", Yes: "take it", Label: "how long it must stay as before: 30s, 5m; 0s for not at all",
			Lines: []string{fmt.Sprintf("Now it is %s. The next node waits that long after the last change for the worse.", sources.Span(v.plan.Soak))},
			Do: func(text string) tea.Cmd {
				d, err := time.ParseDuration(text)
				if err != nil || d < 0 || d > longestSoak {
					return ui.Toast(sources.Warning, "that is no time up to 1h; write 30s or 5m")
				}
				v.plan.Soak = d
				return nil
			},
		})
	}}
}

// longestSoak keeps a slip of the finger from holding a run for days.
const longestSoak = time.Hour

func (v *upgradePlan) planAgain(f ui.Frame) tea.Cmd {
	v.again, v.note = true, ""
	draft := ui.Work(func(ctx context.Context) tea.Msg {
		plan, err := v.tools.Draft(ctx, f.Snapshot, v.plan.Target)
		return draftMsg{v, plan, err}
	})
	return v.door.Past(nodeNames(f.Snapshot), draft, draft)
}

// Update takes the new plan: what a person decided before still holds.
func (v *upgradePlan) Update(msg tea.Msg, _ ui.Frame) tea.Cmd {
	switch m := msg.(type) {
	case draftMsg:
		if m.of != any(v) {
			return nil
		}
		v.again = false
		if m.err != nil {
			v.note = "not planned again: " + m.err.Error()
			return nil
		}
		v.plan = upgrade.Redecide(v.plan, m.plan)
	case tea.MouseWheelMsg:
		step := map[tea.MouseButton]int{tea.MouseWheelUp: -3, tea.MouseWheelDown: 3}[m.Mouse().Button]
		v.scrollBy(step)
	}
	return nil
}

func (v *upgradePlan) scrollBy(n int) {
	v.follow = false
	v.top = min(max(v.top+n, 0), max(v.total-v.height, 0))
}

// scrolling moves the cursor among the nodes, and the page.
func (v *upgradePlan) scrolling(f ui.Frame) []ui.Command {
	k := f.Keys.List
	cursor := func(b keymap.Binding, by int) ui.Command {
		return ui.Command{Key: b, Minor: true, Do: func() tea.Cmd {
			v.cursor = min(max(v.cursor+by, 0), max(len(v.plan.Nodes)-1, 0))
			v.follow = true
			return nil
		}}
	}
	page := func(b keymap.Binding, by int) ui.Command {
		return ui.Command{Key: b, Minor: true, Do: func() tea.Cmd { v.scrollBy(by); return nil }}
	}
	step := max(v.height-1, 1)
	return []ui.Command{
		cursor(k.Up, -1), cursor(k.Down, 1), page(k.PageUp, -step), page(k.PageDown, step), page(k.Top, -v.total), page(k.Bottom, v.total),
	}
}
