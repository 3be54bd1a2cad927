package config

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"daytwo/sources"

	"github.com/goccy/go-yaml/ast"
)

// longestText is what fits a line of the screen, in characters.
const longestText = 200

// kindName says what a node is, for people.
func kindName(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "keys"
	case *ast.SequenceNode:
		return "a list"
	case *ast.AnchorNode, *ast.AliasNode:
		return "an anchor or alias, which is not supported,"
	case *ast.TagNode:
		return "a tag, which is not supported,"
	case nil, *ast.NullNode:
		return "nothing"
	}
	return "a single value"
}

// scalar returns a plain value as it is written; quoted says that it stands
// in quotes or a block.
func (p *parser) scalar(n ast.Node, want string) (text string, quoted, ok bool) {
	switch v := n.(type) {
	case *ast.StringNode:
		raw := v.GetToken()
		return v.Value, raw != nil && strings.HasPrefix(strings.TrimSpace(raw.Origin), `"`) || raw != nil && strings.HasPrefix(strings.TrimSpace(raw.Origin), "'"), true
	case *ast.LiteralNode:
		return strings.TrimSuffix(v.Value.Value, "\n"), true, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, false, true
	}
	p.fail(n, "%s stands here where %s is expected", kindName(n), want)
	return "", false, false
}

// number reads a plain decimal number.
func (p *parser) number(n ast.Node, least, most float64, fractions bool) (float64, bool) {
	want := "a number from " + plain(least) + " to " + plain(most)
	if !fractions {
		want = "a whole number from " + plain(least) + " to " + plain(most)
	}
	text, quoted, ok := p.scalar(n, want)
	if !ok {
		return 0, false
	}
	v, err := strconv.ParseFloat(text, 64)
	isNumber := err == nil && strings.Trim(text, "0123456789.+-") == ""
	switch {
	case quoted && isNumber:
		p.fail(n, "%q is text; leave out the quotes", text)
	case !isNumber && strings.HasSuffix(text, "%"):
		p.fail(n, "%q is not %s; leave out the percent sign", text, want)
	case !isNumber, v < least, v > most, !fractions && v != float64(int64(v)):
		p.fail(n, "%q is not %s", text, want)
	default:
		return v, true
	}
	return 0, false
}

func plain(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func (p *parser) span(n ast.Node) (time.Duration, bool) {
	text, _, ok := p.scalar(n, "a duration (10m, 25h, 21d, 2w)")
	if !ok {
		return 0, false
	}
	d, err := parseSpan(text)
	if err != nil {
		p.fail(n, "%q %v", text, err)
		return 0, false
	}
	return d, true
}

// boolean takes true and false only: YAML 1.2 has no yes and no.
func (p *parser) boolean(n ast.Node) (value, ok bool) {
	text, quoted, ok := p.scalar(n, "true or false")
	if !ok {
		return false, false
	}
	if b, isBool := n.(*ast.BoolNode); isBool && !quoted {
		return b.Value, true
	}
	switch strings.ToLower(text) {
	case "true", "yes", "on", "y", "1":
		p.fail(n, "%q is not true or false; did you mean `true`?", text)
	case "false", "no", "off", "n", "0":
		p.fail(n, "%q is not true or false; did you mean `false`?", text)
	default:
		p.fail(n, "%q is not true or false", text)
	}
	return false, false
}

func (p *parser) oneOf(n ast.Node, known []string) (string, bool) {
	text, _, ok := p.scalar(n, strings.Join(known, ", "))
	switch {
	case !ok:
		return "", false
	case slices.Contains(known, text):
		return text, true
	}
	if near := nearest(text, known); near != "" {
		p.fail(n, "%q is none of %s; did you mean `%s`?", text, strings.Join(known, ", "), near)
	} else {
		p.fail(n, "%q is none of %s", text, strings.Join(known, ", "))
	}
	return "", false
}

// text reads one line of text. What it holds goes to the screen as it is, so
// control characters are refused here.
func (p *parser) text(n ast.Node) (string, bool) {
	text, _, ok := p.scalar(n, "text")
	switch {
	case !ok:
		return "", false
	case strings.TrimSpace(text) == "":
		p.fail(n, "the text is empty")
	case utf8.RuneCountInString(text) > longestText:
		p.fail(n, "the text is longer than %d characters", longestText)
	case sources.Clean(text, len(text)) != text:
		p.fail(n, "the text %q has characters that cannot be shown; write one plain line", text)
	default:
		return text, true
	}
	return "", false
}

func (p *parser) cronJob(n ast.Node) string {
	text, ok := p.text(n)
	if !ok {
		return ""
	}
	namespace, name, found := strings.Cut(text, "/")
	if !found || namespace == "" || name == "" || strings.ContainsAny(name, "/ ") || strings.Contains(namespace, " ") {
		p.fail(n, "%q is no CronJob; write namespace/name, for instance shop/mysql-backup", text)
		return ""
	}
	return text
}

// sequence returns a list's entries; ok is false for a section whose lines
// are all commented out, and for what is no list.
func (p *parser) sequence(n ast.Node, where, want string) (entries []ast.Node, ok bool) {
	switch s := n.(type) {
	case nil, *ast.NullNode:
		return nil, false
	case *ast.SequenceNode:
		return s.Values, true
	}
	p.fail(n, "`%s` holds %s where %s are expected", where, kindName(n), want)
	return nil, false
}

// address reads an http or https address. One with a password in it would put
// that on the screen and into commands.
func (p *parser) address(n ast.Node) (string, bool) {
	text, _, ok := p.scalar(n, "an http or https address")
	if !ok {
		return "", false
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || u.RawQuery != "" || strings.ContainsFunc(text, unicode.IsSpace):
		p.fail(n, "%q is not an http or https address", sources.Clean(text, longestText))
	case u.User != nil:
		p.fail(n, "an address here has no user and no password in it: it is shown on the screen")
	default:
		return strings.TrimRight(text, "/"), true
	}
	return "", false
}
