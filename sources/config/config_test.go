package config_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"daytwo/sources"
	"daytwo/sources/config"
)

const day = 24 * time.Hour

func parse(t *testing.T, text string) config.Config {
	t.Helper()
	cfg, err := config.Parse("config.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// everything sets each key to something that is not its default.
const everything = `
thresholds:
  load_percent: 75.5
  load_for: 5m
  disk_warning: 70
  disk_critical: 85
  restarts: 3
  restart_window: 2h
  restart_days: 5
  cert_expiry: 2w
  renewal_overdue: 1d12h
  backup_age: 30h
  pod_stuck: 90s
backups:
  - name: mysql
    cronjob: shop/mysql-backup
    max_age: 26h
    keep: 14
    offsite: true
    where: "rclone: NAS, then the Storage Box"
  - {name: manifests}
backup_words: [sicherung, dump]
releases:
  url: https://mirror.example/k3s/releases/
  channels: https://mirror.example/channels
  install: http://10.0.0.1/install.sh
ssh:
  user: ops
  port: 2222
  identity_file: ~/.ssh/prod
  jump: [me@bastion:22, inner]
  known_hosts: /etc/hosts.known
  hosts: {worker-0: root@10.0.0.7:2200, worker-1: w1}
trail:
  - {name: events, command: kubectl get events -A}
  - name: who is here
    command: "w; last -5 | head"
  - {name: on the node, command: kubectl get nodes, where: node}
lease_namespace: ops
ui: {theme: light, ascii: true, mouse: false}
clusters:
  lab:
    lease_namespace: lab-2
    trail: []
    ssh: {user: root, hosts: {}}
    thresholds: {disk_critical: 95, disk_warning: 90}
    backups: []
    backup_words: [x]
  "odd: one": 
    thresholds:
  12: {thresholds: {restarts: 9}}
`

func TestEveryKeyIsRead(t *testing.T) {
	t.Parallel()
	cfg := parse(t, everything)
	want := sources.Settings{
		Thresholds: sources.Thresholds{
			LoadPercent: 75.5, LoadFor: 5 * time.Minute, DiskWarning: 70, DiskCritical: 85, Restarts: 3, RestartWindow: 2 * time.Hour,
			RestartDays: 5, CertExpiry: 14 * day, RenewalOverdue: 36 * time.Hour, BackupAge: 30 * time.Hour, PodStuck: 90 * time.Second,
		},
		Backups: []sources.DeclaredBackup{
			{Name: "mysql", CronJob: "shop/mysql-backup", MaxAge: 26 * time.Hour, Keep: 14, Offsite: true, Where: "rclone: NAS, then the Storage Box"},
			{Name: "manifests"},
		},
		BackupWords: []string{"sicherung", "dump"},
		Releases: sources.ReleaseServer{
			URL: "https://mirror.example/k3s/releases", Channels: "https://mirror.example/channels", Install: "http://10.0.0.1/install.sh",
		},
		SSH: sources.SSHSettings{
			User: "ops", Port: 2222, IdentityFile: "~/.ssh/prod", Jump: []string{"me@bastion:22", "inner"}, KnownHosts: "/etc/hosts.known",
			Hosts: map[string]string{"worker-0": "root@10.0.0.7:2200", "worker-1": "w1"},
		},
		Trail: []sources.TrailCommand{
			{Name: "events", Command: "kubectl get events -A"},
			{Name: "who is here", Command: "w; last -5 | head", Node: true},
			{Name: "on the node", Command: "kubectl get nodes", Node: true},
		},
		LeaseNamespace: "ops",
	}
	for _, cluster := range []string{"prod", "odd: one", ""} {
		if got := cfg.Settings(cluster); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v\nwant %+v", cluster, got, want)
		}
	}
	lab := want
	lab.Thresholds.DiskWarning, lab.Thresholds.DiskCritical = 90, 95
	lab.Backups, lab.BackupWords = []sources.DeclaredBackup{}, []string{"x"}
	lab.LeaseNamespace, lab.Trail = "lab-2", []sources.TrailCommand{}
	lab.SSH.User, lab.SSH.Hosts = "root", map[string]string{}
	if got := cfg.Settings("lab"); !reflect.DeepEqual(got, lab) {
		t.Errorf("lab: %+v\nwant %+v", got, lab)
	}
	if got := cfg.Settings("12").Thresholds.Restarts; got != 9 {
		t.Errorf("the cluster called 12 has restarts %d", got)
	}
	if want := (config.UI{Theme: "light", ASCII: true}); cfg.UI != want {
		t.Errorf("ui: %+v", cfg.UI)
	}
	defaults := sources.DefaultSettings()
	for i, v := 0, reflect.ValueOf(want.Thresholds); i < v.NumField(); i++ {
		if reflect.DeepEqual(v.Field(i).Interface(), reflect.ValueOf(defaults.Thresholds).Field(i).Interface()) {
			t.Errorf("%s is the default: the test shows nothing", v.Type().Field(i).Name)
		}
	}
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"typo", "thresholds:\n  disk_warnign: 70\n", "2:3: unknown key \"disk_warnign\" in `thresholds`; did you mean `disk_warning`?"},
		{"dashes", "backup-words: [a]\n", "1:1: unknown key \"backup-words\" at the top level; did you mean `backup_words`?"},
		{"elsewhere", "disk_warning: 70\n", "1:1: unknown key \"disk_warning\" at the top level; it belongs in `thresholds`"},
		{"typo elsewhere", "disk_warnin: 70\n", "1:1: unknown key \"disk_warnin\" at the top level; did you mean `disk_warning` in `thresholds`?"},
		{"nothing near", "ui: {zzzzzz: 1}\n", "1:6: unknown key \"zzzzzz\" in `ui`; there are theme, ascii, mouse"},
		{"in a backup", "backups:\n  - name: a\n    cronJob: a/b\n", "3:5: unknown key \"cronJob\" in `backups`; did you mean `cronjob`?"},
		{"in a cluster", "clusters:\n  lab:\n    treshold: {}\n", "3:5: unknown key \"treshold\" in `clusters.lab`; did you mean `thresholds`?"},
		{"twice", "ui:\n  ascii: true\n  mouse: true\n  ascii: false\n", "4:3: \"ascii\" is here a second time; the first is in line 2"},
		{"sections twice", "ui: {}\nui: {}\n", "2:1: \"ui\" is here a second time; the first is in line 1"},
		{"too much", "thresholds: {disk_warning: 850}\n", "1:28: \"850\" is not a number from 1 to 100"},
		{"percent sign", "thresholds: {disk_warning: 85%}\n", "1:28: \"85%\" is not a number from 1 to 100; leave out the percent sign"},
		{"quoted number", "thresholds: {disk_warning: \"85\"}\n", "1:28: \"85\" is text; leave out the quotes"},
		{"hexadecimal", "thresholds: {disk_warning: 0x1F}\n", "1:28: \"0x1F\" is not a number from 1 to 100"},
		{"fraction", "thresholds: {restarts: 1.5}\n", "1:24: \"1.5\" is not a whole number from 1 to 10000"},
		{"no unit", "thresholds: {load_for: 10}\n", "1:24: \"10\" is no duration; write a number and a unit, for instance 10m, 25h, 21d or 2w"},
		{"negative", "thresholds: {load_for: -5m}\n", "1:24: \"-5m\" is no duration; write a number and a unit, for instance 10m, 25h, 21d or 2w"},
		{"zero", "thresholds: {load_for: 0s}\n", "1:24: \"0s\" is too short; write 1s or more"},
		{"for ever", "thresholds: {load_for: 99999999999999d}\n", "1:24: \"99999999999999d\" is too long; write 20 years (7300d) or less"},
		{"yes", "ui: {mouse: no}\n", "1:13: \"no\" is not true or false; did you mean `false`?"},
		{"theme", "ui: {theme: drak}\n", "1:13: \"drak\" is none of auto, dark, light, none; did you mean `dark`?"},
		{"no value", "thresholds:\n  restarts:\n", "nothing stands here where a whole number from 1 to 10000 is expected"},
		{"list for keys", "thresholds:\n  - restarts: 1\n", "2:3: `thresholds` holds a list where keys are expected: load_percent, "},
		{"value for list", "backups: mysql\n", "1:10: `backups` holds a single value where entries that begin with \"- name:\" are expected"},
		{"no name", "backups:\n  - keep: 3\n", "2:5: a backup needs a `name`"},
		{"same name", "backups:\n  - name: a\n  - name: a\n", "3:5: a second backup is called \"a\"; names must differ"},
		{"no namespace", "backups: [{name: a, cronjob: mysql}]\n", "1:30: \"mysql\" is no CronJob; write namespace/name"},
		{"escape", "backups: [{name: \"a\\e[2Jb\"}]\n", "1:18: the text \"a\\x1b[2Jb\" has characters that cannot be shown"},
		{"relative key", "ssh: {identity_file: keys/prod}\n", "1:22: \"keys/prod\" is no full path"},
		{"no host", "ssh: {hosts: {worker-0: root@}}\n", "\"root@\" is no [user@]host[:port]"},
		{"no port", "ssh: {port: 70000}\n", "\"70000\" is not a whole number from 1 to 65535"},
		{"ssh_config's words", "ssh: {IdentityFile: /x}\n", "did you mean `identity_file`?"},
		{"no address", "releases: {url: mirror.example}\n", "1:17: \"mirror.example\" is not an http or https address"},
		{"password in an address", "releases: {url: 'https://me:secret@mirror.example'}\n", "1:17: an address here has no user and no password in it"},
		{"in the trail", "trail:\n  - {name: a, comand: b}\n", "2:15: unknown key \"comand\" in `trail`; did you mean `command`?"},
		{"nowhere", "trail: [{name: a, command: df, where: nodes}]\n", "1:39: \"nodes\" is none of cluster, node; did you mean `node`?"},
		{"no shell there", "trail: [{name: a, command: df -h, where: cluster}]\n", "1:42: the cluster is asked by kubectl's lines only; write `where: node`"},
		{"nameless command", "trail: [{command: df}]\n", "a command of the trail needs a `name`"},
		{"commandless name", "trail: [{name: df}]\n", "a command of the trail needs a `command`"},
		{"same command", "trail:\n  - {name: a, command: b}\n  - {name: a, command: c}\n", "3:5: a second command is called \"a\"; names must differ"},
		{"two lines", "trail: [{name: a, command: \"b\\nc\"}]\n", "1:28: the command \"b c\" has characters that cannot be shown; write one plain line"},
		{"order", "thresholds:\n  disk_warning: 95\n", "2:17: `disk_warning` (95) must be below `disk_critical` (90)"},
		{"order in a cluster", "thresholds: {disk_warning: 70}\nclusters:\n  lab:\n    thresholds: {disk_critical: 60}\n", "4:33: `disk_warning` (70) must be below `disk_critical` (60)"},
		{"no yaml", "a: [\n", "1:4: this is not YAML: "},
		{"tab", "ui:\n\tascii: true\n", "this is not YAML: "},
		{"two documents", "ui: {}\n---\nui: {}\n", "3:1: a second document begins here"},
		{"alias", "ui: &u {ascii: true}\n", "1:5: `ui` holds an anchor or alias"},
		{"merge", "ui:\n  <<: {ascii: true}\n", "2:3: a key is a plain word"},
		{"just text", "hello\n", "1:1: the file holds a single value where keys are expected: thresholds, "},
		{"open brackets", "# [\na: [[[[[[[[[[[[[[[[[[[[[\n", "2:24: more than 20 brackets are open"},
		{"large", strings.Repeat("# x\n", 100_000), "1:1: the file is larger than 64 kB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cfg, err := config.Parse("config.yaml", []byte(c.text))
			if err == nil {
				t.Fatal("nothing is said")
			}
			if !strings.HasPrefix(err.Error(), "config.yaml:") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("it says %q\nwant    %q", err, c.want)
			}
			if strings.Count(err.Error(), "\n") > 0 {
				t.Errorf("more than one thing is said: %v", err)
			}
			if !reflect.DeepEqual(cfg, config.Default()) {
				t.Error("a wrong file gives more than the defaults")
			}
		})
	}
}

func TestAllThatIsWrongIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	_, err := config.Parse("c.yaml", []byte("ui: {theme: x, ascii: maybe}\nthresholds:\n  restart: 1\n  load_for: 1\nbackups:\n- kep: 1\n- name: [x]\nclusters:\n  a: {thresholds: {restarts: 0}}\n"))
	var all config.Errors
	if !errors.As(err, &all) {
		t.Fatalf("%T: %v", err, err)
	}
	lines := make([]int, 0, len(all))
	for _, e := range all {
		lines = append(lines, e.Line)
	}
	if want := []int{1, 1, 3, 4, 6, 7, 9}; !reflect.DeepEqual(lines, want) {
		t.Errorf("errors in lines %v, want %v:\n%v", lines, want, err)
	}
}

func TestEmptyFilesAreTheDefaults(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "\n", "# nothing\n", "---\n", "\ufeff# nothing\n", "thresholds:\nbackups:\nui:\nclusters:\n  lab:\n"} {
		cfg := parse(t, text)
		if got := cfg.Settings("lab"); !reflect.DeepEqual(got, sources.DefaultSettings()) || cfg.UI != config.Default().UI {
			t.Errorf("%q gives %+v", text, got)
		}
	}
}

func TestWhereTheFileIs(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	cfg, err := config.Load("")
	if err != nil || !reflect.DeepEqual(cfg, config.Default()) {
		t.Errorf("without a file: %+v %v", cfg, err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "daytwo"), 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "daytwo", "config.yaml")
	if err := os.WriteFile(path, []byte("ui: {ascii: true}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if cfg, err := config.Load(""); err != nil || !cfg.UI.ASCII {
		t.Errorf("the default file: %+v %v", cfg, err)
	}
	missing := filepath.Join(dir, "missing.yaml")
	if _, err := config.Load(missing); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("a missing file that was named: %v", err)
	}
	if _, err := config.Load(dir); err == nil {
		t.Error("a folder was read")
	}
	t.Setenv("XDG_CONFIG_HOME", "")
	t.Setenv("HOME", "/home/x")
	if got, err := config.DefaultPath(); err != nil || got != "/home/x/.config/daytwo/config.yaml" {
		t.Errorf("without XDG_CONFIG_HOME: %s %v", got, err)
	}
	t.Setenv("HOME", "")
	if _, err := config.DefaultPath(); err == nil {
		t.Error("without HOME there is a place")
	}
	if cfg, err := config.Load(""); err != nil || !reflect.DeepEqual(cfg, config.Default()) {
		t.Errorf("without HOME: %+v %v", cfg, err)
	}
}

