package ssh

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"daytwo/sources"
)

// hop is one machine on the way, the last one is the node's.
type hop struct {
	name  string // for people: the node, or the jump host
	alias string // what ssh_config is asked for
	host  string
	port  string
	user  string

	known      []string // known_hosts files, the one that is written to first
	knownAs    string   // the name in them, if not the host
	hashKnown  bool
	identities []identity
	onlyThese  bool   // IdentitiesOnly
	agent      string // socket
	algorithms string // HostKeyAlgorithms
}

// identity is a key file, whether there or not.
type identity struct {
	path  string
	certs []string
	named bool // by configuration, not by custom
}

func (h hop) address() string { return net.JoinHostPort(h.host, h.port) }

// mostHops are more than anybody has; more is a circle.
const mostHops = 8

// route is the way to a node's machine.
func (f *Fleet) route(node string) ([]hop, error) {
	cfg, err := f.config()
	if err != nil {
		return nil, err
	}
	r := router{cfg: cfg, opts: f.opts}
	return r.node(node)
}

type router struct {
	cfg  userConfig
	opts Options
}

func (r router) node(node string) ([]hop, error) {
	s := r.opts.Settings
	user, host, port, err := place(s.Hosts[node])
	if err != nil {
		return nil, fmt.Errorf("ssh.hosts.%s: %w", node, err)
	}
	if user == "" {
		user = s.User
	}
	if port == "" && s.Port != 0 {
		port = strconv.Itoa(s.Port)
	}
	names := []string{host}
	if host == "" {
		names = []string{node}
		host = node
		if r.cfg.get("HostName", node) == "" {
			address := addressOf(r.opts.Nodes(), node)
			if address == "" {
				return nil, fmt.Errorf("no address of %s is known: the node has none, or is not there; set ssh.hosts.%s in the configuration, or a Host in ~/.ssh/config", node, node)
			}
			host = address
			names = append(names, address)
		}
	}
	last, err := r.hop(node, names, user, host, port)
	if err != nil {
		return nil, err
	}
	if s.IdentityFile != "" {
		last.identities = slices.Insert(last.identities, 0, identity{path: r.cfg.path(s.IdentityFile, last), named: true})
	}
	if s.KnownHosts != "" {
		last.known = slices.Insert(last.known, 0, r.cfg.path(s.KnownHosts, last))
	}
	jumps := strings.Join(s.Jump, ",")
	if jumps == "" {
		jumps = r.cfg.get("ProxyJump", names...)
		if command := r.cfg.get("ProxyCommand", names...); command != "" && command != "none" && jumps == "" {
			return nil, fmt.Errorf("~/.ssh/config reaches %s by a ProxyCommand, which is not supported: use ProxyJump there, or ssh.jump in the configuration", node)
		}
	}
	before, err := r.jumps(jumps, 0)
	return append(before, last), err
}

// jumps are the hops before the last; the first may have some of its own.
func (r router) jumps(text string, depth int) ([]hop, error) {
	if text == "" || strings.EqualFold(text, "none") {
		return nil, nil
	}
	if depth > mostHops {
		return nil, fmt.Errorf("the ProxyJump of %s leads in a circle", text)
	}
	var out []hop
	for i, one := range strings.Split(text, ",") {
		user, host, port, err := place(strings.TrimPrefix(strings.TrimSpace(one), "ssh://"))
		if err != nil || host == "" {
			return nil, fmt.Errorf("the jump host %q is no [user@]host[:port]", one)
		}
		if i == 0 {
			if out, err = r.jumps(r.cfg.get("ProxyJump", host), depth+1); err != nil {
				return nil, err
			}
		}
		h, err := r.hop(host, []string{host}, user, host, port)
		if err != nil {
			return nil, err
		}
		if s := r.opts.Settings; len(s.Jump) > 0 { // the configuration's own hosts take its key
			if s.IdentityFile != "" {
				h.identities = slices.Insert(h.identities, 0, identity{path: r.cfg.path(s.IdentityFile, h), named: true})
			}
			if s.KnownHosts != "" {
				h.known = slices.Insert(h.known, 0, r.cfg.path(s.KnownHosts, h))
			}
		}
		out = append(out, h)
	}
	return out, nil
}

