package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"daytwo/sources"
)

// A Certificate younger than this may well be waiting for its first issue.
const issueTime = 15 * time.Minute

// judgeCerts makes the certificate rows: cert-manager's, the Secrets of
// Ingresses that no Certificate stands behind, k3s's own and the kubeconfig's.
func (l *look) judgeCerts() {
	secrets := make(map[sources.Ref]*sources.TLSSecret, len(l.s.Secrets.Value))
	for i := range l.s.Secrets.Value {
		secrets[l.s.Secrets.Value[i].Ref] = &l.s.Secrets.Value[i]
	}
	var rows []sources.CertExpiry
	managed := map[sources.Ref]bool{}
	for i := range l.s.Certificates.Value {
		c := &l.s.Certificates.Value[i]
		ref := sources.Ref{Kind: "Secret", Namespace: c.Ref.Namespace, Name: c.Secret}
		managed[ref] = true
		rows = append(rows, l.certificate(c, secrets[ref]))
	}
	for i := range l.s.Secrets.Value {
		if s := &l.s.Secrets.Value[i]; !managed[s.Ref] {
			rows = append(rows, l.tlsSecret(s))
		}
	}
	rows = append(rows, l.k3sCerts()...)
	if t := l.s.Cluster.Value.ClientCert; !t.IsZero() {
		rows = append(rows, l.kubeconfigCert(t))
	}
	sortRows(rows, func(c *sources.CertExpiry) *sources.Row { return &c.Row })
	l.out.Certs = rows
	l.missingCerts(len(rows))
}

// missingCerts says why there are no rows or not all of them.
func (l *look) missingCerts(rows int) {
	certs, secrets := l.s.Certificates, l.s.Secrets
	absent := errors.Is(certs.Err, sources.ErrNotInstalled)
	switch {
	case certs.Err != nil && !absent && !certs.Loaded():
		l.out.Missing["cert"] = "certificates: " + brief(certs.Err.Error(), 200)
	case secrets.Err != nil && !secrets.Loaded():
		l.out.Missing["cert"] = "TLS secrets: " + brief(secrets.Err.Error(), 200)
	case !certs.Loaded() && !absent:
		l.out.Missing["cert"] = "waiting for certificates"
	case !secrets.Loaded():
		l.out.Missing["cert"] = "waiting for TLS secrets"
	case rows == 0 && absent:
		l.out.Missing["cert"] = "cert-manager is not installed and no Ingress names a TLS Secret"
	case rows == 0:
		l.out.Missing["cert"] = "there is no Certificate and no Ingress names a TLS Secret"
	}
}

// certificate judges a cert-manager Certificate together with the Secret that
// is served.
func (l *look) certificate(c *sources.Certificate, s *sources.TLSSecret) sources.CertExpiry {
	row := sources.CertExpiry{
		From: "cert-manager", NotAfter: c.NotAfter, Renewal: c.Renewal,
		Names: c.DNSNames, Issuer: c.Issuer, Steps: c.Steps,
	}
	row.About = c.Ref
	if row.About.Kind == "" {
		row.About.Kind = "Certificate"
	}
	var say parts
	l.renewal(&say, c)
	if served := l.secretOf(&say, c, s); served.IsZero() {
		l.expiry(&say, c.NotAfter, c.NotBefore, c.Renewal)
	} else {
		row.NotAfter = served
		l.expiry(&say, served, s.NotBefore, time.Time{})
	}
	l.notReady(&say, c)
	if c.NotAfter.IsZero() {
		row.Severity = sources.Unknown // not issued yet is not good, only too early to call bad
	}
	row.State = certState(say)
	if f, ok := say.finding(row.About, l.certEvidence(c, s)); ok {
		l.add(&row.Row, f)
	}
	return row
}

// certState is the short word of the row for its worst part.
func certState(say parts) string {
	if len(say) == 0 {
		return ""
	}
	worst := say[0]
	for _, p := range say {
		if p.severity > worst.severity {
			worst = p
		}
	}
	return map[string]string{
		CertExpired: "expired", CertOverdue: "overdue", CertExpiring: "expiring", CertIssue: "not issued",
		CertReady: "not ready", CertFailing: "failing", CertSecret: "secret differs", CertUnknown: "unreadable",
		CertMissing: "no certificate",
	}[worst.rule]
}

