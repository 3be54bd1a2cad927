package actions

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// gone stands where a secret was.
const gone = "[redacted]"

// redactor takes secrets out of text, known by their shape or by their value.
type redactor struct {
	shapes   []shape
	literals []string
	inKey    bool // between the lines of a private key
}

// shape is how a secret looks. group is the part of it that is one.
type shape struct {
	find  *regexp.Regexp
	group int
	is    func(string) bool // nil: every match
}

// newRedactor makes a redactor for one stream. Values shorter than this many
// bytes are in every other word.
func newRedactor(secrets []string) *redactor {
	const shortest = 6
	r := &redactor{shapes: shapes()}
	for _, s := range secrets {
		if len(s) >= shortest {
			r.literals = append(r.literals, s)
		}
	}
	return r
}

func shapes() []shape {
	const (
		value = `("[^"]*"|'[^']*'|[^\s"',;&|)\]}]+)`
		named = `(?:[a-z0-9_.-]*[_.-])?(?:token|password|passwd|passphrase|secret|secret[_-]?key|api[_-]?key|access[_-]?key|private[_-]?key|client-key-data|credentials?)`
	)
	one := func(group int, find string) shape { return shape{regexp.MustCompile(find), group, nil} }
	return []shape{
		one(0, `\bK10[0-9a-zA-Z]{6,}(?:::[^\s"',;]+)?`),                     // k3s: K10<hash>::<user>:<password>
		one(1, `[a-zA-Z][a-zA-Z0-9+.-]*://[^\s/@:"']*:([^\s/@"']+)@`),       // a password within an address
		one(1, `(?i)\b(?:bearer|basic)\s+([a-z0-9+/=._~-]{8,})`),            // a header's
		one(0, `\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*`), // a JSON web token
		one(1, `(?i)\b`+named+`\\?["']?\s*(?:=|:\s)\s*`+value),              // NAME=value, name: value
		one(1, `(?i)`+named+`\\?"\s*:\s*\\?`+value),                         // "name":"value"
		one(1, `(?i)--?`+named+`\s+`+value),                                 // --token value
		one(1, `(?i)"--?`+named+`"\s*,\s*"([^"]*)"`),                        // "--token","value"
		one(1, `\bmysql(?:dump|admin)?\b[^|;&]*\s-p([^\s"']+)`),             // mysql -pvalue
		one(0, `\b(?:AKIA|ASIA)[A-Z0-9]{16}\b`),                             // AWS and what speaks like it
		{regexp.MustCompile(`\b[A-Za-z0-9]{64}\b`), 0, notHash},             // Hetzner Cloud
		one(0, `-----BEGIN [A-Z ]*PRIVATE KEY-----(?:.|\n)*?-----END [A-Z ]*PRIVATE KEY-----`),
	}
}

// notHash tells a token of 64 letters and digits from a checksum and from an
// id of a container, which are hexadecimal.
func notHash(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r > 'f' || (r >= 'A' && r <= 'Z') })
}

// text takes the secrets out of a text of any number of lines.
func (r *redactor) text(s string) string {
	for _, secret := range r.literals {
		s = strings.ReplaceAll(s, secret, gone)
	}
	if !suspicious(s) {
		return s
	}
	for _, shape := range r.shapes {
		s = shape.redact(s)
	}
	return s
}

// suspicious is a cheap look that lets nearly all lines of a flood through.
func suspicious(s string) bool {
	run := 0
	for i := range len(s) {
		c := s[i] | 0x20
		if (c >= 'a' && c <= 'z') || (s[i] >= '0' && s[i] <= '9') {
			if run++; run == 64 {
				return true
			}
		} else {
			run = 0
		}
	}
	low := strings.ToLower(s)
	for _, word := range [...]string{"token", "pass", "secret", "key", "credential", "k10", "://", "bearer", "basic", "eyj", "akia", "asia", "mysql"} {
		if strings.Contains(low, word) {
			return true
		}
	}
	return false
}

func (s shape) redact(text string) string {
	found := s.find.FindAllStringSubmatchIndex(text, -1)
	if found == nil {
		return text
	}
	var b strings.Builder
	at := 0
	for _, m := range found {
		from, to := m[2*s.group], m[2*s.group+1]
		if from < at {
			continue
		}
		secret := text[from:to]
		if plainly(secret) || (s.is != nil && !s.is(secret)) {
			continue
		}
		b.WriteString(text[at:from])
		b.WriteString(gone)
		at = to
	}
	b.WriteString(text[at:])
	return b.String()
}

// plainly reports that something is no secret though it stands where one
// would: what was masked already, a variable's name, nothing.
func plainly(s string) bool {
	s = strings.Trim(s, `"'\`)
	return strings.Trim(s, "*") == "" || strings.HasPrefix(s, "$") || strings.HasPrefix(gone, s) || strings.HasPrefix(s, gone)
}

// line is text for one line of a stream. It leaves out the lines of a private
// key; false: there is nothing to show.
func (r *redactor) line(s string) (string, bool) {
	const begin, end = "-----BEGIN ", "-----END "
	switch {
	case r.inKey:
		if strings.Contains(s, end) {
			r.inKey = false
		}
		return "", false
	case strings.Contains(s, begin) && strings.Contains(s, "PRIVATE KEY-----") && !strings.Contains(s, end):
		r.inKey = true
		before, _, _ := strings.Cut(s, begin)
		return r.text(before) + gone, true
	}
	return r.text(s), true
}

func (r *Runner) redactor() *redactor { return newRedactor(r.o.Secrets) }

func (r *Runner) redact(s string) string {
	if s == "" {
		return s
	}
	return r.redactor().text(s)
}

// redactJSON takes secrets out of the texts in a JSON document.
func (r *Runner) redactJSON(doc []byte) ([]byte, error) {
	var v any
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("reading what an action saves of itself: %w", err)
	}
	red := r.redactor()
	if !red.within(&v) {
		return doc, nil
	}
	out, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("writing what an action saves of itself: %w", err)
	}
	return out, nil
}

// within redacts all texts in a decoded document; it reports if there was
// something to redact.
func (r *redactor) within(v *any) (changed bool) {
	switch x := (*v).(type) {
	case string:
		if red := r.text(x); red != x {
			*v, changed = red, true
		}
	case []any:
		for i := range x {
			changed = r.within(&x[i]) || changed
		}
	case map[string]any:
		for k, e := range x {
			if r.within(&e) {
				x[k], changed = e, true
			}
		}
	}
	return changed
}
