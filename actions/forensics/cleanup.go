package forensics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"daytwo/actions"
	"daytwo/sources"
)

// CleanKind names a clean-up.
const CleanKind actions.Kind = "cleanup"

// What is which clean-up it is.
type What string

// The clean-ups that are done from here; all others are only explained.
const (
	CleanJournal What = "journal"
	CleanApt     What = "apt"
	CleanPods    What = "pods"
	CleanBundles What = "bundles"
	CleanImages  What = "images"
)

// journalKeep is what a vacuum leaves of the journal.
const journalKeep = 500 << 20

// Pods deletes pods that are over.
type Pods interface {
	// DeletePod deletes a pod only if it is the one with the UID. That it is
	// gone is no error.
	DeletePod(ctx context.Context, pod sources.Ref, uid string) error
	// PodGone reports that the one with the UID is no more.
	PodGone(ctx context.Context, pod sources.Ref, uid string) (bool, error)
}

// CleanImage is an image that is to be removed.
type CleanImage struct {
	ID, Name string
	Bytes    int64
}

// Cleanup frees something on a node.
type Cleanup struct {
	Node    string
	What    What
	Images  []CleanImage  `json:",omitempty"`
	Bundles []string      `json:",omitempty"`
	Pods    []FinishedPod `json:",omitempty"`

	with Means
}

// With gives a clean-up of a verdict what it works with.
func (c Cleanup) With(m Means) *Cleanup {
	c.with = m
	return &c
}

// RestoreCleanup makes a saved one again.
func RestoreCleanup(m Means) actions.Restore {
	return func(saved []byte) (actions.Action, error) {
		c := &Cleanup{with: m}
		if err := json.Unmarshal(saved, c); err != nil {
			return nil, fmt.Errorf("reading a saved clean-up: %w", err)
		}
		return c, nil
	}
}

// Kind is CleanKind.
func (c *Cleanup) Kind() actions.Kind { return CleanKind }

// Target is the node.
func (c *Cleanup) Target() sources.Ref { return sources.Ref{Kind: "Node", Name: c.Node} }

// Title names what is freed.
func (c *Cleanup) Title() string {
	what := map[What]string{
		CleanJournal: "the journal to 500M", CleanApt: "apt's cache",
		CleanPods: count(len(c.Pods), "finished pod"), CleanBundles: count(len(c.Bundles), "old k3s version"),
		CleanImages: count(len(c.Images), "unused image"),
	}[c.What]
	return "Clean up " + what + " on " + c.Node
}

// Changes is true.
func (c *Cleanup) Changes() bool { return true }

// Machines implements actions.Visitor.
func (c *Cleanup) Machines(actions.Run) []string { return []string{c.Node} }

// Confirm is the node's name.
func (c *Cleanup) Confirm() string { return c.Node }

// Preflight forbids what could not be done as planned.
func (c *Cleanup) Preflight(_ context.Context, s *sources.Snapshot) []sources.Finding {
	refuse := func(text string) []sources.Finding {
		return []sources.Finding{{Rule: "disk.cleanup", Severity: sources.Critical, About: c.Target(), Summary: text}}
	}
	if err := c.check(); err != nil {
		return refuse(err.Error())
	}
	if c.What == CleanPods && c.with.Pods == nil {
		return refuse("pods cannot be deleted from here: there is no client for changes")
	}
	if !slices.ContainsFunc(s.Nodes.Value, func(n sources.Node) bool { return n.Name == c.Node }) && s.Nodes.Err == nil && !s.Nodes.At.IsZero() {
		return refuse("there is no such node in the cluster any more")
	}
	return nil
}

var errNothing = errors.New("there is nothing to clean up")

