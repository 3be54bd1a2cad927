package views

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"daytwo/sources"
	"daytwo/ui"
)

func findCert(s *sources.Snapshot, about sources.Ref) (sources.CertExpiry, bool) {
	i := slices.IndexFunc(s.Judged.Certs, func(c sources.CertExpiry) bool { return c.About == about })
	if i < 0 {
		return sources.CertExpiry{}, false
	}
	return s.Judged.Certs[i], true
}

// certPicture is the detail of a certificate: its dates, the chain of
// requests behind it, the Secret that is served and the Ingresses that name it.
func certPicture(f ui.Frame, about sources.Ref, width int) picture {
	c, ok := findCert(f.Snapshot, about)
	if !ok {
		return picture{}
	}
	c.Summary = cmp.Or(c.Summary, whyUnknown(c.Severity, cmp.Or(c.State, "not issued yet")))
	object := certObject(f.Snapshot, about)
	secret := object.Secret
	if about.Kind == "Secret" {
		secret = about.Name
	}
	p := picture{found: true, row: c.Row, commands: certCommands(about, secret)}
	p.sections = []section{{"Certificate", certFacts(f, c, object, width)}}
	refs := []sources.Ref{about}
	if len(c.Steps) > 0 {
		p.sections = append(p.sections, section{"How far issuing got", stepLines(f, c.Steps, width)})
		for _, s := range c.Steps {
			refs = append(refs, s.Ref)
		}
	}
	if secret != "" {
		ref := sources.Ref{Kind: "Secret", Namespace: about.Namespace, Name: secret}
		p.sections = append(p.sections, section{"What is served", secretLines(f, ref, width)})
		refs = append(refs, ref)
	}
	p.sections = append(p.sections, eventSection(f, width, refs...))
	return p
}

// certObject is the cert-manager object behind a row, zero if there is none.
func certObject(s *sources.Snapshot, about sources.Ref) sources.Certificate {
	for _, c := range s.Certificates.Value {
		if c.Ref == about {
			return c
		}
	}
	return sources.Certificate{}
}

func certFacts(f ui.Frame, c sources.CertExpiry, object sources.Certificate, width int) []string {
	until := "never issued"
	if !c.NotAfter.IsZero() {
		until = moment(c.NotAfter) + ", " + daysLeft(c, f.Now) + " left"
	}
	renewal := ""
	if !c.Renewal.IsZero() {
		renewal = moment(c.Renewal) + ", " + untilOrAgo(f, c.Renewal)
	}
	failures := ""
	if object.Failures > 0 {
		failures = count(int(object.Failures), "attempt") + " in a row, last " + agoWords(object.LastFailure, f.Now)
	}
	return pairs(f, width,
		pair{"valid until", judged(f, c.Severity, until)},
		pair{"state", judged(f, c.Severity, c.State)},
		pair{"renewal due", plain(f, renewal)},
		pair{"failing", judged(f, sources.Warning, failures)},
		pair{"because", plain(f, notReady(&object))},
		pair{"names", plain(f, strings.Join(c.Names, ", "))},
		pair{"issuer", plain(f, c.Issuer)},
		pair{"seen in", plain(f, c.From)},
		pair{"revision", plain(f, revision(object.Revision))},
	)
}

// notReady is why a Certificate is not ready. While the old certificate is
// good it says that it is, which is no reason for anything.
func notReady(c *sources.Certificate) string {
	if c.Ready == "True" {
		return ""
	}
	return strings.Join(nonEmpty(c.Reason, c.Message), ": ")
}

func revision(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

func stepLines(f ui.Frame, steps []sources.IssueStep, width int) []string {
	sh := sheet{titles: []string{"step", "name", "state", "since", "reason"}}
	last := steps[len(steps)-1]
	below := ui.Width(last.Reason) > 30
	for i, s := range steps {
		if i == len(steps)-1 && below {
			s.Reason = ""
		}
		sh.rows = append(sh.rows, []ui.Cell{
			plain(f, s.Ref.Kind), dim(f, s.Ref.Name), strong(f, s.State),
			dim(f, agoWords(s.Since, f.Now)), plain(f, s.Reason),
		})
	}
	lines := sh.lines(f, width)
	// The last step is the one that waits; its reason is the answer, so it is
	// never cut.
	if below {
		for _, line := range ui.Wrap(ui.Clean(last.Reason), max(width-2, 8)) {
			lines = append(lines, "  "+f.Theme.Text.Render(line))
		}
	}
	return lines
}

func secretLines(f ui.Frame, ref sources.Ref, width int) []string {
	i := slices.IndexFunc(f.Snapshot.Secrets.Value, func(s sources.TLSSecret) bool { return s.Ref == ref })
	if i < 0 {
		why := "not looked at: no Ingress names this Secret"
		if err := f.Snapshot.Secrets.Err; err != nil {
			why = "could not be read: " + err.Error()
		}
		return pairs(f, width, pair{"secret", plain(f, ref.String())}, pair{"content", judged(f, sources.Unknown, why)})
	}
	s := f.Snapshot.Secrets.Value[i]
	ps := []pair{{"secret", plain(f, ref.String())}}
	if s.Err != nil {
		ps = append(ps, pair{"content", judged(f, sources.Unknown, "could not be read: "+s.Err.Error())})
	} else {
		ps = append(ps,
			pair{"valid", plain(f, moment(s.NotBefore)+" to "+moment(s.NotAfter))},
			pair{"names", plain(f, strings.Join(s.DNSNames, ", "))},
			pair{"issuer", plain(f, s.Issuer)},
			pair{"serial", dim(f, s.Serial)})
	}
	ps = append(ps, pair{"ingresses", plain(f, strings.Join(ingressesOf(f.Snapshot, ref), ", "))})
	return pairs(f, width, ps...)
}

// ingressesOf names the Ingresses that serve a Secret, with their hosts.
func ingressesOf(s *sources.Snapshot, secret sources.Ref) []string {
	var out []string
	for _, in := range s.Ingresses.Value {
		if in.Ref.Namespace == secret.Namespace && slices.Contains(in.Secrets, secret.Name) {
			out = append(out, in.Ref.Name+" ("+strings.Join(in.Hosts, " ")+")")
		}
	}
	return out
}
