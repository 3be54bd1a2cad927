package kube

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/kubectl/pkg/cmd/describe"
	"k8s.io/kubectl/pkg/cmd/get"
	"k8s.io/kubectl/pkg/cmd/top"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"

	"github.com/spf13/cobra"

	"daytwo/sources/demo"
)

// asKubectl in the environment makes the test binary act as kubectl.
const asKubectl = "KUBE_TEST_AS_KUBECTL"

func TestMain(m *testing.M) {
	if os.Getenv(asKubectl) != "" {
		runKubectl()
		return
	}
	m.Run() // the testing package passes its result on
}

func runKubectl() {
	flags := genericclioptions.NewConfigFlags(true)
	f := cmdutil.NewFactory(cmdutil.NewMatchVersionFlags(flags))
	streams := genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stdout}
	root := &cobra.Command{Use: "kubectl"}
	flags.AddFlags(root.PersistentFlags())
	root.AddCommand(get.NewCmdGet("kubectl", f, streams), describe.NewCmdDescribe("kubectl", f, streams), top.NewCmdTop(f, streams))
	cmdutil.CheckErr(root.Execute())
}

// TestKubectlSaysTheSame compares with kubectl's own code on the same
// cluster, byte for byte.
func TestKubectlSaysTheSame(t *testing.T) {
	t.Parallel()
	now := time.Now()
	w, err := demo.Start(t.Context(), demo.Options{Clock: func() time.Time { return now }, Tick: make(chan time.Time)})
	if err != nil {
		t.Fatal(err)
	}
	c := clientOf(t, w)
	raw, err := w.Kubeconfig("admin")
	if err != nil {
		t.Fatal(err)
	}
	config, cache := file(t, raw), t.TempDir()
	pods, err := c.set.CoreV1().Pods("shop").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"get pods -A", "get pods -A -o wide", "get nodes", "get nodes -o wide", "get events -A", "get events", "get ev -n shop",
		"top nodes", "top node worker-0", "top pods -A", "describe node worker-0", "describe pod " + pods.Items[0].Name + " -n shop",
		"get po -n shop -l app.kubernetes.io/name=api", "get pods -A --field-selector spec.nodeName=worker-1", "get deploy,cj -n shop",
		"get certificates.cert-manager.io -A", "describe certificate tls -n shop", "get node worker-0 worker-1", "get node/master-0",
		"get ing -A", "get pods", "describe nodes master-0 worker-1", "get deployments.apps -n shop",
	} {
		words := strings.Fields(line)
		cmd := exec.CommandContext(t.Context(), os.Args[0], append([]string{"--kubeconfig", config, "--cache-dir", cache}, words...)...)
		cmd.Env = append(os.Environ(), asKubectl+"=1", "GORACE=exitcode=0 log_path="+filepath.Join(cache, "race"))
		want, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("kubectl %s: %v\n%s", line, err, want)
		}
		var got bytes.Buffer
		if err := c.Kubectl(t.Context(), append([]string{"kubectl"}, words...), &got); err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if g, w := ageless(got.String()), ageless(string(want)); g != w {
			t.Errorf("%s: ours\n%s\nkubectl's\n%s", line, g, w)
		}
	}
}

// ageless is a description without the ages that kubectl counts itself, by
// the clock of the moment.
func ageless(s string) string {
	if !strings.HasPrefix(s, "Name:") {
		return s
	}
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		words := strings.Fields(l)
		for j, w := range words {
			if _, err := time.ParseDuration(strings.ReplaceAll(w, "d", "h")); err == nil {
				words[j] = "AGE"
			}
		}
		lines[i] = strings.Join(words, " ")
	}
	return strings.Join(lines, "\n")
}

// TestKubectlRefuses what it cannot answer as kubectl would, in words that
// say what it can.
func TestKubectlRefuses(t *testing.T) {
	t.Parallel()
	b := start(t, demo.Options{})
	c := b.connect("admin")
	for line, want := range map[string]string{
		"kubectl delete pod x":         "get, describe and top",
		"kubectl get":                  "get, describe and top",
		"kubectl get pods -o json":     "only -o wide",
		"kubectl get pods --watch":     "-A, -n, -o wide, -l and --field-selector",
		"kubectl get unicorns":         `the server doesn't have a resource type "unicorns"`,
		"kubectl describe node":        "describe wants a name",
		"kubectl describe node nosuch": `"nosuch" not found`,
		"kubectl top unicorns":         "nodes and pods",
	} {
		err := c.Kubectl(t.Context(), strings.Fields(line), &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
	}
	viewer := start(t, demo.Options{ViewerRules: roleWithout("pods")}).connect("viewer")
	if err := viewer.Kubectl(t.Context(), []string{"get", "pods", "-A"}, &bytes.Buffer{}); err == nil || err.Error() != "no permission to list pods" {
		t.Errorf("without permission: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer b.Fault(demo.Fault{Resource: "nodes", Hang: true})()
	ended := make(chan error, 1)
	go func() { ended <- c.Kubectl(ctx, []string{"describe", "node", "server-0"}, &bytes.Buffer{}) }()
	cancel()
	if err := <-ended; err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("cancelled: %v", err)
	}
}
