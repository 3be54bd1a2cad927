package demo

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"fmt"
	"math/big"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	dnsFailed = "Error accepting authorization: acme: authorization error for shop.example.org: 400 urn:ietf:params:acme:error:dns: " +
		"DNS problem: NXDOMAIN looking up TXT for _acme-challenge.shop.example.org - check that a DNS record exists for this domain"
	orderFailed = "Failed to wait for order resource \"tls-5-2718281828\" to become ready: order is in \"invalid\" state: "
)

// customResources says which custom resources exist, as CRDs.
func (b *builder) customResources() {
	for _, k := range certManagerKinds() {
		scope := "Cluster"
		if k.namespaced {
			scope = "Namespaced"
		}
		b.custom("apiextensions.k8s.io", "customresourcedefinitions", "", k.resource+"."+k.gvk.Group, 300*day, map[string]any{
			"spec": map[string]any{
				"group": k.gvk.Group, "scope": scope,
				"names":    map[string]any{"kind": k.gvk.Kind, "plural": k.resource, "singular": k.singular(), "listKind": k.gvk.Kind + "List"},
				"versions": []any{map[string]any{"name": "v1", "served": true, "storage": true}},
			},
			"status": map[string]any{"conditions": []any{b.condition("Established", "True", "InitialNamesAccepted", "the initial names have been accepted", 300*day)}},
		})
	}
}

// custom makes an object of a custom resource.
func (b *builder) custom(group, resource, ns, name string, age time.Duration, body map[string]any) *unstructured.Unstructured {
	k := b.s.kind(group, resource)
	u := &unstructured.Unstructured{Object: body}
	u.SetGroupVersionKind(k.gvk)
	u.SetNamespace(ns)
	u.SetName(name)
	u.SetCreationTimestamp(b.ago(age))
	o, err := b.s.create(k, u, false)
	if err != nil {
		panic(fmt.Sprintf("demo: creating %s %s/%s: %v", resource, ns, name, err))
	}
	return as[*unstructured.Unstructured](o)
}

func (b *builder) condition(typ, status, reason, message string, age time.Duration) map[string]any {
	return map[string]any{
		"type": typ, "status": status, "reason": reason, "message": message,
		"lastTransitionTime": b.at(-age), "observedGeneration": int64(1),
	}
}

// at writes the time some while from now as the API does.
func (b *builder) at(d time.Duration) string { return b.now.Add(d).UTC().Format(time.RFC3339) }

// lease is how long a certificate is good for, as Let's Encrypt issues them.
const lease = 90 * day

// site is one host with an Ingress, a certificate and the Secret it is in.
type site struct {
	ns, name, host, service string
	left                    time.Duration // until the certificate expires
	renewBefore             time.Duration
	served                  time.Duration // what is left of the certificate in the Secret, if it differs
	revision                int64
}

func (b *builder) certificates(trouble bool) {
	b.custom("cert-manager.io", "clusterissuers", "", "letsencrypt", 300*day, map[string]any{
		"spec":   map[string]any{"acme": map[string]any{"server": "https://acme-v02.api.letsencrypt.org/directory", "email": "ops@example.org"}},
		"status": map[string]any{"conditions": []any{b.condition("Ready", "True", "ACMEAccountRegistered", "The ACME account was registered with the ACME server", 300*day)}},
	})
	add(b.s, &networkingv1.IngressClass{ObjectMeta: metav1.ObjectMeta{Name: "traefik", CreationTimestamp: metav1.NewTime(b.old)}, Spec: networkingv1.IngressClassSpec{Controller: "traefik.io/ingress-controller"}})
	shop := site{ns: "shop", name: "tls", host: "shop.example.org", service: "web", left: 71 * day, renewBefore: 30 * day, revision: 5}
	grafana := site{ns: "monitoring", name: "grafana-tls", host: "grafana.example.org", service: "grafana", left: 77 * day, renewBefore: 30 * day, revision: 3}
	if trouble {
		// Renewal was due 26 h ago, with 12 days left.
		shop.left, shop.renewBefore, shop.revision = 12*day+time.Hour, 13*day+3*time.Hour, 4
		grafana.served = 41 * day
	}
	b.site(shop, trouble)
	b.site(grafana, false)
	b.site(site{ns: "media", name: "media-tls", host: "media.example.org", service: "web", left: 64*day + 2*time.Hour, renewBefore: 30 * day, revision: 2}, false)
}

