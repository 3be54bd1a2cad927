package forensics

import (
	"fmt"
	"strings"

	"daytwo/sources"
)

// Suggestion is one way to get room, by its rung on the ladder of risk.
type Suggestion struct {
	Rung    int // 1 harmless … 10 never
	Title   string
	Command string // what a person would type; several lines where it takes several
	Frees   int64  // bytes; negative if not known
	Risk    string
	Why     string   // what was seen that suggests it
	Cleanup *Cleanup `json:",omitempty"` // what does it from here; nil: only explained
}

// worth is the least that a suggestion must free to be made.
const worth = 10 << 20

// suggest climbs the ladder of risk with what was found.
func suggest(v *Verdict, f *Facts) []Suggestion {
	var all []Suggestion
	for _, rung := range []func(*Verdict, *Facts) []Suggestion{
		suggestJournal, suggestCaches, suggestPods, suggestBundles, suggestHeld,
		suggestImages, suggestPrune, suggestThreshold, suggestOrphans,
	} {
		all = append(all, rung(v, f)...)
	}
	return all
}

func ssh(v *Verdict, command string) string { return sources.Typed("ssh", v.Node, "sudo "+command) }

func shareOf(v *Verdict, c Category) Share {
	var sum Share
	for _, a := range v.Accounts {
		s := a.Share(c)
		sum.Bytes += s.Bytes
		sum.Parts = append(sum.Parts, s.Parts...)
	}
	return sum
}

func suggestJournal(v *Verdict, _ *Facts) []Suggestion {
	n := max(shareOf(v, Journal).Bytes, v.Journal) - journalKeep
	if n < worth {
		return nil
	}
	return []Suggestion{{
		Rung: 1, Title: "vacuum the journal to 500M", Frees: n,
		Command: ssh(v, "journalctl --vacuum-size=500M"),
		Risk:    "old log lines are gone; lasting only with SystemMaxUse=500M in /etc/systemd/journald.conf",
		Cleanup: &Cleanup{Node: v.Node, What: CleanJournal},
	}}
}

func suggestCaches(v *Verdict, f *Facts) []Suggestion {
	var all []Suggestion
	for _, s := range f.System {
		if s.Bytes < worth {
			continue
		}
		switch s.Path {
		case "/var/cache/apt/archives":
			all = append(all, Suggestion{
				Rung: 2, Title: "empty apt's cache", Frees: s.Bytes, Command: ssh(v, "apt-get clean"),
				Risk: "none: packages are fetched again when they are needed", Cleanup: &Cleanup{Node: v.Node, What: CleanApt},
			})
		case "/var/crash", "/var/lib/systemd/coredump":
			all = append(all, Suggestion{
				Rung: 2, Title: "remove crash dumps", Frees: s.Bytes, Command: ssh(v, "find "+s.Path+" -type f -delete"),
				Risk: "what they say about why something crashed is gone", Why: s.Path,
			})
		}
	}
	return all
}

func suggestPods(v *Verdict, f *Facts) []Suggestion {
	pods := v.Picture.Finished
	if len(pods) == 0 {
		return nil
	}
	frees := int64(-1)
	if len(f.PodLogs) > 0 && len(f.Kubelet) > 0 && len(f.Snapshots) > 0 && !knownFailed(v, "containers") {
		frees = f.keeps(pods)
	}
	lines := make([]string, 0, len(pods))
	for _, p := range pods[:min(len(pods), mostParts)] {
		lines = append(lines, sources.Typed("kubectl", "-n", p.Namespace, "delete", "pod", p.Name))
	}
	return []Suggestion{{
		Rung: 3, Title: "delete " + count(len(pods), "finished pod"), Frees: frees, Command: strings.Join(lines, "\n"),
		Risk:    "their logs and how they ended are gone",
		Why:     "Evicted and Completed pods keep their logs and writable layers",
		Cleanup: &Cleanup{Node: v.Node, What: CleanPods, Pods: pods},
	}}
}

