package upgrade

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"daytwo/sources"
)

// Member is a node as the policy sees it.
type Member struct {
	Name    string
	Server  bool
	Version string
}

// Size is how far a step goes.
type Size string

// The sizes of a step. Finish brings agents up to servers that are there
// already, a minor or more behind them.
const (
	Patch  Size = "patch"
	Minor  Size = "minor"
	Finish Size = "finish"
)

// Reason is something the policy says, and who says so.
type Reason struct {
	Text   string `json:"text"`
	Source string `json:"source,omitempty"` // "" where it is arithmetic
}

// Verdict is what the policy says to a target.
type Verdict struct {
	Size     Size     `json:"size"`
	Refused  []Reason `json:"refused,omitempty"` // if there is one, it does not start
	Ladder   []string `json:"ladder,omitempty"`  // exact versions or channels to go through instead, the target last
	Warnings []Reason `json:"warnings,omitempty"`
	Orders   []Order  `json:"orders,omitempty"` // that may be chosen; the first is the default
	Why      Reason   `json:"why"`              // why these orders, in this order
	TradeOff []string `json:"tradeOff,omitempty"`
}

// Style names an order.
type Style string

// The orders of nodes. Own is one that somebody edited.
const (
	WorkersFirst Style = "workers first"
	ServersFirst Style = "servers first"
	Own          Style = "own order"
)

// Order is a sequence of nodes.
type Order struct {
	Style Style    `json:"style"`
	Title string   `json:"title"`
	Nodes []string `json:"nodes"`
}

// Question is what the policy is asked.
type Question struct {
	Target  string
	API     string // version of the API server
	Members []Member
	Heads   []sources.Channel // for the ladder; may be empty
	Prefer  Style             // what was chosen the last time; "" if never

	// TargetBuilt and RunningBuilt are when the target and the newest of the
	// servers' versions were published; zero if not known.
	TargetBuilt, RunningBuilt time.Time
}

// The places where the rules are written.
const (
	manualUpgrade = "docs.k3s.io/upgrades/manual"
	skewPolicy    = "kubernetes.io/releases/version-skew-policy"
	lagIssue      = "k3s-io/k3s issue 12819"
	joinIssue     = "k3s-io/k3s issues 2996 and 3217"
	clusterIPBug  = "kubernetes/kubernetes issue 127316"
	downgrades    = "docs.k3s.io/upgrades/automated"
)

// Judge says what the rules of Kubernetes and k3s say to a target.
func Judge(q Question) Verdict {
	target, err := ParseVersion(q.Target)
	if err != nil {
		return refuse(Verdict{}, Reason{Text: err.Error() + noTag(q.Target)})
	}
	j := judgement{q: q, target: target}
	if v, ok := j.read(); !ok {
		return v
	}
	v := Verdict{Size: j.size()}
	v = j.down(v)
	v = j.skip(v)
	v = j.built(v)
	if j.nothing() {
		v = refuse(v, Reason{Text: "every node runs " + q.Target + " already"})
	}
	v = j.advise(v)
	return j.orders(v)
}

func refuse(v Verdict, r Reason) Verdict {
	v.Refused = append(v.Refused, r)
	return v
}

// noTag says what a text that is no tag may have been meant to be.
func noTag(text string) string {
	if strings.HasSuffix(text, ".x") || strings.Count(text, ".") == 1 {
		return "; for the newest of a minor choose its channel"
	}
	return ""
}

// judgement is one question being answered.
type judgement struct {
	q               Question
	target          Version
	servers, agents []known
}

type known struct {
	name string
	v    Version
}

// read parses the members' versions: what cannot be read cannot be judged.
func (j *judgement) read() (Verdict, bool) {
	for _, m := range j.q.Members {
		v, err := ParseVersion(m.Version)
		if err != nil {
			return refuse(Verdict{}, Reason{Text: fmt.Sprintf("the version of %s is not one of k3s (%q), so no rule can be applied", m.Name, m.Version)}), false
		}
		if m.Server {
			j.servers = append(j.servers, known{m.Name, v})
		} else {
			j.agents = append(j.agents, known{m.Name, v})
		}
	}
	if len(j.servers) == 0 {
		return refuse(Verdict{}, Reason{Text: "no server is known: nodes with the control plane cannot be seen, so the order cannot be judged"}), false
	}
	byAge := func(a, b known) int { return a.v.Compare(b.v) }
	slices.SortStableFunc(j.servers, byAge)
	slices.SortStableFunc(j.agents, byAge)
	return Verdict{}, true
}