// renewal: cert-manager renews at status.renewalTime; a day later it has
// failed whatever the expiry says. Lifetimes of hours or days have no day to
// give: there it is a twelfth of the lifetime.
func (l *look) renewal(say *parts, c *sources.Certificate) {
	if c.Renewal.IsZero() || c.NotAfter.IsZero() {
		return
	}
	if l.now.After(c.Renewal.Add(grace(c.NotAfter.Sub(c.NotBefore), c.NotBefore, l.limits.RenewalOverdue))) {
		say.say(CertOverdue, sources.Warning, "renewal due "+sources.Ago(c.Renewal, l.now))
	} else if c.Failures >= 2 {
		say.say(CertFailing, sources.Warning, fmt.Sprintf("renewal failed %d times", c.Failures)+lastAttempt(c, l.now))
	}
}

func lastAttempt(c *sources.Certificate, now time.Time) string {
	if c.LastFailure.IsZero() {
		return ""
	}
	return ", last " + sources.Ago(c.LastFailure, now)
}

// grace is a twelfth of a known lifetime, at most limit.
func grace(lifetime time.Duration, begin time.Time, limit time.Duration) time.Duration {
	if begin.IsZero() || lifetime <= 0 {
		return limit
	}
	return min(limit, lifetime/12)
}

// expiry: below three weeks, or below a third of a lifetime that is shorter
// than nine weeks by design (and then not before its renewal is due, which is
// at that very third). A third of the limit is critical.
func (l *look) expiry(say *parts, notAfter, notBefore, renewal time.Time) {
	if notAfter.IsZero() {
		return
	}
	left, limit := notAfter.Sub(l.now), l.limits.CertExpiry
	if left <= 0 {
		say.say(CertExpired, sources.Critical, "expired "+sources.Ago(notAfter, l.now))
		return
	}
	lifetime := notAfter.Sub(notBefore)
	if !notBefore.IsZero() && lifetime > 0 && lifetime < 3*limit {
		limit = lifetime / 3
		if !renewal.IsZero() && l.now.Before(renewal.Add(grace(lifetime, notBefore, l.limits.RenewalOverdue))) {
			return
		}
	}
	switch {
	case left < limit/3:
		say.say(CertExpiring, sources.Critical, "expires "+sources.Until(notAfter, l.now))
	case left < limit:
		say.say(CertExpiring, sources.Warning, "expires "+sources.Until(notAfter, l.now))
	case len(*say) > 0:
		say.say(CertExpiring, sources.OK, "expires "+sources.Until(notAfter, l.now))
	}
}

// notReady: never issued, or not ready with the issuer's own reason.
func (l *look) notReady(say *parts, c *sources.Certificate) {
	why := certReason(c)
	switch {
	case c.NotAfter.IsZero() && c.Ready != "True":
		if !c.Created.IsZero() && l.now.Sub(c.Created) <= issueTime {
			return
		}
		say.say(CertIssue, sources.Warning, "never issued, created"+orUnknown(since(c.Created, l.now)))
	case c.Ready == "False":
		say.say(CertReady, sources.Warning, "not ready")
	case len(*say) == 0:
		return
	}
	if why != "" {
		say.say((*say)[len(*say)-1].rule, (*say)[len(*say)-1].severity, why)
	}
}

func orUnknown(s string) string {
	if s == "" {
		return " at an unknown time"
	}
	return s
}

// certReason is the innermost word of the chain behind a Certificate:
// "challenge: dns-01 failed". The issuer knows why, the Certificate repeats;
// while the old certificate is good it only says that it is, also where its
// renewal fails.
func certReason(c *sources.Certificate) string {
	for _, v := range slices.Backward(c.Steps) {
		if s := v; s.Reason != "" {
			return strings.ToLower(s.Ref.Kind) + ": " + brief(s.Reason, 60)
		}
	}
	switch {
	case c.Ready == "True":
		return ""
	case c.Message != "":
		return brief(c.Message, 60)
	}
	return c.Reason
}

// secretOf compares what is served with what cert-manager believes, and
// returns the end of what is served where that is sooner.
func (l *look) secretOf(say *parts, c *sources.Certificate, s *sources.TLSSecret) (sooner time.Time) {
	if s == nil || c.NotAfter.IsZero() {
		return sooner
	}
	switch {
	case noCertificate(s.Err):
		say.say(CertMissing, sources.Warning, defaultServed(s.Err))
	case s.Err != nil:
		if _, ok := isAccess(s.Err); ok {
			return sooner // source.access names the permission once
		}
		say.say(CertSecret, sources.Warning, "its Secret cannot be read: "+brief(s.Err.Error(), 50))
	case !s.NotAfter.Equal(c.NotAfter):
		say.say(CertSecret, sources.Warning, fmt.Sprintf("Secret differs: it ends %s, the Certificate %s",
			ends(s.NotAfter, l.now), ends(c.NotAfter, l.now)))
		if s.NotAfter.Before(c.NotAfter) {
			sooner = s.NotAfter
		}
	}
	return sooner
}

