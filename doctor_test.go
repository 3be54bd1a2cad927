package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	rbac "k8s.io/api/rbac/v1"

	"daytwo/sources/demo"
)

// has holds that a line begins with a word and a thing.
func (r result) has(t *testing.T, word, what, detail string) {
	t.Helper()
	if !regexp.MustCompile(`(?m)^` + word + ` +` + regexp.QuoteMeta(what) + `  .*` + regexp.QuoteMeta(detail)).MatchString(r.out) {
		t.Errorf("no line %q %q with %q in\n%s", word, what, detail, r.out)
	}
}

// TestDoctorNamesWhatCannotBeRead although it is allowed: it fails, is
// refused all the same, or is still waited for at the end.
func TestDoctorNamesWhatCannotBeRead(t *testing.T) {
	home(t)
	w, kubeconfig := world(t, demo.Healthy, "admin")
	for detail, c := range map[string]struct {
		fault demo.Fault
		word  string
	}{
		"answered 500":               {demo.Fault{Code: 500, Resource: "pods", Verb: "list"}, "failed"},
		"no permission to list pods": {demo.Fault{Code: 403, Resource: "pods", Verb: "list"}, "missing"},
		"no answer in time":          {demo.Fault{Hang: true, Resource: "pods", Verb: "list"}, "failed"},
	} {
		lift := w.Fault(c.fault)
		r := daytwo(t, "doctor", "--kubeconfig", kubeconfig, "--timeout", "2s")
		r.says(t, 1)
		r.has(t, "ok", "may list pods", "")
		r.has(t, c.word, "pods", detail)
		lift()
	}
}

// TestDoctorSaysAMissingPermissionOnce, not again for what it makes dark.
func TestDoctorSaysAMissingPermissionOnce(t *testing.T) {
	home(t)
	kubeconfig := viewer(t, demo.Healthy, rbac.PolicyRule{
		APIGroups: []string{""}, Resources: []string{"nodes", "pods", "events"}, Verbs: []string{"list", "watch"},
	})
	r := daytwo(t, "doctor", "--kubeconfig", kubeconfig)
	r.has(t, "missing", "may list cronjobs.batch", "backups")
	if regexp.MustCompile(`(?m)^\w+ +cron jobs `).MatchString(r.out) {
		t.Errorf("the CronJobs are told twice:\n%s", r.out)
	}
}

// TestDoctorGoesOnWithoutTheConfiguration: what is wrong in the file is one
// line each, the cluster is diagnosed all the same.
func TestDoctorGoesOnWithoutTheConfiguration(t *testing.T) {
	dir := home(t)
	_, kubeconfig := world(t, demo.Healthy, "admin")
	broken := filepath.Join(dir, "broken.yaml")
	if err := os.WriteFile(broken, []byte("thresholds:\n  disk_warnin: 80\nuii: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := daytwo(t, "doctor", "--kubeconfig", kubeconfig, "--config", broken)
	r.says(t, 1, "5 of 5 answer")
	r.has(t, "failed", "configuration", "broken.yaml:2")
	r.has(t, "failed", "configuration", "broken.yaml:3")
}

// TestDoctorWithoutAServer: nothing is "missing", it failed.
func TestDoctorWithoutAServer(t *testing.T) {
	home(t)
	w, kubeconfig := world(t, demo.Healthy, "admin")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r := daytwo(t, "doctor", "--kubeconfig", kubeconfig, "--timeout", "5s")
	r.says(t, 3)
	r.has(t, "failed", "api server", "refused the connection")
	r.has(t, "ok", "history", "")
}
