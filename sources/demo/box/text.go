package box

import (
	"bufio"
	"context"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// lines reads the lines of all inputs; false from each ends it.
func (p *process) lines(ctx context.Context, name string, words []string, each func(line string) bool) int {
	return p.records(ctx, name, '\n', words, each)
}

// endOf is what lines end with: NUL where an option says so.
func endOf(f flags, names ...string) byte {
	if f.has(names...) {
		return 0
	}
	return '\n'
}

// records is lines with another end.
func (p *process) records(ctx context.Context, name string, end byte, words []string, each func(line string) bool) int {
	return p.inputs(name, words, func(_ string, f readCloser) int {
		r := bufio.NewReaderSize(f, 64<<10)
		for ctx.Err() == nil {
			line, err := r.ReadString(end)
			if line != "" && !each(strings.TrimSuffix(line, string(rune(end)))) {
				return 0
			}
			if errors.Is(err, io.EOF) {
				return 0
			}
			if err != nil {
				return p.say("%s: read error: %s", name, why(err))
			}
		}
		return 143
	})
}

func head(ctx context.Context, p *process, args []string) int {
	f, words := parse(numbered(args), "n", "c", "lines", "bytes")
	if f.has("c", "bytes") {
		n, _ := bytesOf(f.get("c", "bytes"))
		return p.inputs("head", words, func(_ string, in readCloser) int {
			return p.pour(ctx, "head", p.out, io.LimitReader(in, n))
		})
	}
	n := 10
	if f.has("n", "lines") {
		n, _ = strconv.Atoi(f.get("n", "lines"))
	}
	left, end := n, endOf(f, "z", "zero-terminated")
	return p.records(ctx, "head", end, words, func(line string) bool {
		if left <= 0 {
			return false
		}
		left--
		return p.print("%s%c", line, end)
	})
}

// numbered makes head -5 and tail -5 head -n5 and tail -n5.
func numbered(args []string) []string {
	if len(args) > 1 && len(args[1]) > 1 && args[1][0] == '-' && args[1][1] >= '0' && args[1][1] <= '9' {
		args = slices.Clone(args)
		args[1] = "-n" + args[1][1:]
	}
	return args
}

// tailReads is how much of a large file's end tail looks at.
const tailReads = 1 << 20

func tail(ctx context.Context, p *process, args []string) int {
	f, words := parse(numbered(args), "n", "c", "lines", "bytes")
	n, bytes := 10, int64(-1)
	if f.has("n", "lines") {
		n, _ = strconv.Atoi(f.get("n", "lines"))
	}
	if f.has("c", "bytes") {
		bytes, _ = bytesOf(f.get("c", "bytes"))
	}
	plus := strings.HasPrefix(f.get("n", "lines"), "+")
	return p.inputs("tail", words, func(_ string, in readCloser) int {
		if in.file != nil && !plus {
			p.box.disk.mu.RLock()
			in.file.at = max(0, in.file.n.length()-max(tailReads, bytes))
			p.box.disk.mu.RUnlock()
		}
		all, err := io.ReadAll(in)
		if err != nil {
			return p.say("tail: %s", why(err))
		}
		if bytes >= 0 {
			p.print("%s", all[max(0, int64(len(all))-bytes):])
			return 0
		}
		text := strings.SplitAfter(string(all), "\n")
		text = slices.DeleteFunc(text, func(s string) bool { return s == "" })
		from := max(0, len(text)-n)
		if plus {
			from = min(len(text), max(0, n-1))
		}
		p.print("%s", strings.Join(text[from:], ""))
		if f.has("f", "F", "follow") {
			<-ctx.Done()
			return 143
		}
		return 0
	})
}

func wc(ctx context.Context, p *process, args []string) int {
	f, words := parse(args)
	return p.inputs("wc", words, func(_ string, in readCloser) int {
		all, err := io.ReadAll(in)
		if err != nil || ctx.Err() != nil {
			return p.say("wc: %v", err)
		}
		text := string(all)
		switch {
		case f.has("l"):
			p.print("%d\n", strings.Count(text, "\n"))
		case f.has("c"):
			p.print("%d\n", len(text))
		case f.has("w"):
			p.print("%d\n", len(strings.Fields(text)))
		default:
			p.print("%7d %7d %7d\n", strings.Count(text, "\n"), len(strings.Fields(text)), len(text))
		}
		return 0
	})
}

func grep(ctx context.Context, p *process, args []string) int {
	f, words := parse(args, "e", "m", "regexp", "A", "B", "C")
	pattern := f.get("e", "regexp")
	if !f.has("e", "regexp") {
		if len(words) == 0 {
			p.say("Usage: grep [OPTION]... PATTERNS [FILE]...")
			return 2
		}
		pattern, words = words[0], words[1:]
	}
	switch {
	case f.has("F") || nameOf(args) == "fgrep":
		pattern = regexp.QuoteMeta(pattern)
	case !f.has("E", "P") && nameOf(args) != "egrep":
		pattern = basic(pattern)
	}
	if f.has("x") {
		pattern = "^(?:" + pattern + ")$"
	}
	if f.has("w") {
		pattern = `\b(?:` + pattern + `)\b`
	}
	if f.has("i") {
		pattern = "(?i)" + pattern
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		p.say("grep: %v", err)
		return 2
	}
	most, hits := -1, 0
	if f.has("m") {
		most, _ = strconv.Atoi(f.get("m"))
	}
	code := p.lines(ctx, "grep", words, func(l string) bool {
		if re.MatchString(l) == f.has("v") {
			return true
		}
		hits++
		switch {
		case f.has("o"):
			for _, m := range re.FindAllString(l, -1) {
				p.print("%s\n", m)
			}
		case !f.has("q", "c", "quiet"):
			p.print("%s\n", l)
		}
		return !f.has("q", "quiet") && hits != most
	})
	switch {
	case f.has("c"):
		p.print("%d\n", hits)
	case code != 0 && !f.has("q"):
		return 2
	}
	if hits == 0 {
		return 1
	}
	return 0
}

// basic turns a basic regular expression into an extended one.
func basic(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && strings.IndexByte("(){}|+?", s[i+1]) >= 0:
			i++
			b.WriteByte(s[i])
		case s[i] == '\\' && i+1 < len(s):
			b.WriteString(s[i : i+2])
			i++
		case strings.IndexByte("(){}|+?", s[i]) >= 0:
			b.WriteByte('\\')
			b.WriteByte(s[i])
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

func cut(ctx context.Context, p *process, args []string) int {
	f, words := parse(args, "d", "f", "c")
	sep := "\t"
	if f.has("d") {
		sep = f.get("d")
	}
	return p.lines(ctx, "cut", words, func(l string) bool {
		if f.has("f") && !strings.Contains(l, sep) {
			return p.print("%s\n", l)
		}
		parts, spec, join := strings.Split(l, sep), f.get("f"), sep
		if f.has("c") {
			parts, spec, join = strings.Split(l, ""), f.get("c"), ""
		}
		var out []string
		for one := range strings.SplitSeq(spec, ",") {
			a, b, to := strings.Cut(one, "-")
			from, _ := strconv.Atoi(a)
			end, _ := strconv.Atoi(b)
			if from = max(1, from); !to {
				end = from
			} else if end == 0 {
				end = len(parts)
			}
			if from <= len(parts) {
				out = append(out, parts[from-1:min(end, len(parts))]...)
			}
		}
		return p.print("%s\n", strings.Join(out, join))
	})
}

func tr(_ context.Context, p *process, args []string) int {
	f, words := parse(args)
	all, err := io.ReadAll(p.in)
	if err != nil || len(words) == 0 {
		return p.say("tr: missing operand")
	}
	from := spread(words[0])
	to := ""
	if len(words) > 1 {
		to = spread(words[1])
	}
	out := make([]byte, 0, len(all))
	for _, c := range all {
		i := strings.IndexByte(from, c)
		switch {
		case i < 0:
			out = append(out, c)
		case f.has("d"):
		case f.has("s") && to == "":
			if len(out) == 0 || out[len(out)-1] != c {
				out = append(out, c)
			}
		case to != "":
			out = append(out, to[min(i, len(to)-1)])
		}
	}
	_, _ = p.out.Write(out) // nobody reads: the pipe is gone, and so are we
	return 0
}

// spread writes out a-z, \n and [:space:].
func spread(s string) string {
	s = unescape(s)
	for name, set := range map[string]string{"[:upper:]": "A-Z", "[:lower:]": "a-z", "[:digit:]": "0-9", "[:space:]": " \t\n\r"} {
		s = strings.ReplaceAll(s, name, set)
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if i+2 < len(s) && s[i+1] == '-' {
			for c := s[i]; c <= s[i+2]; c++ {
				b.WriteByte(c)
			}
			i += 2
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
