package config

import (
	"slices"
	"strings"

	"daytwo/sources"

	"github.com/goccy/go-yaml/ast"
)

func (p *parser) root(n ast.Node) {
	p.each(n, "", []string{"thresholds", "backups", "backup_words", "releases", "ssh", "trail", "lease_namespace", "ui", "clusters"}, func(key string, pair *ast.MappingValueNode) {
		switch key {
		case "ui":
			p.ui(pair.Value)
		case "clusters":
			p.clusters(pair.Value)
		default:
			p.cfg.general = append(p.cfg.general, p.section(key, pair.Value, "", false)...)
		}
	})
}

func (p *parser) clusters(n ast.Node) {
	p.cfg.clusters = map[string][]setting{}
	p.each(n, "clusters", nil, func(cluster string, pair *ast.MappingValueNode) {
		where := "clusters." + sources.Clean(cluster, longestText)
		p.each(pair.Value, where, []string{"thresholds", "backups", "backup_words", "releases", "ssh", "trail", "lease_namespace"}, func(key string, pair *ast.MappingValueNode) {
			p.cfg.clusters[cluster] = append(p.cfg.clusters[cluster], p.section(key, pair.Value, cluster, true)...)
		})
	})
}

// section reads what may stand generally or under a cluster.
func (p *parser) section(key string, n ast.Node, cluster string, own bool) []setting {
	switch key {
	case "thresholds":
		return p.thresholds(n, cluster, own)
	case "backups":
		return p.backups(n)
	case "releases":
		return p.releases(n)
	case "ssh":
		return p.ssh(n)
	case "trail":
		return p.trail(n)
	case "lease_namespace":
		return p.leaseNamespace(n)
	}
	return p.words(n)
}

func (p *parser) thresholds(n ast.Node, cluster string, own bool) []setting {
	all := limits()
	names := make([]string, 0, len(all))
	for _, l := range all {
		names = append(names, l.name)
	}
	var out []setting
	p.each(n, "thresholds", names, func(key string, pair *ast.MappingValueNode) {
		l := all[slices.Index(names, key)]
		set := l.read(p, pair.Value)
		if set == nil {
			return
		}
		out = append(out, set)
		if strings.HasPrefix(key, "disk_") {
			p.disks = append(p.disks, diskLimits{cluster: cluster, own: own, at: pair.Value})
		}
	})
	return out
}

// judgeTogether holds that a disk is warned of before it is critical, for
// the general limits and for each cluster's.
func (p *parser) judgeTogether() {
	if len(p.errs) > 0 {
		return // values that could not be read would be taken for the defaults
	}
	told := map[string]bool{}
	for _, d := range slices.Backward(p.disks) {
		general := p.cfg
		if !d.own {
			general.clusters = nil
		}
		if t := general.Settings(d.cluster).Thresholds; t.DiskWarning >= t.DiskCritical && !told[d.cluster] {
			told[d.cluster] = true
			p.fail(d.at, "`disk_warning` (%g) must be below `disk_critical` (%g)", t.DiskWarning, t.DiskCritical)
		}
	}
}

func (p *parser) backups(n ast.Node) []setting {
	entries, ok := p.sequence(n, "backups", "entries that begin with \"- name:\"")
	if !ok {
		return nil
	}
	list, names := []sources.DeclaredBackup{}, map[string]bool{}
	for _, e := range entries {
		b, ok := p.backup(e)
		if ok && names[b.Name] {
			p.fail(e, "a second backup is called %q; names must differ", b.Name)
		}
		names[b.Name] = true
		list = append(list, b)
	}
	return []setting{func(s *sources.Settings) { s.Backups = slices.Clone(list) }}
}

func (p *parser) backup(n ast.Node) (sources.DeclaredBackup, bool) {
	all := backupKeys()
	names := make([]string, 0, len(all))
	for _, k := range all {
		names = append(names, k.name)
	}
	var b sources.DeclaredBackup
	hasName, before := false, len(p.errs)
	p.each(n, "backups", names, func(key string, pair *ast.MappingValueNode) {
		hasName = hasName || key == "name"
		all[slices.Index(names, key)].read(p, pair.Value, &b)
	})
	if !hasName && len(p.errs) == before {
		p.fail(n, "a backup needs a `name`")
	}
	return b, b.Name != ""
}

func (p *parser) words(n ast.Node) []setting {
	entries, ok := p.sequence(n, "backup_words", "a list of words: [backup, dump]")
	if !ok {
		return nil
	}
	words := []string{}
	for _, e := range entries {
		if w, ok := p.text(e); ok {
			words = append(words, w)
		}
	}
	return []setting{func(s *sources.Settings) { s.BackupWords = slices.Clone(words) }}
}

func (p *parser) releases(n ast.Node) []setting {
	all := releaseKeys()
	names := make([]string, 0, len(all))
	for _, k := range all {
		names = append(names, k.name)
	}
	var out []setting
	p.each(n, "releases", names, func(key string, pair *ast.MappingValueNode) {
		of := all[slices.Index(names, key)].of
		if v, ok := p.address(pair.Value); ok {
			out = append(out, func(s *sources.Settings) { *of(&s.Releases) = v })
		}
	})
	return out
}

func (p *parser) leaseNamespace(n ast.Node) []setting {
	name, ok := p.text(n)
	if ok && !namespace(name) {
		p.fail(n, "%q cannot be a namespace: small letters, digits and dashes, at most 63", name)
		ok = false
	}
	if !ok {
		return nil
	}
	return []setting{func(s *sources.Settings) { s.LeaseNamespace = name }}
}

// namespace reports whether a name is one that Kubernetes takes (RFC 1123).
func namespace(name string) bool {
	return len(name) <= 63 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" &&
		!strings.HasPrefix(name, "-") && !strings.HasSuffix(name, "-")
}

func (p *parser) ui(n ast.Node) {
	all := uiKeys()
	names := make([]string, 0, len(all))
	for _, k := range all {
		names = append(names, k.name)
	}
	p.each(n, "ui", names, func(key string, pair *ast.MappingValueNode) {
		all[slices.Index(names, key)].read(p, pair.Value, &p.cfg.UI)
	})
}
