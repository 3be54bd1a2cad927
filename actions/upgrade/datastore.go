package upgrade

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"daytwo/actions"
	"daytwo/sources"
)

// datastoreOf says how the servers keep the cluster's state, by the node's
// role and arguments: the folder of another datastore may lie about from
// before (k3s-io/k3s issue 8960).
func datastoreOf(servers []sources.Node) (kind Datastore, why string) {
	for _, n := range servers {
		for i, a := range n.Args {
			if a == "--datastore-endpoint" || strings.HasPrefix(a, "--datastore-endpoint=") {
				return Elsewhere, n.Name + " was started with --datastore-endpoint"
			}
			if a == "--cluster-init" || a == "--cluster-init=true" {
				return Etcd, n.Name + " was started with --cluster-init"
			}
			if (a == "--server" || a == "-s") && i+1 < len(n.Args) {
				return Etcd, n.Name + " joined another server (--server)"
			}
		}
		if n.Env["K3S_DATASTORE_ENDPOINT"] != "" {
			return Elsewhere, n.Name + " was started with K3S_DATASTORE_ENDPOINT"
		}
		if slices.Contains(n.Roles, "etcd") {
			return Etcd, n.Name + " has the role etcd"
		}
	}
	if len(servers) > 1 {
		return Etcd, "there is more than one server"
	}
	return SQLite, "a single server without the role etcd and without a datastore's address: k3s's default"
}

// saveStep saves the datastore before the first server is touched.
func (a *Action) saveStep(n NodePlan) actions.Step {
	w := &worker{kit: a.kit, plan: a.Plan, node: n}
	s := actions.Step{ID: w.id("datastore"), Title: "save datastore", Group: n.Name}
	if a.Plan.Datastore == Elsewhere {
		s.Title = "datastore saved elsewhere"
		s.Command = "# the datastore is not k3s's own: " + a.Plan.DatastoreNote
		s.Do = func(_ context.Context, out io.Writer) error {
			if a.Plan.DatastoreNote == "" {
				return errors.New("nobody said that the external datastore was saved: plan the upgrade again and say who did")
			}
			say(out, "saved by its own means, as was said: %s", a.Plan.DatastoreNote)
			return nil
		}
		return s
	}
	bin, _, _ := n.files()
	s.NoSkip = "a server that went up a minor comes back only with it"
	s.Command = w.ssh("sudo k3s etcd-snapshot save --name before-" + a.Plan.Target + " && sudo cp " + n.dataDir() + "/server/token …")
	script := saveEtcd
	if a.Plan.Datastore == SQLite {
		script = saveSQLite
		s.Command = w.ssh(`sudo sqlite3 ` + n.dataDir() + `/server/db/state.db ".backup '…/state.db'" && sudo cp ` + n.dataDir() + "/server/token …")
	}
	s.Done = func(ctx context.Context) (bool, error) {
		dir := n.savedDir(actions.CurrentRun(ctx).ID)
		return w.ask(ctx, assign("dir", dir)+`[ -f "$dir/complete" ] && [ -s "$dir/token" ] || exit 3`)
	}
	s.Do = func(ctx context.Context, out io.Writer) error {
		dir := n.savedDir(actions.CurrentRun(ctx).ID)
		head := assign("dir", dir, "data", n.dataDir(), "bin", bin, "unit", n.unit(), "name", "daytwo-"+actions.CurrentRun(ctx).ID)
		return w.detached(ctx, "datastore", head+script, out, a.Plan.Ready)
	}
	return s
}

// restoreLines are what a person would type to bring a server back across a
// minor, with the datastore that was saved by a run.
func restoreLines(p Plan, n NodePlan, run string) []string {
	bin, _, old := n.files()
	dir, data, unit := n.savedDir(run), n.dataDir(), n.unit()
	ssh := func(line string) string { return "ssh " + sources.Quote(n.Name) + " " + sources.Quote(line) }
	lines := []string{ssh("sudo systemctl stop " + unit), ssh("sudo mv " + sources.Typed(old, bin))}
	switch p.Datastore {
	case SQLite:
		lines = append(lines,
			ssh(fmt.Sprintf("sudo rm -f %[1]s/server/db/state.db-* && sudo cp %[2]s/state.db %[1]s/server/db/state.db && sudo cp %[2]s/token %[1]s/server/token", data, dir)))
	case Etcd:
		lines = append(lines, ssh(fmt.Sprintf("sudo k3s server --cluster-reset --cluster-reset-restore-path=%s/<snapshot> --token-file %s/token", dir, dir)),
			"on every other server: stop k3s, put its old binary back, remove "+data+"/server/db and start k3s, so that it joins again")
	case Elsewhere:
		lines = append(lines, "restore the external datastore by its own means")
	}
	return append(lines, ssh("sudo systemctl start "+unit), "every agent that was upgraded goes back too: a kubelet must not be newer than the API server")
}