func (j *judgement) oldest() known { return j.servers[0] }
func (j *judgement) newest() known { return j.servers[len(j.servers)-1] }

func (j *judgement) size() Size {
	switch {
	case j.target.minors(j.oldest().v) != 0:
		return Minor
	case len(j.agents) > 0 && j.target.minors(j.agents[0].v) > 0:
		return Finish
	}
	return Patch
}

func (j *judgement) nothing() bool {
	same := func(k known) bool { return k.v == j.target }
	return !slices.ContainsFunc(j.servers, func(k known) bool { return !same(k) }) &&
		!slices.ContainsFunc(j.agents, func(k known) bool { return !same(k) })
}

// down: the datastore was written by what runs now; an older server must not
// read it. An agent keeps nothing, and may go down to what its servers run.
func (j *judgement) down(v Verdict) Verdict {
	for _, s := range j.servers {
		if j.target.Compare(s.v) < 0 {
			v = refuse(v, Reason{fmt.Sprintf(
				"%s would go down from %s to %s: a server goes down only together with its datastore's backup of that version", s.name, s.v, j.target), downgrades})
		}
	}
	for _, a := range j.agents {
		if len(v.Refused) == 0 && j.target.Compare(a.v) < 0 {
			v.Warnings = append(v.Warnings, Reason{fmt.Sprintf(
				"%s goes down from %s to %s, to what its servers run: an agent may", a.name, a.v, j.target), skewPolicy})
		}
	}
	return v
}

// skip: an API server goes one minor at a time, and k3s's agents do not work
// two minors behind.
func (j *judgement) skip(v Verdict) Verdict {
	old := j.oldest()
	if j.target.ahead(old.v) > 1 {
		v = refuse(v, Reason{fmt.Sprintf(
			"%s → %s skips %s: servers go one minor at a time", old.v, j.target, between(old.v, j.target)), skewPolicy})
		v.Ladder = j.ladder(old.v)
		return v
	}
	for _, a := range j.agents {
		if v.Size == Minor && old.v.ahead(a.v) > 0 {
			v = refuse(v, Reason{fmt.Sprintf(
				"%s still runs %s, behind its servers; after this it would be %d minors behind, where k3s agents fail: bring it to %s first",
				a.name, a.v, j.target.ahead(a.v), j.newest().v), lagIssue})
			v.Ladder = []string{j.newest().v.String(), j.target.String()}
			return v
		}
	}
	return v
}

// between lists the minors that are left out.
func between(from, to Version) string {
	var out []string
	for m := from.Minor + 1; from.Major == to.Major && m < to.Minor; m++ {
		out = append(out, fmt.Sprintf("v%d.%d", from.Major, m))
	}
	if len(out) == 0 {
		return "a major"
	}
	return strings.Join(out, ", ")
}

// ladder is the way up in allowed steps: the newest of each minor between,
// by name where the channel is known, then the target.
func (j *judgement) ladder(from Version) []string {
	var out []string
	for m := from.Minor + 1; from.Major == j.target.Major && m < j.target.Minor; m++ {
		line := fmt.Sprintf("v%d.%d", from.Major, m)
		head := "the newest " + line
		if i := slices.IndexFunc(j.q.Heads, func(c sources.Channel) bool { return c.Name == line }); i >= 0 {
			head = j.q.Heads[i].Latest
		}
		out = append(out, head)
	}
	return append(out, j.target.String())
}

// built: k3s's own upgrade image refuses what was built before the running
// version: the older build lacks fixes which the newer minor's number hides.
func (j *judgement) built(v Verdict) Verdict {
	t, r := j.q.TargetBuilt, j.q.RunningBuilt
	if t.IsZero() || r.IsZero() || j.target.Compare(j.newest().v) <= 0 {
		return v
	}
	if t.Year()*12+int(t.Month()) >= r.Year()*12+int(r.Month()) {
		return v
	}
	text := fmt.Sprintf("%s was published in %s, before %s, which runs now (%s): it lacks what was mended since",
		j.target, t.Format("January 2006"), j.newest().v, r.Format("January 2006"))
	if head := j.head(j.target.Line()); head != "" && head != j.target.String() {
		text += "; the newest of its minor is " + head
	}
	return refuse(v, Reason{text, "k3s-io/k3s-upgrade scripts/upgrade.sh"})
}

func (j *judgement) head(channel string) string {
	for _, c := range j.q.Heads {
		if c.Name == channel {
			return c.Latest
		}
	}
	return ""
}

