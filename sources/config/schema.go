package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"daytwo/sources"

	"github.com/goccy/go-yaml/ast"
)

// Key is one key of the file, for documents.
type Key struct {
	Path    string // thresholds.disk_warning, backups[].name
	Unit    string
	Default string // as it would be written; "" is none
	Text    string
}

// Schema lists every key in the order of the file.
func Schema() []Key {
	own := sources.DefaultReleaseServer()
	keys := []Key{{Path: "thresholds", Unit: "section", Text: "the limits of the weekly checklist"}}
	for _, l := range limits() {
		keys = append(keys, Key{"thresholds." + l.name, l.unit, l.show(sources.DefaultSettings().Thresholds), l.text})
	}
	keys = append(keys, Key{Path: "backups", Unit: "list", Text: "backups that should exist; one with no evidence is unknown, never ok"})
	for _, b := range backupKeys() {
		keys = append(keys, Key{"backups[]." + b.name, b.unit, "", b.text})
	}
	keys = append(keys,
		Key{"backup_words", "list of words", flow(sources.DefaultSettings().BackupWords), "a CronJob with one of these in its name or labels is taken for a backup"},
		Key{Path: "releases", Unit: "section", Text: "where versions of k3s come from, for a mirror of your own"})
	for _, r := range releaseKeys() {
		keys = append(keys, Key{"releases." + r.name, "http or https address", *r.of(&own), r.text})
	}
	keys = append(keys, Key{Path: "ssh", Unit: "section", Text: "the way to the machines; what is left out is what `ssh NODE` would do"})
	for _, k := range sshKeys() {
		keys = append(keys, Key{"ssh." + k.name, k.unit, "", k.text})
	}
	keys = append(keys, sshHosts()...)
	keys = append(keys, trailDocs()...)
	keys = append(keys,
		Key{"lease_namespace", "name of a namespace", sources.DefaultSettings().LeaseNamespace, "where the Lease lies by which two machines see each other change the cluster; the same for everybody"},
		Key{Path: "ui", Unit: "section", Text: "how the cockpit looks; flags win"})
	for _, u := range uiKeys() {
		keys = append(keys, Key{"ui." + u.name, u.unit, u.show(Default().UI), u.text})
	}
	return append(keys,
		Key{Path: "clusters", Unit: "section", Text: "for one cluster only, by kubeconfig context"},
		Key{Path: "clusters.<context>.thresholds", Unit: "section", Text: "limits that differ from the general ones"},
		Key{Path: "clusters.<context>.backups", Unit: "list", Text: "instead of the general list"},
		Key{Path: "clusters.<context>.backup_words", Unit: "list of words", Text: "instead of the general list"},
		Key{Path: "clusters.<context>.releases", Unit: "section", Text: "addresses that differ from the general ones"},
		Key{Path: "clusters.<context>.ssh", Unit: "section", Text: "what differs from the general way, value by value"},
		Key{Path: "clusters.<context>.trail", Unit: "list", Text: "instead of the general list"},
		Key{Path: "clusters.<context>.lease_namespace", Unit: "name of a namespace", Text: "instead of the general one"})
}

func flow(words []string) string { return "[" + strings.Join(words, ", ") + "]" }

// limit is one key under thresholds. read returns a setting, nil if the value
// is bad.
type limit struct {
	name, unit, text string
	read             func(*parser, ast.Node) setting
	show             func(sources.Thresholds) string
}

func limits() []limit {
	type T = sources.Thresholds
	return []limit{
		percent("load_percent", "CPU and memory, of what the node can allocate", func(t *T) *float64 { return &t.LoadPercent }),
		span("load_for", "how long CPU or memory must be above load_percent", func(t *T) *time.Duration { return &t.LoadFor }),
		percent("disk_warning", "disk and inodes in use, as df counts; below disk_critical", func(t *T) *float64 { return &t.DiskWarning }),
		percent("disk_critical", "disk and inodes in use, as df counts", func(t *T) *float64 { return &t.DiskCritical }),
		count("restarts", "restarts within restart_window; more are a warning", 1, 10_000, func(t *T) *int { return &t.Restarts }),
		span("restart_window", "see restarts", func(t *T) *time.Duration { return &t.RestartWindow }),
		count("restart_days", "restarts on each of this many days in a row are a warning", 1, 14, func(t *T) *int { return &t.RestartDays }),
		span("cert_expiry", "a certificate that ends sooner is a warning", func(t *T) *time.Duration { return &t.CertExpiry }),
		span("renewal_overdue", "a renewal that is later than this is a warning", func(t *T) *time.Duration { return &t.RenewalOverdue }),
		span("backup_age", "the last success of a backup must be younger; daily ones need 24h and their own time", func(t *T) *time.Duration { return &t.BackupAge }),
		span("pod_stuck", "a pod pending or terminating for longer is a warning", func(t *T) *time.Duration { return &t.PodStuck }),
	}
}

