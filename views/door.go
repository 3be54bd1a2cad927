package views

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"daytwo/actions"
	"daytwo/sources"
	"daytwo/ui"

	tea "charm.land/bubbletea/v2"
)

// Door is what stands before whatever speaks to machines: it asks a person for
// what only a person may decide, then lets through what was asked for.
// Accepting a key and unlocking one change nothing in the cluster, so read-only
// mode has the door too. The zero Door lets everything through unasked.
type Door struct{ Trust sources.Trust }

// passage is one thing that waits before the door.
type passage struct {
	door   Door
	nodes  []string // that may still be spoken to
	doubts []doubt  // about some of them; the others have been asked
	then   tea.Cmd
	or     tea.Cmd // when a person refuses; nil: nothing
	some   bool    // it is worth doing on some of the machines
}

// doubt is what a person must decide before a node's machine is spoken to.
type doubt struct {
	node string
	err  error
}

// Through does then, once nothing on any of the nodes' machines needs a
// person's decision any more; or is done when a person refuses, nil is nothing.
func (d Door) Through(nodes []string, then, or tea.Cmd) tea.Cmd {
	return d.pass(&passage{door: d, nodes: nodes, then: then, or: or})
}

// Past is Through for what is worth doing on some of the machines: those that
// are refused anyway are left out.
func (d Door) Past(nodes []string, then, or tea.Cmd) tea.Cmd {
	return d.pass(&passage{door: d, nodes: nodes, then: then, or: or, some: true})
}

func (d Door) pass(p *passage) tea.Cmd {
	if d.Trust == nil || len(p.nodes) == 0 {
		return p.then
	}
	return p.knock(p.nodes)
}

// Around is Through for an action that speaks to machines; others pass.
func (d Door) Around(a actions.Action, run actions.Run, then tea.Cmd) tea.Cmd {
	v, ok := a.(actions.Visitor)
	if !ok {
		return then
	}
	return d.Through(v.Machines(run), then, nil)
}

// knock asks machines at once, and opens a dialog for the first doubt.
func (p *passage) knock(nodes []string) tea.Cmd {
	words := "asking " + nodes[0]
	if len(nodes) > 1 {
		words = "asking " + count(len(nodes), "machine")
	}
	return ui.Meanwhile(words, func(ctx context.Context) tea.Cmd {
		p.doubts = nil
		for i, err := range sources.Doubts(ctx, p.door.Trust, nodes) {
			if err != nil {
				p.doubts = append(p.doubts, doubt{nodes[i], err})
			}
		}
		return p.next()
	}, p.or)
}

// again asks those that were in doubt: with one decision several may be settled.
func (p *passage) again() tea.Cmd {
	var nodes []string
	for _, d := range p.doubts {
		nodes = append(nodes, d.node)
	}
	if len(nodes) == 0 {
		return p.next()
	}
	return p.knock(nodes)
}

// next is the dialog for the first doubt, or what was asked for.
func (p *passage) next() tea.Cmd {
	switch {
	case len(p.nodes) == 0:
		return p.or // no machine is left to speak to
	case len(p.doubts) == 0:
		return p.then
	}
	switch err := p.doubts[0].err.(type) { //nolint:errorlint // sources.Doubt returns these as they are
	case *sources.UnknownKeyError:
		return ui.Ask(p.unknown(err))
	case *sources.LockedKeyError:
		return ui.Ask(p.locked(err))
	case *sources.ChangedKeyError:
		return ui.Ask(p.changed(err))
	}
	return p.then // it says itself why it fails
}

func (p *passage) refused() tea.Cmd { return p.or }

// others counts the decisions after the first one: what is about the same key
// of the same host is settled with it, as with a jump host before many nodes.
func (p *passage) others() int {
	about := map[string]bool{matter(p.doubts[0].err): true}
	for _, d := range p.doubts {
		about[matter(d.err)] = true
	}
	return len(about) - 1
}

// matter is what a doubt is about, whichever node it was met at.
func matter(err error) string {
	switch e := err.(type) { //nolint:errorlint // sources.Doubt returns these as they are
	case *sources.UnknownKeyError:
		return e.Host + " " + e.Fingerprint
	case *sources.LockedKeyError:
		return e.Path
	case *sources.ChangedKeyError:
		return e.Host + " " + e.Fingerprint
	}
	return err.Error()
}