// check holds what goes into command lines to what it must look like.
func (c *Cleanup) check() error {
	id := regexp.MustCompile(`^(sha256:)?[0-9a-f]{12,64}$`)
	bundle := regexp.MustCompile(`^[0-9a-f]{16,128}$`)
	switch c.What {
	case CleanJournal, CleanApt:
		return nil
	case CleanPods:
		if len(c.Pods) == 0 {
			return errNothing
		}
		return nil
	case CleanImages:
		for _, i := range c.Images {
			if !id.MatchString(i.ID) {
				return fmt.Errorf("%q is no image id", clean(i.ID))
			}
		}
		if len(c.Images) == 0 {
			return errNothing
		}
		return nil
	case CleanBundles:
		for _, b := range c.Bundles {
			if !bundle.MatchString(b) {
				return fmt.Errorf("%q is no folder of a k3s version", clean(b))
			}
		}
		if len(c.Bundles) == 0 {
			return errNothing
		}
		return nil
	}
	return fmt.Errorf("there is no clean-up %q", clean(string(c.What)))
}

// Command is what a person would type on the node for one of them.
func (c *Cleanup) command() string {
	switch c.What {
	case CleanJournal:
		return "journalctl --vacuum-size=500M"
	case CleanApt:
		return "apt-get clean"
	case CleanPods:
		return ""
	case CleanBundles:
		paths := make([]string, 0, len(c.Bundles))
		for _, b := range c.Bundles {
			paths = append(paths, k3sDir+"/data/"+b)
		}
		return "rm -rf --one-file-system " + sources.Typed(paths...)
	case CleanImages:
		ids := make([]string, 0, len(c.Images))
		for _, i := range c.Images {
			ids = append(ids, i.ID)
		}
		return "k3s crictl rmi " + sources.Typed(ids...)
	}
	return ""
}

// Steps measure, free, and measure again.
func (c *Cleanup) Steps() []actions.Step {
	df := func(id, title string, then func(context.Context, Mount, io.Writer) error) actions.Step {
		return actions.Step{
			ID: id, Title: title, Group: c.Node, Command: c.typed(dfCommand),
			Do: func(ctx context.Context, out io.Writer) error {
				m, err := c.measure(ctx, out)
				if err != nil {
					return err
				}
				return then(ctx, m, out)
			},
		}
	}
	steps := []actions.Step{df("before", "df before", keepBefore)}
	if c.What == CleanPods {
		steps = append(steps, c.podSteps()...)
	} else {
		step := actions.Step{
			ID: "free", Title: "clean up", Group: c.Node, Command: c.typed(c.command()),
			WayBack: c.wayBack(), Done: c.free, Do: c.do,
		}
		if c.What == CleanJournal {
			step.Done = nil // journald keeps the files that it writes to, so that more may stay than was asked for
		}
		steps = append(steps, step)
	}
	return append(steps, df("after", "df after", c.compareBefore))
}

func (c *Cleanup) typed(command string) string { return sources.Typed("ssh", c.Node, "sudo "+command) }

// wayBack is honest about what does not come back.
func (c *Cleanup) wayBack() string {
	switch c.What {
	case CleanImages:
		names := make([]string, 0, len(c.Images))
		for _, i := range c.Images {
			names = append(names, "k3s crictl pull "+sources.Quote(i.Name))
		}
		return c.typed(strings.Join(names, " && "))
	case CleanJournal, CleanApt, CleanPods, CleanBundles:
	}
	return ""
}

const dfCommand = "df -PT -B1 /"

func (c *Cleanup) run(ctx context.Context, line string, stdout io.Writer) error {
	return c.with.Hosts.Host(c.Node).Run(ctx, sources.Command{Line: line, Root: true, Stdout: stdout})
}

// measure asks df for the root filesystem.
func (c *Cleanup) measure(ctx context.Context, out io.Writer) (Mount, error) {
	got := &bounded{most: 1 << 20}
	if err := c.run(ctx, dfCommand, got); err != nil {
		return Mount{}, fmt.Errorf("measuring the disk: %w", err)
	}
	all, err := parseDF(got.Bytes())
	if err != nil {
		return Mount{}, err
	}
	_, _ = fmt.Fprintln(out, use(all[0]))
	return all[0], nil
}

func use(m Mount) string {
	return fmt.Sprintf("%s: %s of %s used, %s, %s available", m.On, bytesOf(m.Used),
		bytesOf(m.Size), sources.Percent(m.Percent()), bytesOf(m.Available))
}