// hop fills from ssh_config what is not given.
func (r router) hop(name string, names []string, user, host, port string) (hop, error) {
	h := hop{name: name, alias: names[0], host: host, port: port, user: user}
	if v := r.cfg.get("HostName", names...); v != "" {
		h.host = expand(v, map[byte]string{'%': "%", 'h': names[0]})
	}
	if h.port == "" {
		h.port = first(r.cfg.get("Port", names...), "22")
	}
	if n, err := strconv.Atoi(h.port); err != nil || n < 1 || n > 65535 {
		return h, fmt.Errorf("%q is no port for %s", h.port, name)
	}
	if h.user == "" {
		h.user = first(r.cfg.get("User", names...), r.opts.User)
	}
	for path := range strings.FieldsSeq(first(r.cfg.get("UserKnownHostsFile", names...), "~/.ssh/known_hosts ~/.ssh/known_hosts2")) {
		h.known = append(h.known, r.cfg.path(path, h))
	}
	for path := range strings.FieldsSeq(first(r.cfg.get("GlobalKnownHostsFile", names...), "/etc/ssh/ssh_known_hosts")) {
		h.known = append(h.known, r.cfg.path(path, h))
	}
	h.knownAs = r.cfg.get("HostKeyAlias", names...)
	h.hashKnown = yes(r.cfg.get("HashKnownHosts", names...))
	h.onlyThese = yes(r.cfg.get("IdentitiesOnly", names...))
	h.algorithms = r.cfg.get("HostKeyAlgorithms", names...)
	h.agent = r.agent(h, names)
	h.identities = r.identities(h, names)
	return h, nil
}

func (r router) agent(h hop, names []string) string {
	switch v := r.cfg.get("IdentityAgent", names...); v {
	case "", "SSH_AUTH_SOCK", "$SSH_AUTH_SOCK":
		return r.opts.AgentSocket
	case "none":
		return ""
	default:
		return r.cfg.path(v, h)
	}
}

func (r router) identities(h hop, names []string) []identity {
	var out []identity
	for _, path := range r.cfg.all("IdentityFile", names...) {
		if path != "none" {
			out = append(out, identity{path: r.cfg.path(path, h), named: true})
		}
	}
	if len(out) == 0 && r.opts.Home != "" {
		for _, kind := range usualKeys() {
			out = append(out, identity{path: r.cfg.path("~/.ssh/"+kind, h)})
		}
	}
	for _, path := range r.cfg.all("CertificateFile", names...) {
		if path == "none" {
			continue
		}
		for i := range out { // which key it belongs to shows when both are read
			out[i].certs = append(out[i].certs, r.cfg.path(path, h))
		}
	}
	return out
}

// place splits [user@]host[:port].
func place(text string) (user, host, port string, err error) {
	if text == "" {
		return "", "", "", nil
	}
	host = text
	if i := strings.LastIndexByte(text, '@'); i >= 0 {
		user, host = text[:i], text[i+1:]
	}
	switch {
	case strings.HasPrefix(host, "["), strings.Count(host, ":") == 1:
		if !strings.Contains(host, "]") || strings.Contains(host, "]:") {
			if host, port, err = net.SplitHostPort(host); err != nil {
				return "", "", "", fmt.Errorf("%q is no [user@]host[:port]: %w", text, err)
			}
		}
	}
	host = strings.Trim(host, "[]")
	if host == "" || strings.HasPrefix(host, "-") {
		return "", "", "", fmt.Errorf("%q is no [user@]host[:port]", text)
	}
	return user, host, port, nil
}

// addressOf is where a node is: outside, else inside.
func addressOf(nodes []sources.Node, name string) string {
	for _, n := range nodes {
		if n.Name == name {
			return first(n.ExternalIP, n.InternalIP)
		}
	}
	return ""
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

func yes(text string) bool { return strings.EqualFold(text, "yes") || strings.EqualFold(text, "true") }

// usualKeys are the files that ssh takes by itself, below ~/.ssh.
func usualKeys() []string { return []string{"id_ed25519", "id_ecdsa", "id_rsa"} }
