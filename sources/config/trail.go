package config

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"daytwo/sources"

	"github.com/goccy/go-yaml/ast"
)

// trailKey is one key of an entry under trail.
type trailKey struct {
	name, unit, text string
	read             func(*parser, ast.Node, *trailEntry)
}

// trailEntry is an entry while it is read: where may follow from the command.
type trailEntry struct {
	sources.TrailCommand

	where string
}

// The places of a command of the trail.
const (
	onCluster = "cluster"
	onNode    = "node"
)

func trailKeys() []trailKey {
	return []trailKey{
		{"name", "text, required", "what it is called on the screen, and typed before it runs on a node", func(p *parser, n ast.Node, e *trailEntry) { e.Name, _ = p.text(n) }},
		{"command", "one line, required", "kubectl get, describe or top; or any line for the shell of a node", func(p *parser, n ast.Node, e *trailEntry) { e.Command = p.shellLine(n) }},
		{"where", "cluster, node", "left out, kubectl's lines ask the cluster and all others run on nodes", func(p *parser, n ast.Node, e *trailEntry) {
			e.where, _ = p.oneOf(n, []string{onCluster, onNode})
		}},
	}
}

func trailDocs() []Key {
	keys := []Key{{Path: "trail", Unit: "list", Text: "commands of your own for the terminal trail; on a node they are run as they stand, so they may change it"}}
	for _, k := range trailKeys() {
		keys = append(keys, Key{"trail[]." + k.name, k.unit, "", k.text})
	}
	return keys
}

// longestCommand is what can still be read before it is confirmed, in
// characters.
const longestCommand = 1000

// shellLine reads one line for a shell.
func (p *parser) shellLine(n ast.Node) string {
	text, _, ok := p.scalar(n, "a command")
	switch {
	case !ok:
	case strings.TrimSpace(text) == "":
		p.fail(n, "the command is empty")
	case utf8.RuneCountInString(text) > longestCommand:
		p.fail(n, "the command is longer than %d characters; put it into a script on the nodes", longestCommand)
	case sources.Clean(text, len(text)) != text:
		p.fail(n, "the command %q has characters that cannot be shown; write one plain line", sources.Clean(text, longestText))
	default:
		return text
	}
	return ""
}

func (p *parser) trail(n ast.Node) []setting {
	entries, ok := p.sequence(n, "trail", "entries that begin with \"- name:\"")
	if !ok {
		return nil
	}
	list, names := []sources.TrailCommand{}, map[string]bool{}
	for _, e := range entries {
		c := p.trailCommand(e)
		if c.Name != "" && names[c.Name] {
			p.fail(e, "a second command is called %q; names must differ", c.Name)
		}
		names[c.Name] = true
		list = append(list, c)
	}
	return []setting{func(s *sources.Settings) { s.Trail = slices.Clone(list) }}
}

func (p *parser) trailCommand(n ast.Node) sources.TrailCommand {
	all := trailKeys()
	names := make([]string, 0, len(all))
	for _, k := range all {
		names = append(names, k.name)
	}
	var e trailEntry
	var at ast.Node
	seen, before := map[string]bool{}, len(p.errs)
	p.each(n, "trail", names, func(key string, pair *ast.MappingValueNode) {
		seen[key] = true
		if key == "where" {
			at = pair.Value
		}
		all[slices.Index(names, key)].read(p, pair.Value, &e)
	})
	asks := e.Command == "kubectl" || strings.HasPrefix(e.Command, "kubectl ")
	e.Node = e.where == onNode || e.where == "" && !asks
	switch {
	case len(p.errs) > before:
	case !seen["name"]:
		p.fail(n, "a command of the trail needs a `name`")
	case !seen["command"]:
		p.fail(n, "a command of the trail needs a `command`")
	case e.where == onCluster && !asks:
		p.fail(at, "the cluster is asked by kubectl's lines only; write `where: node` for the shell of a node")
	}
	return e.TrailCommand
}

func writeTrail(b *strings.Builder) {
	b.WriteString("\n## Commands of your own for the terminal trail, beside the built-in ones. On a node they run as\n" +
		"## they stand: each is shown in full and its name typed first; --readonly refuses them.\ntrail:\n")
	for _, c := range [][2]string{
		{"{name: recent events, command: kubectl get events -A}", "kubectl get, describe and top: daytwo answers itself"},
		{"{name: memory, command: free -h, where: node}", "by SSH, as the user who logs in; sudo -n for root"},
	} {
		fmt.Fprintf(b, "  # - %-54s ## %s\n", c[0], c[1])
	}
}
