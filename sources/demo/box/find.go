package box

import (
	"context"
	"maps"
	"path"
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
}

func du(ctx context.Context, p *process, args []string) int {
	f, words := parse(args, "d", "max-depth", "B", "block-size", "exclude", "t", "threshold")
	o := duOptions{depth: -1, unit: 1024, end: "\n", all: f.has("a", "all"), inodes: f.has("inodes"), human: f.has("h"), total: f.has("c"), apparent: f.has("apparent-size", "b")}
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
	if x := f.get("exclude"); x != "" {
		o.skip = append(o.skip, x)
	}
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
	if o.dev != 0 && n.dev != o.dev {
		d.mu.RUnlock()
		return weight{}, 0
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

// finding is one run of find.
type finding struct {
	p       *process
	tests   []func(at string, i info) bool
	actions []func(at string, i info)
	dev     int
	oneDev  bool
	depth   int
	least   int
}

func find(ctx context.Context, p *process, args []string) int {
	rest := args[1:]
	var roots []string
	for len(rest) > 0 && !strings.HasPrefix(rest[0], "-") && rest[0] != "!" && rest[0] != "(" {
		roots, rest = append(roots, rest[0]), rest[1:]
	}
	q := &finding{p: p, depth: -1}
	if len(roots) == 0 {
		roots = []string{"."}
	}
	if code := q.parse(rest); code != 0 {
		return code
	}
	if len(q.actions) == 0 {
		q.actions = append(q.actions, func(at string, _ info) { p.print("%s\n", at) })
	}
	code := 0
	for _, r := range roots {
		i, err := p.box.disk.stat(p.who, p.path(r), false)
		if err != nil {
			code = p.say("find: '%s': %s", r, why(err))
			continue
		}
		q.dev = i.dev
		code = max(code, q.walk(ctx, r, i, 0))
	}
	return code
}

func (q *finding) parse(rest []string) int {
	not := false
	for len(rest) > 0 {
		word := rest[0]
		rest = rest[1:]
		value := ""
		if findTakes(word) {
			if len(rest) == 0 {
				return q.p.say("find: missing argument to '%s'", word)
			}
			value, rest = rest[0], rest[1:]
		}
		switch word {
		case "!", "-not":
			not = true
			continue
		case "-xdev", "-mount":
			q.oneDev = true
		case "-maxdepth":
			q.depth, _ = strconv.Atoi(value)
		case "-mindepth":
			q.least, _ = strconv.Atoi(value)
		case "-printf":
			format := value
			q.actions = append(q.actions, func(at string, i info) { q.p.print("%s", q.printf(format, at, i)) })
		case "-print":
			q.actions = append(q.actions, func(at string, _ info) { q.p.print("%s\n", at) })
		case "-print0":
			q.actions = append(q.actions, func(at string, _ info) { q.p.print("%s\x00", at) })
		case "-delete":
			q.actions = append(q.actions, func(at string, _ info) { _ = q.p.box.disk.remove(q.p.who, q.p.path(at)) })
		case "-a", "-and", "-ignore_readdir_race", "-noleaf", "-depth":
		default:
			test := q.test(word, value)
			if test == nil {
				return q.p.say("find: unknown predicate '%s'", word)
			}
			if not {
				yes := test
				test = func(at string, i info) bool { return !yes(at, i) }
			}
			q.tests = append(q.tests, test)
		}
		not = false
	}
	return 0
}

func findTakes(word string) bool {
	switch word {
	case "-maxdepth", "-mindepth", "-printf", "-type", "-size", "-name", "-iname", "-path", "-wholename", "-lname", "-mtime", "-mmin", "-newermt", "-links", "-user":
		return true
	}
	return false
}

func (q *finding) test(word, value string) func(at string, i info) bool {
	switch word {
	case "-type":
		return func(_ string, i info) bool { return strings.Contains(value, kindLetter(i)) }
	case "-size":
		return func(_ string, i info) bool { return sizeTest(value, i.size) }
	case "-name", "-iname":
		return func(at string, _ info) bool { ok, _ := path.Match(value, path.Base(at)); return ok }
	case "-path", "-wholename":
		return func(at string, _ info) bool { return globAny(value, at) }
	case "-lname":
		return func(_ string, i info) bool { return i.target != "" && globAny(value, i.target) }
	case "-links":
		return func(_ string, i info) bool { return compare(value, int64(i.links)) }
	case "-mtime", "-mmin":
		unit := int64(86400)
		if word == "-mmin" {
			unit = 60
		}
		return func(_ string, i info) bool { return compare(value, int64(q.p.box.o.Now().Sub(i.when).Seconds())/unit) }
	case "-user":
		return func(_ string, i info) bool { return userName(i.uid) == value }
	case "-empty":
		return func(_ string, i info) bool { return i.size == 0 }
	}
	return nil
}

func kindLetter(i info) string {
	switch {
	case i.IsDir():
		return "d"
	case i.target != "":
		return "l"
	case !i.mode.IsRegular():
		return "c"
	}
	return "f"
}

// globAny matches with a star that also takes slashes, as find's -path does.
func globAny(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if !strings.HasPrefix(text, parts[0]) {
		return false
	}
	text = text[len(parts[0]):]
	for i, part := range parts[1:] {
		if i == len(parts)-2 {
			return strings.HasSuffix(text, part)
		}
		_, rest, ok := strings.Cut(text, part)
		if !ok {
			return false
		}
		text = rest
	}
	return text == ""
}

func compare(want string, have int64) bool {
	n, err := strconv.ParseInt(strings.TrimLeft(want, "+-"), 10, 64)
	switch {
	case err != nil:
		return false
	case want[0] == '+':
		return have > n
	case want[0] == '-':
		return have < n
	}
	return have == n
}

// sizeTest is find's -size: rounded up to the unit.
func sizeTest(want string, have int64) bool {
	unit := int64(512)
	switch want[len(want)-1] {
	case 'c':
		unit = 1
	case 'k':
		unit = 1 << 10
	case 'M':
		unit = 1 << 20
	case 'G':
		unit = 1 << 30
	}
	return compare(strings.TrimRight(want, "ckMGb"), (have+unit-1)/unit)
}

func (q *finding) walk(ctx context.Context, at string, i info, depth int) int {
	if ctx.Err() != nil {
		return 143
	}
	if q.oneDev && i.dev != q.dev {
		return 0
	}
	if depth >= q.least && !slices.ContainsFunc(q.tests, func(t func(string, info) bool) bool { return !t(at, i) }) {
		for _, do := range q.actions {
			do(at, i)
		}
	}
	if !i.IsDir() || depth == q.depth {
		return 0
	}
	kids, err := q.p.box.disk.list(q.p.who, q.p.path(at))
	if err != nil {
		return q.p.say("find: '%s': %s", at, why(err))
	}
	code := 0
	for _, k := range kids {
		code = max(code, q.walk(ctx, strings.TrimSuffix(at, "/")+"/"+k.name, k, depth+1))
	}
	return code
}

func (q *finding) printf(format, at string, i info) string {
	return expandPercent(strings.ReplaceAll(unescape(format), "%T@", "%T"), func(c byte) string {
		switch c {
		case 'p':
			return at
		case 'f':
			return path.Base(at)
		case 'h':
			return path.Dir(at)
		case 'l':
			return i.target
		case 'y':
			return kindLetter(i)
		case 'b':
			return strconv.FormatInt(i.room/512, 10)
		case 'k':
			return strconv.FormatInt((i.room+1023)/1024, 10)
		case 'n':
			return strconv.Itoa(i.links)
		case 'D':
			return strconv.Itoa(i.dev)
		case 'm':
			return strconv.FormatUint(uint64(i.mode.Perm()), 8)
		case 'u':
			return userName(i.uid)
		case 'T':
			return strconv.FormatInt(i.when.Unix(), 10)
		}
		return i.statField(c)
	})
}
