package kube

import (
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"daytwo/sources"
)

// certificate is a Certificate and the identity that its requests point to.
type certificate struct {
	sources.Certificate

	uid string
}

// link is a CertificateRequest, an Order or a Challenge: one step of the way
// to a certificate.
type link struct {
	sources.IssueStep

	uid     string
	owner   string // uid of the Certificate, CertificateRequest or Order
	created time.Time
	done    bool // nothing to tell of it
}

// certManager is what is read of any of cert-manager's four types (v1).
type certManager struct {
	Metadata metav1.ObjectMeta `json:"metadata"`
	Spec     struct {
		SecretName string    `json:"secretName"`
		DNSNames   []string  `json:"dnsNames"`
		IssuerRef  issuerRef `json:"issuerRef"`
		Type       string    `json:"type"`    // Challenge
		DNSName    string    `json:"dnsName"` // Challenge
	} `json:"spec"`
	Status struct {
		Conditions []struct {
			Type               string       `json:"type"`
			Status             string       `json:"status"`
			Reason             string       `json:"reason"`
			Message            string       `json:"message"`
			LastTransitionTime *metav1.Time `json:"lastTransitionTime"`
		} `json:"conditions"`
		NotBefore              *metav1.Time `json:"notBefore"`
		NotAfter               *metav1.Time `json:"notAfter"`
		RenewalTime            *metav1.Time `json:"renewalTime"`
		Revision               int64        `json:"revision"`
		LastFailureTime        *metav1.Time `json:"lastFailureTime"`
		FailedIssuanceAttempts int64        `json:"failedIssuanceAttempts"`
		FailureTime            *metav1.Time `json:"failureTime"` // CertificateRequest, Order
		State                  string       `json:"state"`       // Order, Challenge
		Reason                 string       `json:"reason"`      // Order, Challenge
	} `json:"status"`
}

type issuerRef struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
}

// decode reads an object as cert-manager's; nil if it is something else.
func decode(o runtime.Object) *certManager {
	u, ok := o.(*unstructured.Unstructured)
	if !ok {
		return nil
	}
	out := &certManager{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, out); err != nil {
		return nil
	}
	return out
}

func toCertificate(o runtime.Object) any {
	c := decode(o)
	if c == nil {
		return nil
	}
	out := &certificate{uid: string(c.Metadata.UID), Certificate: sources.Certificate{
		Ref:    sources.Ref{Kind: "Certificate", Namespace: name(c.Metadata.Namespace), Name: name(c.Metadata.Name)},
		Secret: name(c.Spec.SecretName), Issuer: name(c.Spec.IssuerRef.Name), Created: c.Metadata.CreationTimestamp.Time,
		NotBefore: stamp(c.Status.NotBefore), NotAfter: stamp(c.Status.NotAfter), Renewal: stamp(c.Status.RenewalTime),
		Revision: c.Status.Revision, LastFailure: stamp(c.Status.LastFailureTime), Failures: c.Status.FailedIssuanceAttempts,
	}}
	for _, n := range c.Spec.DNSNames {
		out.DNSNames = append(out.DNSNames, name(n))
	}
	for _, cond := range c.Status.Conditions {
		if cond.Type == "Ready" {
			out.Ready, out.Reason, out.Message = name(cond.Status), name(cond.Reason), message(cond.Message)
		}
	}
	return out
}

func toLink(kind string, c *certManager) *link {
	out := &link{uid: string(c.Metadata.UID), created: c.Metadata.CreationTimestamp.Time}
	out.Ref = sources.Ref{Kind: kind, Namespace: name(c.Metadata.Namespace), Name: name(c.Metadata.Name)}
	out.Since = out.created
	for _, o := range c.Metadata.OwnerReferences {
		if o.Controller != nil && *o.Controller {
			out.owner = string(o.UID)
		}
	}
	return out
}

func toRequest(o runtime.Object) any {
	c := decode(o)
	if c == nil {
		return nil
	}
	out := toLink("CertificateRequest", c)
	out.State = "pending"
	for _, cond := range c.Status.Conditions {
		switch {
		case cond.Type == "Ready":
			out.State, out.Reason = "Ready="+name(cond.Status), reasons(cond.Reason, cond.Message)
			out.done = cond.Status == "True"
			first(&out.Since, stamp(cond.LastTransitionTime))
			if t := stamp(cond.LastTransitionTime); !t.IsZero() {
				out.Since = t
			}
		case cond.Type == "Denied" && cond.Status == "True" && out.Reason == "":
			out.State, out.Reason = "denied", reasons(cond.Reason, cond.Message)
		}
	}
	return out
}

// reasons joins a condition's reason and message.
func reasons(reason, text string) string {
	return message(strings.TrimPrefix(strings.TrimSuffix(reason+": "+text, ": "), ": "))
}

func toOrder(o runtime.Object) any {
	c := decode(o)
	if c == nil {
		return nil
	}
	out := toLink("Order", c)
	out.stateOf(c)
	return out
}

func toChallenge(o runtime.Object) any {
	c := decode(o)
	if c == nil {
		return nil
	}
	out := toLink("Challenge", c)
	out.stateOf(c)
	if c.Spec.DNSName != "" {
		out.Reason = message(strings.TrimSuffix(c.Spec.Type+" for "+c.Spec.DNSName+": "+c.Status.Reason, ": "))
	}
	return out
}

// stateOf reads what an ACME server says of an Order or a Challenge.
func (l *link) stateOf(c *certManager) {
	l.State, l.Reason = name(c.Status.State), message(c.Status.Reason)
	if l.State == "" {
		l.State = "pending"
	}
	l.done = l.State == "valid"
	if t := stamp(c.Status.FailureTime); !t.IsZero() {
		l.Since = t
	}
}

// certificateList joins each Certificate with the newest chain behind it,
// where something is still to come or went wrong.
func (w *world) certificateList() []sources.Certificate {
	requests, orders, challenges := byOwner(w.requests), byOwner(w.orders), byOwner(w.challenges)
	var out []sources.Certificate
	w.certs.each(func(c *certificate) {
		cert := c.Certificate
		mine := requests[c.uid]
		if len(mine) > 0 && (cert.Ready != "True" || !mine[0].done) {
			cert.Steps = chain(mine[0], orders, challenges)
		}
		out = append(out, cert)
	})
	return out
}

// chain is one request, its newest order and that order's challenges.
func chain(request *link, orders, challenges map[string][]*link) []sources.IssueStep {
	steps := []sources.IssueStep{request.IssueStep}
	for _, o := range orders[request.uid][:min(1, len(orders[request.uid]))] {
		steps = append(steps, o.IssueStep)
		for _, c := range challenges[o.uid] {
			steps = append(steps, c.IssueStep)
		}
	}
	return steps
}

// byOwner sorts links under their owner's uid, newest first.
func byOwner(t *table[link]) map[string][]*link {
	out := map[string][]*link{}
	t.each(func(l *link) { out[l.owner] = append(out[l.owner], l) })
	for _, list := range out {
		slices.SortStableFunc(list, func(a, b *link) int { return b.created.Compare(a.created) })
	}
	return out
}
