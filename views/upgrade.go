package views

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"daytwo/actions"
	"daytwo/actions/upgrade"
	"daytwo/keymap"
	"daytwo/sources"
	"daytwo/ui"

	tea "charm.land/bubbletea/v2"
)

// Upgrades is what the upgrade wizard works with: *upgrade.Kit.
type Upgrades interface {
	Channels(ctx context.Context) ([]sources.Channel, error)
	Ask(s *sources.Snapshot, target string, heads []sources.Channel) upgrade.Verdict
	Draft(ctx context.Context, s *sources.Snapshot, target string) (upgrade.Plan, error)
	Action(p upgrade.Plan) actions.Action
	Remember(p upgrade.Plan) // the order that was chosen
}

// UpgradeTool offers the upgrade of the cluster, whatever the cursor is on.
// start begins an action that was confirmed and shows its run.
func UpgradeTool(u Upgrades, door Door, start func(actions.Action) tea.Cmd) func(ui.Frame, sources.Ref) []ui.Command {
	return func(f ui.Frame, about sources.Ref) []ui.Command {
		c := ui.Command{
			Key: f.Keys.Tools.Upgrade, Risk: keymap.Changes, Minor: about.Kind != "Node" && about.Kind != "Cluster" && about.Kind != "",
			Do: func() tea.Cmd {
				v := &upgradeTargets{tools: u, door: door, start: start}
				return ui.Open(v, v.ask())
			},
		}
		if len(f.Snapshot.Nodes.Value) == 0 {
			c.WhyNot = "no node is known yet"
		}
		return []ui.Command{c}
	}
}

// upgradeTargets is the wizard's first page: which version.
type upgradeTargets struct {
	tools  Upgrades
	door   Door
	start  func(actions.Action) tea.Cmd
	asked  bool // the channels were answered, well or badly
	heads  []sources.Channel
	err    error
	typed  string // an exact version that was typed; "" if none
	cursor int

	drafting string // the target that is being looked at
	failed   error
}

type channelsMsg struct {
	of    *upgradeTargets
	heads []sources.Channel
	err   error
}

type draftMsg struct {
	of   any
	plan upgrade.Plan
	err  error
}

func (v *upgradeTargets) ask() tea.Cmd {
	return ui.Work(func(ctx context.Context) tea.Msg {
		heads, err := v.tools.Channels(ctx)
		return channelsMsg{v, heads, err}
	})
}

// Title names the page for the header's path.
func (*upgradeTargets) Title() string { return "upgrade" }

// Passing implements ui.Passing.
func (*upgradeTargets) Passing() {}

// target is a version that may be chosen, and what stands for it.
type target struct {
	names   []string
	version string
	verdict upgrade.Verdict
}

// targets are the typed version, then the channels that are not behind what
// runs: stable first, then by version.
func (v *upgradeTargets) targets(f ui.Frame) []target {
	var out []target
	add := func(name, version string) {
		if i := slices.IndexFunc(out, func(t target) bool { return t.version == version }); i >= 0 {
			out[i].names = append(out[i].names, name)
			return
		}
		out = append(out, target{[]string{name}, version, v.tools.Ask(f.Snapshot, version, v.heads)})
	}
	if v.typed != "" {
		add("typed", v.typed)
	}
	oldest := oldestServer(f.Snapshot)
	heads := slices.Clone(v.heads)
	place := func(c sources.Channel) int {
		return cmp.Or(slices.Index([]string{"v", "testing", "latest", "stable"}, c.Name), 0)
	}
	slices.SortStableFunc(heads, func(a, b sources.Channel) int {
		va, errA := upgrade.ParseVersion(a.Latest)
		vb, errB := upgrade.ParseVersion(b.Latest)
		if pa, pb := place(a), place(b); pa != pb || errA != nil || errB != nil {
			return pb - pa
		}
		return va.Compare(vb)
	})
	for _, c := range heads {
		if n, err := upgrade.ParseVersion(c.Latest); err == nil && n.Compare(oldest) >= 0 {
			add(c.Name, c.Latest)
		}
	}
	from := 0
	if v.typed != "" {
		from = 1 // what was typed stays in sight, refused or not
	}
	slices.SortStableFunc(out[from:], func(a, b target) int {
		return min(len(a.verdict.Refused), 1) - min(len(b.verdict.Refused), 1)
	})
	return out
}

