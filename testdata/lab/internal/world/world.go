// Package world fills the lab's cluster: workloads that work and that fail, and
// certificates whose status the lab writes, because no cert-manager runs in it.
package world

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"text/template"
	"time"

	"daytwolab/internal/place"
	"daytwolab/internal/proc"
	"daytwolab/internal/say"
)

//go:embed objects
var objects embed.FS

// apply renders one of the embedded files and applies it.
func apply(ctx context.Context, p place.Place, file string, data any) error {
	tmpl, err := template.ParseFS(objects, "objects/"+file)
	if err != nil {
		return fmt.Errorf("reading %s: %w", file, err)
	}
	var out bytes.Buffer
	if err := tmpl.Execute(&out, data); err != nil {
		return fmt.Errorf("rendering %s: %w", file, err)
	}
	if _, err := proc.Kubectl(ctx, p, out.String(), "apply", "--server-side", "--force-conflicts", "-f", "-"); err != nil {
		return fmt.Errorf("applying %s: %w", file, err)
	}
	return nil
}

// Roles makes what the servers need to join, the metrics API, and the rights of the
// viewer's group: those that the cockpit's documentation asks for.
func Roles(ctx context.Context, p place.Place) error {
	data := map[string]any{"MetricsPort": place.MetricsPort, "ControlIP": place.ControlIP}
	if err := apply(ctx, p, "roles.yaml", data); err != nil {
		return err
	}
	view := filepath.Join(p.Source, "..", "..", "docs", "rbac", "view.yaml")
	if _, err := os.Stat(view); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if _, err := proc.Kubectl(ctx, p, "", "apply", "-f", view); err != nil {
		return fmt.Errorf("applying the view role: %w", err)
	}
	return nil
}

// NodesReady waits until every node is Ready and described by its k3s.
func NodesReady(ctx context.Context, p place.Place, nodes []place.Node, limit time.Duration) error {
	for _, n := range nodes {
		err := proc.Poll(ctx, limit, func(ctx context.Context) error {
			_, err := proc.Kubectl(ctx, p, "", "wait", "--for=condition=Ready", "--timeout=5s", "node/"+n.Name)
			if err != nil {
				return err
			}
			out, err := proc.Kubectl(ctx, p, "", "get", "node", n.Name, "-o", `jsonpath={.metadata.annotations.k3s\.io/node-args}`)
			if err == nil && out == "" {
				return errors.New("its annotation k3s.io/node-args is not there yet")
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("waiting for node %s (look with journalctl -u %s on it): %w", n.Name, n.Unit(), err)
		}
	}
	return nil
}

type kind struct{ Kind, Plural, Singular, Group, Scope string }

var kinds = []kind{
	{"Certificate", "certificates", "certificate", "cert-manager.io", "Namespaced"},
	{"CertificateRequest", "certificaterequests", "certificaterequest", "cert-manager.io", "Namespaced"},
	{"Issuer", "issuers", "issuer", "cert-manager.io", "Namespaced"},
	{"ClusterIssuer", "clusterissuers", "clusterissuer", "cert-manager.io", "Cluster"},
	{"Order", "orders", "order", "acme.cert-manager.io", "Namespaced"},
	{"Challenge", "challenges", "challenge", "acme.cert-manager.io", "Namespaced"},
}

// Apply makes everything, or makes it right again, and waits for what is to run.
func Apply(ctx context.Context, p place.Place, nodes []place.Node, log *say.Log) error {
	log.Step("applying workloads and certificates")
	if err := apply(ctx, p, "crds.yaml", map[string]any{"Kinds": kinds}); err != nil {
		return err
	}
	if _, err := proc.Kubectl(ctx, p, "", "wait", "--for=condition=Established", "--timeout=60s", "crd", "--all"); err != nil {
		return fmt.Errorf("waiting for cert-manager's kinds: %w", err)
	}
	// The volume lies on the first agent, where people look for a full disk.
	data := nodes[0].Name
	for _, n := range nodes {
		if n.Role == "agent" {
			data = n.Name
			break
		}
	}
	if err := apply(ctx, p, "workloads.yaml", map[string]any{"DataNode": data}); err != nil {
		return err
	}
	if err := certificates(ctx, p, time.Now().UTC().Truncate(time.Second)); err != nil {
		return err
	}
	log.Step("waiting for the workloads")
	for _, w := range [][2]string{{"shop", "deployment/web"}, {"data", "statefulset/mariadb"}, {"monitoring", "daemonset/node-agent"}} {
		if _, err := proc.Kubectl(ctx, p, "", "-n", w[0], "rollout", "status", w[1], "--timeout=150s"); err != nil {
			return fmt.Errorf("waiting for %s: %w", w[1], err)
		}
	}
	return nil
}