func (b *builder) site(s site, late bool) {
	issued := lease - s.left
	b.tlsSecret(s)
	b.ingress(s)
	conditions := []any{b.condition("Ready", "True", "Ready", "Certificate is up to date and has not expired", issued)}
	status := map[string]any{
		"notBefore": b.at(-issued), "notAfter": b.at(s.left), "renewalTime": b.at(s.left - s.renewBefore), "revision": s.revision,
	}
	if late {
		conditions = append(conditions, b.condition("Issuing", "False", "Failed", "The certificate request has failed to complete and will be retried: "+orderFailed, 50*time.Minute))
		status["lastFailureTime"], status["failedIssuanceAttempts"] = b.at(-50*time.Minute), int64(5)
	}
	status["conditions"] = conditions
	c := b.custom("cert-manager.io", "certificates", s.ns, s.name, 130*day, map[string]any{
		"spec": map[string]any{
			"secretName": s.name, "dnsNames": []any{s.host}, "duration": lease.String(), "renewBefore": s.renewBefore.String(),
			"issuerRef": map[string]any{"name": "letsencrypt", "kind": "ClusterIssuer", "group": "cert-manager.io"},
		},
		"status": status,
	})
	b.request(s, c, s.revision, issued, "True", "Issued", "Certificate fetched from issuer successfully")
	if late {
		b.failedOrder(s, c)
	}
}

func (b *builder) request(s site, c object, revision int64, age time.Duration, ready, reason, message string) object {
	u := b.custom("cert-manager.io", "certificaterequests", s.ns, fmt.Sprintf("%s-%d", s.name, revision), age, map[string]any{
		"metadata": map[string]any{"annotations": map[string]any{
			"cert-manager.io/certificate-name": s.name, "cert-manager.io/certificate-revision": fmt.Sprint(revision),
		}},
		"spec": map[string]any{
			"issuerRef": map[string]any{"name": "letsencrypt", "kind": "ClusterIssuer", "group": "cert-manager.io"},
			"username":  "system:serviceaccount:cert-manager:cert-manager", "request": "",
		},
		"status": map[string]any{"conditions": []any{
			b.condition("Approved", "True", "cert-manager.io", "Certificate request has been approved by cert-manager.io", age),
			b.condition("Ready", ready, reason, message, age),
		}},
	})
	b.own(u, c)
	return u
}

func (b *builder) own(child *unstructured.Unstructured, owner object) {
	k := b.m.kindNamed(child.GetKind())
	_, err := b.s.update(k, child.GetNamespace(), child.GetName(), false, func(o object) (object, error) {
		o.SetOwnerReferences(ownerRef(owner))
		return o, nil
	})
	if err != nil {
		panic(fmt.Sprintf("demo: owning %s: %v", child.GetName(), err))
	}
}

