//go:build lab

package e2e

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"daytwolab/e2e/labenv"
)

// bindings are what docs/rbac/view.yaml binds.
var bindings = []string{"daytwo-view", "daytwo-view-kubelets", "daytwo-view-secrets"}

// panes are the keys that open each pane, and its title.
var panes = map[string]string{"1": "Nodes", "2": "Disk", "3": "Restarts", "4": "Certificates", "5": "Backups"}

func grant(ctx context.Context, lab labenv.Env) error {
	_, err := lab.Try(ctx, lab.AsAdmin("apply", "-f", repository("docs", "rbac", "view.yaml"))...)
	return err
}

func TestTheViewRoleSuffices(t *testing.T) {
	lab := labenv.Find(t)
	if err := grant(t.Context(), lab); err != nil {
		t.Fatal(err)
	}
	c := openWhole(t, lab, lab.ViewerKubeconfig)
	for key, title := range panes {
		c.press(key+"\r", "─ "+title+" ─")
		if screen := c.Screen(); strings.Contains(screen, "permission") || strings.Contains(screen, "unknown") {
			t.Errorf("the view role does not suffice for %s:\n%s", title, screen)
		}
		c.press("\x1b", "─ Attention ─")
	}
	if got := unread(t, lab); len(got) != 0 {
		t.Errorf("the viewer could not read %v", got)
	}
	if got := headless(t, lab, "doctor", "--kubeconfig", lab.ViewerKubeconfig); got.code != 0 || strings.Contains(got.out, "missing") {
		t.Errorf("doctor exits %d:\n%s%s", got.code, got.out, got.err)
	}
}

// unread is what check could not read as viewer, with the reasons.
func unread(t *testing.T, lab labenv.Env) map[string]string {
	t.Helper()
	got := headless(t, lab, "check", "-o", "json", "--kubeconfig", lab.ViewerKubeconfig)
	var doc struct {
		Schema string
		Unread []struct{ What, Why string }
	}
	read(t, got.out, &doc)
	if doc.Schema != "daytwo.check/v1" {
		t.Fatalf("check says that it is %q", doc.Schema)
	}
	all := map[string]string{}
	for _, u := range doc.Unread {
		all[u.What] = u.Why
	}
	return all
}

func TestWithoutTheRoleNothingIsGreen(t *testing.T) {
	lab := labenv.Find(t)
	t.Cleanup(func() {
		if err := grant(context.WithoutCancel(t.Context()), lab); err != nil {
			t.Errorf("putting the role back: %v", err)
		}
	})
	lab.Run(t, lab.AsAdmin(append([]string{"delete", "clusterrolebinding", "--ignore-not-found"}, bindings...)...)...)
	c := open(t, lab, lab.ViewerKubeconfig)
	c.see("○ source", "no permission to list nodes", "pods: no permission to list pods",
		"certificates: no permission to list", "cron jobs: no permission to list cronjobs")
	header, body, _ := strings.Cut(c.Screen(), "\n")
	if regexp.MustCompile(`● |nothing needs attention| ok |[▲✖]`).MatchString(body) || strings.Contains(header, "kubelets") {
		t.Errorf("something is said of what could not be read:\n%s", c.Screen())
	}
	for key, title := range panes {
		if !regexp.MustCompile(`─ ` + key + ` ` + title + ` ─+ unknown ─`).MatchString(body) {
			t.Errorf("the pane %s is not unknown:\n%s", title, body)
		}
	}
	unreadNamesPermissions(t, lab)

	if err := grant(t.Context(), lab); err != nil {
		t.Fatal(err)
	}
	c.until("everything, without a key press", func(s string) bool {
		return holdsAll(s, []string{allKubelets(lab), "shop/shop-tls", "shop/importer", "data/mariad"}) && !strings.Contains(s, "permission")
	})
}

func unreadNamesPermissions(t *testing.T, lab labenv.Env) {
	t.Helper()
	for what, verb := range map[string]string{
		"nodes": "list nodes", "pods": "list pods", "cron jobs": "list cronjobs.batch", "certificates": "list certificates.cert-manager.io",
	} {
		if why := unread(t, lab)[what]; why != "no permission to "+verb {
			t.Errorf("check says of %s: %q", what, why)
		}
	}
	if got := headless(t, lab, "check", "--kubeconfig", lab.ViewerKubeconfig); got.code != 3 {
		t.Errorf("check of what may not be read exits %d:\n%s", got.code, got.out)
	}
	got := headless(t, lab, "doctor", "--kubeconfig", lab.ViewerKubeconfig)
	if got.code != 1 || !regexp.MustCompile(`missing +may list nodes .*\{apiGroups: \[""\], resources: \["nodes"\], verbs: \["list"\]\}`).MatchString(got.out) {
		t.Errorf("doctor exits %d and does not say how to grant the nodes:\n%s", got.code, got.out)
	}
	if regexp.MustCompile(`(?m)^ok .*no permission`).MatchString(got.out) {
		t.Errorf("doctor calls something ok that it may not read:\n%s", got.out)
	}
}

func TestDoctorFindsNothingMissingForTheAdmin(t *testing.T) {
	lab := labenv.Find(t)
	got := headless(t, lab, "doctor", "--kubeconfig", lab.AdminKubeconfig)
	for _, line := range []string{lab.Version, "may list pods", "may get nodes/proxy", "4 of 4 answer"} {
		if !strings.Contains(got.out, line) {
			t.Errorf("doctor does not say %q:\n%s", line, got.out)
		}
	}
	if got.code != 0 || strings.Contains(got.out, "missing") {
		t.Errorf("doctor exits %d:\n%s%s", got.code, got.out, got.err)
	}
}

func TestInitSuggestsTheBackupsAndTheyWork(t *testing.T) {
	lab := labenv.Find(t)
	got := headless(t, lab, "init", "--print", "--kubeconfig", lab.AdminKubeconfig)
	names := strings.Fields(lab.Run(t, lab.AsAdmin("-n", "data", "get", "cronjobs", "-o", "jsonpath={.items[*].metadata.name}")...))
	for _, name := range names {
		if !strings.Contains(got.out, "cronjob: data/"+name) {
			t.Errorf("init does not suggest %s:\n%s", name, got.out)
		}
	}
	// Declared as suggested: without the sign of a suggestion.
	path := filepath.Join(t.TempDir(), "config.yaml")
	declared := regexp.MustCompile(`(?m)^  # (- name|  (cronjob|max_age|keep|offsite|where)):`).ReplaceAllString(got.out, "  $1:")
	if err := os.WriteFile(path, []byte(declared), 0o600); err != nil {
		t.Fatal(err)
	}
	check := headless(t, lab, "check", "-o", "json", "--config", path, "--kubeconfig", lab.AdminKubeconfig)
	var doc struct {
		Findings []struct {
			Rule  string
			About struct{ Kind, Name string }
		}
	}
	if check.code == 3 {
		t.Fatalf("check does not take what init suggests: %s%s", check.out, check.err)
	}
	read(t, check.out, &doc)
	var failed bool
	for _, f := range doc.Findings {
		failed = failed || strings.HasPrefix(f.Rule, "backup.") && strings.HasSuffix(f.About.Name, "files-backup")
	}
	if !failed {
		t.Errorf("the backup that fails is declared and not found:\n%s", check.out)
	}
}
