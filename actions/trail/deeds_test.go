package trail_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daytwo/actions/trail"
	"daytwo/sources"
)

// TestDeedsAreReadBack from the book, the newest first, each with its end; what
// is broken or hostile in it does no harm.
func TestDeedsAreReadBack(t *testing.T) {
	t.Parallel()
	now := at()
	b := &trail.Book{Dir: t.TempDir(), Who: "ana@jump", Clock: func() time.Time { return now }}
	if hand, err := b.Deeds(); len(hand) != 0 || err != nil {
		t.Errorf("a book that is not there: %v %v", hand, err)
	}
	shell := trail.Deed{What: "shell", On: []string{"worker-0"}}
	b.Does(shell, func() error { now = now.Add(3 * time.Minute); return nil })
	b.Does(trail.Deed{What: "exec", On: []string{"shop/web-1/web"}}, func() error {
		now = now.Add(time.Minute)
		return &sources.ExitError{Code: 3}
	})
	b.Does(trail.Deed{What: "command", On: []string{"a", "b", "c"}, Line: "echo here"}, func() error { return errors.New("1 failed") })
	if _, err := b.Begin(trail.Deed{What: "shell", On: []string{"worker-9"}}); err != nil { // never ends
		t.Fatal(err)
	}
	now = now.Add(48 * time.Hour)
	b.Does(trail.Deed{What: "shell", On: []string{"worker-9"}}, func() error { now = now.Add(time.Minute); return nil })
	now = now.Add(-48*time.Hour - time.Minute)
	file, err := os.OpenFile(filepath.Join(b.Dir, trail.BookName), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.WriteString(`{"at":"2025-11-22T15:1` + "\n" + `{"at":"2025-11-22T15:20:00Z","mark":"began","who":"bob\u001b[2J","what":"shell","on":["worker-1"]}` + "\n")
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Hour)
	if _, err := b.Begin(shell); err != nil {
		t.Fatal(err)
	}
	hand, err := b.Deeds()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range hand {
		took := "open"
		if !d.Ended.IsZero() {
			took = d.Ended.Sub(d.Began).String()
		}
		got = append(got, strings.Join([]string{d.Who, d.Title(), took, d.How}, "|"))
	}
	want := []string{
		"ana@jump|shell on worker-9|1m0s|exit code 0",
		"ana@jump|shell on worker-0|open|", "bob|shell on worker-1|open|", "ana@jump|echo here on 3 nodes|0s|1 failed",
		"ana@jump|shell on worker-9|open|",
		"ana@jump|shell in shop/web-1/web|1m0s|exit code 3", "ana@jump|shell on worker-0|3m0s|exit code 0",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("read back:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
