package config

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"daytwo/sources"
)

// Found is what "daytwo init" found in a cluster.
type Found struct {
	Context string // kubeconfig context; "" if there was none
	Looked  bool   // the CronJobs were read
	Backups []FoundBackup
}

// FoundBackup is a CronJob that looks like a backup.
type FoundBackup struct {
	CronJob  sources.Ref
	Schedule string        // cron expression
	MaxAge   time.Duration // age of the last success that its schedule allows
}

// FoundIn takes from a judged snapshot what Example writes down: the context
// and the backups that the rules found and nobody declared.
func FoundIn(s *sources.Snapshot) Found {
	found := Found{Context: s.Cluster.Value.Name, Looked: s.CronJobs.Usable()}
	schedules := map[sources.Ref]string{}
	for _, c := range s.CronJobs.Value {
		schedules[c.Ref] = c.Schedule
	}
	for _, b := range s.Judged.Backups {
		if !b.Declared && b.CronJob.Name != "" {
			found.Backups = append(found.Backups, FoundBackup{b.CronJob, schedules[b.CronJob], b.Limit})
		}
	}
	return found
}

// Example writes a configuration in which every value is commented out, so
// that it says the same as no file: "## " begins an explanation, "# " a line
// that works once the "# " is taken away.
func Example(found Found) string {
	var b strings.Builder
	b.WriteString("## daytwo's configuration" + forContext(found.Context) + ".\n" + `## Everything is optional. What stands here are the defaults: take away a "# " to
## change one. Durations: 10m, 25h, 21d, 2w. Passwords and tokens never belong here.

## The limits of the weekly checklist.
thresholds:
`)
	at := sources.DefaultSettings().Thresholds
	for _, l := range limits() {
		fmt.Fprintf(&b, "  # %-22s ## %s\n", l.name+": "+l.show(at), l.text)
	}
	b.WriteString("\n## Backups that should exist. One with no evidence is shown as unknown, never as ok.\n")
	b.WriteString(foundText(len(found.Backups), found.Looked))
	b.WriteString("backups:\n")
	writeBackups(&b, found.Backups)
	b.WriteString("\n## A CronJob with one of these words in its name or labels is taken for a backup.\n")
	fmt.Fprintf(&b, "# backup_words: %s\n", flow(sources.DefaultSettings().BackupWords))
	b.WriteString("\n## Where versions of k3s come from, for a mirror of your own.\nreleases:\n")
	own := sources.DefaultReleaseServer()
	for _, r := range releaseKeys() {
		fmt.Fprintf(&b, "  # %s: %s ## %s\n", r.name, *r.of(&own), r.text)
	}
	b.WriteString("\n## The way to the machines behind the nodes. What is left out is what \"ssh NODE\" would do.\nssh:\n")
	for _, k := range sshKeys() {
		fmt.Fprintf(&b, "  # %-36s ## %s\n", k.name+": "+k.example, k.text)
	}
	b.WriteString("  # hosts: {worker-0: root@203.0.113.7}  ## where a node's machine is, if not at its address\n")
	writeTrail(&b)
	b.WriteString("\n## Where the Lease lies by which two machines see each other change the cluster.\n")
	fmt.Fprintf(&b, "# lease_namespace: %s\n", sources.DefaultSettings().LeaseNamespace)
	b.WriteString("\nui:\n")
	for _, u := range uiKeys() {
		fmt.Fprintf(&b, "  # %-22s ## %s: %s\n", u.name+": "+u.show(Default().UI), u.unit, u.text)
	}
	context := found.Context
	if context == "" {
		context = "prod-fsn1"
	}
	fmt.Fprintf(&b, `
## For one cluster only, by kubeconfig context: thresholds, backups, backup_words, releases,
## ssh, trail, lease_namespace.
clusters:
  # %s:
  #   thresholds:
  #     %s: %s
`, word(context), "disk_warning", limitText("disk_warning"))
	return b.String()
}

func forContext(context string) string {
	if context == "" {
		return ""
	}
	return fmt.Sprintf(", written by \"daytwo init\" on the context %s", word(context))
}

func foundText(n int, looked bool) string {
	switch {
	case !looked:
		return "## No cluster's CronJobs could be looked at; this is how to declare one.\n"
	case n == 0:
		return "## No CronJob here looks like one; this is how to declare it.\n"
	case n == 1:
		return "## This CronJob looks like one. Declare it, to say where copies are and how many.\n"
	}
	return fmt.Sprintf("## These %d CronJobs look like some. Declare them, to say where copies are and how many.\n", n)
}

func limitText(name string) string {
	for _, l := range limits() {
		if l.name == name {
			return l.show(sources.DefaultSettings().Thresholds)
		}
	}
	return ""
}

// writeBackups suggests an entry for each that was found, or shows one.
func writeBackups(b *strings.Builder, found []FoundBackup) {
	if len(found) == 0 {
		found = []FoundBackup{{CronJob: sources.Ref{Namespace: "shop", Name: "mysql-backup"}}}
	}
	names := map[string]bool{}
	for _, f := range found {
		name := f.CronJob.Name
		if names[name] {
			name = f.CronJob.Namespace + "-" + name
		}
		for n := 2; names[name]; n++ {
			name = fmt.Sprintf("%s-%s-%d", f.CronJob.Namespace, f.CronJob.Name, n)
		}
		names[name] = true
		if f.Schedule != "" {
			fmt.Fprintf(b, "  ## runs at %q\n", f.Schedule)
		}
		age := (f.MaxAge + time.Hour - 1).Truncate(time.Hour) // never shorter than the schedule allows
		if age <= 0 {
			age = sources.DefaultSettings().Thresholds.BackupAge
		}
		fmt.Fprintf(b, "  # - name: %s\n", word(name))
		for _, line := range []struct{ key, value, text string }{
			{"cronjob", word(f.CronJob.String()), "its last success is the evidence"},
			{"max_age", spanText(age), "of the last success"},
			{"keep", "14", "copies that should exist"},
			{"offsite", "false", "true if a copy is outside the Hetzner project"},
			{"where", `"say where the copies are"`, "for whoever restores them"},
		} {
			fmt.Fprintf(b, "  #   %-36s ## %s\n", line.key+": "+line.value, line.text)
		}
	}
}

// word writes a name for YAML: plain where nothing else could be meant.
func word(s string) string {
	if regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9./@_-]*$`).MatchString(s) && !regexp.MustCompile(`(?i)^(true|false|null|yes|no|on|off|y|n)$`).MatchString(s) {
		return s
	}
	return fmt.Sprintf("%q", s)
}