func oldestServer(s *sources.Snapshot) upgrade.Version {
	var oldest upgrade.Version
	for _, n := range s.Nodes.Value {
		if v, err := upgrade.ParseVersion(n.Version); err == nil && n.Server() && (oldest == upgrade.Version{} || v.Compare(oldest) < 0) {
			oldest = v
		}
	}
	return oldest
}

// Commands choose a version.
func (v *upgradeTargets) Commands(f ui.Frame) []ui.Command {
	all := v.targets(f)
	v.cursor = min(max(v.cursor, 0), max(len(all)-1, 0))
	move := func(b keymap.Binding, by int) ui.Command {
		return ui.Command{Key: b, Minor: true, Do: func() tea.Cmd {
			v.cursor = min(max(v.cursor+by, 0), max(len(all)-1, 0))
			return nil
		}}
	}
	plan := ui.Command{Key: reword(f.Keys.List.Open, "plan it"), WhyNot: "there is no version to choose"}
	if len(all) > 0 {
		plan.WhyNot = ""
		t := all[v.cursor]
		if len(t.verdict.Refused) > 0 {
			plan.WhyNot = t.verdict.Refused[0].Text
		}
		plan.Do = func() tea.Cmd { return v.draft(f, t.version) }
	}
	if v.drafting != "" {
		plan.WhyNot = "the nodes are being looked at"
	}
	return []ui.Command{
		plan,
		{Key: f.Keys.Upgrade.Typed, Do: func() tea.Cmd { return v.askTyped(f) }},
		{Key: reword(f.Keys.Upgrade.Again, "ask again"), Do: func() tea.Cmd { v.asked, v.err = false, nil; return v.ask() }},
		move(f.Keys.List.Up, -1), move(f.Keys.List.Down, 1),
	}
}

func (v *upgradeTargets) askTyped(f ui.Frame) tea.Cmd {
	return ui.Ask(ui.Question{
		Title: "Upgrade to an exact version", Yes: "take it", Label: "a tag of k3s, for instance v1.33.6+k3s1",
		Lines: []string{"It must be a tag that exists on the release server, with its +k3s part."},
		Do: func(text string) tea.Cmd {
			v.typed, v.cursor = text, 0
			if verdict := v.tools.Ask(f.Snapshot, text, v.heads); len(verdict.Refused) > 0 {
				return nil // it is in the list, with the reason
			}
			return v.draft(f, text)
		},
	})
}

func (v *upgradeTargets) draft(f ui.Frame, version string) tea.Cmd {
	v.drafting, v.failed = version, nil
	draft := ui.Work(func(ctx context.Context) tea.Msg {
		plan, err := v.tools.Draft(ctx, f.Snapshot, version)
		return draftMsg{v, plan, err}
	})
	return v.door.Past(nodeNames(f.Snapshot), draft, draft)
}

// nodeNames are the cluster's nodes.
func nodeNames(s *sources.Snapshot) []string {
	out := make([]string, 0, len(s.Nodes.Value))
	for _, n := range s.Nodes.Value {
		out = append(out, n.Name)
	}
	return out
}

// Update takes the answers of what was asked.
func (v *upgradeTargets) Update(msg tea.Msg, _ ui.Frame) tea.Cmd {
	switch m := msg.(type) {
	case channelsMsg:
		if m.of == v {
			v.asked, v.heads, v.err = true, m.heads, m.err
		}
	case draftMsg:
		if m.of != any(v) {
			return nil
		}
		v.drafting, v.failed = "", m.err
		if m.err == nil {
			return ui.Open(newUpgradePlan(v, m.plan))
		}
	}
	return nil
}