// founds are what init may find.
func founds() map[string]config.Found {
	job := func(ns, name, schedule string, age time.Duration) config.FoundBackup {
		return config.FoundBackup{CronJob: sources.Ref{Kind: "CronJob", Namespace: ns, Name: name}, Schedule: schedule, MaxAge: age}
	}
	return map[string]config.Found{
		"nothing": {},
		"two":     {Context: "prod-fsn1", Backups: []config.FoundBackup{job("shop", "mysql-backup", "0 2 * * *", 25*time.Hour), job("media", "weekly-dump", "@weekly", 175*time.Hour+13*time.Second)}},
		"same":    {Context: "admin@k8s", Backups: []config.FoundBackup{job("a", "backup", "", 0), job("b", "backup", "", 0), job("c-b", "backup", "", 0), job("c", "b-backup", "", 0)}},
		"odd":     {Context: "a: \"b\"\n# c\x1b[2J\xff é", Backups: []config.FoundBackup{job("12", "true", "x\ny: z", 90*time.Second), job("1-2", "0x1f", "* * * * *", time.Hour)}},
	}
}

func TestExampleSaysTheSameAsNoFile(t *testing.T) {
	t.Parallel()
	for name, found := range founds() {
		path := filepath.Join(t.TempDir(), "config.yaml")
		if err := os.WriteFile(path, []byte(config.Example(found)), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, err := config.Load(path)
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, config.Example(found))
			continue
		}
		for _, cluster := range []string{"", found.Context, "prod-fsn1"} {
			if got := cfg.Settings(cluster); !reflect.DeepEqual(got, sources.DefaultSettings()) {
				t.Errorf("%s: settings are %+v", name, got)
			}
		}
		if cfg.UI != config.Default().UI {
			t.Errorf("%s: ui is %+v", name, cfg.UI)
		}
	}
}