func percent(name, text string, of func(*sources.Thresholds) *float64) limit {
	return limit{name, "percent, 1 to 100", text, func(p *parser, n ast.Node) setting {
		v, ok := p.number(n, 1, 100, true)
		return when(ok, func(s *sources.Settings) { *of(&s.Thresholds) = v })
	}, func(t sources.Thresholds) string { return fmt.Sprint(*of(&t)) }}
}

func span(name, text string, of func(*sources.Thresholds) *time.Duration) limit {
	return limit{name, "duration", text, func(p *parser, n ast.Node) setting {
		v, ok := p.span(n)
		return when(ok, func(s *sources.Settings) { *of(&s.Thresholds) = v })
	}, func(t sources.Thresholds) string { return spanText(*of(&t)) }}
}

func count(name, text string, least, most float64, of func(*sources.Thresholds) *int) limit {
	return limit{name, fmt.Sprintf("number, %.0f to %.0f", least, most), text, func(p *parser, n ast.Node) setting {
		v, ok := p.number(n, least, most, false)
		return when(ok, func(s *sources.Settings) { *of(&s.Thresholds) = int(v) })
	}, func(t sources.Thresholds) string { return fmt.Sprint(*of(&t)) }}
}

func when(ok bool, set setting) setting {
	if !ok {
		return nil
	}
	return set
}

// backupKey is one key of an entry under backups.
type backupKey struct {
	name, unit, text string
	read             func(*parser, ast.Node, *sources.DeclaredBackup)
}

func backupKeys() []backupKey {
	type B = sources.DeclaredBackup
	return []backupKey{
		{"name", "text, required", "what it is called on the screen", func(p *parser, n ast.Node, b *B) { b.Name, _ = p.text(n) }},
		{"cronjob", "namespace/name", "the CronJob whose last success is the evidence; leave it out if it runs elsewhere", func(p *parser, n ast.Node, b *B) { b.CronJob = p.cronJob(n) }},
		{"max_age", "duration", "instead of thresholds.backup_age", func(p *parser, n ast.Node, b *B) { b.MaxAge, _ = p.span(n) }},
		{"keep", "number, 0 to 10000", "copies that should exist; 0 is not declared", func(p *parser, n ast.Node, b *B) {
			v, _ := p.number(n, 0, 10_000, false)
			b.Keep = int(v)
		}},
		{"offsite", "true or false", "a copy is kept outside the Hetzner project", func(p *parser, n ast.Node, b *B) { b.Offsite, _ = p.boolean(n) }},
		{"where", "text", "where the copies are kept, for whoever restores them", func(p *parser, n ast.Node, b *B) { b.Where, _ = p.text(n) }},
	}
}

// releaseKey is one address under releases.
type releaseKey struct {
	name, text string
	of         func(*sources.ReleaseServer) *string
}

func releaseKeys() []releaseKey {
	type R = sources.ReleaseServer
	return []releaseKey{
		{"url", "below it are tag/TAG and download/TAG/FILE; the nodes fetch from there", func(r *R) *string { return &r.URL }},
		{"channels", "lists the channels; below it NAME redirects to a version", func(r *R) *string { return &r.Channels }},
		{"install", "the install script", func(r *R) *string { return &r.Install }},
	}
}

// uiKey is one key under ui.
type uiKey struct {
	name, unit, text string
	read             func(*parser, ast.Node, *UI)
	show             func(UI) string
}

func uiKeys() []uiKey {
	return []uiKey{
		{"theme", strings.Join(themes(), ", "), "auto asks the terminal; none is without colour", func(p *parser, n ast.Node, u *UI) {
			if v, ok := p.oneOf(n, themes()); ok {
				u.Theme = v
			}
		}, func(u UI) string { return u.Theme }},
		{"ascii", "true or false", "draw with ASCII only", func(p *parser, n ast.Node, u *UI) {
			if v, ok := p.boolean(n); ok {
				u.ASCII = v
			}
		}, func(u UI) string { return fmt.Sprint(u.ASCII) }},
		{"mouse", "true or false", "take the mouse from the terminal", func(p *parser, n ast.Node, u *UI) {
			if v, ok := p.boolean(n); ok {
				u.Mouse = v
			}
		}, func(u UI) string { return fmt.Sprint(u.Mouse) }},
	}
}

func themes() []string { return []string{"auto", "dark", "light", "none"} }

// homes are the places where a key belongs, for those who indented it wrong.
func homes(name string) []string {
	var out []string
	for _, k := range Schema() {
		i := strings.LastIndexByte(k.Path, '.')
		if k.Path[i+1:] != name {
			continue
		}
		home := "the top level"
		if i >= 0 {
			home = "`" + strings.TrimSuffix(k.Path[:i], "[]") + "`"
		}
		if !slices.Contains(out, home) {
			out = append(out, home)
		}
	}
	return out
}
