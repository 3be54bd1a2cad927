package views_test

import (
	"os/exec"
	"testing"

	"daytwo/views"
)

// TestQuoteInShell hands quoted words to a real shell: what comes back is the
// word, and nothing in it was run.
func TestQuoteInShell(t *testing.T) {
	t.Parallel()
	for _, word := range []string{
		"worker-0", "", " ", "a b", "it's", "''", `\`, `a\'b`, "$(id)", "`id`", "$HOME", "a;b", "a\nb", "*", "~", "-n", "{a,b}",
		"!!", "ümlaut", "日本", `jsonpath={.data.tls\.crt}`, "a&b|c>d<e", "#no comment", "\"",
	} {
		quoted := views.Quote(word)
		out, err := exec.CommandContext(t.Context(), "sh", "-c", "printf %s "+quoted).Output()
		if err != nil {
			t.Errorf("sh does not take %s for %q: %v", quoted, word, err)
			continue
		}
		if string(out) != word {
			t.Errorf("%q quoted as %s came back as %q", word, quoted, out)
		}
	}
}