// Render draws what runs, and what it may go to.
func (v *upgradeTargets) Render(f ui.Frame) string {
	t, width := f.Theme, ui.Rect{W: f.Width, H: f.Height}.Inner().W-2
	lines := []string{"", t.Accent.Render("What runs now")}
	lines = append(lines, runsNow(f, width)...)
	lines = append(lines, "", t.Accent.Render("To which version"))
	all := v.targets(f)
	for i, x := range all {
		lines = append(lines, v.targetLines(f, x, i == v.cursor, width)...)
	}
	switch {
	case !v.asked && v.err == nil:
		lines = append(lines, t.Dim.Render("  asking the release server for its channels…"))
	case v.err != nil:
		for _, l := range ui.Wrap(ui.Clean(v.err.Error()), width-2) {
			lines = append(lines, t.Unknown.Render("  "+l))
		}
	case len(v.heads) > 0 && len(all) == 0:
		lines = append(lines, t.Dim.Render("  no channel is ahead of what runs"))
	}
	lines = append(lines, "", t.Key.Render(f.Keys.Upgrade.Typed.Shown)+t.Dim.Render("  type an exact version"))
	if v.drafting != "" {
		lines = append(lines, "", t.Accent.Render("looking at every node, its drain and its machine for "+ui.Clean(v.drafting)+"…"))
	}
	if v.failed != nil {
		lines = append(lines, "")
		for _, l := range ui.Wrap("not planned: "+ui.Clean(v.failed.Error()), width) {
			lines = append(lines, t.Critical.Render(l))
		}
	}
	for i := range lines {
		lines[i] = " " + lines[i]
	}
	return ui.Box(t, "Upgrade "+ui.Clean(f.Snapshot.Cluster.Value.Name), "", true, lines, f.Width, f.Height)
}

// runsNow lists the versions and who runs them.
func runsNow(f ui.Frame, width int) []string {
	by := map[string][]string{}
	var versions []string
	for _, n := range f.Snapshot.Nodes.Value {
		if _, ok := by[n.Version]; !ok {
			versions = append(versions, n.Version)
		}
		name := n.Name
		if n.Server() {
			name += " (server)"
		}
		by[n.Version] = append(by[n.Version], name)
	}
	slices.SortFunc(versions, sources.CompareNames)
	var out []string
	for _, v := range versions {
		slices.SortFunc(by[v], sources.CompareNames)
		out = append(out, "  "+f.Theme.Strong.Render(ui.Clean(v))+"  "+
			f.Theme.Text.Render(ui.Cut(ui.Clean(strings.Join(by[v], ", ")), max(width-4-len(v), 8))))
	}
	return out
}

// targetLines are one version: what stands for it, and what the rules say.
func (v *upgradeTargets) targetLines(f ui.Frame, x target, chosen bool, width int) []string {
	t := f.Theme
	lead, style := "  ", t.Text
	if chosen {
		lead, style = t.Accent.Render(marker(t)+" "), t.Strong
	}
	says := string(x.verdict.Size) + " step"
	severity := sources.OK
	switch {
	case len(x.verdict.Refused) > 0:
		severity, says = sources.Critical, "refused: "+x.verdict.Refused[0].Text
	case len(x.verdict.Warnings) > 0:
		severity = sources.Warning
	}
	if len(x.verdict.Orders) > 0 {
		says += ", " + string(x.verdict.Orders[0].Style)
	}
	head := lead + style.Render(ui.Fit(ui.Clean(x.version), 16)) + " " + t.Dim.Render(ui.Fit(ui.Clean(strings.Join(x.names, ", ")), 18)) + " "
	room := max(width-ui.Width(head)-2, 12)
	out := []string{head + t.Severity(severity).Render(t.Glyph(severity)+" "+ui.Cut(ui.Clean(says), room))}
	if !chosen {
		return out
	}
	var more []string
	if len(x.verdict.Refused) > 0 && ui.Width(says) > room {
		more = append(more, x.verdict.Refused[0].Text)
	}
	if len(x.verdict.Ladder) > 0 {
		more = append(more, "go by these instead: "+strings.Join(x.verdict.Ladder, " → "))
	}
	for _, w := range x.verdict.Warnings {
		more = append(more, w.Text)
	}
	for _, m := range more {
		for _, l := range ui.Wrap(ui.Clean(m), max(width-6, 12)) {
			out = append(out, "      "+t.Dim.Render(l))
		}
	}
	return out
}
