package forensics

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"daytwo/sources"
)

// mostOutput bounds what is taken of one probe.
const mostOutput = 32 << 20

// line is the command as it runs, and as a person would type it as root: it
// stands back behind everything that the node has to do, and ends in time.
func (p probe) line() string {
	lead := fmt.Sprintf("nice -n19 ionice -c3 timeout %d ", int(p.limit/time.Second))
	if p.shell {
		return lead + "sh -c " + sources.Quote(p.command)
	}
	return lead + p.command
}

// reply is what a node said to one probe.
type reply struct {
	began     time.Time
	took      time.Duration
	got, errs *bounded
	err       error
}

// ask runs the probe on the node.
func (p probe) ask(ctx context.Context, host sources.Host, clock func() time.Time) reply {
	a := reply{began: clock(), got: &bounded{most: mostOutput}, errs: &bounded{most: 64 << 10}}
	a.err = host.Run(ctx, sources.Command{Line: p.line(), Root: true, Stdout: a.got, Stderr: a.errs})
	a.took = clock().Sub(a.began)
	return a
}

// take reads an answer into facts and tells it on out. That ctx ended, that a
// person must decide first and that the first probe found nobody to speak to
// are errors of the run: everything else that goes wrong is an answer too, and
// the next probe may still work.
func (p probe) take(ctx context.Context, a reply, out io.Writer) (Result, Facts, error) {
	r := Result{ID: p.id, Title: p.title, Command: p.line(), Began: a.began, Took: a.took}
	var facts Facts
	if ctx.Err() != nil {
		return r, facts, fmt.Errorf("looking at the node: %w", context.Cause(ctx))
	}
	if doubt := sources.Doubt(a.err); doubt != nil {
		return r, facts, doubt // of no use to ask on: a person decides, then it is tried again
	}
	if p.first && !answered(a.err) {
		return r, facts, a.err
	}
	r.Err, r.Note = p.judge(a.err, a.got, a.errs)
	if r.Err == "" {
		if err := p.read(a.got.Bytes(), &facts); err != nil {
			r.Err, facts = clean(err.Error()), Facts{}
		}
	}
	p.report(out, r, a.got.Bytes(), &facts)
	return r, facts, nil
}

// answered reports that the node ran what it was asked to run, however that ended.
func answered(err error) bool {
	var exit *sources.ExitError
	return err == nil || errors.As(err, &exit)
}

// judge tells a look that failed from one that could not see everything.
func (p probe) judge(err error, got, errs *bounded) (failed, note string) {
	said := lastLine(errs.String())
	var exit *sources.ExitError
	if errors.As(err, &exit) {
		said = lastLine(firstOf(errs.String(), exit.Stderr))
	}
	switch {
	case got.over:
		return fmt.Sprintf("it wrote more than %s, which is more than is taken", bytesOf(mostOutput)), ""
	case err == nil && got.Len() == 0 && !p.empty:
		return firstOf(said, "it wrote nothing"), ""
	case err == nil:
		return "", said
	case exit != nil && exit.Code == 124:
		return "not done within " + sources.Span(p.limit) + ", so it was ended", ""
	case exit != nil && p.partly && (got.Len() > 0 || p.empty && missing(said)):
		return "", said
	case exit != nil:
		return firstOf(said, fmt.Sprintf("exit code %d", exit.Code)), ""
	}
	return clean(err.Error()), ""
}

// missing reports that a complaint says only that there is nothing.
func missing(said string) bool {
	return said == "" || strings.Contains(said, "No such file or directory")
}

// report tells what a probe found, in lines.
func (p probe) report(out io.Writer, r Result, got []byte, f *Facts) {
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) }
	if r.Err != "" {
		say("unknown: %s", r.Err)
		return
	}
	if p.raw {
		for l := range strings.SplitSeq(strings.TrimRight(string(got), "\n"), "\n") {
			mark := ""
			if p.id == "log" && logWhy(l) != "" {
				mark = ">> "
			}
			say("%s%s", mark, clean(l))
		}
	}
	if p.tell != nil {
		for _, l := range p.tell(f) {
			say("%s", l)
		}
	}
	if r.Note != "" {
		say("not all of it: %s", r.Note)
	}
}

func firstOf(all ...string) string {
	for _, s := range all {
		if strings.TrimSpace(s) != "" {
			return s
		}
	}
	return ""
}

// lastLine is the last line that says something, cleaned.
func lastLine(s string) string {
	s = strings.TrimSpace(s)
	return clean(s[strings.LastIndexByte(s, '\n')+1:])
}

// bounded keeps the beginning of what is written, and says if there was more.
type bounded struct {
	bytes.Buffer
	most int
	over bool
}

// Write never fails: a probe that writes too much is ended by nobody, its
// answer is refused.
func (b *bounded) Write(p []byte) (int, error) {
	if room := b.most - b.Len(); len(p) > room {
		b.over = true
		_, _ = b.Buffer.Write(p[:max(room, 0)])
		return len(p), nil
	}
	_, _ = b.Buffer.Write(p) // a buffer takes all
	return len(p), nil
}

// saved is one probe's file in the run's folder.
type saved struct {
	Result Result
	Facts  Facts
}

func resultFile(dir, id string) string { return filepath.Join(dir, "probe-"+id+".json") }

// save writes a probe's answer into the run's folder.
func save(dir string, r Result, f Facts) error {
	return writeJSON(resultFile(dir, r.ID), saved{r, f})
}

func writeJSON(path string, v any) error {
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return fmt.Errorf("saving %s: %w", path, err)
	}
	return writeFile(path, text)
}

// writeFile replaces a file whole.
func writeFile(path string, text []byte) error {
	tmp := path + ".new"
	if err := os.WriteFile(tmp, text, 0o600); err != nil {
		return fmt.Errorf("saving %s: %w", path, err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return fmt.Errorf("saving %s: %w", path, err)
	}
	return nil
}

// load reads what the probes of a run saved. The fields of each probe are its
// own, so that reading one over the other puts them together.
func load(dir string, all []probe) ([]Result, Facts, error) {
	var f Facts
	var results []Result
	for _, id := range append(idsOf(all), apiProbe) {
		raw, err := os.ReadFile(resultFile(dir, id))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, f, fmt.Errorf("reading what was found: %w", err)
		}
		one := saved{Facts: f}
		if err := json.Unmarshal(raw, &one); err != nil {
			return nil, f, fmt.Errorf("reading what was found, %s: %w", resultFile(dir, id), err)
		}
		f = one.Facts
		results = append(results, one.Result)
	}
	return results, f, nil
}

func idsOf(all []probe) []string {
	ids := make([]string, 0, len(all))
	for _, p := range all {
		ids = append(ids, p.id)
	}
	return ids
}