// failedOrder is the chain behind a renewal that does not come about.
func (b *builder) failedOrder(s site, c object) {
	const age = 52 * time.Minute
	r := b.request(s, c, s.revision+1, age, "False", "Failed", orderFailed)
	order := b.custom("acme.cert-manager.io", "orders", s.ns, "tls-5-2718281828", age, map[string]any{
		"spec": map[string]any{"dnsNames": []any{s.host}, "request": "", "issuerRef": map[string]any{"name": "letsencrypt", "kind": "ClusterIssuer"}},
		"status": map[string]any{
			"state": "invalid", "failureTime": b.at(-50 * time.Minute),
			"reason":         "Failed to finalize Order: one or more authorizations are invalid",
			"authorizations": []any{map[string]any{"identifier": s.host, "initialState": "pending", "wildcard": false, "url": "https://acme-v02.api.letsencrypt.org/acme/authz/1/1"}},
		},
	})
	b.own(order, r)
	challenge := b.custom("acme.cert-manager.io", "challenges", s.ns, "tls-5-2718281828-3141592653", age, map[string]any{
		"spec": map[string]any{
			"dnsName": s.host, "type": "DNS-01", "token": "", "key": "", "url": "https://acme-v02.api.letsencrypt.org/acme/chall/1/1/1",
			"authorizationURL": "https://acme-v02.api.letsencrypt.org/acme/authz/1/1", "wildcard": false,
			"issuerRef": map[string]any{"name": "letsencrypt", "kind": "ClusterIssuer"},
			"solver":    map[string]any{"dns01": map[string]any{"webhook": map[string]any{"groupName": "acme.example.org", "solverName": "hetzner"}}},
		},
		"status": map[string]any{"state": "invalid", "presented": false, "processing": false, "reason": dnsFailed},
	})
	b.own(challenge, order)
}

func (b *builder) ingress(s site) {
	prefix := networkingv1.PathTypePrefix
	add(b.s, &networkingv1.Ingress{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: s.ns, Name: s.service, CreationTimestamp: b.ago(130 * day),
			Annotations: map[string]string{"cert-manager.io/cluster-issuer": "letsencrypt"},
		},
		Spec: networkingv1.IngressSpec{
			IngressClassName: new("traefik"), TLS: []networkingv1.IngressTLS{{Hosts: []string{s.host}, SecretName: s.name}},
			Rules: []networkingv1.IngressRule{{Host: s.host, IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{
				Paths: []networkingv1.HTTPIngressPath{{Path: "/", PathType: &prefix, Backend: networkingv1.IngressBackend{
					Service: &networkingv1.IngressServiceBackend{Name: s.service, Port: networkingv1.ServiceBackendPort{Number: 80}},
				}}},
			}}}},
		},
		Status: networkingv1.IngressStatus{LoadBalancer: networkingv1.IngressLoadBalancerStatus{
			Ingress: []networkingv1.IngressLoadBalancerIngress{{IP: "203.0.113.10"}},
		}},
	})
}

// tlsSecret holds a real certificate; its key is derived from the host so
// that every run of a scenario has the same.
func (b *builder) tlsSecret(s site) {
	left := s.left
	if s.served != 0 {
		left = s.served
	}
	caKey, key := keyFor("Let's Encrypt R11 (demo)"), keyFor(s.host)
	notAfter := b.now.Add(left)
	tmpl := &x509.Certificate{
		SerialNumber: new(big.Int).SetUint64(hash(s.host, notAfter.String())), Subject: pkix.Name{CommonName: s.host},
		DNSNames: []string{s.host}, NotBefore: notAfter.Add(-lease), NotAfter: notAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "R11", Organization: []string{"Let's Encrypt"}}}
	der, err := x509.CreateCertificate(nil, tmpl, ca, key.Public(), caKey)
	if err != nil {
		panic(fmt.Sprintf("demo: certificate of %s: %v", s.host, err))
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(fmt.Sprintf("demo: key of %s: %v", s.host, err))
	}
	add(b.s, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: s.ns, Name: s.name, CreationTimestamp: b.ago(130 * day),
			Labels:      map[string]string{"controller.cert-manager.io/fao": "true"},
			Annotations: map[string]string{"cert-manager.io/certificate-name": s.name, "cert-manager.io/issuer-name": "letsencrypt"},
		},
		Type: corev1.SecretTypeTLS,
		Data: map[string][]byte{corev1.TLSCertKey: pemOf("CERTIFICATE", der), corev1.TLSPrivateKeyKey: pemOf("PRIVATE KEY", raw)},
	})
}

func keyFor(name string) ed25519.PrivateKey {
	seed := sha256.Sum256(binary.BigEndian.AppendUint64([]byte(name), hash(name)))
	return ed25519.NewKeyFromSeed(seed[:])
}
