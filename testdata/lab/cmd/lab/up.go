package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"daytwolab/internal/build"
	"daytwolab/internal/control"
	"daytwolab/internal/machine"
	"daytwolab/internal/place"
	"daytwolab/internal/podimage"
	"daytwolab/internal/proc"
	"daytwolab/internal/standin"
	"daytwolab/internal/world"
)

// up makes the lab as asked, or shows the one that runs already.
func (t tools) up(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("up", flag.ContinueOnError)
	servers := flags.Int("servers", 1, "servers with the control plane's role")
	agents := flags.Int("agents", 3, "agents")
	version := flags.String("version", "v1.37.1+k3s1", "k3s version that all run")
	only := flags.Bool("build-only", false, "fill the cache and start nothing")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("reading the arguments: %w", err)
	}
	versions, err := build.Releases(*version)
	if err != nil {
		return err
	}
	if *servers < 1 || *servers > 9 || *agents < 0 || *agents > 99 {
		return fmt.Errorf("%d servers and %d agents: want 1 to 9 servers and up to 99 agents", *servers, *agents)
	}
	if err := t.programs(ctx); err != nil {
		return err
	}
	nodes := place.Nodes(*servers, *agents)
	running, err := t.running(nodes, *version)
	if err != nil {
		return err
	}
	parts, err := t.parts(ctx, versions)
	if err != nil || *only {
		return err
	}
	if !running {
		if err := t.fresh(ctx, nodes, parts, versions); err != nil {
			return err
		}
	}
	if err := world.Apply(ctx, t.place, nodes, t.log); err != nil {
		return err
	}
	lab, err := t.place.Load()
	if err != nil {
		return err
	}
	t.log.Step("the lab is up")
	fmt.Print(manual(t.place, lab))
	return nil
}

// running says whether the lab that is asked for runs; another one is an error.
func (t tools) running(nodes []place.Node, version string) (bool, error) {
	lab, err := t.place.Load()
	if err != nil {
		return false, nil //nolint:nilerr // Without lab.json none runs.
	}
	whole := proc.Alive(t.place, "kube-apiserver") && proc.Alive(t.place, "etcd")
	for _, n := range lab.Nodes {
		whole = whole && machine.Alive(t.place, n.Name)
	}
	if !whole {
		return false, nil
	}
	if lab.Version != version || !slices.Equal(lab.Nodes, nodes) {
		return false, fmt.Errorf("a lab with %d machines of %s runs: end it with testdata/lab/down first", len(lab.Nodes), lab.Version)
	}
	return true, nil
}

// parts builds everything that is not in the cache yet.
func (t tools) parts(ctx context.Context, versions []string) (machine.Parts, error) {
	// The disk image waits for the network, the programs for the processor.
	var image string
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		var err error
		image, err = t.build.Image(ctx)
		return err
	})
	group.Go(func() error { return t.compile(ctx, versions) })
	if err := group.Wait(); err != nil {
		return machine.Parts{}, err
	}
	return machine.Parts{Image: image, K3s: t.k3s(versions[0]), PodImage: t.place.Cached("pod-image.tar")}, nil
}

func (t tools) compile(ctx context.Context, versions []string) error {
	for _, name := range []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl"} {
		if _, err := t.build.Kube(ctx, name, versions[0]); err != nil {
			return err
		}
	}
	if err := t.hand("kubectl", t.place.Cached("kube", versions[0], "kubectl")); err != nil {
		return err
	}
	for _, v := range versions {
		kubelet, err := t.build.Kube(ctx, "kubelet", v)
		if err != nil {
			return err
		}
		if err := t.assemble(v, kubelet); err != nil {
			return err
		}
	}
	if _, err := t.build.MetricsServer(ctx); err != nil {
		return err
	}
	crictl, err := t.build.Crictl(ctx)
	if err != nil {
		return err
	}
	if err := t.hand("crictl", crictl); err != nil {
		return err
	}
	pod, err := t.build.Own(ctx, "labpod")
	if err != nil {
		return err
	}
	if err := podimage.Write(pod, runtime.GOARCH, t.place.Cached("pod-image.tar")); err != nil {
		return fmt.Errorf("preparing the pods: %w", err)
	}
	return nil
}

// k3s is where a version's stand-in lies; its folder is what the release server serves.
func (t tools) k3s(version string) string {
	return t.place.Cached("releases-"+standin.Fingerprint(), version, "k3s")
}

func (t tools) assemble(version, kubelet string) error {
	out := t.k3s(version)
	if _, err := os.Stat(out); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return fmt.Errorf("assembling k3s %s: %w", version, err)
	}
	return standin.Write(version, kubelet, out)
}

