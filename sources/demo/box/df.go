package box

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// filesystem is a line of df.
type filesystem struct {
	source, typ, target  string
	size, used, avail    int64
	inodes, iused, ifree int64
}

func (b *Box) filesystems() []filesystem {
	used, inodes := b.Used(), b.Inodes()
	run := b.o.Memory / 10
	return []filesystem{
		{"/dev/sda1", "ext4", "/", b.o.Space.Size, used, b.Available(), b.o.Space.Inodes, inodes, b.o.Space.Inodes - inodes},
		{"tmpfs", "tmpfs", "/run", run, 2 << 20, run - 2<<20, 1 << 20, 1100, 1<<20 - 1100},
		{"udev", "devtmpfs", "/dev", 4 << 20, 0, 4 << 20, 1 << 18, 420, 1<<18 - 420},
	}
}

// every is what an option was given, each time that it stands there.
func every(args []string, names ...string) []string {
	var all []string
	for i, a := range args {
		name, v, has := strings.Cut(a, "=")
		switch {
		case !slices.Contains(names, name):
		case has:
			all = append(all, v)
		case i+1 < len(args):
			all = append(all, args[i+1])
		}
	}
	return all
}

func df(_ context.Context, p *process, args []string) int {
	f, words := parse(args, "B", "block-size", "output", "t", "x", "type", "exclude-type")
	all := p.box.filesystems()
	show := all
	if len(words) > 0 {
		show = nil
		for _, w := range words {
			i, err := p.box.disk.stat(p.who, p.path(w), true)
			if err != nil {
				return p.say("df: %s: %s", w, why(err))
			}
			fs := all[0]
			if i.dev != 1 && strings.HasPrefix(p.path(w), "/run") {
				fs = all[1]
			} else if i.dev != 1 {
				fs = all[2]
			}
			show = append(show, fs)
		}
	}
	without := every(args, "-x", "--exclude-type")
	show = slices.DeleteFunc(slices.Clone(show), func(fs filesystem) bool { return slices.Contains(without, fs.typ) })
	if len(show) == 0 {
		return p.say("df: no file systems processed")
	}
	if out := f.get("output"); out != "" {
		return p.dfOutput(f, strings.Split(out, ","), show)
	}
	return p.dfTable(f, show)
}

func (p *process) dfTable(f flags, show []filesystem) int {
	head := []string{"Filesystem"}
	if f.has("T") {
		head = append(head, "Type")
	}
	inodes := f.has("i", "inodes")
	switch {
	case inodes:
		head = append(head, "Inodes", "IUsed", "IFree", "IUse%", "Mounted on")
	case f.has("h"):
		head = append(head, "Size", "Used", "Avail", "Use%", "Mounted on")
		if f.has("P") {
			head[len(head)-3], head[len(head)-2] = "Avail", "Capacity"
		}
	default:
		head = append(head, map[bool]string{true: "1024-blocks", false: "1K-blocks"}[f.has("P")], "Used", "Available", map[bool]string{true: "Capacity", false: "Use%"}[f.has("P")], "Mounted on")
		if b := f.get("B", "block-size"); b == "1" {
			head[len(head)-5] = map[bool]string{true: "1-blocks", false: "1B-blocks"}[f.has("P")]
		}
	}
	rows := [][]string{head}
	for _, fs := range show {
		row := []string{fs.source}
		if f.has("T") {
			row = append(row, fs.typ)
		}
		a, b, c := fs.size, fs.used, fs.avail
		if inodes {
			a, b, c = fs.inodes, fs.iused, fs.ifree
		}
		row = append(row, dfNumber(f, a, inodes), dfNumber(f, b, inodes), dfNumber(f, c, inodes), percent(b, c), fs.target)
		rows = append(rows, row)
	}
	p.columns(rows)
	return 0
}

func dfNumber(f flags, n int64, inodes bool) string {
	switch size := f.get("B", "block-size"); {
	case f.has("h"):
		return human(n, 1024)
	case inodes:
		return strconv.FormatInt(n, 10)
	case size != "":
		unit, _ := bytesOf(size)
		return strconv.FormatInt((n+max(1, unit)-1)/max(1, unit), 10)
	}
	return strconv.FormatInt((n+1023)/1024, 10)
}

// percent is df's: used over what anybody may use, rounded up.
func percent(used, avail int64) string {
	if used+avail == 0 {
		return "-"
	}
	return strconv.FormatInt((used*100+used+avail-1)/(used+avail), 10) + "%"
}

func (p *process) dfOutput(f flags, fields []string, show []filesystem) int {
	names := map[string]string{
		"source": "Filesystem", "fstype": "Type", "size": "1K-blocks", "used": "Used", "avail": "Avail", "pcent": "Use%", "target": "Mounted on",
		"itotal": "Inodes", "iused": "IUsed", "iavail": "IFree", "ipcent": "IUse%", "file": "File",
	}
	head := make([]string, len(fields))
	for i, name := range fields {
		if head[i] = names[name]; head[i] == "" {
			return p.say("df: option --output: field '%s' unknown", name)
		}
	}
	rows := [][]string{head}
	for _, fs := range show {
		row := make([]string, len(fields))
		for i, name := range fields {
			row[i] = map[string]string{
				"source": fs.source, "fstype": fs.typ, "target": fs.target, "file": "-",
				"size": dfNumber(f, fs.size, false), "used": dfNumber(f, fs.used, false), "avail": dfNumber(f, fs.avail, false), "pcent": percent(fs.used, fs.avail),
				"itotal": dfNumber(f, fs.inodes, true), "iused": dfNumber(f, fs.iused, true), "iavail": dfNumber(f, fs.ifree, true), "ipcent": percent(fs.iused, fs.ifree),
			}[name]
		}
		rows = append(rows, row)
	}
	p.columns(rows)
	return 0
}

// columns writes a table: the first column to the left, numbers to the right.
func (p *process) columns(rows [][]string) {
	width := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, c := range r {
			width[i] = max(width[i], len(c))
		}
	}
	for _, r := range rows {
		var b strings.Builder
		for i, c := range r {
			switch {
			case i == len(r)-1:
				b.WriteString(c)
			case i == 0 || rows[0][i] == "Type":
				fmt.Fprintf(&b, "%-*s ", width[i], c)
			default:
				fmt.Fprintf(&b, "%*s ", width[i], c)
			}
		}
		p.print("%s\n", b.String())
	}
}
