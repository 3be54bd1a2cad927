package kwok

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"daytwolab/internal/place"
	"daytwolab/internal/proc"
)

const (
	// leases is the program's name among the lab's.
	leases = "kwok-leases"
	// A kubelet renews its lease every ten seconds and gives it forty.
	renewal       = 10 * time.Second
	leaseDuration = 40
	leasesPath    = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
)

// startLeases runs the lab's program again to keep the leases of n nodes. KWOK's own
// renewals (v0.8.0) name an old resource version under load and are refused, and the
// controllers then take the nodes for lost, by turns.
func startLeases(p place.Place, n int) error {
	return proc.Spawn(p, proc.Spec{
		Name: leases,
		Args: []string{p.Cached("lab", "lab"), "keep-leases", fmt.Sprint(n)},
		Env:  []string{"LAB_SOURCE=" + p.Source},
	})
}

// KeepLeases renews the leases of n nodes as their kubelets would, evenly spread, until
// ctx ends. A renewal that fails is made again with the next round.
func KeepLeases(ctx context.Context, p place.Place, n int) error {
	c, err := connect(p)
	if err != nil {
		return err
	}
	tick := time.NewTicker(renewal / time.Duration(n))
	defer tick.Stop()
	for i := 0; ; i = (i + 1) % n {
		if err := c.renew(ctx, nodeName(i)); err != nil && ctx.Err() == nil {
			fmt.Println(err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (c client) renew(ctx context.Context, node string) error {
	spec := map[string]any{
		"holderIdentity": node, "leaseDurationSeconds": leaseDuration,
		"renewTime": time.Now().UTC().Format("2006-01-02T15:04:05.000000Z"),
	}
	err := c.send(ctx, http.MethodPatch, leasesPath+"/"+node, "application/merge-patch+json", map[string]any{"spec": spec})
	if !errors.Is(err, errNotFound) {
		return err
	}
	return c.post(ctx, leasesPath, map[string]any{
		"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
		"metadata": map[string]any{"name": node, "labels": map[string]string{"type": "kwok"}}, "spec": spec,
	})
}
