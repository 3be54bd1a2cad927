package views_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"daytwo/actions"
	"daytwo/actions/drain"
	"daytwo/sources"
	"daytwo/ui"
	"daytwo/ui/uitest"
	"daytwo/views"

	tea "charm.land/bubbletea/v2"
)

// household is a node with pods of every fate; only what a plan asks is
// answered.
type household struct {
	drain.Cluster
	is    sources.Occupancy
	lacks []error
	err   error
}

func (h *household) Occupancy(context.Context, string) (sources.Occupancy, error) { return h.is, h.err }

func (h *household) Refused(context.Context) ([]error, error) { return h.lacks, nil }

func (h *household) Evict(_ context.Context, t sources.Tenant, dryRun bool) error {
	if dryRun && t.Name == "api-7d4b9-x2x2x" {
		return &sources.EvictionError{Pod: t.Ref(), Why: sources.RefusedByBudget, Budget: "api", Said: "needs 2 healthy pods and has 2"}
	}
	return nil
}

// newHousehold blocks: one budget can never be met, and one pod is made by
// nobody.
func newHousehold() *household {
	tenant := func(ns, name, kind, owner string) sources.Tenant {
		return sources.Tenant{
			Namespace: ns, Name: name, UID: name, Owner: sources.Ref{Kind: kind, Namespace: ns, Name: owner}, Replicas: 2,
			Goes: true, Running: true, Ready: true, Grace: 30 * time.Second, CPU: 100, Memory: 128 << 20, Fits: []string{"worker-1", "worker-2"},
		}
	}
	api := tenant("shop", "api-7d4b9-x2x2x", "Deployment", "api")
	api.Budgets = []string{"api"}
	cache := tenant("shop", "cache-5c5c5-8m8m8", "Deployment", "cache")
	cache.Scratch = []sources.Scratch{{Volume: "data", Bytes: 3 << 30}, {Volume: "tmp", Bytes: -1}}
	db := tenant("shop", "mysql-0", "StatefulSet", "mysql")
	db.Claims, db.Replicas, db.Fits = []sources.Claim{{Name: "data-mysql-0", Class: "local-path", Path: "/var/lib/rancher/k3s/storage/pvc-1", Here: true}}, 1, nil
	alone := tenant("default", "debug", "", "")
	alone.Owner, alone.Orphan = sources.Ref{}, true
	exporter := tenant("monitoring", "node-exporter-k9k9k", "DaemonSet", "node-exporter")
	exporter.Goes, exporter.Stays = false, "DaemonSet"
	budget := sources.Budget{
		DisruptionBudget: sources.DisruptionBudget{Ref: sources.Ref{Kind: "PodDisruptionBudget", Namespace: "shop", Name: "api"}, CurrentHealthy: 2, DesiredHealthy: 2, Expected: 2},
		Min:              "2", Settled: true, Version: "1",
	}
	return &household{is: sources.Occupancy{
		Node: "worker-0", Ready: true, Tenants: []sources.Tenant{api, cache, db, alone, exporter}, Budgets: []sources.Budget{budget},
		Rooms: []sources.Room{{Node: "worker-1", Open: true, CPU: 3000, Memory: 4 << 30, Pods: 80}, {Node: "worker-2", Open: true, CPU: 3000, Memory: 4 << 30, Pods: 80}},
	}}
}

// calm takes away what blocks.
func (h *household) calm() {
	h.is.Budgets[0].DesiredHealthy, h.is.Budgets[0].Min, h.is.Budgets[0].Max, h.is.Budgets[0].Allowed = 1, "", "1", 1
	h.is.Tenants = append(h.is.Tenants[:3:3], h.is.Tenants[4])
}

// wizard opens the plan of worker-0; what is started goes to started.
func (h *household) wizard(t *testing.T, width, height int, started *[]drain.Plan) *uitest.Driver {
	t.Helper()
	start := func(a actions.Action) tea.Cmd {
		*started = append(*started, a.(*drain.Action).Plan)
		return ui.Toast(sources.OK, "started "+a.Title())
	}
	o := ui.Options{Color: true, Tools: []func(ui.Frame, sources.Ref) []ui.Command{views.DrainTool(drain.Kit{Cluster: h}, start)}}
	d, _ := open(t, width, height, o, world.healthy)
	d.Press("1", "j", "d")
	return d
}

// TestDrainPlanSaysWhatBlocksFirst, what is lost, and starts only when nothing
// is in the way and the name was typed.
func TestDrainPlanSaysWhatBlocksFirst(t *testing.T) {
	t.Parallel()
	var started []drain.Plan
	h := newHousehold()
	d := h.wizard(t, 120, 40, &started)
	d.See("in the way", "In the way", "shop/api", "way out", "default/debug", "D delete unmanaged")
	d.Press("enter")
	d.NotSee("type worker-0")
	h.calm()
	d.Press("a")
	d.See("● ready to start", "emptyDir data is lost", "3.2 GB, size not known", "mysql", "stay: DaemonSet", "api (1), now refused")
	d.Press("enter")
	d.Type("worker-1")
	d.Press("enter")
	if d.See("type worker-0 to go on"); len(started) > 0 {
		t.Fatal("started with the wrong name")
	}
	d.Press("backspace")
	d.Type("0")
	d.Press("enter")
	if len(started) != 1 || started[0].Node != "worker-0" || len(started[0].Leaving()) != 3 {
		t.Errorf("started %+v", started)
	}
}

// TestDrainPlanNamesThePermissionThatIsMissing, and what cannot be looked at.
func TestDrainPlanNamesThePermissionThatIsMissing(t *testing.T) {
	t.Parallel()
	var started []drain.Plan
	h := newHousehold()
	h.calm()
	h.lacks = []error{&sources.AccessError{Verb: "create", Resource: "pods/eviction"}}
	d := h.wizard(t, 120, 40, &started)
	d.See("cannot start", "no permission to create pods/eviction", "docs/rbac/operate.yaml")
	d.Press("enter")
	d.NotSee("type worker-0")
	h.lacks, h.err = nil, errors.New("the API server does not answer")
	d.Press("a")
	d.See("cannot start", "the API server does not answer")
	if len(started) > 0 {
		t.Error("started all the same")
	}
}

func TestDrainScreens(t *testing.T) {
	t.Parallel()
	for _, size := range sizes() {
		t.Run(size.name, func(t *testing.T) {
			t.Parallel()
			h := newHousehold()
			d := h.wizard(t, size.width, size.height, new([]drain.Plan))
			d.Golden("drain-blocked-" + size.name)
			h.calm()
			d.Press("a")
			d.Golden("drain-plan-" + size.name)
			d.Press("enter")
			d.Golden("drain-confirm-" + size.name)
		})
	}
}
