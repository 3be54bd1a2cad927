package upgrade

import (
	"fmt"
	"slices"
	"strings"

	"daytwo/sources"
)

// Problem is what stands in the way of a plan, or what to know about it.
type Problem struct {
	Node     string
	Severity sources.Severity // critical forbids
	Text     string
	Why      string // source or evidence
	Way      string // what helps
	Command  string
	// Answer is what makes it no obstacle any more.
	Answer Answer
}

// Answer is what a person can do about a problem in the plan itself.
type Answer string

// The answers.
const (
	NoAnswer     Answer = ""
	ReadNotes    Answer = "read notes"
	SayBackup    Answer = "backup reason"
	SayDatastore Answer = "datastore reason"
	LeavePods    Answer = "no drain"
)

// Problems says what is in the way, the worst first, and what to know. It is
// a pure function of the plan.
func (p Plan) Problems() []Problem {
	var out []Problem
	for _, r := range p.Verdict.Refused {
		pr := Problem{Severity: sources.Critical, Text: r.Text, Why: r.Source}
		if len(p.Verdict.Ladder) > 0 {
			pr.Way = "go by these instead, one after the other: " + strings.Join(p.Verdict.Ladder, " → ")
		}
		out = append(out, pr)
	}
	if len(out) > 0 {
		return out
	}
	if err := CheckOrder(p.Verdict.Size, p.members(), p.Target, p.order()); err != nil {
		out = append(out, Problem{Severity: sources.Critical, Text: err.Error()})
	}
	out = append(out, p.ticks()...)
	for _, n := range p.Nodes {
		if !p.done(n) {
			out = append(out, p.machineProblems(n)...)
			out = append(out, p.drainProblems(n)...)
		}
	}
	for _, w := range p.Verdict.Warnings {
		out = append(out, Problem{Severity: sources.Warning, Text: w.Text, Why: w.Source})
	}
	if names := p.unsteady(); len(names) > 0 {
		out = append(out, Problem{
			Severity: sources.Warning, Text: "restarting by themselves already, so whether they are as before cannot be told: " + strings.Join(names, ", "),
		})
	}
	for _, u := range p.Unread {
		out = append(out, Problem{Severity: sources.Unknown, Text: u})
	}
	if len(p.Nodes) > 0 && len(p.servers()) == 1 {
		out = append(out, Problem{
			Node: p.servers()[0], Severity: sources.Warning,
			Text: "the API server is away while its only server restarts: expected, the pods live on and the step is followed over SSH",
		})
	}
	slices.SortStableFunc(out, func(a, b Problem) int { return rank(b) - rank(a) })
	return out
}

func rank(p Problem) int {
	r := int(p.Severity) * 2
	if p.Answer != NoAnswer {
		r++
	}
	return r
}

// Blocked reports whether something forbids the start.
func (p Plan) Blocked() bool {
	return slices.ContainsFunc(p.Problems(), func(x Problem) bool { return x.Severity == sources.Critical })
}

// ticks are what a person must have done or said.
func (p Plan) ticks() []Problem {
	var out []Problem
	if !p.NotesRead {
		out = append(out, Problem{
			Severity: sources.Critical, Answer: ReadNotes, Text: "the release notes are not ticked as read",
			Why: p.Notes(), Way: "look for: " + strings.Join(UrgentWords(), ", "),
		})
	}
	var stale []string
	for _, b := range p.Backups {
		if !b.Fresh {
			stale = append(stale, b.Name+" ("+b.Trouble+")")
		}
	}
	switch {
	case p.BackupReason != "":
		out = append(out, Problem{Severity: sources.Warning, Text: "goes on without fresh backups: " + p.BackupReason, Why: strings.Join(stale, ", ")})
	case len(p.Backups) == 0:
		out = append(out, Problem{
			Severity: sources.Critical, Answer: SayBackup, Text: "no backup is known of anything stateful",
			Way: "declare backups in the configuration, or say why it goes on without",
		})
	case len(stale) > 0:
		out = append(out, Problem{
			Severity: sources.Critical, Answer: SayBackup, Text: "backups are not fresh: " + strings.Join(stale, ", "),
			Way: "back up first, or say why it goes on without",
		})
	}
	if p.needsServer() && p.Datastore == Elsewhere {
		pr := Problem{
			Severity: sources.Critical, Answer: SayDatastore, Text: "the datastore is not k3s's own, so it is not saved from here",
			Why: p.DatastoreWhy, Way: "save it by its own means, and say who did",
		}
		if p.DatastoreNote != "" {
			pr.Severity, pr.Answer, pr.Text = sources.Warning, NoAnswer, "the datastore was saved by its own means: "+p.DatastoreNote
		}
		out = append(out, pr)
	}
	return out
}

