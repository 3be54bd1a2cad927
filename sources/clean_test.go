package sources_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"daytwo/sources"
)

func TestClean(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in    string
		limit int
		want  string
	}{
		"plain":                  {"worker-0", 253, "worker-0"},
		"colour":                 {"\x1b[31mred\x1b[0m", 99, "red"},
		"title":                  {"a\x1b]0;owned\x07b", 99, "ab"},
		"title with ST":          {"a\x1b]52;c;eA==\x1b\\b", 99, "ab"},
		"unfinished title":       {"a\x1b]0;still here", 99, "a0;still here"},
		"C1 control sequence":    {"a\u009b2Jb", 99, "ab"},
		"lone escape":            {"a\x1b", 99, "a"},
		"reset":                  {"a\x1bcb", 99, "ab"},
		"line breaks":            {"one\r\n\ttwo", 99, "one two"},
		"spaces stay":            {"a  b", 99, "a  b"},
		"bell, null and delete":  {"a\x07\x00\x7fb", 99, "ab"},
		"bidi override":          {"gpj\u202Eexe.\u2066x", 99, "gpjexe.x"},
		"line separator":         {"a\u2028b", 99, "a b"},
		"invalid":                {"a\xff\xfeb", 99, "a\uFFFD\uFFFDb"},
		"wide":                   {"日本語", 99, "日本語"},
		"wide is cut at a rune":  {"日本語日本語", 10, "日本…"},
		"marks":                  {"e\u0301\u0302\u0303\u0304\u0305\u0306x", 99, "e\u0301\u0302\u0303\u0304x"},
		"long":                   {strings.Repeat("x", 20000), 8, "xxxxx…"},
		"long with a bad end":    {strings.Repeat("x", 20000) + "\x1b[2J", 8, "xxxxx…"},
		"nothing":                {"x", 0, ""},
		"shorter than the mark":  {"xxxx", 2, ".."},
		"exactly as long":        {"12345678", 8, "12345678"},
		"sequence ends the text": {"x\x1b[38;5;1", 99, "x"},
	} {
		if got := sources.Clean(c.in, c.limit); got != c.want {
			t.Errorf("%s: Clean(%q, %d) = %q, want %q", name, c.in, c.limit, got, c.want)
		}
	}
}

// Not parallel: AllocsPerRun counts the whole process.
func TestCleanTextIsNotCopied(t *testing.T) {
	s := strings.Repeat("clean", 20)
	if n := testing.AllocsPerRun(100, func() { _ = sources.Clean(s, sources.MaxMessage) }); n > 0 {
		t.Errorf("%v allocations for clean text", n)
	}
}

func FuzzClean(f *testing.F) {
	f.Add("worker-0", 253)
	f.Add("\x1b]0;a\x1b[31m\x07", 5)
	f.Add("a\xc2", 3)
	f.Add("\xc2\x9b\x1b[\x1b]\u202e", 100)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		got := sources.Clean(s, limit)
		if len(got) > max(limit, 0) {
			t.Errorf("%d bytes, at most %d allowed", len(got), limit)
		}
		if !utf8.ValidString(got) {
			t.Errorf("invalid UTF-8: %q", got)
		}
		for _, r := range got {
			if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
				t.Errorf("%q left %U in %q", s, r, got)
			}
		}
		if again := sources.Clean(got, limit); again != got {
			t.Errorf("%q cleaned again is %q", got, again)
		}
	})
}
