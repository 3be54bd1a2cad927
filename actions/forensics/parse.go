package forensics

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The most that is kept of one probe: a node with more has told enough.
const mostEntries = 20_000

// records splits output whose records end with NUL, the only byte that no
// name can have.
func records(out []byte) []string {
	var all []string
	for r := range bytes.SplitSeq(out, []byte{0}) {
		if len(r) > 0 && len(all) < mostEntries {
			all = append(all, string(r))
		}
	}
	return all
}

// parseDF reads df -PT. A device's name may have spaces; what follows it may
// not, but for the mount point at the end.
func parseDF(out []byte) ([]Mount, error) {
	line := regexp.MustCompile(`^(.+?)\s+(\S+)\s+(\d+|-)\s+(\d+|-)\s+(\d+|-)\s+(?:\d+%|-)\s+(/.*)$`)
	var all []Mount
	for l := range strings.SplitSeq(string(out), "\n") {
		m := line.FindStringSubmatch(strings.TrimRight(l, "\r"))
		if m == nil {
			continue // the header; a mount point with a line break
		}
		all = append(all, Mount{
			Device: m[1], Type: m[2], Size: number(m[3]), Used: number(m[4]), Available: number(m[5]), On: m[6],
		})
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("df named no filesystem")
	}
	return all, nil
}

// number is 0 for what is none.
func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// parseSizes reads du -0: bytes, tab, path.
func parseSizes(out []byte) ([]Size, error) {
	var all []Size
	for _, r := range records(out) {
		n, path, ok := strings.Cut(r, "\t")
		bytes, err := strconv.ParseInt(n, 10, 64)
		if !ok || err != nil || bytes < 0 || path == "" {
			return nil, fmt.Errorf("du wrote %q where a size and a path were expected", short(r))
		}
		all = append(all, Size{Path: path, Bytes: bytes})
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("du measured nothing")
	}
	return all, nil
}

// block is the unit of find's %b.
const block = 512

// parseBlocks reads find -printf '%b %p\0'.
func parseBlocks(out []byte) ([]Size, error) {
	var all []Size
	seen := map[string]bool{}
	for _, r := range records(out) {
		n, path, ok := strings.Cut(r, " ")
		blocks, err := strconv.ParseInt(n, 10, 54)
		if !ok || err != nil || blocks < 0 || path == "" {
			return nil, fmt.Errorf("find wrote %q where blocks and a path were expected", short(r))
		}
		if !seen[path] {
			seen[path] = true
			all = append(all, Size{Path: path, Bytes: blocks * block})
		}
	}
	return all, nil
}

// parseFiles reads find -printf '%b %T@ %p\0'.
func parseFiles(out []byte) ([]File, error) {
	var all []File
	for _, r := range records(out) {
		p := strings.SplitN(r, " ", 3)
		if len(p) != 3 {
			return nil, fmt.Errorf("find wrote %q where blocks, a time and a path were expected", short(r))
		}
		all = append(all, File{Path: p[2], Bytes: number(p[0]) % (1 << 53) * block, At: moment(p[1])})
	}
	return all, nil
}

// moment reads find's %T@, seconds with a fraction.
func moment(s string) time.Time {
	whole, _, _ := strings.Cut(s, ".")
	n, err := strconv.ParseInt(whole, 10, 40)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}

// parseBundles reads find -printf '%y %T@ %f\0%l\0' of k3s's data folder: each
// entry, then where it leads to if it is a link.
func parseBundles(out []byte) ([]Bundle, error) {
	var all []Bundle
	use := map[string]string{}
	parts := strings.Split(string(out), "\x00")
	for i := 0; i+1 < len(parts); i += 2 {
		p := strings.SplitN(parts[i], " ", 3)
		if len(p) != 3 {
			return nil, fmt.Errorf("find wrote %q where a kind, a time and a name were expected", short(parts[i]))
		}
		switch {
		case p[0] == "d":
			all = append(all, Bundle{Name: p[2], At: moment(p[1])})
		case p[0] == "l" && (p[2] == "current" || p[2] == "previous"):
			target := parts[i+1][strings.LastIndexByte(parts[i+1], '/')+1:]
			if use[target] == "" || p[2] == "current" {
				use[target] = p[2]
			}
		}
	}
	for i := range all {
		all[i].Use = use[all[i].Name]
	}
	return all, nil
}

// parseDevices reads find -maxdepth 0 -printf '%D %p\0'.
func parseDevices(out []byte) []Device {
	var all []Device
	for _, r := range records(out) {
		n, path, ok := strings.Cut(r, " ")
		if d, err := strconv.ParseUint(n, 10, 64); ok && err == nil {
			all = append(all, Device{Number: d, Path: path})
		}
	}
	return all
}

