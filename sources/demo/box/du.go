package box

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// weight is what a folder and all below it take.
type weight struct{ room, apparent, files int64 }

func (w *weight) add(o weight) {
	w.room, w.apparent, w.files = w.room+o.room, w.apparent+o.apparent, w.files+o.files
}

// weigh adds up a tree on one filesystem. The disk's lock must be held.
func weigh(n *inode, dev int) weight {
	seen := map[*inode]bool{}
	return weighOnce(n, dev, seen)
}

func weighOnce(n *inode, dev int, seen map[*inode]bool) weight {
	if dev != 0 && n.dev != dev || seen[n] {
		return weight{}
	}
	if n.links > 1 {
		seen[n] = true
	}
	w := weight{n.takes(), n.length(), 1 + n.files}
	if n.mode.IsDir() {
		w.apparent += n.size
	}
	for _, k := range n.kids {
		w.add(weighOnce(k, dev, seen))
	}
	return w
}

// duOptions are du's.
type duOptions struct {
	dev             int
	depth           int
	all, inodes     bool
	apparent, total bool
	human           bool
	unit            int64
	end             string
	skip            []string
	seen            map[*inode]bool // files with more names than one
}

func du(ctx context.Context, p *process, args []string) int {
	f, words := parse(args, "d", "max-depth", "B", "block-size", "exclude", "t", "threshold")
	o := duOptions{seen: map[*inode]bool{}, depth: -1, unit: 1024, end: "\n", all: f.has("a", "all"), inodes: f.has("inodes"), human: f.has("h"), total: f.has("c"), apparent: f.has("apparent-size", "b")}
	if f.has("s", "summarize") {
		o.depth = 0
	}
	if n, err := strconv.Atoi(f.get("d", "max-depth")); err == nil {
		o.depth = n
	}
	if n, ok := bytesOf(f.get("B", "block-size")); ok && n > 0 {
		o.unit = n
	}
	switch {
	case f.has("b"):
		o.unit = 1
	case f.has("m"):
		o.unit = 1 << 20
	}
	if f.has("0", "null") {
		o.end = "\x00"
	}
	o.skip = every(args, "--exclude")
	if len(words) == 0 {
		words = []string{"."}
	}
	code, sum := 0, weight{}
	for _, w := range words {
		i, err := p.box.disk.stat(p.who, p.path(w), f.has("D", "H", "L"))
		if err != nil {
			code = p.say("du: cannot access '%s': %s", w, why(err))
			continue
		}
		if o.dev = 0; f.has("x", "one-file-system") {
			o.dev = i.dev
		}
		got, c := p.duTree(ctx, o, w, i.node, 0)
		code = max(code, c)
		sum.add(got)
	}
	if o.total {
		p.print("%s\ttotal%s", o.number(sum), o.end)
	}
	return code
}

func (o duOptions) number(w weight) string {
	n := w.room
	switch {
	case o.inodes:
		return strconv.FormatInt(w.files, 10)
	case o.apparent:
		n = w.apparent
	}
	if o.human {
		return human(n, 1024)
	}
	return strconv.FormatInt((n+o.unit-1)/o.unit, 10)
}

// duTree walks without holding the disk's lock, so that others go on.
func (p *process) duTree(ctx context.Context, o duOptions, name string, n *inode, depth int) (weight, int) {
	if ctx.Err() != nil {
		return weight{}, 143
	}
	d := p.box.disk
	d.mu.RLock()
	w := weight{n.takes(), n.length(), 1 + n.files}
	if n.mode.IsDir() {
		w.apparent += n.size
	}
	if o.dev != 0 && n.dev != o.dev || o.seen[n] {
		d.mu.RUnlock()
		return weight{}, 0
	}
	if n.links > 1 {
		o.seen[n] = true
	}
	dir, ok := n.mode.IsDir(), n.may(p.who, 4) && n.may(p.who, 1)
	kids := maps.Clone(n.kids)
	d.mu.RUnlock()
	code := 0
	if dir && !ok {
		code = p.say("du: cannot read directory '%s': Permission denied", name)
		kids = nil
	}
	for _, k := range slices.Sorted(maps.Keys(kids)) {
		at := strings.TrimSuffix(name, "/") + "/" + k
		if slices.Contains(o.skip, at) || slices.Contains(o.skip, k) {
			continue
		}
		got, c := p.duTree(ctx, o, at, kids[k], depth+1)
		w.add(got)
		code = max(code, c)
	}
	if (dir || o.all || depth == 0) && (o.depth < 0 || depth <= o.depth) {
		p.print("%s\t%s%s", o.number(w), name, o.end)
	}
	return w, code
}
