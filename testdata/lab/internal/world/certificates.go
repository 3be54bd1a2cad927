package world

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"daytwolab/internal/pki"
	"daytwolab/internal/place"
	"daytwolab/internal/proc"
)

const day = 24 * time.Hour

// certificate is one Certificate, the Secret beside it and the Ingress that uses it.
// Times are relative to now; zero means not there.
type certificate struct {
	Name, Host, Ingress string
	// says is when the Certificate's status says that it ends, has when the one in
	// the Secret does.
	says, has time.Duration
	renewal   time.Duration
	reason    string
	message   string

	CertPEM, KeyPEM string
}

// Secret says whether there is a Secret.
func (c certificate) Secret() bool { return c.has != 0 }

var certificateTable = []certificate{
	{Name: "shop-tls", Host: "shop.example.org", Ingress: "shop", says: 61 * day, has: 61 * day, renewal: 31 * day},
	// Renewal has failed for days: its order waits on a challenge that cannot pass.
	{
		Name: "api-tls", Host: "api.example.org", Ingress: "api", says: 12 * day, has: 12 * day, renewal: -18 * day,
		reason: "Failed", message: "The certificate request has failed to complete and will be retried: Failed to wait for order resource \"api-tls-2-1893021\" to become ready: order is in \"invalid\" state",
	},
	{
		Name: "new-tls", Host: "new.example.org", Ingress: "new",
		reason: "DoesNotExist", message: "Issuing certificate as Secret does not exist",
	},
	// What is served is older than what cert-manager says it issued.
	{Name: "docs-tls", Host: "docs.example.org", Ingress: "docs", says: 70 * day, has: 9 * day, renewal: 40 * day},
}

func certificates(ctx context.Context, p place.Place, now time.Time) error {
	ca, err := pki.NewCA("Lab Issuer R3")
	if err != nil {
		return fmt.Errorf("making the certificates: %w", err)
	}
	all := make([]certificate, 0, len(certificateTable))
	for _, c := range certificateTable {
		if c.Secret() {
			signed, err := ca.Issue(pki.Request{
				CommonName: c.Host, DNS: []string{c.Host}, Server: true,
				NotBefore: now.Add(c.has - 90*day), NotAfter: now.Add(c.has),
			})
			if err != nil {
				return fmt.Errorf("making the certificates: %w", err)
			}
			c.CertPEM = base64.StdEncoding.EncodeToString(signed.CertPEM)
			c.KeyPEM = base64.StdEncoding.EncodeToString(signed.KeyPEM)
		}
		all = append(all, c)
	}
	if err := apply(ctx, p, "certificates.yaml", map[string]any{"Certificates": all}); err != nil {
		return err
	}
	for _, c := range all {
		if err := status(ctx, p, "certificates.cert-manager.io", c.Name, c.status(now)); err != nil {
			return err
		}
	}
	return failing(ctx, p, now)
}

func (c certificate) status(now time.Time) map[string]any {
	stamp := func(d time.Duration) string { return now.Add(d).Format(time.RFC3339) }
	ready := condition("Ready", "True", "Ready", "Certificate is up to date and has not expired", stamp(-29*day))
	s := map[string]any{}
	if c.says != 0 {
		s["notBefore"], s["notAfter"], s["renewalTime"], s["revision"] = stamp(c.says-90*day), stamp(c.says), stamp(c.renewal), 1
	}
	conditions := []any{ready}
	switch c.reason {
	case "Failed":
		conditions = append(conditions, condition("Issuing", "False", c.reason, c.message, stamp(-3*time.Hour)))
		s["lastFailureTime"], s["failedIssuanceAttempts"] = stamp(-3*time.Hour), 9
	case "DoesNotExist":
		conditions = []any{
			condition("Ready", "False", c.reason, c.message, stamp(-2*day)),
			condition("Issuing", "True", c.reason, c.message, stamp(-2*day)),
		}
	}
	s["conditions"] = conditions
	return s
}

func condition(kind, value, reason, message, since string) map[string]any {
	return map[string]any{
		"type": kind, "status": value, "reason": reason, "message": message,
		"lastTransitionTime": since, "observedGeneration": 1,
	}
}

// failing makes the chain that explains the late renewal, each owned by the one before.
func failing(ctx context.Context, p place.Place, now time.Time) error {
	const cause = "Waiting for HTTP-01 challenge propagation: wrong status code '404', expected '200'"
	since := now.Add(-3 * time.Hour).Format(time.RFC3339)
	chain := []struct {
		file, owner, kind, name string
		status                  map[string]any
	}{
		{"request.yaml", "certificate/api-tls", "certificaterequests.cert-manager.io", "api-tls-2", map[string]any{
			"failureTime": since,
			"conditions":  []any{condition("Ready", "False", "Failed", "Failed to wait for order resource \"api-tls-2-1893021\" to become ready: order is in \"invalid\" state", since)},
		}},
		{"order.yaml", "certificaterequest/api-tls-2", "orders.acme.cert-manager.io", "api-tls-2-1893021", map[string]any{
			"state": "invalid", "reason": "Failed to finalize Order: the challenge for api.example.org did not pass", "failureTime": since,
		}},
		{"challenge.yaml", "order/api-tls-2-1893021", "challenges.acme.cert-manager.io", "api-tls-2-1893021-77", map[string]any{
			"state": "invalid", "processing": false, "presented": true, "reason": cause,
		}},
	}
	for _, link := range chain {
		uid, err := proc.Kubectl(ctx, p, "", "-n", "shop", "get", link.owner, "-o", "jsonpath={.metadata.uid}")
		if err != nil {
			return fmt.Errorf("looking up %s: %w", link.owner, err)
		}
		if err := apply(ctx, p, link.file, map[string]any{"Owner": uid}); err != nil {
			return err
		}
		if err := status(ctx, p, link.kind, link.name, link.status); err != nil {
			return err
		}
	}
	return nil
}

// status writes an object's status, as its controller would.
func status(ctx context.Context, p place.Place, resource, name string, value map[string]any) error {
	patch, err := json.Marshal(map[string]any{"status": value})
	if err != nil {
		return fmt.Errorf("writing the status of %s: %w", name, err)
	}
	_, err = proc.Kubectl(ctx, p, "", "-n", "shop", "patch", resource, name, "--subresource=status", "--type=merge", "-p", string(patch))
	if err != nil {
		return fmt.Errorf("writing the status of %s: %w", name, err)
	}
	return nil
}