// needsServer reports whether a server is changed.
func (p Plan) needsServer() bool {
	return slices.ContainsFunc(p.Nodes, func(n NodePlan) bool { return n.Server && !p.done(n) })
}

// room is what a new binary, the kept old one and what k3s unpacks need, if
// the size of the release is not known.
const room = 400 << 20

func (p Plan) machineProblems(n NodePlan) []Problem {
	m := n.Machine
	bad := func(text, way, command string) Problem {
		return Problem{Node: n.Name, Severity: sources.Critical, Text: text, Way: way, Command: command}
	}
	if m.Err != "" {
		return []Problem{bad("the machine cannot be worked on: "+m.Err, "make ssh and sudo -n work from here", sources.Typed("ssh", n.Name, "sudo -n true"))}
	}
	var out []Problem
	if m.Unit == "" {
		out = append(out, bad("neither k3s nor k3s-agent runs there as a systemd unit", "look at the machine", sources.Typed("ssh", n.Name, "systemctl status k3s k3s-agent")))
	} else if (m.Unit == "k3s") != n.Server {
		out = append(out, bad(fmt.Sprintf("its unit is %s, which does not fit its role", m.Unit), "look whether this is the right machine", sources.Typed("ssh", n.Name, "hostname; systemctl status "+m.Unit)))
	}
	if !m.Systemd {
		out = append(out, bad("systemd-run is missing: a restart would hang on the SSH line", "install systemd", ""))
	}
	if !m.Curl {
		out = append(out, bad("curl is missing on it", "install curl", sources.Typed("ssh", n.Name, "sudo apt-get install -y curl")))
	}
	r, known := p.Releases[n.Arch]
	need := int64(room)
	if known && r.Size > 0 {
		need = 3*r.Size + 64<<20
	}
	if m.Free >= 0 && m.Free < need {
		out = append(out, bad(fmt.Sprintf("%s free where %s is, %s are needed", sources.Bytes(float64(m.Free)), m.Binary, sources.Bytes(float64(need))), "make room", sources.Typed("ssh", n.Name, "df -h "+m.Binary)))
	}
	if m.Version != "" && m.Version != n.From && m.Version != p.Target {
		out = append(out, Problem{
			Node: n.Name, Severity: sources.Warning,
			Text: fmt.Sprintf("the binary on its disk is %s while %s runs: somebody changed it and did not restart", m.Version, n.From),
		})
	}
	if n.Args == nil {
		out = append(out, Problem{Node: n.Name, Severity: sources.Unknown, Text: "it does not tell its arguments (annotation k3s.io/node-args), so they cannot be compared afterwards"})
	}
	return out
}

func (p Plan) drainProblems(n NodePlan) []Problem {
	switch {
	case n.NoDrain && p.Verdict.Size != Patch:
		return []Problem{{Node: n.Name, Severity: sources.Warning, Text: "it is not drained, though a minor is crossed: upstream does not support that in place", Why: skewPolicy}}
	case n.NoDrain:
		return []Problem{{Node: n.Name, Severity: sources.Warning, Text: "it is not drained: its pods live on, and end if the new version cannot take them over"}}
	case n.Drain == nil:
		return []Problem{{Node: n.Name, Severity: sources.Critical, Answer: LeavePods, Text: "its drain could not be planned: " + n.Error}}
	}
	var out []Problem
	for _, b := range n.Drain.Blockers {
		pr := Problem{Node: n.Name, Severity: sources.Critical, Text: "its drain is blocked: " + b.Title, Why: b.Why, Answer: LeavePods}
		for _, w := range b.Ways {
			if pr.Way == "" {
				pr.Way, pr.Command = w.Text, w.Command
			}
		}
		out = append(out, pr)
	}
	for _, w := range n.Drain.Warnings {
		out = append(out, Problem{Node: n.Name, Severity: sources.Warning, Text: w.Title, Why: w.Why})
	}
	return out
}
