package rules_test

import (
	"errors"
	"testing"
	"time"

	"daytwo/sources"
	"daytwo/sources/rules"
)

// cert changes shop/tls; its Secret follows unless the edit says otherwise.
func cert(f func(*sources.Certificate)) func(*sources.Snapshot) {
	return func(s *sources.Snapshot) {
		c := &s.Certificates.Value[0]
		f(c)
		s.Secrets.Value[0].NotAfter, s.Secrets.Value[0].NotBefore = c.NotAfter, c.NotBefore
	}
}

// lived is a certificate of such a lifetime with so much left, renewed at
// two thirds as cert-manager does by default.
func lived(lifetime, left time.Duration) func(*sources.Certificate) {
	return func(c *sources.Certificate) {
		c.NotAfter = now.Add(left)
		c.NotBefore = c.NotAfter.Add(-lifetime)
		c.Renewal = c.NotAfter.Add(-lifetime / 3)
	}
}

func TestCertificateRules(t *testing.T) {
	t.Parallel()
	const tls = "shop/tls"
	for name, c := range map[string]struct {
		edit  func(*sources.Snapshot)
		state string
		wants []want
	}{
		"the picture of the design": {cert(func(c *sources.Certificate) {
			lived(90*day, 12*day)(c)
			c.Renewal = ago(26 * time.Hour)
			c.Ready = "False"
			c.Steps = []sources.IssueStep{
				{Ref: sources.Ref{Kind: "CertificateRequest", Name: "tls-1"}, State: "Ready=False", Reason: "waiting for order"},
				{Ref: sources.Ref{Kind: "Order", Name: "tls-1-2"}, State: "invalid", Reason: "dns-01 failed"},
			}
		}), "overdue", []want{{"cert.overdue", sources.Warning, tls, []string{"renewal due 26 h ago · expires in 12 d · not ready · order: dns-01 failed"}}}},
		"renewal due just now": {cert(lived(90*day, 30*day-23*time.Hour)), "", nil},
		"20 days":              {cert(func(c *sources.Certificate) { lived(90*day, 20*day)(c); c.Renewal = time.Time{} }), "expiring", []want{{"cert.expiring", sources.Warning, tls, []string{"expires in 20 d"}}}},
		"21 days":              {cert(func(c *sources.Certificate) { lived(90*day, 21*day)(c); c.Renewal = time.Time{} }), "", nil},
		"6 days":               {cert(func(c *sources.Certificate) { lived(90*day, 6*day)(c); c.Renewal = time.Time{} }), "expiring", []want{{"cert.expiring", sources.Critical, tls, nil}}},
		"6 days and overdue":   {cert(lived(90*day, 6*day)), "expiring", []want{{"cert.expiring", sources.Critical, tls, []string{"expires in 6 d · renewal due 24 d ago"}}}},
		"expired":              {cert(func(c *sources.Certificate) { lived(90*day, -2*time.Hour)(c); c.Renewal = time.Time{} }), "expired", []want{{"cert.expired", sources.Critical, tls, []string{"expired 2 h ago"}}}},
		"short-lived, young":   {cert(lived(6*day, 4*day)), "", nil},
		"short-lived, due now": {cert(lived(6*day, 2*day-time.Hour)), "", nil},
		"short-lived, overdue": {cert(lived(6*day, 30*time.Hour)), "overdue", []want{{"cert.overdue", sources.Warning, tls, []string{"renewal due", "expires in 30 h"}}}},
		"an hour's lifetime":   {cert(lived(time.Hour, 19*time.Minute)), "", nil},
		"of 45 days at 16":     {cert(lived(45*day, 16*day)), "", nil},
		"never issued": {cert(func(c *sources.Certificate) {
			c.NotAfter, c.NotBefore, c.Renewal, c.Ready, c.Created = time.Time{}, time.Time{}, time.Time{}, "False", ago(2*time.Hour)
			c.Message = "Issuing certificate as Secret does not exist"
		}), "not issued", []want{{"cert.issue", sources.Warning, tls, []string{"never issued, created 2 h ago · Issuing certificate"}}}},
		"being issued": {cert(func(c *sources.Certificate) {
			c.NotAfter, c.NotBefore, c.Renewal, c.Ready, c.Created = time.Time{}, time.Time{}, time.Time{}, "False", ago(time.Minute)
		}), "", nil},
		"not ready":      {cert(func(c *sources.Certificate) { c.Ready, c.Reason = "False", "IncorrectIssuer" }), "not ready", []want{{"cert.ready", sources.Warning, tls, []string{"not ready · IncorrectIssuer"}}}},
		"failing early":  {cert(func(c *sources.Certificate) { c.Failures, c.LastFailure = 3, ago(time.Hour) }), "failing", []want{{"cert.failing", sources.Warning, tls, []string{"renewal failed 3 times, last 60 min ago"}}}},
		"secret differs": {func(s *sources.Snapshot) { s.Secrets.Value[0].NotAfter = now.Add(3 * day) }, "expiring", []want{{"cert.expiring", sources.Critical, tls, []string{"expires in 3 d · Secret differs: it ends in 3 d, the Certificate in 64 d"}}}},
		"overdue, the old one still good": {cert(func(c *sources.Certificate) {
			lived(90*day, 12*day)(c)
			c.Renewal, c.Failures, c.LastFailure = ago(26*time.Hour), 5, ago(50*time.Minute)
			c.Reason, c.Message = "Ready", "Certificate is up to date and has not expired"
			c.Steps = []sources.IssueStep{
				{Ref: sources.Ref{Kind: "CertificateRequest", Name: "tls-1"}, State: "Ready=False", Reason: "Failed"},
				{Ref: sources.Ref{Kind: "Challenge", Name: "tls-1-2-3"}, State: "invalid", Reason: "dns-01 failed"},
			}
		}), "overdue", []want{{"cert.overdue", sources.Warning, tls, []string{"renewal due 26 h ago · expires in 12 d · challenge: dns-01 failed"}}}},
		"overdue, nobody says why": {cert(func(c *sources.Certificate) {
			lived(90*day, 25*day)(c)
			c.Reason, c.Message = "Ready", "Certificate is up to date and has not expired"
		}), "overdue", []want{{"cert.overdue", sources.Warning, tls, []string{"renewal due 5 d ago · expires in 25 d"}}}},
		"secret gone":   {func(s *sources.Snapshot) { s.Secrets.Value[0].Err = sources.ErrNoSecret }, "no certificate", []want{{"cert.missing", sources.Warning, tls, []string{"there is no such Secret, the Ingress controller serves its default certificate"}}}},
		"secret broken": {func(s *sources.Snapshot) { s.Secrets.Value[0].Err = errors.New("no PEM block") }, "secret differs", []want{{"cert.secret", sources.Warning, tls, []string{"its Secret cannot be read: no PEM block"}}}},
		"secret forbidden": {func(s *sources.Snapshot) {
			s.Secrets.Value[0].Err = &sources.AccessError{Verb: "get", Resource: "secrets", Namespace: "shop"}
		}, "", []want{{"source.access", sources.Unknown, "get secrets", []string{"no permission to get secrets in namespace shop"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := expect(t, change(c.edit), c.wants...)
			if j.Certs[0].State != c.state {
				t.Errorf("state %q, want %q", j.Certs[0].State, c.state)
			}
		})
	}
}

func TestBeingIssuedIsNotGreen(t *testing.T) {
	t.Parallel()
	j := rules.Judge(change(cert(func(c *sources.Certificate) { c.NotAfter, c.Ready, c.Created = time.Time{}, "", ago(time.Minute) })), now)
	if j.Certs[0].Severity != sources.Unknown {
		t.Errorf("a Certificate without a certificate is %s", j.Certs[0].Severity)
	}
}

func TestOtherCertificates(t *testing.T) {
	t.Parallel()
	secret := func(f func(*sources.TLSSecret)) func(*sources.Snapshot) {
		return func(s *sources.Snapshot) {
			x := sources.TLSSecret{Ref: sources.Ref{Kind: "Secret", Namespace: "web", Name: "own"}, NotBefore: ago(day), NotAfter: now.Add(200 * day)}
			f(&x)
			s.Secrets.Value = append(s.Secrets.Value, x)
		}
	}
	event := func(reason, message string, last time.Duration) func(*sources.Snapshot) {
		return func(s *sources.Snapshot) {
			s.Events.Value = append(s.Events.Value, sources.Event{About: sources.Ref{Kind: "Node", Name: "master-0"}, Reason: reason, Message: message, Last: ago(last)})
		}
	}
	const leaf = "Node certificates require attention - restart k3s on this node to trigger automatic rotation: " +
		"kubelet/client-kubelet.crt: certificate CN=system:node:master-0,O=system:nodes will expire within 120 days at 2027-02-18T12:00:00Z\n" +
		"kubelet/serving-kubelet.crt: certificate CN=master-0 will expire within 120 days at 2027-01-18T12:00:00Z"
	for name, c := range map[string]struct {
		edits []func(*sources.Snapshot)
		rows  int
		wants []want
	}{
		"own secret":         {[]func(*sources.Snapshot){secret(func(*sources.TLSSecret) {})}, 2, nil},
		"own secret, late":   {[]func(*sources.Snapshot){secret(func(s *sources.TLSSecret) { s.NotBefore, s.NotAfter = ago(350*day), now.Add(15*day) })}, 2, []want{{"cert.expiring", sources.Warning, "web/own", []string{"expires in 15 d"}}}},
		"own secret, broken": {[]func(*sources.Snapshot){secret(func(s *sources.TLSSecret) { s.Err = errors.New("no PEM block in tls.crt") })}, 2, []want{{"cert.unknown", sources.Unknown, "web/own", []string{"no PEM block"}}}},
		"own secret, gone":   {[]func(*sources.Snapshot){secret(func(s *sources.TLSSecret) { s.Err = sources.ErrNoSecret })}, 2, []want{{"cert.missing", sources.Warning, "web/own", []string{"there is no such Secret, the Ingress controller serves its default certificate"}}}},
		"own secret, empty":  {[]func(*sources.Snapshot){secret(func(s *sources.TLSSecret) { s.Err = sources.ErrNoCertificate })}, 2, []want{{"cert.missing", sources.Warning, "web/own", []string{"its tls.crt holds no certificate, the Ingress controller serves its default certificate"}}}},
		"own secret, gone, no cert-manager": {[]func(*sources.Snapshot){secret(func(s *sources.TLSSecret) { s.Err = sources.ErrNoSecret }), func(s *sources.Snapshot) {
			s.Certificates = sources.Reading[[]sources.Certificate]{Err: sources.ErrNotInstalled}
		}}, 2, []want{{"cert.missing", sources.Warning, "web/own", nil}}},
		"own secret, gone, Certificates not read yet": {[]func(*sources.Snapshot){secret(func(s *sources.TLSSecret) { s.Err = sources.ErrNoSecret }), func(s *sources.Snapshot) {
			s.Certificates = sources.Reading[[]sources.Certificate]{}
		}}, 2, nil},
		"own secret, forbidden": {[]func(*sources.Snapshot){secret(func(s *sources.TLSSecret) { s.Err = &sources.AccessError{Verb: "list", Resource: "secrets"} })}, 2, []want{{"source.access", sources.Unknown, "list secrets", nil}}},
		"k3s leaf": {
			[]func(*sources.Snapshot){event("CertificateExpirationWarning", leaf, 10*time.Minute)},
			2,
			[]want{{"cert.k3s", sources.Warning, "master-0", []string{"k3s certificates end in 56 d · restart k3s on the node to renew"}}},
		},
		"k3s leaf, then fine": {[]func(*sources.Snapshot){event("CertificateExpirationWarning", leaf, 10*time.Minute), event("CertificateExpirationOK", "", time.Minute)}, 1, nil},
		"fine, then k3s leaf": {[]func(*sources.Snapshot){event("CertificateExpirationOK", "", time.Hour), event("CertificateExpirationWarning", "odd text at noon", time.Minute)}, 2, []want{{"cert.k3s", sources.Warning, "master-0", []string{"near their end"}}}},
		"k3s expired":         {[]func(*sources.Snapshot){event("CertificateExpirationWarning", "x expired at 2026-11-20T00:00:00Z", time.Minute)}, 2, []want{{"cert.k3s", sources.Critical, "master-0", []string{"expired 2 d ago"}}}},
		"k3s CA":              {[]func(*sources.Snapshot){event("CACertificateExpirationWarning", "x will expire within 365 days at 2027-09-01T00:00:00Z", time.Minute)}, 2, []want{{"cert.k3s", sources.Warning, "master-0", []string{"k3s CA end in 282 d: plan its rotation"}}}},
		"kubeconfig far":      {[]func(*sources.Snapshot){func(s *sources.Snapshot) { s.Cluster.Value.ClientCert = now.Add(188 * day) }}, 2, nil},
		"kubeconfig near":     {[]func(*sources.Snapshot){func(s *sources.Snapshot) { s.Cluster.Value.ClientCert = now.Add(18 * day) }}, 2, []want{{"cert.kubeconfig", sources.Warning, "prod", []string{"client certificate expires in 18 d"}}}},
		"kubeconfig expired":  {[]func(*sources.Snapshot){func(s *sources.Snapshot) { s.Cluster.Value.ClientCert = ago(day) }}, 2, []want{{"cert.kubeconfig", sources.Critical, "prod", []string{"client certificate expired 24 h ago"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if j := expect(t, change(c.edits...), c.wants...); len(j.Certs) != c.rows {
				t.Errorf("%d rows, want %d", len(j.Certs), c.rows)
			}
		})
	}
}

func TestNoCertificates(t *testing.T) {
	t.Parallel()
	j := expect(t, change(func(s *sources.Snapshot) {
		s.Certificates = sources.Reading[[]sources.Certificate]{Err: sources.ErrNotInstalled}
		s.Secrets.Value = nil
	}))
	if j.Missing["cert"] != "cert-manager is not installed and no Ingress names a TLS Secret" {
		t.Errorf("pane says %q", j.Missing["cert"])
	}
}
