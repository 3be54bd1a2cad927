package demo_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/kubectl/pkg/cmd/describe"
	"k8s.io/kubectl/pkg/cmd/drain"
	"k8s.io/kubectl/pkg/cmd/get"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"

	"github.com/spf13/cobra"

	"daytwo/sources/demo"
)

// asKubectl in the environment makes the test binary act as kubectl.
const asKubectl = "DEMO_TEST_AS_KUBECTL"

func TestMain(m *testing.M) {
	if os.Getenv(asKubectl) != "" {
		runKubectl()
		return
	}
	m.Run() // the testing package passes its result on
}

// runKubectl is kubectl with the commands that an operator drains with.
func runKubectl() {
	flags := genericclioptions.NewConfigFlags(true)
	f := cmdutil.NewFactory(cmdutil.NewMatchVersionFlags(flags))
	streams := genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr}
	root := &cobra.Command{Use: "kubectl"}
	flags.AddFlags(root.PersistentFlags())
	root.AddCommand(get.NewCmdGet("kubectl", f, streams), describe.NewCmdDescribe("kubectl", f, streams),
		drain.NewCmdCordon(f, streams), drain.NewCmdUncordon(f, streams), drain.NewCmdDrain(f, streams))
	cmdutil.CheckErr(root.Execute())
}

// kubectl runs one of kubectl's own commands against the world, in a process
// of its own because kubectl ends its process on a failure. The race detector
// is told to keep quiet there: kubectl v0.37.2's drain races with itself when
// it prints (pkg/cmd/drain/drain.go, ToPrinter from each pod's goroutine).
func kubectl(t *testing.T, w *demo.World, args ...string) string {
	t.Helper()
	dir := t.TempDir()
	raw, err := w.Kubeconfig("admin")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "kubeconfig")
	if err = os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], append([]string{"--kubeconfig", file, "--cache-dir", dir}, args...)...)
	cmd.Env = append(os.Environ(), asKubectl+"=1", "GORACE=exitcode=0 log_path="+filepath.Join(dir, "race"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func wants(t *testing.T, out string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(out, word) {
			t.Errorf("%q is missing in:\n%s", word, out)
		}
	}
}

// TestKubectl shows that the real kubectl code takes the demo for a cluster.
func TestKubectl(t *testing.T) {
	t.Parallel()
	w, c := start(t, demo.Options{})
	wants(t, kubectl(t, w, "get", "nodes", "-o", "wide"), "NAME", "master-0", "control-plane,master", "v1.33.4+k3s1", "10.0.0.3")
	wants(t, kubectl(t, w, "get", "pods", "-A"), "CrashLoopBackOff", "24 (3m ago)", "ImagePullBackOff", "mysql-0")
	wants(t, kubectl(t, w, "get", "deploy,cj,cert,pdb", "-A"), "deployment.apps/api", "cronjob.batch/mysql", "certificate.cert-manager.io/tls", "poddisruptionbudget.policy/search")
	wants(t, kubectl(t, w, "get", "node", "worker-0", "-o", "jsonpath={.status.nodeInfo.kubeletVersion}"), "v1.33.4+k3s1")
	wants(t, kubectl(t, w, "describe", "node", "worker-0"), "FreeDiskSpaceFailed", "KubeletHasNoDiskPressure", "shop")
	looping := strings.TrimSpace(kubectl(t, w, "get", "pods", "-n", "shop", "-l", "app.kubernetes.io/name=api",
		"-o", `jsonpath={.items[?(@.status.containerStatuses[0].restartCount>0)].metadata.name}`))
	wants(t, kubectl(t, w, "describe", "pod", "-n", "shop", looping), "OOMKilled", "Exit Code:    137", "Back-off restarting")
	wants(t, kubectl(t, w, "cordon", "worker-3"), "node/worker-3 cordoned")
	wants(t, kubectl(t, w, "get", "nodes"), "Ready,SchedulingDisabled")
	stop := keepPassing(c)
	out := kubectl(t, w, "drain", "worker-3", "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=120s")
	stop()
	wants(t, out, "node/worker-3 drained", "evicted")
	k := client(t, w, "admin", "")
	pods, err := k.CoreV1().Pods("").List(t.Context(), metav1.ListOptions{FieldSelector: "spec.nodeName=worker-3"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range pods.Items {
		if o := pods.Items[i].OwnerReferences; o[0].Kind != "DaemonSet" {
			t.Errorf("%s is still on the drained node", pods.Items[i].Name)
		}
	}
	p, err := k.CoreV1().Pods("monitoring").Get(t.Context(), "prometheus-0", metav1.GetOptions{})
	if err != nil || p.Status.Phase != corev1.PodPending {
		t.Errorf("prometheus-0, whose volume is local to worker-3, is %v (%v)", p.Status.Phase, err)
	}
	wants(t, kubectl(t, w, "uncordon", "worker-3"), "node/worker-3 uncordoned")
	c.pass(15 * time.Second)
	if p, err = k.CoreV1().Pods("monitoring").Get(t.Context(), "prometheus-0", metav1.GetOptions{}); err != nil || p.Status.Phase != corev1.PodRunning {
		t.Errorf("prometheus-0 is %v after the uncordon (%v)", p.Status.Phase, err)
	}
}

// keepPassing moves the time on while a command waits for the world. The
// returned function stops it and returns when it has stopped.
func keepPassing(c *clock) (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	tick := time.NewTicker(5 * time.Millisecond)
	go func() {
		defer close(done)
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
				c.pass(time.Second)
			}
		}
	}()
	return func() {
		tick.Stop()
		close(quit)
		<-done
	}
}
