package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"daytwo/sources"
)

// release is a Kubernetes version without its patch.
type release struct{ major, minor int }

func (r release) String() string { return fmt.Sprintf("v%d.%d", r.major, r.minor) }

// parseRelease reads "v1.33.4+k3s1".
func parseRelease(v string) (release, bool) {
	major, rest, ok := strings.Cut(strings.TrimPrefix(v, "v"), ".")
	if !ok {
		return release{}, false
	}
	minor := rest
	if i := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		minor = rest[:i]
	}
	a, errA := strconv.Atoi(major)
	b, errB := strconv.Atoi(minor)
	return release{a, b}, errA == nil && errB == nil && a >= 0 && b >= 0
}

// judgeVersions applies the skew policy of Kubernetes and k3s's tighter one,
// one line for each kubelet version that breaks it.
func (l *look) judgeVersions() {
	api, ok := parseRelease(l.s.Cluster.Value.Version)
	if !ok {
		return
	}
	byVersion := map[string][]string{}
	servers := map[release][]string{}
	for i := range l.s.Nodes.Value {
		n := &l.s.Nodes.Value[i]
		r, ok := parseRelease(n.Version)
		if !ok {
			continue
		}
		if n.Server() {
			servers[r] = append(servers[r], n.Name)
		}
		if r != api {
			byVersion[n.Version] = append(byVersion[n.Version], n.Name)
		}
	}
	for v, nodes := range byVersion {
		l.skew(api, v, nodes)
	}
	l.mixedServers(servers)
}

// skew: a kubelet must not be newer than the API server, and may lag three
// minors (kubernetes version-skew-policy). k3s agents already fail at two
// (k3s-io/k3s issue 12819), so that is the warning.
func (l *look) skew(api release, version string, nodes []string) {
	slices.SortFunc(nodes, sources.CompareNames)
	r, _ := parseRelease(version)
	lag := api.minor - r.minor
	f := sources.Finding{Rule: VersionOlder, Severity: sources.Warning, About: node(nodes[0])}
	var text string
	switch {
	case r.major > api.major || lag < 0:
		f.Rule, f.Severity = VersionNewer, sources.Critical
		text = "kubelet " + version + " is newer than the API server " + l.s.Cluster.Value.Version
	case r.major < api.major || lag > 3:
		f.Severity = sources.Critical
		text = fmt.Sprintf("kubelet %s is more than 3 minors behind %s", version, l.s.Cluster.Value.Version)
	case lag > 1:
		text = fmt.Sprintf("kubelet %s is %d minors behind %s", version, lag, l.s.Cluster.Value.Version)
	default:
		return
	}
	if len(nodes) > 1 {
		text = fmt.Sprintf("%d nodes: %s", len(nodes), text)
	}
	f.Summary = text
	f.Evidence = []sources.Fact{
		fact(l.s.Cluster.At, "/version", "API server "+l.s.Cluster.Value.Version),
		fact(l.s.Nodes.At, "node status", version+": "+brief(strings.Join(nodes, ", "), 300)),
	}
	for i := range l.out.Nodes {
		row := &l.out.Nodes[i]
		if slices.Contains(nodes, row.Node.Name) && f.Severity > row.Severity {
			row.Severity, row.Summary = f.Severity, f.Summary
		}
	}
	l.add(nil, f)
}

// mixedServers: API servers within one minor are allowed during an upgrade;
// left so, it is an upgrade that was not finished.
func (l *look) mixedServers(servers map[release][]string) {
	if len(servers) < 2 {
		return
	}
	var found []string
	for r, names := range servers {
		slices.SortFunc(names, sources.CompareNames)
		found = append(found, r.String()+" on "+strings.Join(names, ", "))
	}
	slices.SortFunc(found, sources.CompareNames)
	l.add(nil, sources.Finding{
		Rule: VersionMixed, Severity: sources.Warning, About: l.cluster(),
		Summary:  brief("servers run different minors: "+strings.Join(found, "; "), 90),
		Evidence: []sources.Fact{fact(l.s.Nodes.At, "node status", strings.Join(found, "; "))},
	})
}