func TestEveryLineOfTheExampleWorks(t *testing.T) {
	t.Parallel()
	commented := regexp.MustCompile(`(?m)^( *)# `)
	for name, found := range founds() {
		text := config.Example(found)
		cfg, err := config.Parse("config.yaml", []byte(commented.ReplaceAllString(text, "$1")))
		if err != nil {
			t.Errorf("%s, with all comments taken away: %v\n%s", name, err, text)
			continue
		}
		s := cfg.Settings(found.Context)
		if !reflect.DeepEqual(s.Thresholds, sources.DefaultSettings().Thresholds) {
			t.Errorf("%s: the example shows other limits than the defaults: %+v", name, s.Thresholds)
		}
		if len(s.Backups) != max(1, len(found.Backups)) {
			t.Errorf("%s: %d backups", name, len(s.Backups))
		}
		for i, f := range found.Backups {
			if s.Backups[i].CronJob != f.CronJob.String() {
				t.Errorf("%s: backup %d is %+v", name, i, s.Backups[i])
			}
		}
		// One line at a time, as people do it.
		for _, at := range commented.FindAllStringIndex(text, -1) {
			line, _, _ := strings.Cut(text[at[1]:], "\n")
			if strings.HasPrefix(line, " ") || strings.HasSuffix(strings.TrimSpace(line), ":") {
				continue // it belongs to the line above it
			}
			one := text[:at[1]-2] + text[at[1]:]
			if _, err := config.Parse("config.yaml", []byte(one)); err != nil {
				t.Errorf("%s: with only %q: %v", name, line, err)
			}
		}
	}
}

