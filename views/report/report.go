// Package report writes a snapshot's findings without a screen: as text for
// people and mail, as JSON for programs, as Markdown for records.
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"daytwo/sources"
)

// Schema names the JSON document's format. It changes only when a field is
// taken away or changes its meaning; added fields do not change it.
const Schema = "daytwo.check/v1"

// Document is the JSON form of a check. See docs/check.md.
type Document struct {
	Schema   string            `json:"schema"`
	Cluster  string            `json:"cluster"`
	Server   string            `json:"server"`
	Version  string            `json:"version"`
	At       time.Time         `json:"at"`
	Verdict  sources.Severity  `json:"verdict"`
	Counts   Counts            `json:"counts"`
	Findings []sources.Finding `json:"findings"`
	Unread   []Unread          `json:"unread"`
}

// Counts says how many findings there are of each severity.
type Counts struct {
	Critical int `json:"critical"`
	Warning  int `json:"warning"`
	Unknown  int `json:"unknown"`
}

// Unread is a part of the cluster that could not be looked at, or whose last
// picture is old because the newest look failed.
type Unread struct {
	What  string     `json:"what"`
	Why   string     `json:"why"`
	Since *time.Time `json:"since,omitempty"` // last good look; absent if there was none
}

// Of makes the document of a snapshot.
func Of(s *sources.Snapshot) Document {
	d := Document{
		Schema: Schema, Cluster: sources.Clean(s.Cluster.Value.Name, sources.MaxName), // free text in the kubeconfig
		Server:  sources.Clean(s.Cluster.Value.Server, sources.MaxMessage),
		Version: sources.Clean(s.Cluster.Value.Version, sources.MaxName), At: s.At.UTC(),
		Findings: append([]sources.Finding{}, s.Judged.Findings...), Unread: unread(s),
	}
	for i, f := range d.Findings {
		if f.Evidence == nil {
			d.Findings[i].Evidence = []sources.Fact{} // a list for who reads JSON, not null
		}
		d.Verdict = max(d.Verdict, f.Severity)
		switch f.Severity {
		case sources.Critical:
			d.Counts.Critical++
		case sources.Warning:
			d.Counts.Warning++
		case sources.Unknown:
			d.Counts.Unknown++
		case sources.OK:
		}
	}
	if d.Verdict == sources.OK && len(d.Unread) > 0 {
		d.Verdict = sources.Unknown
	}
	return d
}

func unread(s *sources.Snapshot) []Unread {
	out := []Unread{}
	for _, r := range s.Readings() {
		var why string
		switch {
		case r.Err != nil:
			why = r.Err.Error()
		case r.Waiting():
			why = "no answer in time"
		default:
			continue
		}
		u := Unread{What: r.Name, Why: why}
		if !r.At.IsZero() {
			at := r.At.UTC()
			u.Since = &at
		}
		out = append(out, u)
	}
	return out
}

// Format is what -o takes.
type Format string

// The formats.
const (
	Text     Format = "text"
	JSON     Format = "json"
	Markdown Format = "markdown"
)

// Write writes a document in a format. It fails when w does, or when the
// format is none of the three.
func Write(w io.Writer, d Document, f Format) error {
	var b strings.Builder
	switch f {
	case Text:
		text(&b, d)
	case Markdown:
		markdown(&b, d)
	case JSON:
		enc := json.NewEncoder(&b)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		if err := enc.Encode(d); err != nil {
			return fmt.Errorf("writing the check as JSON: %w", err)
		}
	default:
		return fmt.Errorf("no output format %q; there are text, json and markdown", f)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("writing the check: %w", err)
	}
	return nil
}

func text(b *strings.Builder, d Document) {
	topic, about := 0, 0
	for _, f := range d.Findings {
		topic, about = max(topic, len(f.Topic())), max(about, len(f.About.String()))
	}
	for _, f := range d.Findings {
		fmt.Fprintf(b, "%-8s  %-*s  %-*s  %s\n", f.Severity, topic, f.Topic(), about, f.About, f.Summary)
	}
	for _, u := range grouped(d.Unread) {
		fmt.Fprintf(b, "%-8s  not read: %s: %s\n", sources.Unknown, u.What, u.Why)
	}
	fmt.Fprintf(b, "%s: %s\n", name(d), Sentence(d))
}

// grouped joins what could not be read for the same reason: a hundred nodes
// that are refused are one line for a person. JSON keeps each.
func grouped(all []Unread) []Unread {
	const named = 3
	var out []Unread
	at, count := map[string]int{}, map[string]int{}
	for _, u := range all {
		count[u.Why]++
		i, seen := at[u.Why]
		switch {
		case !seen:
			at[u.Why] = len(out)
			out = append(out, u)
		case count[u.Why] <= named:
			out[i].What += ", " + u.What
		}
	}
	for i := range out {
		if more := count[out[i].Why] - named; more > 0 {
			out[i].What += fmt.Sprintf(" and %d more", more)
		}
	}
	return out
}

// Sentence is the last line: the verdict and the counts.
func Sentence(d Document) string {
	if d.Verdict == sources.OK {
		return "ok, nothing needs attention"
	}
	s := fmt.Sprintf("%s: %d critical, %d warning, %d unknown", d.Verdict, d.Counts.Critical, d.Counts.Warning, d.Counts.Unknown)
	if n := len(d.Unread); n > 0 {
		s += fmt.Sprintf(", %d not read", n)
	}
	return s
}

func name(d Document) string {
	if d.Version == "" {
		return d.Cluster
	}
	return d.Cluster + " (" + d.Version + ")"
}

func markdown(b *strings.Builder, d Document) {
	fmt.Fprintf(b, "# %s\n\n%s, %s\n\n", cell(name(d)), d.At.Format(time.RFC3339), Sentence(d))
	if len(d.Findings) > 0 {
		b.WriteString("| severity | rule | about | finding |\n|---|---|---|---|\n")
		for _, f := range d.Findings {
			fmt.Fprintf(b, "| %s | %s | %s | %s |\n", f.Severity, f.Rule, cell(f.About.String()), cell(f.Summary))
		}
		b.WriteString("\n## Evidence\n")
		for _, f := range d.Findings {
			fmt.Fprintf(b, "\n### %s %s\n\n", f.Topic(), cell(f.About.String()))
			for _, e := range f.Evidence {
				at := "never read"
				if !e.At.IsZero() {
					at = e.At.UTC().Format(time.RFC3339)
				}
				fmt.Fprintf(b, "- %s (%s, %s)\n", cell(e.Text), cell(e.From), at)
			}
		}
	}
	if len(d.Unread) > 0 {
		b.WriteString("\n## Not read\n\n")
		for _, u := range grouped(d.Unread) {
			fmt.Fprintf(b, "- %s: %s\n", cell(u.What), cell(u.Why))
		}
	}
}

// cell keeps text from outside from becoming markup.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "`", "'", "[", `\[`, "*", `\*`, "\n", " ").Replace(s)
}
