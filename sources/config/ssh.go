package config

import (
	"maps"
	"slices"
	"strings"

	"daytwo/sources"

	"github.com/goccy/go-yaml/ast"
)

// sshKey is one key under ssh. read returns a setting, nil if the value is
// bad.
type sshKey struct {
	name, unit, text string
	example          string
	read             func(*parser, ast.Node) setting
}

func sshKeys() []sshKey {
	type S = sources.SSHSettings
	return []sshKey{
		{"user", "text", "who logs in; root, or one who may sudo without a password", "root", sshText(func(s *S) *string { return &s.User }, false)},
		{"port", "number, 1 to 65535", "where sshd listens", "22", func(p *parser, n ast.Node) setting {
			v, ok := p.number(n, 1, 65535, false)
			return when(ok, func(s *sources.Settings) { s.SSH.Port = int(v) })
		}},
		{"identity_file", "path", "the private key; its passphrase is asked for, or the agent has it", "~/.ssh/id_ed25519", sshText(func(s *S) *string { return &s.IdentityFile }, true)},
		{"jump", "list of [user@]host[:port]", "hops on the way, the first one first", "[admin@bastion.example]", func(p *parser, n ast.Node) setting {
			entries, ok := p.sequence(n, "ssh.jump", "hosts, [admin@bastion.example],")
			var hops []string
			for _, e := range entries {
				v, good := p.sshPlace(e)
				hops, ok = append(hops, v), ok && good
			}
			return when(ok, func(s *sources.Settings) { s.SSH.Jump = slices.Clone(hops) })
		}},
		{"known_hosts", "path", "goes before ~/.ssh/known_hosts; accepted keys are written there", "~/.ssh/known_hosts", sshText(func(s *S) *string { return &s.KnownHosts }, true)},
	}
}

// sshHosts documents the mapping of nodes to machines.
func sshHosts() []Key {
	return []Key{
		{Path: "ssh.hosts", Unit: "section", Text: "where a node's machine is, if not at its ExternalIP, else InternalIP"},
		{Path: "ssh.hosts.<node>", Unit: "[user@]host[:port]", Text: "an address, or a Host of ~/.ssh/config"},
	}
}

func sshText(of func(*sources.SSHSettings) *string, path bool) func(*parser, ast.Node) setting {
	return func(p *parser, n ast.Node) setting {
		v, ok := p.text(n)
		switch {
		case !ok:
		case path && !strings.HasPrefix(v, "/") && !strings.HasPrefix(v, "~/"):
			p.fail(n, "%q is no full path; begin it with / or ~/", v)
			ok = false
		case !path && strings.ContainsAny(v, " @:"):
			p.fail(n, "%q is no name of a user", v)
			ok = false
		}
		return when(ok, func(s *sources.Settings) { *of(&s.SSH) = v })
	}
}

// sshPlace reads [user@]host[:port].
func (p *parser) sshPlace(n ast.Node) (string, bool) {
	v, ok := p.text(n)
	if ok && (strings.ContainsAny(v, " ,/") || strings.HasPrefix(v, "-") || strings.HasSuffix(v, "@") || strings.HasSuffix(v, ":")) {
		p.fail(n, "%q is no [user@]host[:port]", v)
		ok = false
	}
	return v, ok
}

func (p *parser) ssh(n ast.Node) []setting {
	all := sshKeys()
	names := make([]string, 0, len(all)+1)
	for _, k := range all {
		names = append(names, k.name)
	}
	var out []setting
	p.each(n, "ssh", append(names, "hosts"), func(key string, pair *ast.MappingValueNode) {
		if key == "hosts" {
			out = append(out, p.sshHosts(pair.Value))
		} else if set := all[slices.Index(names, key)].read(p, pair.Value); set != nil {
			out = append(out, set)
		}
	})
	return out
}

func (p *parser) sshHosts(n ast.Node) setting {
	hosts := map[string]string{}
	p.each(n, "ssh.hosts", nil, func(node string, pair *ast.MappingValueNode) {
		if v, ok := p.sshPlace(pair.Value); ok {
			hosts[node] = v
		}
	})
	return func(s *sources.Settings) { s.SSH.Hosts = maps.Clone(hosts) }
}