func TestFoundInTakesWhatNobodyDeclared(t *testing.T) {
	t.Parallel()
	ref := sources.Ref{Kind: "CronJob", Namespace: "shop", Name: "dump"}
	snap := &sources.Snapshot{
		CronJobs: sources.Read([]sources.CronJob{{Ref: ref, Schedule: "0 3 * * *"}}, time.Unix(1, 0)),
		Judged: sources.Judgement{Backups: []sources.BackupState{
			{Name: "mysql", Declared: true, CronJob: sources.Ref{Name: "x"}}, {Name: "shop/dump", CronJob: ref, Limit: 25 * time.Hour},
		}},
	}
	snap.Cluster.Value.Name = "prod"
	want := config.Found{Context: "prod", Looked: true, Backups: []config.FoundBackup{{CronJob: ref, Schedule: "0 3 * * *", MaxAge: 25 * time.Hour}}}
	if got := config.FoundIn(snap); !reflect.DeepEqual(got, want) {
		t.Errorf("found %+v", got)
	}
}

func TestEveryKeyIsDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/config.md")
	if err != nil {
		t.Fatal(err)
	}
	keys := config.Schema()
	if len(keys) < 25 {
		t.Errorf("the schema has only %d keys", len(keys))
	}
	for _, k := range keys {
		row := fmt.Sprintf("| `%s` | %s | %s | %s |", k.Path, k.Unit, orNone(k.Default), k.Text)
		if !strings.Contains(string(page), row) {
			t.Errorf("docs/config.md lacks the row\n%s", row)
		}
	}
	if n := strings.Count(string(page), "\n| `"); n != len(keys) {
		t.Errorf("docs/config.md has %d rows, the schema %d keys", n, len(keys))
	}
	for _, block := range strings.Split(string(page), "```yaml\n")[1:] {
		text, _, _ := strings.Cut(block, "```")
		if _, err := config.Parse("docs/config.md", []byte(text)); err != nil {
			t.Errorf("an example on the page is wrong: %v", err)
		}
	}
}

func orNone(text string) string {
	if text == "" {
		return ""
	}
	return "`" + text + "`"
}
