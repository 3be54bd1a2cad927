package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"daytwo/actions"
	"daytwo/actions/trail"
	"daytwo/sources"
)

// lastLines of a run's log are shown with it.
const lastLines = 15

// writeRuns lists runs, the newest first.
func writeRuns(w io.Writer, runs []actions.Run, now time.Time) error {
	if len(runs) == 0 {
		return say(w, "no runs on this cluster yet, from this machine and user\n")
	}
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "ID\tSTATE\tBEGAN\tTOOK\tBY\tTITLE")
	open := 0
	for _, r := range runs {
		if !r.State.Over() && r.State != actions.Running {
			open++
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", r.ID, stateText(r), began(r.Began), took(r.Began, r.Ended, now), r.Who, plainLine(r.Title))
	}
	_ = table.Flush() // into memory
	if open > 0 {
		fmt.Fprintf(&text, "\n%s; daytwo runs show ID says where, daytwo resume ID goes on\n", unfinished(open))
	}
	return say(w, text.String())
}

// mostByHand of what was done by hand is listed.
const mostByHand = 20

// writeByHand lists what was done by hand, the newest first; path is where all
// of it is.
func writeByHand(w io.Writer, hand []trail.ByHand, path string) error {
	if len(hand) == 0 {
		return nil
	}
	text := strings.Builder{}
	text.WriteString("\nby hand\n")
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "BEGAN\tTOOK\tBY\tWHAT\tENDED WITH")
	for _, h := range hand[:min(len(hand), mostByHand)] {
		span, how := "-", "its end is not known"
		if !h.Ended.IsZero() {
			span, how = sources.Span(h.Ended.Sub(h.Began)), h.How
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", began(h.Began), span, h.Who, plainLine(h.Title()), plainLine(how))
	}
	_ = table.Flush() // into memory
	if more := len(hand) - mostByHand; more > 0 {
		fmt.Fprintf(&text, "%d older ones: %s\n", more, path)
	}
	return say(w, text.String())
}

func unfinished(n int) string {
	if n == 1 {
		return "1 run is not finished"
	}
	return fmt.Sprintf("%d runs are not finished", n)
}

// stateText is a run's state with how far it came.
func stateText(r actions.Run) string {
	if r.State.Over() || len(r.Steps) == 0 {
		return string(r.State)
	}
	return fmt.Sprintf("%s, step %d of %d", r.State, min(r.At+1, len(r.Steps)), len(r.Steps))
}

func began(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return at.Local().Format("2006-01-02 15:04")
}

func took(from, to, now time.Time) string {
	switch {
	case from.IsZero():
		return "-"
	case to.IsZero():
		return sources.Span(now.Sub(from)) + " so far"
	}
	return sources.Span(to.Sub(from))
}

// plainLine is text for one line of a terminal.
func plainLine(s string) string { return sources.Clean(s, sources.MaxMessage) }

// writeRun tells all of one run.
func writeRun(w io.Writer, r actions.Run, now time.Time) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n  run      %s\n  state    %s\n", plainLine(r.Title), r.ID, stateText(r))
	if r.Err != "" {
		fmt.Fprintf(&b, "  why      %s\n", plainLine(r.Err))
	}
	if r.Holder != "" {
		fmt.Fprintf(&b, "  held by  %s\n", plainLine(r.Holder))
	}
	if !r.Began.IsZero() {
		fmt.Fprintf(&b, "  began    %s, by %s\n", r.Began.Local().Format("2006-01-02 15:04:05"), plainLine(r.Who))
	}
	if !r.Ended.IsZero() {
		fmt.Fprintf(&b, "  ended    %s, after %s\n", r.Ended.Local().Format("2006-01-02 15:04:05"), sources.Span(r.Ended.Sub(r.Began)))
	}
	fmt.Fprintf(&b, "  folder   %s\n", r.Dir)
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "  note     %s\n", plainLine(n))
	}
	for _, l := range r.Leaves {
		fmt.Fprintf(&b, "  left     %s\n", plainLine(l))
	}
	b.WriteString("\n")
	writeSteps(&b, r, now)
	if lines := tail(filepath.Join(r.Dir, "output.log"), lastLines); len(lines) > 0 {
		fmt.Fprintf(&b, "\nlast output\n  %s\n", strings.Join(lines, "\n  "))
	}
	if back := r.WayBack(); back != "" && r.State != actions.Done {
		fmt.Fprintf(&b, "\nway back\n  %s\n", strings.ReplaceAll(back, "\n", "\n  "))
	}
	if !r.State.Over() && r.State != actions.Running {
		fmt.Fprintf(&b, "\ngo on\n  daytwo resume %s\n", r.ID)
	}
	return say(w, b.String())
}

func writeSteps(b *strings.Builder, r actions.Run, now time.Time) {
	table := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, s := range r.Steps {
		title, span := s.Title, ""
		if s.Group != "" {
			title = s.Group + " " + s.Title
		}
		switch {
		case s.State == actions.Running:
			span = sources.Span(now.Sub(s.Began))
		case !s.Ended.IsZero() && s.Ended.After(s.Began):
			span = sources.Span(s.Ended.Sub(s.Began))
		}
		reason := plainLine(s.Reason)
		if s.Tries > 1 {
			reason = strings.TrimSpace(fmt.Sprintf("%s (begun %d times)", reason, s.Tries))
		}
		_, _ = fmt.Fprintln(table, strings.TrimRight(fmt.Sprintf("  %s\t%s\t%s\t%s", plainLine(title), s.State, span, reason), "\t "))
	}
	_ = table.Flush() // into memory
}

// tail is the last lines of a file, without colours; none if it cannot be
// read.
func tail(path string, n int) []string {
	const most = 32 << 10
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil
	}
	text, err := io.ReadAll(io.NewSectionReader(file, max(0, info.Size()-most), most))
	if err != nil {
		return nil
	}
	var lines []string
	for l := range bytes.Lines(text) {
		l = bytes.TrimRight(l, "\r\n")
		if i := bytes.LastIndexByte(l, '\r'); i >= 0 {
			l = l[i+1:]
		}
		lines = append(lines, plainLine(string(l)))
	}
	return lines[max(0, len(lines)-n):]
}
