//go:build lab

package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"daytwolab/e2e/labenv"
)

func TestTheServerStopsAndTheLastPictureStays(t *testing.T) {
	lab := labenv.Find(t)
	c := openWhole(t, lab, lab.AdminKubeconfig)
	lab.Fault(t, "api-stop")
	c.see("stale: this picture is", "refused the connection", "✖ api")
	kept := []string{"shop/shop-tls", "shop/importer", "data/mariad"}
	for _, n := range lab.Nodes {
		kept = append(kept, n.Name)
	}
	c.see(kept...)
	// The picture ages, so the program is alive and says how old what it shows is.
	c.match(`stale: this picture is [2-9]\d s old`)
	if screen := c.Screen(); !holdsAll(screen, kept) {
		t.Errorf("the last picture did not stay:\n%s", screen)
	}
	got := headless(t, lab, "check", "--kubeconfig", lab.AdminKubeconfig, "--timeout", "6s")
	if got.code != 3 || !strings.Contains(got.out+got.err, "refused the connection") {
		t.Errorf("check of a server that does not run exits %d:\n%s%s", got.code, got.out, got.err)
	}

	lab.Fault(t, "api-start")
	c.until("the picture fresh again without a key press", func(s string) bool {
		return !strings.Contains(s, "stale") && !strings.Contains(s, "refused") &&
			holdsAll(s, kept) && holdsAll(s, []string{"● api", allKubelets(lab)})
	})
	c.followsACordon("worker-2")
}

// followsACordon shows that the watches go on: what is changed now appears.
func (c cockpit) followsACordon(node string) {
	c.t.Helper()
	c.t.Cleanup(func() {
		ctx := context.WithoutCancel(c.t.Context())
		if _, err := c.lab.Try(ctx, c.lab.AsAdmin("uncordon", node)...); err != nil {
			c.t.Errorf("undoing the cordon: %v", err)
		}
	})
	c.lab.Run(c.t, c.lab.AsAdmin("cordon", node)...)
	c.match(`node +` + node + ` +cordoned`)
	c.lab.Run(c.t, c.lab.AsAdmin("uncordon", node)...)
	c.until("no cordon", func(s string) bool { return !strings.Contains(s, "cordoned") })
}

func TestAFrozenNodeBecomesNotReadyAndRecovers(t *testing.T) {
	lab := labenv.Find(t)
	c := openWhole(t, lab, lab.ViewerKubeconfig)
	lab.Fault(t, "node-freeze", "worker-1")
	c.match(`✖ node +worker-1 +kubelet stopped reporting`)
	c.match(`✖ worker-1 +NotRead`)
	c.see(fmt.Sprintf("%d of %d ready", len(lab.Nodes)-1, len(lab.Nodes)))
	if out := ready(t, lab, "worker-1"); out == "True" {
		t.Error("the screen says not ready, the API server says Ready")
	}
	// One silent kubelet keeps nobody else waiting.
	c.match(`● worker-0 +[^ \d]+ +\d+%`)
	lab.Fault(t, "node-thaw", "worker-1")
	c.match(`● worker-1 +agent`)
	c.see(fmt.Sprintf("%d of %d ready", len(lab.Nodes), len(lab.Nodes)), allKubelets(lab))
	if out := ready(t, lab, "worker-1"); out != "True" {
		t.Errorf("the screen says ready, the API server says Ready=%s", out)
	}
}

func ready(t *testing.T, lab labenv.Env, node string) string {
	t.Helper()
	return lab.Run(t, lab.AsAdmin("get", "node", node, "-o", `jsonpath={.status.conditions[?(@.type=="Ready")].status}`)...)
}

func TestAFilledDiskTurnsCriticalAndRecovers(t *testing.T) {
	lab := labenv.Find(t)
	c := openWhole(t, lab, lab.ViewerKubeconfig)
	lab.Fault(t, "fill-disk", "worker-0", "92")
	c.match(`✖ disk +worker-0 +9[123] % used`)
	c.agrees("the disk pane, critical, and df", func(ctx context.Context) (string, error) {
		percent, err := df(ctx, lab, "worker-0")
		if percent < 91 {
			return "", fmt.Errorf("the fault fills to 92 %%, df says %d %%: %w", percent, err)
		}
		return fmt.Sprintf(`✖ worker-0 +[^ \d]+ +(%d|%d|%d)%%`, percent-1, percent, percent+1), err
	})
	got := headless(t, lab, "check", "--kubeconfig", lab.ViewerKubeconfig)
	if got.code != 2 || !strings.Contains(got.out, "worker-0") {
		t.Errorf("check of a full disk exits %d:\n%s%s", got.code, got.out, got.err)
	}

	lab.Fault(t, "fill-disk", "worker-0", "0")
	c.match(`● worker-0 +[^ \d]+ +\d+%`)
	c.until("no critical disk", func(s string) bool { return !strings.Contains(s, "✖") })
	if got := headless(t, lab, "check", "--kubeconfig", lab.ViewerKubeconfig); got.code != 1 {
		t.Errorf("check of the emptied disk exits %d, want 1 for the lab's own warnings:\n%s%s", got.code, got.out, got.err)
	}
}
