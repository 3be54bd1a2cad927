package box

import (
	"context"
	"path"
	"slices"
	"strconv"
	"strings"
)

// finding is one run of find.
type finding struct {
	p       *process
	tests   []func(at string, i info) bool
	actions []func(at string, i info)
	dev     int
	oneDev  bool
	depth   int
	least   int
	follow  bool // -L: a link is what it leads to
}

func find(ctx context.Context, p *process, args []string) int {
	q := &finding{p: p, depth: -1}
	rest := args[1:]
	for len(rest) > 0 && (rest[0] == "-L" || rest[0] == "-P" || rest[0] == "-H") {
		q.follow, rest = rest[0] == "-L", rest[1:]
	}
	var roots []string
	for len(rest) > 0 && !strings.HasPrefix(rest[0], "-") && rest[0] != "!" && rest[0] != "(" {
		roots, rest = append(roots, rest[0]), rest[1:]
	}
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
		code = max(code, q.walk(ctx, r, q.followed(r, i), 0))
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
		name := strings.TrimSuffix(at, "/") + "/" + k.name
		code = max(code, q.walk(ctx, name, q.followed(name, k), depth+1))
	}
	return code
}

// followed is what a link leads to, if links are followed and it leads anywhere.
func (q *finding) followed(at string, i info) info {
	if !q.follow || i.target == "" {
		return i
	}
	to, err := q.p.box.disk.stat(q.p.who, q.p.path(at), true)
	if err != nil {
		return i
	}
	return to
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
			return i.device()
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
