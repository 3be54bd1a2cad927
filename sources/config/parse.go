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
