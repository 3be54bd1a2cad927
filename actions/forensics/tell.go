package forensics

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"daytwo/sources"
)

// clean makes text of a node safe for a line of the screen and of a record.
func clean(s string) string { return sources.Clean(s, sources.MaxMessage) }

func bytesOf(n int64) string { return sources.Bytes(float64(n)) }

// mostTold is how many lines a probe tells of what it read.
const mostTold = 15

// row is a size at the left and what has it.
func row(n int64, what string) string { return fmt.Sprintf("%10s  %s", bytesOf(n), clean(what)) }

// tellSizes names the biggest, without the folder that was asked for.
func tellSizes(all []Size, without string) []string {
	biggest := slices.Clone(all)
	slices.SortStableFunc(biggest, func(a, b Size) int { return cmp.Compare(b.Bytes, a.Bytes) })
	var lines []string
	for _, s := range biggest {
		if s.Path != without && len(lines) < mostTold {
			lines = append(lines, row(s.Bytes, s.Path))
		}
	}
	if rest := len(biggest) - len(lines); rest > 1 {
		lines = append(lines, fmt.Sprintf("%10s  %d more, smaller", "", rest))
	}
	if len(all) == 0 {
		return []string{"nothing"}
	}
	return lines
}

func tellCounts(f *Facts) []string {
	var lines []string
	for _, s := range f.Counts[:min(len(f.Counts), mostTold)] {
		lines = append(lines, fmt.Sprintf("%10d  %s", s.Bytes, clean(s.Path)))
	}
	return lines
}

func tellDevices(f *Facts) []string {
	var lines []string
	for _, d := range f.Roots {
		lines = append(lines, fmt.Sprintf("%10d  %s", d.Number, clean(d.Path)))
	}
	return lines
}

func tellLayers(f *Facts) []string { return []string{count(len(f.Layers), "container mount")} }

func tellLog(f *Facts) []string {
	if len(f.Log) == 0 {
		return []string{"nothing about the disk in " + count(f.LogRead, "line")}
	}
	n := map[string]int{}
	for _, l := range f.Log {
		n[l.Why]++
	}
	var words []string
	for _, w := range logWords() {
		if n[w.why] > 0 {
			words = append(words, w.why+" "+strconv.Itoa(n[w.why])+"×")
			delete(n, w.why)
		}
	}
	return []string{"in " + count(f.LogRead, "line") + ": " + strings.Join(words, ", ")}
}

func tellDeleted(f *Facts) []string {
	if len(f.Deleted) == 0 {
		return []string{"none"}
	}
	var lines []string
	for _, d := range f.Deleted[:min(len(f.Deleted), mostTold)] {
		lines = append(lines, row(d.Bytes, d.Name+", held by "+d.Process+" (pid "+strconv.Itoa(d.PID)+", fd "+d.FD+")"))
	}
	return lines
}

func tellImages(f *Facts) []string {
	lines := []string{count(len(f.Images), "image")}
	biggest := slices.Clone(f.Images)
	slices.SortStableFunc(biggest, func(a, b Image) int { return cmp.Compare(b.Bytes, a.Bytes) })
	for _, i := range biggest[:min(len(biggest), mostTold)] {
		pinned := ""
		if i.Pinned {
			pinned = " (pinned)"
		}
		lines = append(lines, row(i.Bytes, i.Name()+pinned))
	}
	return lines
}

func tellContainers(f *Facts) []string {
	running := 0
	for _, c := range f.Containers {
		if c.Running {
			running++
		}
	}
	return []string{count(len(f.Containers), "container") + ", " + strconv.Itoa(running) + " running"}
}

func tellWritable(f *Facts) []string {
	var all []Size
	for id, n := range f.Writable {
		all = append(all, Size{Path: f.containerName(id), Bytes: n})
	}
	slices.SortFunc(all, func(a, b Size) int { return cmp.Compare(a.Path, b.Path) })
	return tellSizes(all, "")
}

func tellSnapshots(f *Facts) []string {
	var sum int64
	for _, s := range f.Snapshots {
		sum += s.Bytes
	}
	return []string{count(len(f.Snapshots), "snapshot") + ", " + bytesOf(sum) + " together"}
}

func tellBundles(f *Facts) []string {
	var lines []string
	for _, b := range f.Bundles {
		lines = append(lines, fmt.Sprintf("%-8s  %s", cmp.Or(b.Use, "old"), clean(b.Name)))
	}
	return lines
}

func tellArchives(f *Facts) []string {
	var all []Size
	for _, a := range f.Archives {
		all = append(all, Size{Path: a.Path, Bytes: a.Bytes})
	}
	return tellSizes(all, "")
}

// containerName is namespace/pod/container, or the beginning of the id.
func (f *Facts) containerName(id string) string {
	for _, c := range f.Containers {
		if c.ID == id {
			return c.label()
		}
		if c.Sandbox == id && c.Pod != "" {
			return c.Namespace + "/" + c.Pod
		}
	}
	return "container " + id[:min(len(id), 12)]
}

func (c Container) label() string {
	if c.Pod == "" {
		return cmp.Or(c.Name, c.ID[:min(len(c.ID), 12)])
	}
	return c.Namespace + "/" + c.Pod + " " + c.Name
}

// count is a number with its word, in the plural where it must be.
func count(n int, word string) string {
	if n != 1 {
		word += "s"
	}
	return strconv.Itoa(n) + " " + word
}