// keeps is what pods that are over still have on the disk: their logs, their
// volumes, and what their containers wrote into their own layers.
func (f *Facts) keeps(pods []FinishedPod) int64 {
	logs, volumes, writing := sizesOf(f.PodLogs), sizesOf(f.Kubelet), ledgerOf(f).writing
	var n int64
	for _, p := range pods {
		n += logs[podLogsDir+"/"+p.Namespace+"_"+p.Name+"_"+p.UID] + volumes[kubeletDir+"/pods/"+p.UID]
		for _, c := range f.Containers {
			if c.Namespace == p.Namespace && c.Pod == p.Name && !c.Running {
				n += writing[c.ID]
			}
		}
	}
	return n
}

func suggestBundles(v *Verdict, _ *Facts) []Suggestion {
	var all []Suggestion
	clean := &Cleanup{Node: v.Node, What: CleanBundles}
	var n int64
	current := false
	for _, b := range v.Bundles {
		current = current || b.Use == "current"
		if b.Use == "" {
			clean.Bundles = append(clean.Bundles, b.Name)
			n += b.Bytes
		}
	}
	// Without a current one nobody knows which is in use.
	if n >= worth && current && clean.check() == nil {
		all = append(all, Suggestion{
			Rung: 4, Title: "remove " + count(len(clean.Bundles), "old k3s version"), Frees: n, Command: ssh(v, clean.command()),
			Risk: "no way back to these versions without a download; refused while containers run with their shims", Cleanup: clean,
		})
	}
	var airgap, snapshots int64
	for _, a := range v.Archives {
		if within(a.Path, k3sDir+"/agent/images") {
			airgap += a.Bytes
		} else {
			snapshots += a.Bytes
		}
	}
	if airgap >= worth {
		all = append(all, Suggestion{
			Rung: 4, Title: "remove old airgap archives", Frees: airgap, Command: ssh(v, "ls -l "+k3sDir+"/agent/images"),
			Risk: "k3s imports them at each start: only those of versions that are gone may go",
		})
	}
	if snapshots >= worth {
		all = append(all, Suggestion{
			Rung: 4, Title: "prune datastore snapshots", Frees: snapshots, Command: ssh(v, "k3s etcd-snapshot prune --snapshot-retention 5"),
			Risk: "they are backups: look first whether copies exist elsewhere",
		})
	}
	return all
}

// suggestHeld is about what a running program keeps: files without a name, and
// logs that it writes where nothing rotates them.
func suggestHeld(v *Verdict, f *Facts) []Suggestion {
	var all []Suggestion
	if s := shareOf(v, DeletedOpen); s.Bytes >= worth {
		lines := make([]string, 0, len(f.Deleted))
		for _, d := range f.Deleted {
			if d.Bytes >= worth && len(lines) < 5 {
				lines = append(lines, ssh(v, fmt.Sprintf("systemctl status %d", d.PID)))
			}
		}
		all = append(all, Suggestion{
			Rung: 5, Title: "restart what holds deleted files", Frees: s.Bytes, Command: strings.Join(lines, "\n"),
			Why:  named(s),
			Risk: "that program or pod is away for a moment; the file, which has no name any more, is lost",
		})
	}
	var big []Size
	var n int64
	for _, p := range biggest(shareOf(v, Writable).Parts) {
		if strings.Contains(p.Path, ": /") && p.Bytes >= 64<<20 {
			big, n = append(big, p), n+p.Bytes
		}
	}
	if len(big) > 0 {
		lines := make([]string, 0, len(big))
		for _, p := range big {
			who, path, _ := strings.Cut(p.Path, ": ")
			lines = append(lines, execTruncate(who, path))
		}
		all = append(all, Suggestion{
			Rung: 5, Title: "empty logs in containers, then rotate them", Frees: n, Command: strings.Join(lines, "\n"),
			Why:  named(Share{Parts: big}),
			Risk: "if it is a log, its past is lost; if it is data, so is the data: look first. The kubelet rotates only stdout",
		})
	}
	return all
}