// advise adds what is allowed but better known.
func (j *judgement) advise(v Verdict) Verdict {
	if len(v.Refused) > 0 {
		return v
	}
	if j.target.Pre != "" {
		v.Warnings = append(v.Warnings, Reason{Text: j.target.String() + " is not a release but a candidate"})
	}
	if v.Size == Minor {
		if head, err := ParseVersion(j.head(j.oldest().v.Line())); err == nil && head.Compare(j.oldest().v) > 0 {
			v.Warnings = append(v.Warnings, Reason{fmt.Sprintf(
				"%s is not the newest of its minor: going to %s first is the recommended way", j.oldest().v, head), skewPolicy})
		}
	}
	if head, err := ParseVersion(j.head(j.target.Line())); err == nil && head.Compare(j.target) > 0 {
		v.Warnings = append(v.Warnings, Reason{Text: fmt.Sprintf("%s is not the newest of its minor: that is %s", j.target, head)})
	}
	if api, err := ParseVersion(j.q.API); err == nil && api.minors(j.oldest().v) < 0 {
		v.Warnings = append(v.Warnings, Reason{fmt.Sprintf("the API server answers as %s, older than every server's node says", api), ""})
	}
	if len(j.agents) > 0 && j.agents[0].v.ahead(j.oldest().v) < -1 {
		v.Warnings = append(v.Warnings, Reason{fmt.Sprintf(
			"%s is more than one minor behind its servers: k3s agents fail there; do not leave it so", j.agents[0].name), lagIssue})
	}
	return v
}

// orders says which sequences may be chosen.
func (j *judgement) orders(v Verdict) Verdict {
	if len(v.Refused) > 0 {
		return v
	}
	agents, servers := names(j.q.Members, false), names(j.q.Members, true)
	workers := Order{WorkersFirst, "canary worker first, servers last", slices.Concat(agents, servers)}
	first := Order{ServersFirst, "servers first, then agents", slices.Concat(servers, agents)}
	if v.Size == Minor {
		v.Orders = []Order{first}
		v.Why = Reason{
			"a minor step: a kubelet must not be newer than the API server; with 1.31 on a worker and 1.30 on the server every new container failed with CreateContainerConfigError",
			skewPolicy + ", " + manualUpgrade + ", " + clusterIPBug,
		}
		return v
	}
	v.Why = Reason{"a patch step, the same minor everywhere: both orders are allowed", skewPolicy}
	if v.Size == Finish {
		v.Why = Reason{"the servers run this minor already: what is left may go in any order", skewPolicy}
	}
	v.TradeOff = []string{
		"workers first: one worker shows what the new containerd, runc and network do before the control plane changes; rarely, an agent newer than its server could not join (" + joinIssue + ")",
		"servers first: k3s's own order, no agent is ever newer than its server; what is wrong with the release meets the control plane first (" + manualUpgrade + ")",
	}
	v.Orders = []Order{workers, first}
	if j.q.Prefer == ServersFirst {
		slices.Reverse(v.Orders)
	}
	return v
}

// names lists the servers or the agents, in the order of people.
func names(members []Member, servers bool) []string {
	var out []string
	for _, m := range members {
		if m.Server == servers {
			out = append(out, m.Name)
		}
	}
	slices.SortFunc(out, sources.CompareNames)
	return out
}

// CheckOrder says why a sequence of nodes may not be followed; nil if it may.
// A node may be left out: it stays as it is.
func CheckOrder(size Size, members []Member, target string, order []string) error {
	at := map[string]int{}
	for i, n := range order {
		if _, twice := at[n]; twice {
			return fmt.Errorf("%s is in the order twice", n)
		}
		if !slices.ContainsFunc(members, func(m Member) bool { return m.Name == n }) {
			return fmt.Errorf("there is no node %s", n)
		}
		at[n] = i
	}
	if size != Minor {
		return nil
	}
	goal, err := ParseVersion(target)
	if err != nil {
		return err
	}
	for _, s := range members {
		v, err := ParseVersion(s.Version)
		if !s.Server || (err == nil && v.minors(goal) >= 0) {
			continue // it is there already
		}
		for _, a := range members {
			place, ok := at[s.Name]
			behind, has := at[a.Name]
			if !a.Server && has && (!ok || behind < place) {
				return fmt.Errorf("%s cannot come before the server %s in a minor step: a kubelet must not be newer than the API server (%s)", a.Name, s.Name, skewPolicy)
			}
		}
	}
	return nil
}
