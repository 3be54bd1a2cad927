package forensics

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"daytwo/sources"
)

// Verdict is what the forensics of a node came to. It is saved with the run.
type Verdict struct {
	Node    string
	Run     string
	At      time.Time
	Picture Picture

	Accounts    []Account // "/" first; none if df failed
	Inodes      []Mount
	Folders     []Size     // by inodes, under /var
	Images      []ImageUse // biggest first
	Airgap      bool       // images came from a file: they cannot be pulled again
	Bundles     []BundleSize
	Archives    []File
	Big         []Size
	Log         []LogLine
	LogRead     int
	Journal     int64 // as journalctl counts it
	ImageFS     int64 // as the runtime counts it
	Pods        []sources.PodDisk
	Since       []Since
	Suggestions []Suggestion
	Unknown     []Result // probes that failed
	Partial     []Result // probes that could not see everything
}

// BundleSize is an unpacked k3s version with its size.
type BundleSize struct {
	Bundle
	Bytes int64
}

// Since is how much more is in use than at an earlier time.
type Since struct {
	What  string // "the last forensics", "the oldest sample"
	Run   string // of that forensics
	At    time.Time
	Bytes int64
	By    []Delta // what grew most first; none where only the sum is known
}

// Delta is how much a category grew.
type Delta struct {
	Category Category
	Bytes    int64
}

// judge makes the verdict of what the probes read.
func judge(node, run string, at time.Time, p Picture, results []Result, f Facts) Verdict {
	v := Verdict{
		Node: node, Run: run, At: at, Picture: p,
		Accounts: accounts(results, &f), Inodes: f.Inodes, Folders: f.Counts,
		Archives: f.Archives, Big: f.Big, Log: f.Log, LogRead: f.LogRead, Journal: f.Journal, ImageFS: f.ImageFS,
	}
	v.Images = ledgerOf(&f).images
	v.Pods = slices.Clone(f.Pods)
	slices.SortFunc(v.Pods, func(a, b sources.PodDisk) int {
		return cmp.Or(cmp.Compare(b.Ephemeral, a.Ephemeral), strings.Compare(a.UID, b.UID))
	})
	size := sizesOf(f.K3s)
	for _, b := range f.Bundles {
		v.Bundles = append(v.Bundles, BundleSize{b, size[k3sDir+"/data/"+b.Name]})
	}
	for _, a := range f.Archives {
		v.Airgap = v.Airgap || within(a.Path, k3sDir+"/agent/images")
	}
	for _, r := range results {
		switch {
		case r.Err != "":
			v.Unknown = append(v.Unknown, r)
		case r.Note != "":
			v.Partial = append(v.Partial, r)
		}
	}
	v.Suggestions = suggest(&v, &f)
	return v
}

// Root is the account of the root filesystem.
func (v *Verdict) Root() (Account, bool) {
	if len(v.Accounts) == 0 || v.Accounts[0].Mount.On != "/" {
		return Account{}, false
	}
	return v.Accounts[0], true
}

// Loud reports that so much is unexplained that it is the news: more than a
// hundredth of what is used, and more than what filesystems keep for themselves.
func (a Account) Loud() bool {
	n := a.Share(Unexplained).Bytes
	return max(n, -n) > max(a.Mount.Used/50, 200<<20)
}

// compare adds what grew since an earlier verdict and since the oldest sample.
func (v *Verdict) compare(before *Verdict) {
	now, ok := v.Root()
	if !ok {
		return
	}
	if before != nil {
		if then, ok := before.Root(); ok {
			v.Since = append(v.Since, since(now, then, before))
		}
	}
	if o := v.Picture.Oldest; !o.At.IsZero() {
		v.Since = append(v.Since, Since{What: "the oldest sample", At: o.At, Bytes: now.Mount.Used - o.Used})
	}
}

func since(now, then Account, before *Verdict) Since {
	s := Since{What: "the last forensics", Run: before.Run, At: before.At, Bytes: now.Mount.Used - then.Mount.Used}
	seen := map[Category]bool{}
	for _, sh := range slices.Concat(now.Shares, then.Shares) {
		if seen[sh.Category] {
			continue
		}
		seen[sh.Category] = true
		if d := now.Share(sh.Category).Bytes - then.Share(sh.Category).Bytes; d != 0 {
			s.By = append(s.By, Delta{sh.Category, d})
		}
	}
	slices.SortFunc(s.By, func(a, b Delta) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Category, b.Category))
	})
	return s
}

const verdictFile = "verdict.json"

// Load reads the verdict in a run's folder. It returns nil without an error
// where there is none yet.
func Load(dir string) (*Verdict, error) {
	raw, err := os.ReadFile(filepath.Join(dir, verdictFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil //nolint:nilnil // no verdict yet is no failure, and there is nothing to return
	}
	if err != nil {
		return nil, fmt.Errorf("reading the verdict: %w", err)
	}
	var v Verdict
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, fmt.Errorf("reading the verdict %s: %w", filepath.Join(dir, verdictFile), err)
	}
	return &v, nil
}

// previous finds the newest verdict about a node among the runs beside a
// run's folder; their names sort by time. What cannot be read is passed over:
// an old run must not cost the new one.
func previous(dir, node string) *Verdict {
	files, err := filepath.Glob(filepath.Join(filepath.Dir(dir), "*", verdictFile))
	if err != nil {
		return nil
	}
	slices.Sort(files)
	for _, f := range slices.Backward(files) {
		if filepath.Dir(f) >= dir {
			continue
		}
		if v, err := Load(filepath.Dir(f)); err == nil && v != nil && v.Node == node {
			return v
		}
	}
	return nil
}
