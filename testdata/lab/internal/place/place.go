// Package place names everything that a lab makes on its machine, so that every
// part finds it again and "down" clears only what is its own.
package place

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
)

// DefaultPrefix names the lab where LAB_PREFIX does not.
const DefaultPrefix = "daytwo-lab"

// Place is where one lab lives. Two labs with different prefixes do not meet.
type Place struct {
	// Prefix names the network namespace, the state folder and the cgroups.
	Prefix string
	// State holds disks, logs, pid files, credentials and lab.json.
	State string
	// Cache holds what was built and does not belong to one lab, keyed by version.
	Cache string
	// Source is the folder testdata/lab of the checkout.
	Source string
}

var prefixPattern = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}$`)

// FromEnv returns the place that LAB_PREFIX (default daytwo-lab) and XDG_CACHE_HOME name.
func FromEnv(source string) (Place, error) {
	prefix := os.Getenv("LAB_PREFIX")
	if prefix == "" {
		prefix = DefaultPrefix
	}
	if !prefixPattern.MatchString(prefix) {
		return Place{}, fmt.Errorf("LAB_PREFIX %q: use lower-case letters, digits and dashes", prefix)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return Place{}, fmt.Errorf("finding the cache folder: %w", err)
	}
	return Place{
		Prefix: prefix,
		State:  filepath.Join("/var/lib", prefix),
		Cache:  filepath.Join(cache, "daytwo-lab"),
		Source: source,
	}, nil
}

// Netns is the name of the network namespace.
func (p Place) Netns() string { return p.Prefix }

// NetnsPath is the file that nsenter takes.
func (p Place) NetnsPath() string { return filepath.Join("/run/netns", p.Prefix) }

// Path is a file or folder in the state folder.
func (p Place) Path(elem ...string) string {
	return filepath.Join(append([]string{p.State}, elem...)...)
}

// Cached is a file or folder in the cache.
func (p Place) Cached(elem ...string) string {
	return filepath.Join(append([]string{p.Cache}, elem...)...)
}

// Cgroup is the name of a machine's group below each controller's root.
func (p Place) Cgroup(machine string) string { return p.Prefix + "-" + machine }

// Addresses inside the namespace. Nothing leaves it, so every lab may use the same.
const (
	ControlIP   = "10.77.0.1"
	APIURL      = "https://" + ControlIP + ":6443"
	ReleasePort = 8080
	MetricsPort = 4443
	PodCIDR     = "10.42.0.0/16"
	ServiceCIDR = "10.43.0.0/16"
)

// Node is one server of the lab.
type Node struct {
	Name string `json:"name"`
	// Role is "server" or "agent", as k3s calls it.
	Role string `json:"role"`
	IP   string `json:"ip"`
	// Pods is the range that the node's pods get their addresses from.
	Pods string `json:"pods"`
}

// Unit is the name of the systemd unit that runs k3s on the node.
func (n Node) Unit() string {
	if n.Role == "server" {
		return "k3s"
	}
	return "k3s-agent"
}

// Nodes names the servers of a lab: master-0… and worker-0….
func Nodes(servers, agents int) []Node {
	nodes := make([]Node, 0, servers+agents)
	for i := range servers {
		nodes = append(nodes, node("master-", "server", i, 10))
	}
	for i := range agents {
		nodes = append(nodes, node("worker-", "agent", i, 20))
	}
	return nodes
}

func node(name, role string, index, base int) Node {
	number := strconv.Itoa(base + index)
	return Node{Name: name + strconv.Itoa(index), Role: role, IP: "10.77.0." + number, Pods: "10.42." + number + ".0/24"}
}

// Lab is lab.json: what a test or a person needs to work with a lab that is up.
type Lab struct {
	Prefix           string `json:"prefix"`
	Version          string `json:"version"`
	State            string `json:"state"`
	Source           string `json:"source"`
	Netns            string `json:"netns"`
	API              string `json:"api"`
	AdminKubeconfig  string `json:"adminKubeconfig"`
	ViewerKubeconfig string `json:"viewerKubeconfig"`
	SSHConfig        string `json:"sshConfig"`
	Kubectl          string `json:"kubectl"`
	// Releases is the base URL of the release server, reachable in the namespace only.
	Releases string   `json:"releases"`
	Versions []string `json:"versions"`
	Nodes    []Node   `json:"nodes"`
}

// Node returns the node of a name.
func (l Lab) Node(name string) (Node, error) {
	for _, n := range l.Nodes {
		if n.Name == name {
			return n, nil
		}
	}
	return Node{}, fmt.Errorf("the lab has no server %q (see testdata/lab/status)", name)
}

// File is where lab.json is.
func (p Place) File() string { return p.Path("lab.json") }

// Load reads lab.json; it fails when no lab is up.
func (p Place) Load() (Lab, error) {
	data, err := os.ReadFile(p.File())
	if err != nil {
		return Lab{}, fmt.Errorf("no lab %q is up (start one with testdata/lab/up): %w", p.Prefix, err)
	}
	var lab Lab
	if err := json.Unmarshal(data, &lab); err != nil {
		return Lab{}, fmt.Errorf("reading %s: %w (testdata/lab/down, then up, writes it anew)", p.File(), err)
	}
	return lab, nil
}

// Save writes lab.json.
func (p Place) Save(lab Lab) error {
	data, err := json.MarshalIndent(lab, "", "  ")
	if err != nil {
		return fmt.Errorf("writing lab.json: %w", err)
	}
	if err := os.WriteFile(p.File(), append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("writing lab.json: %w", err)
	}
	return nil
}
