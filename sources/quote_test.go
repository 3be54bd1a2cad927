package sources_test

import (
	"os/exec"
	"strings"
	"testing"

	"daytwo/sources"
)

func hostileWords() []string {
	return []string{
		"worker-0", "", " ", "a b", "it's", "''", `\`, `a\'b`, "$(id)", "`id`", "$HOME", "a;b", "a\nb", "*", "~", "-n", "{a,b}",
		"!!", "ümlaut", "日本", `jsonpath={.data.tls\.crt}`, "a&b|c>d<e", "#no comment", "\"", "A=b", "\xff\xfe", "\r\n", "if",
	}
}

// FuzzQuote hands quoted words to a real shell: what comes back is the word,
// and nothing in it was run.
func FuzzQuote(f *testing.F) {
	for _, word := range hostileWords() {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		if strings.ContainsRune(word, 0) || len(word) > 4096 {
			return // no argument has a NUL or is longer than we ever write
		}
		quoted := sources.Quote(word)
		out, err := exec.CommandContext(t.Context(), "/bin/sh", "-c", "printf '<%s>' "+quoted+" end").Output()
		if err != nil || string(out) != "<"+word+"><end>" {
			t.Errorf("%q quoted as %s came back as %q: %v", word, quoted, out, err)
		}
	})
}

// TestTyped quotes each word of a line, the command's own too.
func TestTyped(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "/bin/sh", "-c", sources.Typed(append([]string{"printf", "<%s>"}, hostileWords()...)...)).Output()
	if want := "<" + strings.Join(hostileWords(), "><") + ">"; err != nil || string(out) != want {
		t.Errorf("%q: %v", out, err)
	}
}
