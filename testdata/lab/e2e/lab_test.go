//go:build lab

// Package e2e holds the tests that need the lab.
package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"daytwolab/e2e/labenv"
)

func TestEveryServerIsReadyAndOfTheLabsVersion(t *testing.T) {
	t.Parallel()
	lab := labenv.Find(t)
	for _, node := range lab.Nodes {
		out := lab.Run(t, lab.AsAdmin("get", "node", node.Name, "-o",
			`jsonpath={.status.conditions[?(@.type=="Ready")].status} {.status.nodeInfo.kubeletVersion}`)...)
		if want := "True " + lab.Version; out != want {
			t.Errorf("%s: Ready and version are %q, want %q", node.Name, out, want)
		}
	}
}

func TestTheAPIServerSaysTheLabsVersion(t *testing.T) {
	t.Parallel()
	lab := labenv.Find(t)
	var version struct{ GitVersion string }
	read(t, lab.Run(t, lab.AsAdmin("get", "--raw", "/version")...), &version)
	if version.GitVersion != lab.Version {
		t.Errorf("/version says %q, want %q", version.GitVersion, lab.Version)
	}
}

func TestTheSummaryShowsTheServersOwnDisk(t *testing.T) {
	t.Parallel()
	lab := labenv.Find(t)
	for _, node := range lab.Nodes {
		var summary struct {
			Node struct{ Fs struct{ CapacityBytes int64 } }
		}
		read(t, lab.Run(t, lab.AsAdmin("get", "--raw", "/api/v1/nodes/"+node.Name+"/proxy/stats/summary")...), &summary)
		df := lab.Run(t, lab.OnServer(node.Name, "df", "-B1", "--output=size", "/")...)
		fields := strings.Fields(df)
		size, err := strconv.ParseInt(fields[len(fields)-1], 10, 64)
		if err != nil {
			t.Fatalf("%s: df: %v", node.Name, err)
		}
		if summary.Node.Fs.CapacityBytes != size || size == 0 {
			t.Errorf("%s: the summary says %d bytes, df says %d", node.Name, summary.Node.Fs.CapacityBytes, size)
		}
	}
}

func TestConfigzShowsTheThresholdsOfK3s(t *testing.T) {
	t.Parallel()
	lab := labenv.Find(t)
	for _, node := range lab.Nodes {
		var config struct {
			Kubeletconfig struct{ EvictionHard map[string]string }
		}
		read(t, lab.Run(t, lab.AsAdmin("get", "--raw", "/api/v1/nodes/"+node.Name+"/proxy/configz")...), &config)
		for _, signal := range []string{"imagefs.available", "nodefs.available"} {
			if got := config.Kubeletconfig.EvictionHard[signal]; got != "5%" {
				t.Errorf("%s: eviction at %s %q, want 5%%", node.Name, signal, got)
			}
		}
	}
}

func TestMetricsAnswerForEveryServer(t *testing.T) {
	t.Parallel()
	lab := labenv.Find(t)
	labenv.Eventually(t, 90*time.Second, "metrics.k8s.io", func(ctx context.Context) error {
		out, err := lab.Try(ctx, lab.AsAdmin("get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes")...)
		if err != nil {
			return err
		}
		for _, node := range lab.Nodes {
			if !strings.Contains(out, `"`+node.Name+`"`) {
				return fmt.Errorf("nothing of %s", node.Name)
			}
		}
		return nil
	})
}

func TestTheCrashingPodRestartsAndTheHungryOneIsOOMKilled(t *testing.T) {
	t.Parallel()
	lab := labenv.Find(t)
	for app, reason := range map[string]string{"importer": "Error", "indexer": "OOMKilled"} {
		labenv.Eventually(t, 4*time.Minute, app, func(ctx context.Context) error {
			out, err := lab.Try(ctx, lab.AsAdmin("-n", "shop", "get", "pods", "-l", "app="+app, "-o",
				`jsonpath={.items[0].status.containerStatuses[0].restartCount} {.items[0].status.containerStatuses[0].lastState.terminated.reason}`)...)
			if err != nil {
				return err
			}
			restarts, last, _ := strings.Cut(out, " ")
			if restarts == "" || restarts == "0" || last != reason {
				return fmt.Errorf("restarts and reason are %q, want more than 0 and %s", out, reason)
			}
			return nil
		})
	}
}

func TestSSHReachesEveryServerAndItsJournal(t *testing.T) {
	t.Parallel()
	lab := labenv.Find(t)
	for _, node := range lab.Nodes {
		if got := strings.TrimSpace(lab.Run(t, lab.OnServer(node.Name, "hostname")...)); got != node.Name {
			t.Errorf("hostname on %s is %q", node.Name, got)
		}
		unit := lab.Run(t, lab.OnServer(node.Name, "journalctl", "-q", "-n1", "-o", "cat", "-u", node.Unit())...)
		if strings.TrimSpace(unit) == "" {
			t.Errorf("%s: the journal of %s is empty", node.Name, node.Unit())
		}
	}
}

func TestTheNodeSaysItsArgumentsAndHidesItsToken(t *testing.T) {
	t.Parallel()
	lab := labenv.Find(t)
	for _, node := range lab.Nodes {
		args := lab.Run(t, lab.AsAdmin("get", "node", node.Name, "-o", `jsonpath={.metadata.annotations.k3s\.io/node-args}`)...)
		var list []string
		read(t, args, &list)
		if len(list) == 0 || list[0] != node.Role {
			t.Errorf("%s: node-args are %v, want %s first", node.Name, list, node.Role)
		}
		env := lab.Run(t, lab.AsAdmin("get", "node", node.Name, "-o", `jsonpath={.metadata.annotations.k3s\.io/node-env}`)...)
		var variables map[string]string
		read(t, env, &variables)
		if token, ok := variables["K3S_TOKEN"]; ok && token != "********" {
			t.Errorf("%s: node-env shows the token", node.Name)
		}
	}
}

func TestTheViewerReadsAndMayChangeNothing(t *testing.T) {
	t.Parallel()
	lab := labenv.Find(t)
	out := lab.Run(t, lab.AsViewer("auth", "whoami", "-o", "jsonpath={.status.userInfo.groups}")...)
	if !strings.Contains(out, "daytwo-viewers") {
		t.Errorf("the viewer's groups are %s, want daytwo-viewers among them", out)
	}
	lab.Run(t, lab.AsViewer("get", "pods", "-n", "shop")...)
	if _, err := lab.Try(t.Context(), lab.AsViewer("delete", "pod", "none", "-n", "shop", "--dry-run=server")...); err == nil ||
		!strings.Contains(err.Error(), "Forbidden") {
		t.Errorf("deleting as viewer: %v, want Forbidden", err)
	}
}

func read(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("reading %.200q: %v", text, err)
	}
}
