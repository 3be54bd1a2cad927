package rules

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"daytwo/sources"
)

// judgeNotes: do the notes of the last upgrade still match? One finding for
// each node that is not as it was written down; a node that upgrades now is
// the reason for its own and told all the same.
func (l *look) judgeNotes() {
	notes := l.s.Notes
	if errors.Is(notes.Err, sources.ErrNotInstalled) || (!notes.Loaded() && notes.Err == nil) {
		return // none were written yet
	}
	if notes.Err != nil {
		l.add(nil, sources.Finding{
			Rule: VersionNotes, Severity: sources.Unknown, About: l.cluster(),
			Summary:  "upgrade notes cannot be read: " + brief(notes.Err.Error(), 90),
			Evidence: []sources.Fact{fact(notes.At, "record", notes.Err.Error())},
		})
		return
	}
	if !l.s.Nodes.Loaded() || len(notes.Value.Nodes) == 0 {
		return
	}
	written := map[string]sources.NodeNotes{}
	for _, n := range notes.Value.Nodes {
		written[n.Name] = n
	}
	for i := range l.s.Nodes.Value {
		n := &l.s.Nodes.Value[i]
		w, ok := written[n.Name]
		delete(written, n.Name)
		switch {
		case ok:
			l.noteDiffers(n.Name, differences(w, *n))
		case n.Created.After(notes.Value.Ended):
			l.noteDiffers(n.Name, []string{"joined after them"})
		default:
			l.noteDiffers(n.Name, []string{"not in them"})
		}
	}
	for _, gone := range slices.Sorted(maps.Keys(written)) {
		l.noteDiffers(gone, []string{"in them, and no longer in the cluster"})
	}
}

func (l *look) noteDiffers(name string, what []string) {
	if len(what) == 0 {
		return
	}
	notes := l.s.Notes.Value
	f := sources.Finding{
		Rule: VersionNotes, Severity: sources.Warning, About: node(name),
		Summary: brief("upgrade notes no longer match: "+strings.Join(what, " · "), 200),
		Evidence: []sources.Fact{
			fact(notes.Ended, "upgrade notes of run "+notes.Run, "written by "+sources.Clean(notes.Who, sources.MaxName)),
		},
	}
	for _, w := range what {
		f.Evidence = append(f.Evidence, fact(l.s.Nodes.At, "node", w))
	}
	for i := range l.out.Nodes {
		if row := &l.out.Nodes[i]; row.Node.Name == name && f.Severity > row.Severity {
			row.Severity, row.Summary = f.Severity, f.Summary
		}
	}
	l.add(nil, f)
}

// differences says what of a node is not as the notes have it. What was not
// known then, or is not told now, differs from nothing.
func differences(w sources.NodeNotes, n sources.Node) []string {
	var out []string
	for _, x := range []struct{ what, then, now string }{
		{"kubelet", w.Version, n.Version}, {"container runtime", w.Runtime, n.Runtime}, {"OS", w.OSImage, n.OSImage},
	} {
		if x.then != "" && x.now != "" && x.then != x.now {
			out = append(out, fmt.Sprintf("%s %s → %s", x.what, x.then, x.now))
		}
	}
	if w.Args != nil && n.Args != nil {
		if text := listChange(w.Args, n.Args); text != "" {
			out = append(out, "arguments "+text)
		}
	}
	if w.Env != nil && n.Env != nil {
		if text := listChange(pairs(w.Env), pairs(n.Env)); text != "" {
			out = append(out, "environment "+text)
		}
	}
	return out
}

func pairs(env map[string]string) []string {
	out := make([]string, 0, len(env))
	for _, k := range slices.Sorted(maps.Keys(env)) {
		out = append(out, k+"="+env[k])
	}
	return out
}

// listChange names what was added and what went; "" if nothing did.
func listChange(then, now []string) string {
	if slices.Equal(then, now) {
		return ""
	}
	var out []string
	left := slices.Clone(then)
	for _, a := range now {
		if i := slices.Index(left, a); i >= 0 {
			left = slices.Delete(left, i, i+1)
			continue
		}
		out = append(out, "+ "+a)
	}
	for _, a := range left {
		out = append(out, "- "+a)
	}
	if len(out) == 0 {
		return "in another order"
	}
	return brief(strings.Join(out, " "), 120)
}
