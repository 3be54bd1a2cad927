package main

import (
	"daytwo/actions"
	"daytwo/actions/cordon"
	"daytwo/sources"
	"daytwo/ui"
	"daytwo/views"
)

// door is what asks before a machine is spoken to.
func (s *session) door() views.Door { return views.Door{Trust: s.hosts} }

// tools are the wizards of the cockpit, in the order of the footer. Each adds
// its own here; views.Runs begins and shows what they do.
func (s *session) tools() []func(ui.Frame, sources.Ref) []ui.Command {
	runs := views.Runs{Runner: s.runner, Door: s.door(), ByHand: s.byHand().Deeds}
	cordoning := views.Cordon{Runs: runs, Make: func(node string, lift bool) actions.Action {
		if lift {
			return cordon.Lift(s.operator, node)
		}
		return cordon.New(s.operator, node)
	}}
	return []func(ui.Frame, sources.Ref) []ui.Command{
		views.UpgradeTool(s.upgrade, s.door(), runs.Start), views.DrainTool(s.drains, runs.Start), cordoning.Tool, runs.Tool,
		views.LogsTool(s.readLogs), s.forensics().Tool,
		s.trail().Tool, s.hand().Tool, views.Exec{Hand: s.hand(), Run: s.client}.Tool,
	}
}