func ends(t, now time.Time) string {
	if t.After(now) {
		return sources.Until(t, now)
	}
	return sources.Ago(t, now)
}

func (l *look) certEvidence(c *sources.Certificate, s *sources.TLSSecret) []sources.Fact {
	at := l.s.Certificates.At
	facts := []sources.Fact{fact(at, "certificate status", condition(c.Ready, c.Reason, c.Message))}
	if !c.NotAfter.IsZero() {
		facts = append(facts, fact(at, "certificate status", fmt.Sprintf("valid %s to %s, renewal at %s, revision %d",
			stamp(c.NotBefore), stamp(c.NotAfter), stamp(c.Renewal), c.Revision)))
	}
	if c.Failures > 0 {
		facts = append(facts, fact(c.LastFailure, "certificate status", fmt.Sprintf("%d failed attempts", c.Failures)))
	}
	for _, step := range c.Steps {
		facts = append(facts, fact(step.Since, step.Ref.Kind+" "+step.Ref.Name, strings.TrimSpace(step.State+" "+step.Reason)))
	}
	if s != nil && s.Err == nil {
		facts = append(facts, fact(l.s.Secrets.At, "Secret "+s.Ref.String(), "tls.crt is valid until "+stamp(s.NotAfter)))
	} else if s != nil {
		facts = append(facts, fact(l.s.Secrets.At, "Secret "+s.Ref.String(), s.Err.Error()))
	}
	return facts
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	return t.UTC().Format("2006-01-02 15:04Z")
}

// tlsSecret judges a Secret that an Ingress names and no Certificate fills.
func (l *look) tlsSecret(s *sources.TLSSecret) sources.CertExpiry {
	row := sources.CertExpiry{From: "secret", NotAfter: s.NotAfter, Names: s.DNSNames, Issuer: s.Issuer}
	row.About = s.Ref
	if row.About.Kind == "" {
		row.About.Kind = "Secret"
	}
	evidence := []sources.Fact{fact(l.s.Secrets.At, "Secret "+s.Ref.String(), "tls.crt is valid until "+stamp(s.NotAfter))}
	var say parts
	if s.Err == nil {
		l.expiry(&say, s.NotAfter, s.NotBefore, time.Time{})
		row.State = certState(say)
	} else {
		evidence[0].Text = s.Err.Error()
		l.unserved(&say, &row, s)
	}
	if f, ok := say.finding(row.About, evidence); ok {
		l.add(&row.Row, f)
		row.Summary = f.Summary
	}
	return row
}

// unserved says what is wrong with a Secret that has no certificate to judge.
// While it is not known whether a Certificate is about to fill it, that none
// is there yet is too early to call bad.
func (l *look) unserved(say *parts, row *sources.CertExpiry, s *sources.TLSSecret) {
	certs := l.s.Certificates
	if noCertificate(s.Err) && (certs.Loaded() || certs.Err != nil) {
		say.say(CertMissing, sources.Warning, defaultServed(s.Err))
		row.State = certState(*say)
		return
	}
	row.State, row.Severity, row.Summary = "unreadable", sources.Unknown, s.Err.Error()
	if _, ok := isAccess(s.Err); !ok && !noCertificate(s.Err) {
		say.say(CertUnknown, sources.Unknown, "TLS Secret cannot be read: "+brief(s.Err.Error(), 60))
	}
}

// noCertificate tells a Secret that was looked at and has no certificate from
// one that could not be read.
func noCertificate(err error) bool {
	return errors.Is(err, sources.ErrNoSecret) || errors.Is(err, sources.ErrNoCertificate)
}

func defaultServed(err error) string {
	return brief(err.Error(), 50) + ", the Ingress controller serves its default certificate"
}

// kubeconfigCert judges the client certificate in use: in a kubeconfig copied
// from a k3s server it lasts a year, and nothing renews the copy.
func (l *look) kubeconfigCert(notAfter time.Time) sources.CertExpiry {
	row := sources.CertExpiry{From: "kubeconfig", NotAfter: notAfter}
	row.About = sources.Ref{Kind: "Kubeconfig", Name: l.cluster().Name}
	var say parts
	l.expiry(&say, notAfter, time.Time{}, time.Time{})
	row.State = certState(say)
	for i := range say {
		say[i] = part{CertKube, say[i].severity, "client certificate " + say[i].text}
	}
	if f, ok := say.finding(row.About, []sources.Fact{
		fact(l.s.Cluster.At, "kubeconfig", "client certificate is valid until "+stamp(notAfter)),
	}); ok {
		l.add(&row.Row, f)
	}
	return row
}