const beforeFile = "before.json"

// keepBefore saves the first measure; a step that is tried again must not
// take what is there after the clean-up for what was there before.
func keepBefore(ctx context.Context, m Mount, _ io.Writer) error {
	dir, err := folder(ctx)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, beforeFile)
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	return writeJSON(path, m)
}

// Freed is what a clean-up came to.
type Freed struct {
	Node          string
	What          What
	At            time.Time
	Before, After Mount
}

const freedFile = "freed.json"

func (c *Cleanup) compareBefore(ctx context.Context, after Mount, out io.Writer) error {
	dir, err := folder(ctx)
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(filepath.Join(dir, beforeFile))
	if err != nil {
		return fmt.Errorf("reading what was used before: %w", err)
	}
	f := Freed{Node: c.Node, What: c.What, At: c.with.Clock(), After: after}
	if err := json.Unmarshal(raw, &f.Before); err != nil {
		return fmt.Errorf("reading what was used before: %w", err)
	}
	_, _ = fmt.Fprintln(out, f.String())
	return writeJSON(filepath.Join(dir, freedFile), f)
}

// String is one line: what was freed, and the use before and after.
func (f Freed) String() string {
	verb, n := "freed", f.Before.Used-f.After.Used
	if n < 0 {
		verb, n = "grew meanwhile by", -n
	}
	return fmt.Sprintf("%s %s: %s -> %s", verb, bytesOf(n), sources.Percent(f.Before.Percent()), sources.Percent(f.After.Percent()))
}

// FreedSince reads what clean-ups of a node came to since a time, from the runs
// beside a run's folder; the newest of each kind counts.
func FreedSince(dir, node string, since time.Time) (map[string]Freed, error) {
	files, err := filepath.Glob(filepath.Join(filepath.Dir(dir), "*", freedFile))
	if err != nil {
		return nil, fmt.Errorf("looking for clean-ups: %w", err)
	}
	slices.Sort(files)
	all := map[string]Freed{}
	for _, path := range files {
		raw, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("reading what a clean-up freed: %w", err)
		}
		var f Freed
		if err := json.Unmarshal(raw, &f); err != nil {
			return nil, fmt.Errorf("reading what a clean-up freed, %s: %w", path, err)
		}
		if f.Node == node && !f.At.Before(since) {
			all[string(f.What)] = f
		}
	}
	return all, nil
}

// free looks whether there is anything (more) to clean up.
func (c *Cleanup) free(ctx context.Context) (bool, error) {
	got := &bounded{most: mostOutput}
	ask := func(line string) error {
		if err := c.run(ctx, line, got); err != nil {
			return fmt.Errorf("looking at what there is to clean up: %w", err)
		}
		return nil
	}
	switch c.What {
	case CleanApt:
		err := ask(`find /var/cache/apt/archives -type f -name '*.deb' -printf x`)
		return got.Len() == 0, err
	case CleanBundles:
		err := ask("find " + k3sDir + `/data -mindepth 1 -maxdepth 1 -type d -printf '%f\0'`)
		there := records(got.Bytes())
		return !slices.ContainsFunc(c.Bundles, func(b string) bool { return slices.Contains(there, b) }), err
	case CleanImages:
		images, err := c.images(ctx)
		return len(c.still(images)) == 0, err
	case CleanPods, CleanJournal:
	}
	return false, fmt.Errorf("there is no clean-up %q", c.What)
}

// do cleans up after a last look at what became of it since the plan.
func (c *Cleanup) do(ctx context.Context, out io.Writer) error {
	line := c.command()
	switch c.What {
	case CleanImages:
		left, err := c.checkImages(ctx)
		if err != nil {
			return err
		}
		line = (&Cleanup{What: CleanImages, Images: left}).command()
	case CleanBundles:
		line = c.bundleLine()
	case CleanJournal, CleanApt, CleanPods:
	}
	if err := c.run(ctx, line, out); err != nil {
		return fmt.Errorf("cleaning up: %w", err)
	}
	return nil
}
