package box

import (
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
)

// flags are a command's options by name, without dashes; an option that takes
// no value has "".
type flags map[string]string

func (f flags) has(names ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool { _, ok := f[n]; return ok })
}

// get is the value of the first of some names for one option.
func (f flags) get(names ...string) string {
	for _, n := range names {
		if v, ok := f[n]; ok {
			return v
		}
	}
	return ""
}

// parse parts a command line as getopt does. takes lists the options with a
// value, single letters and long names.
func parse(args []string, takes ...string) (flags, []string) {
	f := flags{}
	var words []string
	rest := args[1:]
	for len(rest) > 0 {
		word := rest[0]
		rest = rest[1:]
		switch {
		case word == "--":
			return f, append(words, rest...)
		case strings.HasPrefix(word, "--"):
			name, v, has := strings.Cut(word[2:], "=")
			if !has && slices.Contains(takes, name) && len(rest) > 0 {
				v, rest = rest[0], rest[1:]
			}
			f[name] = v
		case len(word) > 1 && word[0] == '-':
			rest = f.short(word[1:], rest, takes)
		default:
			words = append(words, word)
		}
	}
	return f, words
}

// short takes letters that stand behind one dash.
func (f flags) short(letters string, rest, takes []string) []string {
	for i := range len(letters) {
		name := letters[i : i+1]
		if !slices.Contains(takes, name) {
			f[name] = ""
			continue
		}
		v := letters[i+1:]
		if v == "" && len(rest) > 0 {
			v, rest = rest[0], rest[1:]
		}
		f[name] = v
		break
	}
	return rest
}

// bytesOf reads a size such as 500M, of 1024s, or 1MB, of 1000s.
func bytesOf(text string) (int64, bool) {
	unit := 1.0
	number := strings.TrimRight(text, "KMGTPkiBb")
	base := 1024.0
	suffix := text[len(number):]
	if strings.HasSuffix(suffix, "B") && len(suffix) == 2 {
		base = 1000
	}
	if suffix != "" {
		if i := strings.IndexByte("KMGTP", strings.ToUpper(suffix)[0]); i >= 0 {
			unit = math.Pow(base, float64(i+1))
		}
	}
	n, err := strconv.ParseFloat(number, 64)
	return int64(n * unit), err == nil
}

// human1 is a size in systemd's words: 3.9G.
func human1(n int64) string {
	v, unit := float64(n), "B"
	for _, u := range []string{"K", "M", "G", "T"} {
		if v < 1024 {
			break
		}
		v, unit = v/1024, u
	}
	if unit == "B" {
		return fmt.Sprintf("%dB", n)
	}
	return strconv.FormatFloat(math.Floor(v*10)/10, 'f', 1, 64) + unit
}

// human is a size in the words of coreutils, rounded up: 263G, 4.1G, 512.
func human(n int64, base float64) string {
	v, unit := float64(n), ""
	for _, u := range []string{"K", "M", "G", "T", "P"} {
		if v < base {
			break
		}
		v, unit = v/base, u
	}
	switch {
	case unit == "":
		return strconv.FormatInt(n, 10)
	case v < 10:
		return strconv.FormatFloat(math.Ceil(v*10)/10, 'f', 1, 64) + unit
	}
	return strconv.FormatFloat(math.Ceil(v), 'f', 0, 64) + unit
}

// mode reads the octal and the symbolic form of chmod.
func modeOf(text string, old fs.FileMode) (fs.FileMode, bool) {
	if n, err := strconv.ParseUint(text, 8, 16); err == nil {
		return old.Type() | fs.FileMode(n).Perm(), true
	}
	for part := range strings.SplitSeq(text, ",") {
		i := strings.IndexAny(part, "+-=")
		if i < 0 {
			return old, false
		}
		var mask, bits fs.FileMode
		for _, c := range part[:i] {
			mask |= map[rune]fs.FileMode{'u': 0o700, 'g': 0o070, 'o': 0o007, 'a': 0o777}[c]
		}
		if mask == 0 {
			mask = 0o777
		}
		for _, c := range part[i+1:] {
			bits |= map[rune]fs.FileMode{'r': 0o444, 'w': 0o222, 'x': 0o111, 'X': 0o111}[c]
		}
		switch part[i] {
		case '+':
			old |= bits & mask
		case '-':
			old &^= bits & mask
		default:
			old = old&^mask | bits&mask
		}
	}
	return old, true
}

// letters are a mode's as ls writes them.
func letters(m fs.FileMode) string {
	kind := "-"
	switch {
	case m.IsDir():
		kind = "d"
	case m&fs.ModeSymlink != 0:
		kind = "l"
	case m&fs.ModeCharDevice != 0:
		kind = "c"
	}
	text := []byte(m.Perm().String()[1:])
	if m&fs.ModeSticky != 0 {
		text[8] = 't'
	}
	return kind + string(text)
}

// userName is a number's name on the machine.
func userName(id int) string {
	for _, a := range accounts() {
		if a.who.uid == id {
			return a.who.name
		}
	}
	return strconv.Itoa(id)
}

// sized makes a file whose bytes are only said to be there.
func (d *disk) sized(name string, size int64, text string) {
	d.put(name, []byte{}, 0o644)
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.find(who{}, name, true, 0)
	if err != nil {
		return
	}
	d.held -= n.fixed()
	n.data, n.size, n.text = nil, size, text
	d.held += n.fixed()
}

// reader opens the files that a command reads, or the standard input where
// none is named.
func (p *process) inputs(name string, words []string, each func(name string, f readCloser) int) int {
	if len(words) == 0 {
		words = []string{"-"}
	}
	code := 0
	for _, w := range words {
		if w == "-" {
			if c := each(w, readCloser{p.in, nil}); c != 0 {
				code = c
			}
			continue
		}
		f, err := p.box.disk.open(p.who, p.path(w), os.O_RDONLY, 0)
		if err != nil {
			code = p.say("%s: %s: %s", name, w, why(err))
			continue
		}
		if f.n.mode.IsDir() {
			_ = f.Close()
			code = p.say("%s: %s: Is a directory", name, w)
			continue
		}
		if c := each(w, readCloser{f, f}); c != 0 {
			code = c
		}
		_ = f.Close()
	}
	return code
}
