package actions

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"daytwo/sources"
)

// written is the text of a journal of some entries, and the entries.
func written(t testing.TB, more ...Entry) (dir string, text []byte, entries []Entry) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "runs", "r1")
	j, err := createJournal(dir)
	if err != nil {
		t.Fatal(err)
	}
	plan := Entry{Event: planned, Plan: &Plan{
		Run: "r1", Kind: "chores", Title: "Chores", Action: json.RawMessage(`{}`),
		Steps: []PlanStep{{ID: "a", Title: "a"}, {ID: "b", Title: "b"}},
	}}
	for _, e := range append([]Entry{plan}, more...) {
		e.At = time.Date(2026, 11, 22, 15, 4, 5, 0, time.UTC)
		if err := j.Append(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	text, err = os.ReadFile(filepath.Join(dir, journalName))
	if err != nil {
		t.Fatal(err)
	}
	return dir, text, j.Entries()
}

func halfway() []Entry {
	return []Entry{
		{Event: taken, By: "ana@jump", PID: 42},
		{Event: begun, Step: "a"},
		{Event: ended, Step: "a", State: Done},
		{Event: begun, Step: "b"},
	}
}

// TestJournalCutAnywhereIsReadUpToThere: a crash can end the file at any byte.
func TestJournalCutAnywhereIsReadUpToThere(t *testing.T) {
	t.Parallel()
	_, text, entries := written(t, halfway()...)
	for cut := range len(text) + 1 {
		got, _, size, err := parseJournal(text[:cut])
		whole := bytes.Count(text[:cut], []byte("\n"))
		if whole == 0 {
			if !errors.Is(err, errNoPlan) {
				t.Fatalf("cut at %d: %v", cut, err)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(got, entries[:whole]) || int(size) != bytes.LastIndexByte(text[:cut], '\n')+1 {
			t.Fatalf("cut at %d: %d entries of %d, %d bytes, %v", cut, len(got), whole, size, err)
		}
	}
	for _, tail := range []string{"\x00\x00\x00", "\x00\x00\n", "{\"event\":\"end\"", "garbage\n"} {
		if got, _, size, err := parseJournal(append(bytes.Clone(text), tail...)); err != nil || len(got) != len(entries) || int(size) != len(text) {
			t.Errorf("with %q behind it: %d entries, %v", tail, len(got), err)
		}
	}
}

func TestJournalGoesOnBehindATornLine(t *testing.T) {
	t.Parallel()
	dir, text, _ := written(t, halfway()...)
	path := filepath.Join(dir, journalName)
	if err := os.WriteFile(path, append(text, `{"event":"end","st`...), 0o600); err != nil {
		t.Fatal(err)
	}
	j, err := openJournal(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Append(Entry{Event: ended, Step: "b", State: Failed}); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	entries, err := readJournal(dir)
	if err != nil || len(entries) != 6 || entries[5].State != Failed {
		t.Errorf("%d entries, %v", len(entries), err)
	}
}

func TestJournalThatWasChangedIsNotBelieved(t *testing.T) {
	t.Parallel()
	_, text, _ := written(t, halfway()...)
	lines := bytes.SplitAfter(text, []byte("\n"))
	without := func(i int) []byte {
		return bytes.Join(append(append([][]byte{}, lines[:i]...), lines[i+1:]...), nil)
	}
	for name, changed := range map[string][]byte{
		"a word changed": bytes.Replace(text, []byte(`"state":"done"`), []byte(`"state":"fail"`), 1),
		"a line removed": without(2),
		"no plan":        without(0),
		"two swapped":    bytes.Join([][]byte{lines[0], lines[2], lines[1], lines[3]}, nil),
		"said twice":     bytes.Join([][]byte{lines[0], lines[1], lines[1], lines[2]}, nil),
		"rubbish within": bytes.Join([][]byte{lines[0], []byte("rubbish\n"), lines[1]}, nil),
		"two plans":      bytes.Join([][]byte{lines[0], lines[0]}, nil),
		"nothing":        nil,
		"not a journal":  []byte("hello\nworld\n"),
		"an empty line":  append([]byte("\n"), text...),
	} {
		if entries, _, _, err := parseJournal(changed); err == nil {
			t.Errorf("%s: believed, %d entries", name, len(entries))
		}
	}
}

func TestOnlyOneHoldsAJournal(t *testing.T) {
	t.Parallel()
	dir, _, _ := written(t)
	j, err := openJournal(dir)
	if err != nil {
		t.Fatal(err)
	}
	held := (*HeldError)(nil)
	if _, err := openJournal(dir); !errors.As(err, &held) {
		t.Errorf("a second one got it: %v", err)
	}
	if !heldNow(filepath.Join(dir, journalName)) {
		t.Error("it does not look held")
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if heldNow(filepath.Join(dir, journalName)) {
		t.Error("it still looks held")
	}
}

// two is an action of two steps that only count.
type two struct{ a, b *int }

func (two) Kind() Kind                                                     { return "two" }
func (two) Target() sources.Ref                                            { return sources.Ref{Kind: "Node", Name: "x"} }
func (two) Title() string                                                  { return "Two" }
func (two) Changes() bool                                                  { return true }
func (two) Confirm() string                                                { return "" }
func (two) Preflight(context.Context, *sources.Snapshot) []sources.Finding { return nil }
func (s two) Steps() []Step {
	count := func(n *int) func(context.Context, io.Writer) error {
		return func(context.Context, io.Writer) error { *n++; return nil }
	}
	return []Step{{ID: "a", Title: "first", Do: count(s.a)}, {ID: "b", Title: "second", Do: count(s.b)}}
}

// TestAFullDiskStopsTheRunBeforeTheNextStep and says what is full.
func TestAFullDiskStopsTheRunBeforeTheNextStep(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatalf("this test needs /dev/full: %v", err)
	}
	for n, want := range map[int][2]int{3: {1, 0}, 4: {1, 0}} { // after "begin a", after "end a"
		var (
			r    *Runner
			a, b int
			act  = two{&a, &b}
			dir  = t.TempDir()
		)
		fill := func(at int, _ Entry) {
			if at != n {
				return
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			for _, l := range r.live {
				_ = l.journal.file.Close()
				l.journal.file = full
			}
		}
		r = NewRunner(Options{
			Dir: dir, Who: "ana@jump", Journaled: fill, Log: t.Logf,
			Kinds:  map[Kind]Restore{"two": func([]byte) (Action, error) { return act, nil }},
			Ticker: func(time.Duration) (<-chan time.Time, func()) { return nil, func() {} },
		})
		id, err := r.Start(t.Context(), act)
		if err != nil {
			t.Fatal(err)
		}
		run, _ := r.Wait(id, t.Context().Done())
		if run.State != Failed || !strings.Contains(run.Err, "no space left on device") || [2]int{a, b} != want {
			t.Errorf("full after entry %d: %s, %q, did %d and %d", n, run.State, run.Err, a, b)
		}
		full, _ = os.OpenFile("/dev/full", os.O_WRONLY, 0) // the run closed it
		r.Close(t.Context(), "over")
	}
}

// FuzzJournal: whatever the file holds, reading it neither fails in an
// unforeseen way nor shows entries that are not chained.
func FuzzJournal(f *testing.F) {
	_, text, _ := written(f, halfway()...)
	f.Add(text)
	f.Add(text[:len(text)/2])
	f.Add(bytes.Replace(text, []byte("done"), []byte("dune"), 1))
	f.Add([]byte(`{"event":"plan","plan":{"run":"x","steps":[{"id":"a"}]},"prev":""}` + "\n"))
	f.Add([]byte("{}\n{}\n"))
	f.Add([]byte{0, '\n', 0xff})
	f.Fuzz(func(t *testing.T, text []byte) {
		entries, last, size, err := parseJournal(text)
		if err != nil {
			return
		}
		if size > int64(len(text)) || len(entries) == 0 || last == "" {
			t.Fatalf("%d entries in %d of %d bytes", len(entries), size, len(text))
		}
		again, lastAgain, sizeAgain, err := parseJournal(text[:size])
		if err != nil || lastAgain != last || sizeAgain != size || len(again) != len(entries) {
			t.Fatalf("read again it differs: %v", err)
		}
		var run Run
		for _, e := range entries {
			run.apply(e)
		}
		if run.At < 0 || run.At > len(run.Steps) {
			t.Fatalf("at step %d of %d", run.At, len(run.Steps))
		}
		_ = run.WayBack()
	})
}
