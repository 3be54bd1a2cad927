package kube

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	rbac "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/util/yaml"

	"daytwo/sources"
	"daytwo/sources/demo"
)

// viewRole reads every rule of the documented view role.
func viewRole(t *testing.T) []rbac.PolicyRule {
	t.Helper()
	return documented(t, "view.yaml")
}

// documented reads every rule of a manifest.
func documented(t *testing.T, manifest string) []rbac.PolicyRule {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", "rbac", manifest))
	if err != nil {
		t.Fatal(err)
	}
	var rules []rbac.PolicyRule
	dec := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(raw), 4096)
	for {
		var role rbac.ClusterRole
		if err := dec.Decode(&role); errors.Is(err, io.EOF) {
			return rules
		} else if err != nil {
			t.Fatal(err)
		}
		if role.Kind == "ClusterRole" {
			rules = append(rules, role.Rules...)
		}
	}
}

// TestRolesAreWhatIsNeeded: nothing missing, nothing more.
func TestRolesAreWhatIsNeeded(t *testing.T) {
	t.Parallel()
	for manifest, needs := range map[string][]Need{"view.yaml": Needs(), "operate.yaml": OperatorNeeds()} {
		granted := map[string]bool{}
		for _, r := range documented(t, manifest) {
			for _, g := range r.APIGroups {
				for _, res := range r.Resources {
					for _, v := range r.Verbs {
						granted[v+" "+res+"."+g] = true
					}
				}
			}
		}
		for _, n := range needs {
			key := n.Verb + " " + n.Resource + "." + n.Group
			if !granted[key] {
				t.Errorf("%s does not grant %s", manifest, key)
			}
			delete(granted, key)
		}
		for key := range granted {
			t.Errorf("%s grants %s, which nothing uses", manifest, key)
		}
	}
}

func TestViewRoleSuffices(t *testing.T) {
	t.Parallel()
	b := start(t, demo.Options{Scenario: demo.Incident, ViewerRules: viewRole(t)}).look("viewer")
	s := b.until("all readings", settled)
	for _, r := range s.Readings()[:11] {
		if r.Err != nil {
			t.Errorf("%s: %v", r.Name, r.Err)
		}
	}
	for _, c := range s.Secrets.Value {
		if c.Err != nil {
			t.Errorf("Secret %s: %v", c.Ref, c.Err)
		}
	}
	if len(s.Secrets.Value) == 0 || len(s.Certificates.Value) == 0 {
		t.Errorf("%d Secrets, %d Certificates seen", len(s.Secrets.Value), len(s.Certificates.Value))
	}
	for _, p := range b.client.Permissions(t.Context()) {
		if !p.Allowed || p.Err != nil {
			t.Errorf("%s: allowed %v, err %v", p.Rule(), p.Allowed, p.Err)
		}
	}
}

func TestMissingPermissionsAreNamed(t *testing.T) {
	t.Parallel()
	b := start(t, demo.Options{Scenario: demo.Incident, ViewerRules: roleWithout("secrets", "nodes/proxy")}).look("viewer")
	var missing []string
	for _, p := range b.client.Permissions(t.Context()) {
		if !p.Allowed {
			missing = append(missing, p.Rule())
		}
	}
	want := []string{
		`{apiGroups: [""], resources: ["secrets"], verbs: ["get"]}`,
		`{apiGroups: [""], resources: ["nodes/proxy"], verbs: ["get"]}`,
	}
	if !slices.Equal(missing, want) {
		t.Errorf("missing %q, want %q", missing, want)
	}
	s := b.until("all readings", settled)
	var denied *sources.AccessError
	if !errors.As(s.Secrets.Err, &denied) || denied.Error() != "no permission to get secrets" {
		t.Errorf("Secrets: %v", s.Secrets.Err)
	}
	for _, c := range s.Secrets.Value {
		if !errors.As(c.Err, &denied) || denied.Namespace != c.Ref.Namespace {
			t.Errorf("Secret %s: %v", c.Ref, c.Err)
		}
	}
}
