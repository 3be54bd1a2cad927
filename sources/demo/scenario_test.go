package demo_test

import (
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"daytwo/sources"
	"daytwo/sources/config"
	"daytwo/sources/demo"
)

func points(samples []sources.Sample, series string) []sources.Sample {
	var out []sources.Sample
	for _, s := range samples {
		if s.Series == series {
			out = append(out, s)
		}
	}
	return out
}

func TestIncidentRemembersTheSlowStory(t *testing.T) {
	t.Parallel()
	w, _ := start(t, demo.Options{})
	h := w.History()
	used, avail := points(h, sources.DiskUsedSeries("worker-0")), points(h, sources.DiskAvailSeries("worker-0"))
	first, last := used[0], used[len(used)-1]
	if d := last.At.Sub(first.At); d < 140*24*time.Hour || d > 142*24*time.Hour {
		t.Errorf("the story is %s long", d)
	}
	if grown := last.Value - first.Value; grown < 230e9 || grown > 245e9 {
		t.Errorf("the disk grew by %.0f GB", grown/1e9)
	}
	if p := 100 * last.Value / (last.Value + avail[len(avail)-1].Value); p < 92 || p > 93 {
		t.Errorf("%.2f %% used", p)
	}
	for i := range h[1:] {
		if h[i+1].At.Before(h[i].At) {
			t.Fatal("samples are not in order")
		}
	}
	hot := 0
	for _, s := range points(h, sources.CPUSeries("worker-2")) {
		if noon().Sub(s.At) <= 15*time.Minute && s.Value > 0.9 {
			hot++
		}
	}
	if hot < 15 {
		t.Errorf("worker-2 is hot in %d of the last 16 minutes", hot)
	}
}

func TestIncidentRemembersRestarts(t *testing.T) {
	t.Parallel()
	w, _ := start(t, demo.Options{})
	var hour float64
	days := map[string]bool{}
	last := map[string]float64{}
	for _, s := range w.History() {
		owner, _, _, ok := sources.ParseRestartSeries(s.Series)
		if !ok {
			continue
		}
		d := s.Value - last[s.Series]
		last[s.Series] = s.Value
		switch {
		case owner.Name == "api" && noon().Sub(s.At) <= time.Hour:
			hour += d
		case owner.Name == "transcoder" && d > 0:
			days[s.At.Format(time.DateOnly)] = true
		}
	}
	if hour != 7 || len(days) != 24 {
		t.Errorf("%v restarts of shop/api within the hour, media/transcoder restarted on %d days", hour, len(days))
	}
}

// TestOwnersKnowWhatIsBroken holds before the first step, when a cockpit
// looks first.
func TestOwnersKnowWhatIsBroken(t *testing.T) {
	t.Parallel()
	w, _ := start(t, demo.Options{})
	k := client(t, w, "admin", "")
	for name, want := range map[string]int32{"shop/api": 2, "media/importer": 0, "media/web": 2} {
		ns, deployment, _ := strings.Cut(name, "/")
		d, err := k.AppsV1().Deployments(ns).Get(t.Context(), deployment, metav1.GetOptions{})
		if err != nil || d.Status.ReadyReplicas != want {
			t.Errorf("%s: %d ready, %v", name, d.Status.ReadyReplicas, err)
		}
	}
}

func TestServedCertificatesAreReal(t *testing.T) {
	t.Parallel()
	w, _ := start(t, demo.Options{})
	k := client(t, w, "admin", "")
	for name, days := range map[string]int{"shop/tls": 12, "media/media-tls": 64, "monitoring/grafana-tls": 41} {
		ns, secret, _ := strings.Cut(name, "/")
		s, err := k.CoreV1().Secrets(ns).Get(t.Context(), secret, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(s.Data[corev1.TLSCertKey])
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		if left := cert.NotAfter.Sub(noon()); int(left.Hours()/24) != days || s.Type != corev1.SecretTypeTLS {
			t.Errorf("%s expires in %s", name, left)
		}
	}
}

func TestConfigsAreValid(t *testing.T) {
	t.Parallel()
	for _, name := range demo.Scenarios() {
		if name == string(demo.Large) {
			continue // the same text as empty
		}
		w, _ := start(t, demo.Options{Scenario: demo.Scenario(name)})
		if _, err := config.Parse("demo.yaml", []byte(w.Config())); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHealthyIsHealthy(t *testing.T) {
	t.Parallel()
	w, c := start(t, demo.Options{Scenario: demo.Healthy})
	c.pass(5 * time.Minute)
	k := client(t, w, "admin", "")
	pods, err := k.CoreV1().Pods("").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range pods.Items {
		p := &pods.Items[i]
		restarts := int32(0)
		for _, s := range p.Status.ContainerStatuses {
			restarts += s.RestartCount
		}
		if (p.Status.Phase != corev1.PodRunning && p.Status.Phase != corev1.PodSucceeded) || restarts > 0 {
			t.Errorf("%s/%s is %s with %d restarts", p.Namespace, p.Name, p.Status.Phase, restarts)
		}
	}
	for _, s := range w.History() {
		if strings.HasPrefix(s.Series, "restarts/") {
			t.Fatalf("a restart is remembered: %v", s)
		}
	}
}

func TestEmptyHasNothing(t *testing.T) {
	t.Parallel()
	w, _ := start(t, demo.Options{Scenario: demo.Empty})
	k := client(t, w, "admin", "")
	nodes, err := k.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil || len(nodes.Items) != 1 || len(w.History()) != 0 {
		t.Errorf("%d nodes, %d samples, %v", len(nodes.Items), len(w.History()), err)
	}
	pods, err := k.CoreV1().Pods("").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range pods.Items {
		if pods.Items[i].Namespace != metav1.NamespaceSystem {
			t.Errorf("%s/%s in an empty cluster", pods.Items[i].Namespace, pods.Items[i].Name)
		}
	}
}

func TestLargeIsLarge(t *testing.T) {
	t.Parallel()
	w, c := start(t, demo.Options{Scenario: demo.Large})
	k := client(t, w, "admin", protobuf)
	nodes, err := k.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	pods, err := k.CoreV1().Pods("").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(nodes.Items) != 500 || len(pods.Items) != 15000 {
		t.Errorf("%d nodes, %d pods", len(nodes.Items), len(pods.Items))
	}
	c.pass(3 * time.Second)
}