// leaveOut lets what was asked for go on without the machines that the first
// doubt is about.
func (p *passage) leaveOut() {
	about := matter(p.doubts[0].err)
	p.doubts = slices.DeleteFunc(slices.Clone(p.doubts), func(d doubt) bool {
		if matter(d.err) != about {
			return false
		}
		p.nodes = slices.DeleteFunc(slices.Clone(p.nodes), func(n string) bool { return n == d.node })
		return true
	})
}

// unknown asks for a host key that nobody accepted yet.
func (p *passage) unknown(e *sources.UnknownKeyError) ui.Question {
	lines := []string{
		e.Node + " shows a host key that nobody accepted yet:", "",
		"host         " + e.Host,
		"type         " + e.Type,
		"fingerprint  " + e.Fingerprint,
		"goes into    " + e.File, "",
		"Before you accept it, compare it on the machine's own console, not over SSH:",
		"$ ssh-keygen -lf " + hostKeyFile(e.Type),
		"If that prints another fingerprint, somebody is in between. esc refuses; nothing is written then.",
	}
	if more := p.others(); more > 0 {
		lines = append(lines, "", count(more, "more key")+" to decide about after this one.")
	}
	return ui.Question{
		Title: "Unknown host key: " + e.Node, Danger: true, Name: e.Node, Yes: "accept the key", Lines: lines,
		Try: func(context.Context, string) error { return p.door.Trust.Accept(e) },
		Do:  func(string) tea.Cmd { return p.again() }, No: p.refused,
	}
}

// hostKeyFile is where sshd keeps the public half of its key of a type.
func hostKeyFile(kind string) string {
	kind = strings.TrimPrefix(kind, "sk-")
	for _, name := range []string{"ed25519", "ecdsa", "rsa"} {
		if strings.Contains(kind, name) {
			return "/etc/ssh/ssh_host_" + name + "_key.pub"
		}
	}
	return "/etc/ssh/ssh_host_*_key.pub"
}

// locked asks for the passphrase of a key.
func (p *passage) locked(e *sources.LockedKeyError) ui.Question {
	return ui.Question{
		Title: "Locked key", Yes: "unlock", Secret: true, Label: "passphrase",
		Lines: []string{
			e.Node + " takes the key " + e.Path + ", which needs its passphrase.",
			"The key then stays open until daytwo ends; the passphrase is kept nowhere. The agent can have it instead:",
			"$ ssh-add " + sources.Quote(e.Path),
		},
		Try: func(_ context.Context, text string) error {
			passphrase := []byte(text)
			defer clear(passphrase)
			err := p.door.Trust.Unlock(e.Path, passphrase)
			if errors.Is(err, sources.ErrPassphrase) {
				return sources.ErrPassphrase
			}
			return err
		},
		Do: func(string) tea.Cmd { return p.again() }, No: p.refused,
	}
}

// changed says that a machine is not spoken to. There is no way to accept it
// here.
func (p *passage) changed(e *sources.ChangedKeyError) ui.Question {
	lines := []string{
		e.Node + " (" + e.Host + ") shows another host key than before:", "",
		"shows      " + e.Type + " " + e.Fingerprint,
		"known      " + e.Known,
		"written in " + e.File + ", line " + strconv.Itoa(e.Line), "",
		"Either the machine was made anew, or somebody is in between. If it was made anew, compare the fingerprint on its own console, " +
			"delete that line, and ask again:",
		"$ " + sources.Typed("ssh-keygen", "-f", e.File, "-R", e.Host),
	}
	leave := p.refused
	if p.some {
		leave = func() tea.Cmd { p.leaveOut(); return p.again() }
		rest := *p
		rest.leaveOut()
		if n := len(rest.nodes); n > 0 {
			lines = append(lines, "", "It is left out; what was asked for goes on with the other "+count(n, "machine")+".")
		}
	}
	return ui.Question{
		Title: "Refused: the host key of " + e.Node + " has changed", Danger: true, Yes: "close", Lines: lines,
		Do: func(string) tea.Cmd { return leave() }, No: leave,
	}
}
