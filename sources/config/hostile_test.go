package config_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"daytwo/sources/config"
)

// TestHostileText gives texts on which the YAML library alone would spend
// minutes, or all of its stack.
func TestHostileText(t *testing.T) {
	t.Parallel()
	var indented strings.Builder
	for i := range 340 {
		indented.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	for name, text := range map[string]string{
		"brackets":        strings.Repeat("[", 60_000),
		"brackets, lines": strings.Repeat("[\n", 30_000),
		"braces":          strings.Repeat("{a:\n", 12_000),
		"closed":          strings.Repeat("[", 900) + strings.Repeat("]", 900),
		"dashes":          strings.Repeat("- ", 30_000),
		"dashes, lines":   strings.Repeat(strings.Repeat("- ", 900)+"\n", 30),
		"question marks":  strings.Repeat("? ", 900),
		"anchors":         strings.Repeat(strings.Repeat("&a ", 600)+"\n", 30),
		"quotes":          strings.Repeat("\"", 60_000),
		"nested":          indented.String(),
		"keys":            strings.Repeat("a: 1\n", 12_000),
	} {
		_, err := config.Parse("c.yaml", []byte(text))
		var all config.Errors
		if !errors.As(err, &all) || len(all) > 50 {
			t.Errorf("%s: %d errors", name, len(all))
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(everything)
	f.Add(config.Example(config.Found{}))
	for _, text := range []string{"a: [", "? a\n: b", "- - -", "x: &a *a", "<<: *x", "ui: !!map {}", "%YAML 1.2\n---\n", "\"", "|\n x", "clusters: {~: {}}", "clusters:\n  ? [a]\n  : b"} {
		f.Add(text)
	}
	where := regexp.MustCompile(`(?m)^c\.yaml:[1-9]\d*:[1-9]\d*: \S`)
	f.Fuzz(func(t *testing.T, text string) {
		_, err := config.Parse("c.yaml", []byte(text))
		if err == nil {
			return
		}
		for line := range strings.SplitSeq(err.Error(), "\n") {
			if !where.MatchString(line) {
				t.Errorf("an error without its place: %q", line)
			}
		}
	})
}
