package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
	rbac "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"daytwo/sources/demo"
)

// admin is a client of the world for what a test does to it from outside.
func admin(t *testing.T, w *demo.World) kubernetes.Interface {
	t.Helper()
	data, err := w.Kubeconfig("admin")
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := clientcmd.RESTConfigFromKubeConfig(data)
	if err != nil {
		t.Fatal(err)
	}
	cfg.QPS = -1 // no limit
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func cordonNode(t *testing.T, w *demo.World, node string) {
	t.Helper()
	patch := []byte(`{"spec":{"unschedulable":true}}`)
	if _, err := admin(t, w).CoreV1().Nodes().Patch(t.Context(), node, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
}

// rewrite writes a kubeconfig with one text in place of another.
func rewrite(t *testing.T, kubeconfig string, change func(string) string) string {
	t.Helper()
	data, err := os.ReadFile(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	next := change(string(data))
	if next == string(data) {
		t.Fatal("nothing was changed in the kubeconfig")
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, []byte(next), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestNothingToLookAt: every command says what to do, and none opens a screen.
func TestNothingToLookAt(t *testing.T) {
	home(t)
	for _, args := range [][]string{{}, {"check"}, {"doctor"}} {
		r := daytwo(t, args...)
		r.says(t, 3, "no kubeconfig", "--kubeconfig", "daytwo demo")
		if strings.Contains(r.out, "\x1b") {
			t.Errorf("daytwo %q touched the terminal: %q", args, r.out)
		}
	}
	daytwo(t, "init").says(t, 0, "no cluster looked at: no kubeconfig", "wrote ")
}

func TestExpiredClientCertificate(t *testing.T) {
	home(t)
	_, kubeconfig := world(t, demo.Healthy, "expired")
	daytwo(t, "check", "--kubeconfig", kubeconfig).says(t, 3, "client certificate", "expired", "get a new kubeconfig")
	daytwo(t, "--kubeconfig", kubeconfig).says(t, 3, "client certificate", "expired", "get a new kubeconfig")
}

func TestAnotherAuthority(t *testing.T) {
	home(t)
	authority := regexp.MustCompile(`certificate-authority-data: \S+`)
	_, other := world(t, demo.Empty, "admin")
	stranger, err := os.ReadFile(other)
	if err != nil {
		t.Fatal(err)
	}
	_, kubeconfig := world(t, demo.Empty, "admin")
	wrong := rewrite(t, kubeconfig, func(s string) string {
		return authority.ReplaceAllString(s, authority.FindString(string(stranger)))
	})
	daytwo(t, "check", "--kubeconfig", wrong, "--timeout", "2s").says(t, 3, "unknown authority", "certificate-authority does not match")
}

// TestServerThatOnlyFails: what the server does is said, and is no "ok".
func TestServerThatOnlyFails(t *testing.T) {
	home(t)
	w, kubeconfig := world(t, demo.Empty, "admin")
	for want, fault := range map[string]demo.Fault{
		"api server answered 500":  {Code: 500},
		"api server is overloaded": {Code: 429},
		"does not answer":          {Hang: true},
	} {
		lift := w.Fault(fault)
		r := daytwo(t, "check", "--kubeconfig", kubeconfig, "--timeout", "6s")
		r.says(t, 3, want)
		if strings.Contains(r.out, "nothing needs attention") {
			t.Errorf("a failing server is called fine:\n%s", r.out)
		}
		lift()
	}
}

// TestOneResourceRefused: it is unknown, with the permission that is missing;
// the rest is looked at as ever.
func TestOneResourceRefused(t *testing.T) {
	home(t)
	w, kubeconfig := world(t, demo.Healthy, "admin")
	lift := w.Fault(demo.Fault{Code: 403, Resource: "cronjobs"})
	daytwo(t, "check", "--kubeconfig", kubeconfig).says(t, 3, "unknown", "no permission to list cronjobs")
	daytwo(t, "check", "--kubeconfig", kubeconfig, "--fail-on", "unknown").says(t, 3, "no permission to list cronjobs")
	lift()
	defer w.Fault(demo.Fault{Code: 403, Resource: "pods", Verb: "list"})()
	daytwo(t, "check", "--kubeconfig", kubeconfig).says(t, 3, "no permission to list pods")
}

// TestAWholePartUnseenIsNotOK: all disks, backups or certificates in the dark
// are no exit code 0, whether refused or still waited for at the end.
func TestAWholePartUnseenIsNotOK(t *testing.T) {
	home(t)
	w, kubeconfig := world(t, demo.Healthy, "admin")
	for _, fault := range []demo.Fault{
		{Code: 403, Resource: "nodes", Subresource: "proxy"},
		{Code: 403, Resource: "certificates"},
		{Hang: true, Resource: "cronjobs"},
	} {
		lift := w.Fault(fault)
		daytwo(t, "check", "--kubeconfig", kubeconfig, "--timeout", "3s").says(t, 3)
		lift()
	}
}

// viewer starts a demo cluster and returns the kubeconfig of somebody who may
// do only what the rules say.
func viewer(t *testing.T, scenario demo.Scenario, rules ...rbac.PolicyRule) (kubeconfig string) {
	t.Helper()
	w, err := demo.Start(t.Context(), demo.Options{Scenario: scenario, ViewerRules: rules})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	data, err := w.Kubeconfig("viewer")
	if err != nil {
		t.Fatal(err)
	}
	kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(kubeconfig, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return kubeconfig
}

// roles are the rules of documented manifests.
func roles(t *testing.T, manifests ...string) []rbac.PolicyRule {
	t.Helper()
	var rules []rbac.PolicyRule
	for _, name := range manifests {
		raw, err := os.ReadFile(filepath.Join("docs", "rbac", name))
		if err != nil {
			t.Fatal(err)
		}
		for dec := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(raw), 4096); ; {
			var role rbac.ClusterRole
			if err := dec.Decode(&role); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			rules = append(rules, role.Rules...) // bindings have none
		}
	}
	return rules
}

// TestViewRoleSuffices: with the documented role, and nothing else, the whole
// program sees all there is, kubelets and certificates included.
func TestViewRoleSuffices(t *testing.T) {
	home(t)
	kubeconfig := viewer(t, demo.Incident, roles(t, "view.yaml")...)
	daytwo(t, "doctor", "--kubeconfig", kubeconfig).says(t, 0, "5 of 5 answer")
	r := daytwo(t, "check", "--kubeconfig", kubeconfig, "-o", "json")
	r.says(t, 2, `"disk.used"`, `"cert.overdue"`, `"backup.age"`, `"restarts.rate"`, `"unread": []`)
	if strings.Contains(r.out, "no permission") {
		t.Errorf("the role does not suffice:\n%s", r.out)
	}
}

// TestDoctorPrintsTheMissingLine: verb, resource, what is dark without it and
// the line of RBAC that grants it.
func TestDoctorPrintsTheMissingLine(t *testing.T) {
	home(t)
	kubeconfig := viewer(t, demo.Healthy, rbac.PolicyRule{
		APIGroups: []string{""}, Resources: []string{"nodes", "pods", "events"}, Verbs: []string{"list", "watch"},
	})
	daytwo(t, "doctor", "--kubeconfig", kubeconfig).says(t, 1,
		"may list pods", "may list cronjobs.batch", "add to a ClusterRole",
		`{apiGroups: ["batch"], resources: ["cronjobs"], verbs: ["list"`,
		`{apiGroups: [""], resources: ["nodes/proxy"], verbs: ["get"]}`)
}

// TestWatchesCloseAndAreGone: a change made while no watch can be resumed
// still reaches the screen, without a key press.
func TestWatchesCloseAndAreGone(t *testing.T) {
	w, term := onDemo(t, demo.Healthy, flags{}, 120, 40)
	term.Wait("a calm cluster", shows("5 of 5 ready", "kubelets 5/5"))
	lift := w.Fault(demo.Fault{Verb: "watch", Gone: true})
	w.CloseWatches()
	cordonNode(t, w, "worker-1")
	w.Compact()
	term.Wait("the change from a new list", shows("5 of 5 ready, 1 cordoned"))
	lift()
}

// TestKubeletThatNeverAnswers: its disk is unknown, nobody else's is.
func TestKubeletThatNeverAnswers(t *testing.T) {
	home(t)
	w, kubeconfig := world(t, demo.Healthy, "admin")
	defer w.KubeletDown("worker-0")()
	r := daytwo(t, "check", "--kubeconfig", kubeconfig, "-o", "json")
	var doc struct {
		Verdict  string `json:"verdict"`
		Findings []struct {
			Rule  string `json:"rule"`
			About struct {
				Name string `json:"name"`
			} `json:"about"`
		} `json:"findings"`
	}
	if err := json.Unmarshal([]byte(r.out), &doc); err != nil {
		t.Fatalf("%v in\n%s", err, r.out)
	}
	if r.code != 0 || doc.Verdict != "unknown" {
		t.Errorf("exit %d, verdict %s", r.code, doc.Verdict)
	}
	dark := 0
	for _, f := range doc.Findings {
		if f.Rule == "disk.unknown" {
			dark++
			if f.About.Name != "worker-0" {
				t.Errorf("%s is called unknown", f.About.Name)
			}
		}
	}
	daytwo(t, "doctor", "--kubeconfig", kubeconfig, "--timeout", "2s").says(t, 1, "kubelet of worker-0", "no answer in time")
	if dark != 1 {
		t.Errorf("%d nodes with an unknown disk, want worker-0 alone:\n%s", dark, r.out)
	}
}

// hostile is a world with text that wants to own the terminal.
func hostile(t *testing.T, w *demo.World) {
	t.Helper()
	label := []byte(`{"metadata":{"annotations":{"note":"` + strings.Repeat("x", 10000) + `"},"labels":{"long":"` + strings.Repeat("y", 10000) + `"}}}`)
	if _, err := admin(t, w).CoreV1().Nodes().Patch(t.Context(), "worker-1", types.MergePatchType, label, metav1.PatchOptions{}); err != nil {
		t.Logf("the label is refused, as by a real server: %v", err)
	}
	_, err := admin(t, w).CoreV1().Events("default").Create(t.Context(), &core.Event{
		ObjectMeta:     metav1.ObjectMeta{Namespace: "default", Name: "evil"},
		InvolvedObject: core.ObjectReference{Kind: "Node", Name: "worker-1"},
		Type:           core.EventTypeWarning, Reason: "CertificateExpirationWarning",
		Source:        core.EventSource{Component: "k3s-cert-monitor"},
		Message:       "\x1b]0;owned\x07\x1b[2J証明書 z" + strings.Repeat("\u0301", 500) + " \u202Eesrever " + strings.Repeat("m", 10000),
		LastTimestamp: metav1.Now(),
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

func TestHostileTextWithoutAScreen(t *testing.T) {
	home(t)
	w, kubeconfig := world(t, demo.Healthy, "admin")
	hostile(t, w)
	for _, format := range []string{"text", "json", "markdown"} {
		r := daytwo(t, "check", "--kubeconfig", kubeconfig, "-o", format)
		r.says(t, 1, "worker-1")
		if strings.ContainsAny(r.out, "\x1b\x07\u202e") || strings.Contains(r.out, "owned") || strings.Contains(r.out, strings.Repeat("\u0301", 5)) {
			t.Errorf("%s lets it through: %q", format, r.out)
		}
	}
}

// TestTinyTerminal: on 20×5 the worst finding is in sight, the help and the
// evidence open and close, and more room is taken when it comes.
func TestTinyTerminal(t *testing.T) {
	w, term := onDemo(t, demo.Incident, flags{}, 20, 5)
	hostile(t, w)
	term.Wait("the worst finding", shows("✖ disk"))
	term.Keys("?")
	term.Wait("the help", shows("Keys"))
	term.Keys("\x1b")
	term.Wait("the findings again", shows("✖ disk"))
	term.Keys("123450\r")
	term.Wait("the evidence", shows("critical"))
	term.Keys("\x1b")
	term.Wait("the findings once more", shows("✖ disk"))
	term.Resize(120, 40)
	term.Wait("everything again", shows("Attention", "5 Backups", "kubelets 5/5"))
	if s := term.Screen(); strings.Contains(s, "owned") {
		t.Errorf("text from an event took the terminal:\n%s", s)
	}
}
