package config

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"daytwo/sources"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	yamlparser "github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Parse reads the text of a file; path is for messages only. The error is an
// Errors, and the Config then is the default one.
func Parse(path string, text []byte) (Config, error) {
	p := &parser{path: path, cfg: Default()}
	if root := p.tree(text); root != nil {
		p.root(root)
		p.judgeTogether()
	}
	if len(p.errs) > 0 {
		p.errs.sort()
		if more := len(p.errs) - mostErrors; more > 0 {
			p.errs = p.errs[:mostErrors]
			p.errs[mostErrors-1].Text += fmt.Sprintf("; and %d more errors below", more)
		}
		return Default(), p.errs
	}
	return p.cfg, nil
}

// mostErrors are told; more fill the screen and help nobody.
const mostErrors = 50

// parser walks the tree and collects what is wrong.
type parser struct {
	path  string
	cfg   Config
	errs  Errors
	disks []diskLimits
}

// diskLimits is where disk limits were set, general or of one cluster: which
// is above which can be judged only when all is read.
type diskLimits struct {
	cluster string
	own     bool // of a cluster
	at      ast.Node
}

func (p *parser) fail(n ast.Node, format string, args ...any) {
	line, col := position(n)
	p.errs = append(p.errs, &Error{File: p.path, Line: line, Col: col, Text: fmt.Sprintf(format, args...)})
}

func position(n ast.Node) (line, col int) {
	switch v := n.(type) { // whose own token is a colon
	case *ast.MappingValueNode:
		return position(v.Key)
	case *ast.MappingNode:
		if !v.IsFlowStyle && len(v.Values) > 0 {
			return position(v.Values[0].Key)
		}
	}
	return tokenPosition(n.GetToken())
}

func tokenPosition(t *token.Token) (line, col int) {
	if t == nil || t.Position == nil {
		return 1, 1
	}
	return max(t.Position.Line, 1), max(t.Position.Column, 1)
}

// tree parses the text and returns the one document's root, nil if there is
// none or it cannot be read.
func (p *parser) tree(text []byte) (root ast.Node) {
	defer func() {
		if v := recover(); v != nil { // of the library, on text it does not expect
			root = nil
			p.errs = append(p.errs, &Error{File: p.path, Line: 1, Col: 1, Text: "this cannot be read as YAML"})
		}
	}()
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if why := unfit(text); why != nil {
		why.File = p.path
		p.errs = append(p.errs, why)
		return nil
	}
	file, err := yamlparser.ParseBytes(text, 0, yamlparser.AllowDuplicateMapKey())
	if err != nil {
		p.syntax(err)
		return nil
	}
	for _, doc := range file.Docs {
		switch body := doc.Body.(type) {
		case nil, *ast.NullNode, *ast.CommentGroupNode:
		case *ast.DirectiveNode:
			p.fail(body, "YAML directives are not supported; delete this line")
		default:
			if root != nil {
				p.fail(body, "a second document begins here; the file has only one")
				return root
			}
			root = body
		}
	}
	return root
}

// What a configuration never needs, and the YAML library needs minutes for.
const (
	longestLine = 2000 // bytes
	deepest     = 20   // brackets within brackets
)

// unfit says why a text is not even parsed, nil if it may be.
func unfit(text []byte) *Error {
	if len(text) > largest {
		return &Error{Line: 1, Col: 1, Text: fmt.Sprintf("the file is larger than %d kB; is it the right one?", largest>>10)}
	}
	line, depth := 0, 0
	for l := range bytes.Lines(text) {
		line++
		if len(l) > longestLine {
			return &Error{Line: line, Col: longestLine, Text: fmt.Sprintf("the line is longer than %d bytes", longestLine)}
		}
		if bytes.HasPrefix(bytes.TrimSpace(l), []byte("#")) {
			continue
		}
		for i, b := range l {
			switch b {
			case '[', '{':
				depth++
			case ']', '}':
				depth = max(depth-1, 0)
			}
			if depth > deepest {
				return &Error{Line: line, Col: i + 1, Text: fmt.Sprintf("more than %d brackets are open; is one not closed?", deepest)}
			}
		}
	}
	return nil
}

func (p *parser) syntax(err error) {
	e := &Error{File: p.path, Line: 1, Col: 1, Text: "this is not YAML"}
	if why, ok := errors.AsType[yaml.Error](err); ok {
		e.Text += ": " + sources.Clean(why.GetMessage(), longestText)
		e.Line, e.Col = tokenPosition(why.GetToken())
	}
	p.errs = append(p.errs, e)
}

// each calls do for every key of a mapping that is known. Unknown and
// repeated keys are errors. where names the mapping for messages, "" is the
// top level; known is nil where any key is right.
func (p *parser) each(n ast.Node, where string, known []string, do func(key string, pair *ast.MappingValueNode)) {
	var pairs []*ast.MappingValueNode
	switch m := n.(type) {
	case nil, *ast.NullNode:
		return // a section whose lines are all commented out
	case *ast.MappingNode:
		pairs = m.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{m}
	default:
		p.fail(n, "%s holds %s where keys are expected%s", place(where), kindName(n), list(known))
		return
	}
	seen := map[string]int{}
	for _, pair := range pairs {
		key, ok := p.key(pair)
		if !ok {
			continue
		}
		line, _ := position(pair)
		switch first, again := seen[key]; {
		case again:
			p.fail(pair, "%q is here a second time; the first is in line %d", key, first)
		case known != nil && !slices.Contains(known, key):
			p.fail(pair, "unknown key %q %s%s", key, within(where), p.hint(key, known))
		default:
			do(key, pair)
		}
		if seen[key] == 0 {
			seen[key] = line
		}
	}
}

// key returns a key's text.
func (p *parser) key(pair *ast.MappingValueNode) (string, bool) {
	switch pair.Key.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return pair.Key.GetToken().Value, true
	}
	p.fail(pair, "a key is a plain word; anchors, merge keys and complex keys are not supported")
	return "", false
}

func place(where string) string {
	if where == "" {
		return "the file"
	}
	return "`" + where + "`"
}

func within(where string) string {
	if where == "" {
		return "at the top level"
	}
	return "in `" + where + "`"
}

func list(known []string) string {
	if len(known) == 0 {
		return ""
	}
	return ": " + strings.Join(known, ", ")
}

// hint is what a wrong key may have been meant to be.
func (p *parser) hint(key string, known []string) string {
	if len(p.errs) >= mostErrors {
		return ""
	}
	if near := nearest(key, known); near != "" {
		return "; did you mean `" + near + "`?"
	}
	if h := homes(key); len(h) > 0 {
		return "; it belongs in " + strings.Join(h, " or ")
	}
	var all []string
	for _, k := range Schema() {
		all = append(all, k.Path[strings.LastIndexByte(k.Path, '.')+1:])
	}
	if near := nearest(key, all); near != "" {
		return "; did you mean `" + near + "` in " + strings.Join(homes(near), " or ") + "?"
	}
	return "; there are " + strings.Join(known, ", ")
}

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