// parseDeleted reads groups of three records: "device inode blocks
// /proc/PID/fd/N", the process's name, and the name that the file had.
func parseDeleted(out []byte) ([]Deleted, error) {
	parts := strings.Split(string(out), "\x00")
	var all []Deleted
	for i := 0; i+2 < len(parts) && len(all) < mostEntries; i += 3 {
		f := strings.Fields(parts[i])
		if len(f) != 4 {
			return nil, fmt.Errorf("the look at open files wrote %q where four words were expected", short(parts[i]))
		}
		device, err1 := strconv.ParseUint(f[0], 10, 64)
		inode, err2 := strconv.ParseUint(f[1], 10, 64)
		path := strings.Split(f[3], "/") // "", proc, PID, fd, N
		if err1 != nil || err2 != nil || len(path) != 5 {
			return nil, fmt.Errorf("the look at open files wrote %q", short(parts[i]))
		}
		all = append(all, Deleted{
			Device: device, Inode: inode, Bytes: number(f[2]) % (1 << 53) * block,
			PID: int(number(path[2])), FD: path[4], Process: parts[i+1],
			Name: strings.TrimSuffix(parts[i+2], " (deleted)"),
		})
	}
	return all, nil
}

// parseMounts finds the overlay mounts of containers in /proc/1/mountinfo.
// They have the container's id in the mount point, and numbered folders of
// snapshots in the options.
func parseMounts(out []byte) []Layer {
	var all []Layer
	for l := range strings.SplitSeq(string(out), "\n") {
		left, right, ok := strings.Cut(l, " - ")
		f, opts := strings.Fields(left), strings.Fields(right)
		if !ok || len(f) < 5 || len(opts) < 3 || opts[0] != "overlay" {
			continue
		}
		layer := Layer{Device: deviceNumber(f[2])}
		if parts := strings.Split(f[4], "/"); len(parts) > 2 && parts[len(parts)-1] == "rootfs" {
			layer.Container = parts[len(parts)-2]
		}
		for opt := range strings.SplitSeq(opts[2], ",") {
			switch key, value, _ := strings.Cut(opt, "="); key {
			case "upperdir":
				layer.Upper = snapshotNumber(value)
			case "lowerdir":
				for path := range strings.SplitSeq(value, ":") {
					if n := snapshotNumber(path); n != "" {
						layer.Lower = append(layer.Lower, n)
					}
				}
			}
		}
		if layer.Upper != "" && len(all) < mostEntries {
			all = append(all, layer)
		}
	}
	return all
}

// snapshotNumber is N of …/snapshots/N/fs; "" for another path.
func snapshotNumber(path string) string {
	_, rest, ok := strings.Cut(path, "/snapshots/")
	n, tail, more := strings.Cut(rest, "/")
	if !ok {
		// Where many layers are below, containerd mounts relative to the folder.
		n, tail, more = strings.Cut(path, "/")
	}
	if !more || tail != "fs" || n == "" || strings.Trim(n, "0123456789") != "" {
		return ""
	}
	return n
}

// deviceNumber makes stat's number of "major:minor", as glibc does.
func deviceNumber(s string) uint64 {
	a, b, _ := strings.Cut(s, ":")
	major, minor := uint64(number(a)), uint64(number(b))
	return (major&0xfffff000)<<32 | (major&0xfff)<<8 | (minor&0xffffff00)<<12 | minor&0xff
}

// parseSnapshots reads `ctr snapshots ls` followed by `ctr snapshots usage -b`.
func parseSnapshots(out []byte) ([]Snapshot, error) {
	var all []Snapshot
	at := map[string]int{}
	usage, known := false, false
	for l := range strings.SplitSeq(string(out), "\n") {
		f := strings.Fields(l)
		switch {
		case len(f) >= 2 && f[0] == "KEY":
			usage, known = f[1] == "SIZE", true
		case len(f) < 2 || !known || len(all) >= mostEntries:
		case usage:
			if i, ok := at[f[0]]; ok {
				all[i].Bytes = number(f[1])
			}
		default:
			s := Snapshot{Key: f[0], Active: f[len(f)-1] == "Active"}
			if len(f) == 3 {
				s.Parent = f[1]
			}
			at[s.Key] = len(all)
			all = append(all, s)
		}
	}
	if !usage {
		return nil, fmt.Errorf("ctr listed no sizes of snapshots")
	}
	return all, nil
}

// parseUsage reads the one line of journalctl --disk-usage.
func parseUsage(out []byte) (int64, error) {
	m := regexp.MustCompile(`take up ([0-9.]+)([BKMGT]?)`).FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("journalctl wrote %q where the journal's size was expected", short(string(out)))
	}
	v, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		return 0, fmt.Errorf("journalctl wrote the size %q", m[1])
	}
	unit := map[string]float64{"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}[string(m[2])]
	if unit == 0 {
		unit = 1
	}
	return int64(min(v*unit, 1<<60)), nil
}

// logWords are what makes a line of k3s's log one about the disk.
func logWords() []struct{ word, why string } {
	return []struct{ word, why string }{
		{"no space left", "no space"},
		{"diskpressure", "disk pressure"},
		{"evict", "eviction"},
		{"garbage", "garbage collection"},
		{"freediskspacefailed", "garbage collection"},
		{"imagegc", "garbage collection"},
		{"read-only file system", "read-only"},
		{"input/output error", "disk error"},
	}
}

// logWhy says what a line has to do with the disk; "" for nothing.
func logWhy(line string) string {
	low := strings.ToLower(line)
	for _, w := range logWords() {
		if strings.Contains(low, w.word) {
			return w.why
		}
	}
	return ""
}

// short is the beginning of something unexpected, for a message.
func short(s string) string {
	const most = 80
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
