package rules_test

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"daytwo/sources"
	"daytwo/sources/rules"
)

var update = flag.Bool("update", false, "write docs/rules.md")

func TestHealthyIsSilent(t *testing.T) {
	t.Parallel()
	j := expect(t, healthy())
	if names := []string{j.Nodes[0].Node.Name, j.Nodes[1].Node.Name, j.Nodes[2].Node.Name}; !slices.Equal(names, []string{"master-0", "worker-2", "worker-10"}) {
		t.Errorf("nodes in order %v", names)
	}
	for _, n := range j.Nodes {
		if n.Severity != sources.OK || n.Load != sources.OK || n.LoadError != "" {
			t.Errorf("%s: %s, load %s %q", n.Node.Name, n.Severity, n.Load, n.LoadError)
		}
	}
	if len(j.Disks) != 3 || len(j.Certs) != 1 || len(j.Backups) != 1 || len(j.Restarts) != 0 {
		t.Errorf("rows: %d disks, %d certs, %d backups, %d restarts", len(j.Disks), len(j.Certs), len(j.Backups), len(j.Restarts))
	}
}

// Loading is no problem: nothing was read, nothing failed, nothing is said.
func TestLoadingIsSilent(t *testing.T) {
	t.Parallel()
	j := expect(t, &sources.Snapshot{Settings: sources.DefaultSettings()})
	for _, topic := range []string{"node", "disk", "restarts", "cert", "backup"} {
		if !strings.HasPrefix(j.Missing[topic], "waiting for") {
			t.Errorf("%s pane says %q while loading", topic, j.Missing[topic])
		}
	}
	s := healthy()
	s.Stats, s.Configs, s.History = nil, nil, sources.Reading[sources.History]{}
	j = expect(t, s)
	if d := j.Disks[0]; d.Severity != sources.Unknown || d.WhyNot != "waiting for its kubelet" {
		t.Errorf("disk while loading: %s %q", d.Severity, d.WhyNot)
	}
	if n := j.Nodes[0]; n.Load != sources.Unknown || n.LoadError != "waiting for metrics" {
		t.Errorf("load while loading: %s %q", n.Load, n.LoadError)
	}
}

func TestJudgeIsPure(t *testing.T) {
	t.Parallel()
	s := messy()
	first := rules.Judge(s, now)
	for range 20 {
		if again := rules.Judge(s, now); !reflect.DeepEqual(first, again) {
			t.Fatal("two judgements of one snapshot differ")
		}
	}
	if !reflect.DeepEqual(s, messy()) {
		t.Error("Judge changed its snapshot")
	}
}

// TestEveryRuleIsDocumented reads the constants of ids.go, so that a new rule
// without a line in All fails here.
func TestEveryRuleIsDocumented(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "ids.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	ast.Inspect(file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			id, _ := strconv.Unquote(lit.Value)
			ids = append(ids, id)
		}
		return true
	})
	var documented []string
	for _, d := range rules.All() {
		documented = append(documented, d.Rule)
		if d.Meaning == "" || d.Threshold == "" || d.Source == "" {
			t.Errorf("%s is documented with a gap: %+v", d.Rule, d)
		}
	}
	slices.Sort(ids)
	slices.Sort(documented)
	if !slices.Equal(ids, documented) {
		t.Errorf("rules:      %v\ndocumented: %v", ids, documented)
	}
}

func TestDocsAreUpToDate(t *testing.T) {
	t.Parallel()
	const path = "../../docs/rules.md"
	if *update {
		if err := os.WriteFile(path, []byte(rules.Markdown()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != rules.Markdown() {
		t.Errorf("%s is not what rules.All says; go test ./sources/rules -run Docs -update writes it", path)
	}
}

func TestRowsCarryTheirWorstFinding(t *testing.T) {
	t.Parallel()
	j := rules.Judge(messy(), now)
	worst := map[sources.Ref]sources.Severity{}
	for _, f := range j.Findings {
		worst[f.About] = max(worst[f.About], f.Severity)
	}
	check := func(r sources.Row) {
		if r.Severity >= sources.Warning && worst[r.About] < r.Severity {
			t.Errorf("row %s is %s, its findings are %s", r.About, r.Severity, worst[r.About])
		}
		if r.Severity >= sources.Warning && r.Summary == "" {
			t.Errorf("row %s is %s without a summary", r.About, r.Severity)
		}
	}
	for _, r := range j.Nodes {
		check(r.Row)
	}
	for _, r := range j.Disks {
		check(r.Row)
	}
	for _, r := range j.Restarts {
		check(r.Row)
	}
	for _, r := range j.Certs {
		check(r.Row)
	}
	for _, r := range j.Backups {
		check(r.Row)
	}
}

// messy has many things wrong at once, and enough of them that an order
// taken from a map would show.
func messy() *sources.Snapshot {
	s := healthy()
	s.Cluster.Value.Version = "v1.33.4+k3s1"
	nodes := slices.Clone(s.Nodes.Value)
	nodes[0].Unschedulable = true
	nodes[1].Version = "v1.34.1+k3s1"
	s.Nodes.Value = nodes
	s.Stats["worker-2"] = sources.Read(stats(92), ago(10*time.Second))
	var pods []sources.Pod
	for _, owner := range []string{"a", "b", "c", "d", "e", "f"} {
		p := aPod("shop", owner+"-1", owner)
		p.Containers[0].Restarts = 9
		p.Containers[0].Last = sources.Termination{Reason: "OOMKilled", Finished: ago(3 * time.Minute)}
		p.Created = ago(40 * time.Minute)
		q := aPod("shop", owner+"-2", owner)
		q.Phase, q.Created, q.Message = "Pending", ago(time.Hour), "0/3 nodes are available"
		pods = append(pods, p, q)
		s.History.Value.Series[sources.RestartSeries(p.Owner, owner+"-0", "app")] = every(time.Hour, 3*day, func(age time.Duration) float64 { return 100 - age.Hours() })
	}
	s.Pods.Value = pods
	s.Secrets = s.Secrets.Failed(&sources.AccessError{Verb: "list", Resource: "secrets"})
	s.Jobs = s.Jobs.Failed(&sources.AccessError{Verb: "list", Group: "batch", Resource: "jobs"})
	s.Budgets = s.Budgets.Failed(&sources.AccessError{Verb: "list", Group: "policy", Resource: "poddisruptionbudgets"})
	return s
}