// hand puts a program where servers and people find it.
func (t tools) hand(name, program string) error {
	link := t.place.Cached("lab", name)
	if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
		return fmt.Errorf("placing %s: %w", name, err)
	}
	_ = os.Remove(link + ".new") // What a killed start left.
	// A hard link, because the servers see this folder and not the one it points to.
	if err := os.Link(program, link+".new"); err != nil {
		return fmt.Errorf("placing %s: %w", name, err)
	}
	if err := os.Rename(link+".new", link); err != nil {
		return fmt.Errorf("placing %s: %w", name, err)
	}
	_ = os.Remove(link + ".new") // Renaming a link onto the same file leaves both.
	return nil
}

// fresh clears what an earlier lab left and starts a new one.
func (t tools) fresh(ctx context.Context, nodes []place.Node, parts machine.Parts, versions []string) error {
	if err := t.clear(ctx); err != nil {
		return err
	}
	if err := os.MkdirAll(t.place.State, 0o755); err != nil {
		return fmt.Errorf("making the state folder: %w", err)
	}
	if err := control.Network(ctx, t.place); err != nil {
		return err
	}
	if err := control.Credentials(t.place); err != nil {
		return err
	}
	group, gctx := errgroup.WithContext(ctx)
	group.Go(func() error { return control.Start(gctx, t.place, t.build, versions[0], t.log) })
	group.Go(func() error { return t.boot(gctx, nodes, parts) })
	if err := group.Wait(); err != nil {
		return err
	}
	if err := world.Roles(ctx, t.place); err != nil {
		return err
	}
	if err := t.startReleases(versions); err != nil {
		return err
	}
	if err := control.Metrics(ctx, t.place, t.build); err != nil {
		return err
	}
	if err := t.save(nodes, versions); err != nil {
		return err
	}
	t.log.Step("waiting for %d nodes to be Ready", len(nodes))
	return world.NodesReady(ctx, t.place, nodes, 3*time.Minute)
}

// boot makes and boots the servers, two at a time: a disk each is copied.
func (t tools) boot(ctx context.Context, nodes []place.Node, parts machine.Parts) error {
	if err := machine.Key(ctx, t.place); err != nil {
		return err
	}
	t.log.Step("making %d servers", len(nodes))
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(2)
	for _, n := range nodes {
		group.Go(func() error {
			if err := machine.Make(gctx, t.place, n, nodes, parts); err != nil {
				return err
			}
			if err := control.Route(gctx, t.place, n); err != nil {
				return err
			}
			return machine.Boot(t.place, n)
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if _, err := machine.SSHConfig(t.place, nodes); err != nil {
		return err
	}
	for _, n := range nodes {
		if err := machine.Answers(ctx, t.place, n); err != nil {
			return err
		}
	}
	t.log.Step("servers answer by SSH")
	return nil
}

func (t tools) save(nodes []place.Node, versions []string) error {
	p := t.place
	return p.Save(place.Lab{
		Prefix: p.Prefix, Version: versions[0], State: p.State, Source: p.Source, Netns: p.Netns(), API: place.APIURL,
		AdminKubeconfig: p.Path("admin.kubeconfig"), ViewerKubeconfig: p.Path("viewer.kubeconfig"),
		SSHConfig: p.Path("ssh", "config"), Kubectl: p.Cached("lab", "kubectl"),
		Releases: fmt.Sprintf("http://%s:%d", place.ControlIP, place.ReleasePort), Versions: versions, Nodes: nodes,
	})
}

// manual says how to work with the lab.
func manual(p place.Place, lab place.Lab) string {
	first := lab.Nodes[len(lab.Nodes)-1].Name
	end := filepath.Join(p.Source, "down")
	if p.Prefix != place.DefaultPrefix {
		end = "LAB_PREFIX=" + p.Prefix + " " + end
	}
	return fmt.Sprintf(`
A cluster of %d servers runs k3s %s in the network namespace %s.

  enter        ip netns exec %s bash
  kubectl      ip netns exec %s %s --kubeconfig %s get nodes
  admin        export KUBECONFIG=%s
  viewer       export KUBECONFIG=%s   (its group %s has the rights of docs/rbac/view.yaml)
  ssh          ip netns exec %s ssh -F %s %s
  releases     %s
  all of it    %s
  end it       %s

`, len(lab.Nodes), lab.Version, lab.Netns, lab.Netns, lab.Netns, lab.Kubectl, lab.AdminKubeconfig,
		lab.AdminKubeconfig, lab.ViewerKubeconfig, control.ViewerGroup, lab.Netns, lab.SSHConfig, first,
		lab.Releases, p.File(), end)
}
