package actions

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// journalLine is a line as a node's journal has them.
const journalLine = "Nov 22 15:08:12 worker-0 k3s[9188]: time=\"2025-11-22T15:08:12Z\" level=info msg=\"Connecting to proxy\" id=%08d\n"

// TestOutputIsWholeWhateverIsSeen: the log has every line of a stream that is
// far too fast for the screen, in whatever pieces it comes, and the tape knows
// how many it forgot.
func TestOutputIsWholeWhateverIsSeen(t *testing.T) {
	t.Parallel()
	const lines = 120_000
	dir := t.TempDir()
	o, err := openOutput(dir, newRedactor(nil))
	if err != nil {
		t.Fatal(err)
	}
	var whole []byte
	for i := range lines {
		whole = fmt.Appendf(whole, journalLine, i)
	}
	for rest, n := whole, 1; len(rest) > 0; n = n%7919 + 1 { // never where lines end
		piece := rest[:min(n, len(rest))]
		if wrote, err := o.Write(piece); err != nil || wrote != len(piece) {
			t.Fatal(wrote, err)
		}
		rest = rest[len(piece):]
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, outputName))
	if err != nil || !bytes.Equal(got, whole) {
		t.Errorf("the log has %d bytes of %d (%v)", len(got), len(whole), err)
	}
	first, kept := o.tape.After(0)
	if o.tape.Count() != lines || first != lines-tapeLines || len(kept) != tapeLines {
		t.Errorf("the tape counts %d lines and has %d from %d on", o.tape.Count(), len(kept), first)
	}
}
