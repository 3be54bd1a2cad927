package demo

import (
	"crypto/x509"
	"net/http"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
)

// user is who a request comes from.
type user struct {
	name   string
	groups []string
	rules  []rbacv1.PolicyRule
}

// authenticate finds the user of a bearer token or of a client certificate.
// An expired certificate is nobody, as with the real API server.
func (w *World) authenticate(r *http.Request) (user, bool) {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		u, ok := w.users[token]
		return u, ok
	}
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return user{}, false
	}
	cert := r.TLS.PeerCertificates[0]
	_, err := cert.Verify(x509.VerifyOptions{
		Roots: w.tls.pool, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return user{}, false
	}
	return user{name: cert.Subject.CommonName, groups: []string{"system:masters"}, rules: adminRules()}, true
}

// attributes are what a rule is asked about.
type attributes struct {
	verb, group, resource, sub, name, path string
}

func (u user) may(a attributes) bool {
	return slices.ContainsFunc(u.rules, func(r rbacv1.PolicyRule) bool { return ruleAllows(r, a) })
}

// ruleAllows evaluates one RBAC rule as the API server's authorizer does.
func ruleAllows(r rbacv1.PolicyRule, a attributes) bool {
	if !oneOf(r.Verbs, a.verb) {
		return false
	}
	if a.path != "" {
		return slices.ContainsFunc(r.NonResourceURLs, func(u string) bool {
			prefix, star := strings.CutSuffix(u, "*")
			return u == a.path || (star && strings.HasPrefix(a.path, prefix))
		})
	}
	resource := a.resource
	if a.sub != "" {
		resource += "/" + a.sub
	}
	named := len(r.ResourceNames) == 0 || slices.Contains(r.ResourceNames, a.name)
	matches := oneOf(r.Resources, resource) || (a.sub != "" && slices.Contains(r.Resources, "*/"+a.sub))
	return named && matches && oneOf(r.APIGroups, a.group)
}

func oneOf(list []string, want string) bool {
	return slices.Contains(list, want) || slices.Contains(list, "*")
}

func adminRules() []rbacv1.PolicyRule {
	return []rbacv1.PolicyRule{
		{Verbs: []string{"*"}, APIGroups: []string{"*"}, Resources: []string{"*"}},
		{Verbs: []string{"*"}, NonResourceURLs: []string{"*"}},
	}
}

// everyoneRules is what the roles system:discovery and system:basic-user
// give to every authenticated user.
func everyoneRules() []rbacv1.PolicyRule {
	return []rbacv1.PolicyRule{
		{Verbs: []string{"get"}, NonResourceURLs: []string{
			"/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*",
			"/readyz", "/version", "/version/",
		}},
		{
			Verbs: []string{"create"}, APIGroups: []string{"authorization.k8s.io"},
			Resources: []string{"selfsubjectaccessreviews", "selfsubjectrulesreviews"},
		},
	}
}

// viewerRules is what a cockpit that only looks needs; Options.ViewerRules
// replaces it.
func viewerRules() []rbacv1.PolicyRule {
	look := []string{"get", "list", "watch"}
	rule := func(group string, resources ...string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{Verbs: look, APIGroups: []string{group}, Resources: resources}
	}
	return []rbacv1.PolicyRule{
		rule("", "nodes", "pods", "namespaces", "events", "services", "endpoints", "persistentvolumes", "persistentvolumeclaims"),
		rule("apps", "deployments", "statefulsets", "daemonsets", "replicasets"),
		rule("batch", "jobs", "cronjobs"),
		rule("networking.k8s.io", "ingresses", "ingressclasses"),
		rule("policy", "poddisruptionbudgets"),
		rule("coordination.k8s.io", "leases"),
		rule("metrics.k8s.io", "nodes", "pods"),
		rule("cert-manager.io", "certificates", "certificaterequests", "issuers", "clusterissuers"),
		rule("acme.cert-manager.io", "orders", "challenges"),
		{Verbs: []string{"get"}, APIGroups: []string{""}, Resources: []string{"nodes/proxy", "nodes/stats", "pods/log"}},
	}
}
