package main

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"daytwo/sources"
	"daytwo/sources/demo"
	"daytwo/sources/history"
	"daytwo/sources/kube"
)

// TestNoPlaceForState: the folder cannot be made; everything else is looked
// at, and what is not remembered is said.
func TestNoPlaceForState(t *testing.T) {
	dir := home(t)
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_STATE_HOME", file)
	_, kubeconfig := world(t, demo.Incident, "admin")
	daytwo(t, "check", "--kubeconfig", kubeconfig).says(t, 2, "disk", "worker-0", "history")
	daytwo(t, "doctor", "--kubeconfig", kubeconfig).says(t, 1, "history", file)
}

// TestCheckRemembers: a check leaves its sample to the next one, so that cron
// alone makes a trend.
func TestCheckRemembers(t *testing.T) {
	home(t)
	w, kubeconfig := world(t, demo.Healthy, "admin")
	daytwo(t, "check", "--kubeconfig", kubeconfig).says(t, 0)
	client, err := kube.Connect(kube.Options{Kubeconfig: kubeconfig})
	if err != nil {
		t.Fatal(err)
	}
	dir, err := history.Dir(client.ContextName(), client.Identity())
	if err != nil {
		t.Fatal(err)
	}
	h, err := history.Open(t.Context(), history.Options{Dir: dir, Clock: w.Now, Log: t.Logf})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.Close() }()
	kept, err := h.Load(t.Context(), w.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, series := range []string{sources.DiskUsedSeries("worker-0"), sources.CPUSeries("worker-0")} {
		if len(kept.Series[series]) == 0 {
			t.Errorf("nothing was kept of %s", series)
		}
	}
}

// TestSecretsStayWhereTheyAre: neither the token nor a key is in what daytwo
// prints, logs or remembers, also when the server refuses the token.
func TestSecretsStayWhereTheyAre(t *testing.T) {
	dir := home(t)
	w, kubeconfig := world(t, demo.Incident, "admin")
	data, err := os.ReadFile(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`token: (\S+)`).FindSubmatch(data)
	if m == nil {
		t.Fatal("the demo's administrator has no token")
	}
	said := daytwo(t, "check", "--kubeconfig", kubeconfig, "-o", "json").out
	lift := w.Fault(demo.Fault{Code: 401})
	r := daytwo(t, "doctor", "--kubeconfig", kubeconfig, "--timeout", "2s")
	lift()
	said += r.out + r.err
	err = filepath.WalkDir(filepath.Join(dir, "state"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if info, err := d.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s may be read by others: %v %v", path, info, err)
		}
		text, err := os.ReadFile(path)
		said += string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{string(m[1]), "PRIVATE KEY", "tls.key"} {
		if strings.Contains(said, secret) {
			t.Errorf("%.8s… is in what daytwo wrote", secret)
		}
	}
	for _, seen := range []string{"worker-0", "SQLite format 3", "level=INFO"} { // screen, history, log
		if !strings.Contains(said, seen) {
			t.Errorf("%q is not in what was looked through", seen)
		}
	}
}

// TestContextOfAnyName: the name of a context is free text, and becomes a
// folder, a title and a line of a report.
func TestContextOfAnyName(t *testing.T) {
	dir := home(t)
	w, kubeconfig := world(t, demo.Healthy, "admin")
	const name = "../prod: ü \x1b[31mred"
	raw, err := clientcmd.LoadFromFile(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	raw.Contexts[name] = raw.Contexts[raw.CurrentContext]
	if err := clientcmd.WriteToFile(*raw, kubeconfig); err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"text", "json", "markdown"} {
		r := daytwo(t, "check", "--kubeconfig", kubeconfig, "--context", name, "-o", format)
		r.says(t, 0, "prod: ü red")
		if strings.Contains(r.out, "\x1b") || strings.Contains(r.out, `\u001b`) {
			t.Errorf("%s: %q", format, r.out)
		}
	}
	r := daytwo(t, "doctor", "--kubeconfig", kubeconfig, "--context", name)
	r.says(t, 0, "prod: ü red")
	if strings.Contains(r.out, "\x1b") {
		t.Errorf("doctor: %q", r.out)
	}
	r = daytwo(t, "init", "--print", "--kubeconfig", kubeconfig, "--context", name)
	r.says(t, 0, "thresholds")
	if strings.Contains(r.out+r.err, "\x1b") {
		t.Errorf("init: %q", r.out+r.err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r = daytwo(t, "check", "--kubeconfig", kubeconfig, "--context", name, "--timeout", "2s")
	r.says(t, 3, "prod: ü red", "refused the connection")
	if strings.Contains(r.out+r.err, "\x1b") {
		t.Errorf("without a server: %q", r.out+r.err)
	}
	kept, err := os.ReadDir(filepath.Join(dir, "state", "daytwo"))
	if err != nil || len(kept) != 2 { // the log, and one folder
		t.Errorf("%v %v", kept, err)
	}
}

// TestKubeconfigOfTheDemo: it is printed whole, works, and the world ends with
// the command.
func TestKubeconfigOfTheDemo(t *testing.T) {
	home(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, printed := io.Pipe()
	ended := make(chan int, 1)
	var errs bytes.Buffer
	go func() {
		ended <- run(ctx, []string{"demo", "--scenario", "empty", "--print-kubeconfig"}, terminal{in: strings.NewReader(""), out: printed, err: &errs})
		_ = printed.Close()
	}()
	buf := make([]byte, 64<<10)
	n, err := out.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := clientcmd.RESTConfigFromKubeConfig(buf[:n])
	if err != nil {
		t.Fatalf("%v in\n%s", err, buf[:n])
	}
	cfg.Timeout = 10 * time.Second
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if nodes, err := client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{}); err != nil || len(nodes.Items) != 1 {
		t.Errorf("%v %v", nodes, err)
	}
	cancel()
	if code := <-ended; code != 0 || !strings.Contains(errs.String(), "ctrl+c") {
		t.Errorf("exit %d: %s", code, errs.String())
	}
	if _, err := client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{}); err == nil {
		t.Error("the world outlived its command")
	}
	daytwo(t, "demo", "--scenario", "moon").says(t, 3, "moon", "incident")
}

// TestInitWithoutACluster: nobody looked, so nobody says what there is not.
func TestInitWithoutACluster(t *testing.T) {
	dir := home(t)
	r := daytwo(t, "init", "--print", "--kubeconfig", filepath.Join(dir, "none"))
	r.says(t, 0, "No cluster's CronJobs could be looked at")
	if !strings.Contains(r.err, "no cluster looked at") || strings.Contains(r.out, "No CronJob here") {
		t.Errorf("said %q", r.err)
	}
	daytwo(t, "init", "--kubeconfig", filepath.Join(dir, "none")).says(t, 0, "config.yaml, with nothing in it of a cluster")
	w, kubeconfig := world(t, demo.Healthy, "admin")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r = daytwo(t, "init", "--print", "--kubeconfig", kubeconfig)
	r.says(t, 0, "no cluster looked at: api server", "refused the connection")
	if strings.Contains(r.out, "on the context") {
		t.Errorf("written on a cluster that nobody saw:\n%s", r.out)
	}
}