// execTruncate is the command that empties a file in a container.
func execTruncate(who, path string) string {
	pod, container, _ := strings.Cut(who, " ")
	namespace, name, ok := strings.Cut(pod, "/")
	if !ok {
		return "k3s crictl exec " + sources.Typed(strings.TrimPrefix(who, "container "), "truncate", "-s0", path)
	}
	return sources.Typed("kubectl", "-n", namespace, "exec", name, "-c", container, "--", "truncate", "-s0", clean(path))
}

func named(s Share) string {
	words := make([]string, 0, 3)
	for _, p := range s.Parts[:min(len(s.Parts), 3)] {
		words = append(words, clean(p.Path)+" "+bytesOf(p.Bytes))
	}
	return strings.Join(words, "; ")
}

func suggestImages(v *Verdict, _ *Facts) []Suggestion {
	clean := &Cleanup{Node: v.Node, What: CleanImages}
	var n int64
	for _, i := range v.Images {
		if !i.InUse && !i.Pinned && i.Disk > 0 && !knownFailed(v, "containers") {
			clean.Images = append(clean.Images, CleanImage{ID: i.ID, Name: i.Name(), Bytes: i.Disk})
			n += i.Disk
		}
	}
	if n < worth || clean.check() != nil {
		return nil
	}
	risk := "they are pulled again when they are needed: is the registry reachable, do the tags still exist?"
	if v.Airgap {
		risk = "this node has airgap archives: an image that came from one returns only with a restart of k3s"
	}
	return []Suggestion{{
		Rung: 6, Title: "remove " + count(len(clean.Images), "unused image") + " by id", Frees: n,
		Command: ssh(v, clean.command()), Risk: risk, Cleanup: clean,
	}}
}

func knownFailed(v *Verdict, probe string) bool {
	for _, r := range v.Unknown {
		if r.ID == probe {
			return true
		}
	}
	return false
}

// The rungs that are only explained, and only where the disk is short.
func suggestPrune(v *Verdict, _ *Facts) []Suggestion {
	if !short75(v) {
		return nil
	}
	risk := "it also removes pinned images, pause among them, and those that came from an archive (containerd#9793)"
	if v.Airgap {
		risk = "never here: this node has airgap archives, and what it removes cannot be pulled. " + risk
	}
	return []Suggestion{{Rung: 7, Title: "crictl rmi --prune: better not", Frees: -1, Command: "# by id instead, see above", Risk: risk}}
}

func short75(v *Verdict) bool {
	a, ok := v.Root()
	return ok && a.Mount.Percent() >= 75
}

func suggestThreshold(v *Verdict, _ *Facts) []Suggestion {
	if !short75(v) {
		return nil
	}
	unit := "k3s-agent"
	if v.Picture.Server {
		unit = "k3s"
	}
	return []Suggestion{
		{
			Rung: 8, Title: "let image GC start earlier", Frees: -1,
			Command: ssh(v, `sh -c 'printf "kubelet-arg:\n- image-gc-high-threshold=70\n- image-gc-low-threshold=65\n" >/etc/rancher/k3s/config.yaml.d/image-gc.yaml'`) +
				"\n" + ssh(v, "systemctl restart "+unit),
			Risk: "a restart of k3s; frees only what no container uses, so it helps only against unused images",
		},
		{
			Rung: 9, Title: "restart k3s", Frees: -1, Command: ssh(v, "systemctl restart "+unit),
			Risk: "containers go on, but on the only server the API is away meanwhile; replacing a worker is often safer",
		},
	}
}

func suggestOrphans(v *Verdict, _ *Facts) []Suggestion {
	n := shareOf(v, Orphans).Bytes
	if n < worth {
		return nil
	}
	return []Suggestion{{
		Rung: 10, Title: "never rm in snapshots/: replace the node instead", Frees: n,
		Command: sources.Typed("kubectl", "drain", v.Node, "--ignore-daemonsets", "--delete-emptydir-data"),
		Why:     bytesOf(n) + " of layers are in no book of the runtime, which will not collect them",
		Risk:    "a layer removed by hand breaks containers that stand on it (k3s#1905, rancher#55483); a new node has none of them",
	}}
}
