package views

import (
	"slices"
	"strconv"
	"strings"

	"daytwo/sources"
	"daytwo/ui"
)

// mostPods is how many pods a detail lists.
const mostPods = 120

func findNode(s *sources.Snapshot, name string) (sources.NodeHealth, bool) {
	i := slices.IndexFunc(s.Judged.Nodes, func(n sources.NodeHealth) bool { return n.Node.Name == name })
	if i < 0 {
		return sources.NodeHealth{}, false
	}
	return s.Judged.Nodes[i], true
}

// nodePicture is the detail of a node.
func nodePicture(f ui.Frame, about sources.Ref, width int) picture {
	n, ok := findNode(f.Snapshot, about.Name)
	if !ok {
		return picture{}
	}
	p := picture{found: true, row: n.Row, commands: nodeCommands(about.Name)}
	pods := podsOn(f.Snapshot, about.Name)
	refs := append([]sources.Ref{about}, podRefs(pods)...)
	p.sections = []section{
		{"Node", nodeFacts(f, n, width)},
		{"Conditions", conditionLines(f, n.Node, width)},
	}
	if d, ok := findDisk(f.Snapshot, about.Name); ok {
		p.sections = append(p.sections, section{"Disk", diskFacts(f, d, width)})
	}
	p.sections = append(p.sections,
		section{"Pods, worst first", podLines(f, pods, width)},
		eventSection(f, width, refs...))
	return p
}

func nodeFacts(f ui.Frame, n sources.NodeHealth, width int) []string {
	node := n.Node
	cordoned := ""
	if node.Unschedulable {
		cordoned = "by " + orUnsure(node.CordonedBy) + ", " + agoWords(node.CordonedAt, f.Now)
	}
	ps := []pair{
		{"state", judged(f, n.Severity, nodeState(n))},
		{"cordoned", judged(f, sources.Warning, cordoned)},
		{"role", plain(f, nodeRole(node))},
		{"version", plain(f, node.Version)},
		{"cpu", loadCell(f, n.CPU, n, strconv.FormatInt(node.CPU, 10)+"m allocatable")},
		{"memory", loadCell(f, n.Memory, n, sources.Memory(node.Memory)+" allocatable")},
		{"pods", plain(f, strconv.Itoa(n.Pods)+" of "+strconv.FormatInt(node.MaxPod, 10))},
		{"taints", plain(f, strings.Join(node.Taints, ", "))},
		{"address", plain(f, node.InternalIP)},
		{"system", plain(f, strings.Join(nonEmpty(node.OSImage, node.Kernel, node.Arch), " · "))},
		{"runtime", plain(f, node.Runtime)},
		{"joined", plain(f, moment(node.Created)+", "+agoWords(node.Created, f.Now))},
	}
	return pairs(f, width, ps...)
}

func loadCell(f ui.Frame, value float64, n sources.NodeHealth, of string) ui.Cell {
	if value < 0 {
		return judged(f, sources.Unknown, "unknown: "+orUnsure(n.LoadError))
	}
	return plain(f, percent(value)+" of "+of)
}

func conditionLines(f ui.Frame, n sources.Node, width int) []string {
	sh := sheet{titles: []string{"type", "status", "since", "reason", "message"}}
	for _, c := range n.Conditions {
		good := (c.Type == "Ready") == (c.Status == "True")
		style := styleIf(good, f.Theme.Text, f.Theme.Warning)
		sh.rows = append(sh.rows, []ui.Cell{
			{Text: c.Type, Style: style},
			{Text: c.Status, Style: style},
			dim(f, agoWords(c.Since, f.Now)), plain(f, c.Reason), dim(f, c.Message),
		})
	}
	return sh.lines(f, width)
}

// nodeState is the state of a node in words: what its Ready condition says,
// whether it is cordoned and which pressures it reports.
func nodeState(n sources.NodeHealth) string {
	words := make([]string, 0, 3)
	ready, ok := n.Node.Condition("Ready")
	switch {
	case !ok || ready.Status == "Unknown":
		words = append(words, "NotReady (unknown)")
	case ready.Status != "True":
		words = append(words, "NotReady")
	}
	if n.Node.Unschedulable {
		words = append(words, "cordoned")
	}
	for _, c := range n.Node.Conditions {
		if c.Type != "Ready" && c.Status == "True" {
			words = append(words, c.Type)
		}
	}
	if len(words) == 0 {
		return "Ready"
	}
	return strings.Join(words, ", ")
}

func nodeRole(n sources.Node) string {
	if n.Server() {
		return "server"
	}
	return "agent"
}

func orUnsure(s string) string {
	if s == "" {
		return unsure
	}
	return s
}

func nonEmpty(words ...string) []string {
	return slices.DeleteFunc(words, func(s string) bool { return s == "" })
}
