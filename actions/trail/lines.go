package trail

import (
	"errors"
	"strings"

	"daytwo/actions"
	"daytwo/sources"
)

// Line is one command of the trail.
type Line struct {
	Name    string
	Command string // as it is typed where it runs
	Server  string // instead of Command on a server; "" is the same
	Node    bool   // runs on machines; else the cluster is asked
	Root    bool   // as root
	Own     bool   // the user's: what it does is not known here
	WhyNot  string // why it cannot be answered; "" if it can

	shown string // Command without what looks like a secret, if that is known
}

// ReadsOnly reports whether the line is known to change nothing: the built-in
// ones, and questions to the cluster.
func (l Line) ReadsOnly() bool { return !l.Own || !l.Node }

// On is the command for one node.
func (l Line) On(n sources.Node) string {
	if n.Server() && l.Server != "" {
		return l.Server
	}
	return l.Command
}

// Shown is the command without what looks like a secret.
func (l Line) Shown() string {
	if l.shown == "" {
		return actions.Redacted(l.Command)
	}
	return l.shown
}

// Typed is what a person would type to have the same, without what looks like
// a secret.
func (l Line) Typed(n sources.Node) string {
	line := l.Shown()
	if on := l.On(n); on != l.Command {
		line = on // a built-in one
	}
	switch {
	case !l.Node:
		return line
	case !l.Root:
		return sources.Typed("ssh", n.Name, line)
	}
	return sources.Typed("ssh", n.Name, "sudo "+line)
}

// builtIn is the playbook's trail. du walks the folder itself: a pattern
// would be expanded by the login's shell, which may not look there, and the
// answer would be empty.
func builtIn() []Line {
	return []Line{
		{Name: "pods", Command: "kubectl get pods -A"},
		{Name: "load", Command: "kubectl top nodes"},
		{Name: "disk", Command: "df -h", Node: true},
		{Name: "containerd", Command: "nice -n19 ionice -c3 du -xhd1 /var/lib/rancher/k3s/agent/containerd | sort -h | tail", Node: true, Root: true},
		{
			Name: "journal", Command: "journalctl -u k3s-agent -n 200 --no-pager", Server: "journalctl -u k3s -n 200 --no-pager",
			Node: true, Root: true,
		},
	}
}

// Lines are the built-in commands, then the user's own.
func (k Kit) Lines() []Line {
	out := builtIn()
	for _, c := range k.Own {
		l := Line{Name: c.Name, Command: c.Command, Node: c.Node, Own: true}
		if !l.Node {
			l.WhyNot = k.whyNot(l.Command)
		}
		out = append(out, l)
	}
	for i := range out {
		out[i].shown = actions.Redacted(out[i].Command) // once: screens draw it often
	}
	return out
}

// Ask is a line of kubectl's that was typed by hand; "kubectl" may be left
// out.
func (k Kit) Ask(text string) Line {
	text = strings.TrimSpace(text)
	if text != "kubectl" && !strings.HasPrefix(text, "kubectl ") {
		text = "kubectl " + text
	}
	return Line{Name: "kubectl", Command: text, Own: true, WhyNot: k.whyNot(text), shown: actions.Redacted(text)}
}

func (k Kit) whyNot(command string) string {
	words, err := splitWords(command)
	if err == nil {
		err = k.Check(words)
	}
	if err != nil {
		return sources.Clean(err.Error(), 300)
	}
	return ""
}

// splitWords takes a command line apart as a shell does, as far as no shell is
// needed for it.
func splitWords(line string) ([]string, error) {
	var s splitter
	for _, r := range line {
		if s.in == 0 && !s.taken && strings.ContainsRune("|&;<>()$`", r) {
			return nil, errors.New(string(r) + " is for a shell, and kubectl's lines are answered without one; search in the answer with /")
		}
		s.take(r)
	}
	if s.in != 0 || s.taken {
		return nil, errors.New("a quote or backslash is open at the end of the line")
	}
	s.end()
	return s.words, nil
}

// splitter makes words of a line, rune by rune.
type splitter struct {
	words []string
	word  strings.Builder
	in    rune // the quote that is open
	open  bool // a word has begun
	taken bool // the next rune is taken as it is
}

func (s *splitter) take(r rune) {
	switch {
	case s.taken:
		s.word.WriteRune(r)
		s.taken = false
	case r == '\\' && s.in != '\'':
		s.open, s.taken = true, true
	case s.in == 0 && (r == '\'' || r == '"'):
		s.open, s.in = true, r
	case s.in == 0 && (r == ' ' || r == '\t'):
		s.end()
	case r == s.in:
		s.in = 0
	default:
		s.open = true
		s.word.WriteRune(r)
	}
}

// end ends the word that has begun, if one has.
func (s *splitter) end() {
	if s.open {
		s.words = append(s.words, s.word.String())
	}
	s.word.Reset()
	s.open = false
}
