package box

import (
	"context"
	"errors"
	"path"
	"strconv"
	"strings"
)

func ls(_ context.Context, p *process, args []string) int {
	f, words := parse(args, "time-style", "color", "block-size")
	if len(words) == 0 {
		words = []string{"."}
	}
	code := 0
	for _, w := range words {
		at := p.path(w)
		i, err := p.box.disk.stat(p.who, at, !f.has("l", "d"))
		if err == nil && i.mode.Type() != 0 && !i.IsDir() && !f.has("d") && strings.HasSuffix(w, "/") {
			i, err = p.box.disk.stat(p.who, at, true)
		}
		if err != nil {
			p.say("ls: cannot access '%s': %s", w, why(err))
			code = 2
			continue
		}
		if !i.IsDir() || f.has("d") {
			i.name = w
			p.lsLine(f, i)
			continue
		}
		kids, err := p.box.disk.list(p.who, at)
		if err != nil {
			p.say("ls: cannot open directory '%s': %s", w, why(err))
			code = 2
			continue
		}
		if len(words) > 1 {
			p.print("%s:\n", w)
		}
		var room int64
		for _, k := range kids {
			room += k.room
		}
		if f.has("l") {
			p.print("total %d\n", room/1024)
		}
		for _, k := range kids {
			if !strings.HasPrefix(k.name, ".") || f.has("a", "A") {
				p.lsLine(f, k)
			}
		}
	}
	return code
}

func (p *process) lsLine(f flags, i info) {
	if !f.has("l") {
		p.print("%s\n", i.name)
		return
	}
	size := strconv.FormatInt(i.size, 10)
	if f.has("h") {
		size = human(i.size, 1024)
	}
	when := i.when.UTC().Format("Jan _2 15:04")
	if f.get("time-style") == "long-iso" {
		when = i.when.UTC().Format("2006-01-02 15:04")
	}
	link := ""
	if i.target != "" {
		link = " -> " + i.target
	}
	p.print("%s %d %s %s %s %s %s%s\n", letters(i.mode), i.links, userName(i.uid), userName(i.gid), size, when, i.name, link)
}

func stat(_ context.Context, p *process, args []string) int {
	f, words := parse(args, "c", "format", "printf")
	format, end := f.get("c", "format"), "\n"
	if f.has("printf") {
		format, end = unescape(f.get("printf")), ""
	}
	code := 0
	for _, w := range words {
		i, err := p.box.disk.stat(p.who, p.path(w), f.has("L", "dereference"))
		if err != nil {
			code = p.say("stat: cannot statx '%s': %s", w, why(err))
			continue
		}
		i.name = w
		switch {
		case f.has("f", "file-system"):
			p.print("%s%s", p.statFS(format), end)
		case format == "":
			p.print("  File: %s\n  Size: %d\tBlocks: %d\tIO Block: 4096\nAccess: (%04o/%s)  Uid: ( %d/ %s)   Gid: ( %d/ %s)\nModify: %s\n",
				w, i.size, i.room/512, i.mode.Perm(), letters(i.mode), i.uid, userName(i.uid), i.gid, userName(i.gid), i.when.UTC().Format("2006-01-02 15:04:05.000000000 -0700"))
		default:
			p.print("%s%s", expandPercent(format, i.statField), end)
		}
	}
	return code
}

func (i info) statField(c byte) string {
	switch c {
	case 's':
		return strconv.FormatInt(i.size, 10)
	case 'n':
		return i.name
	case 'N':
		if i.target != "" {
			return "'" + i.name + "' -> '" + i.target + "'"
		}
		return "'" + i.name + "'"
	case 'a':
		return strconv.FormatUint(uint64(i.mode.Perm()), 8)
	case 'A':
		return letters(i.mode)
	case 'u':
		return strconv.Itoa(i.uid)
	case 'g':
		return strconv.Itoa(i.gid)
	case 'U':
		return userName(i.uid)
	case 'G':
		return userName(i.gid)
	case 'Y', 'X', 'Z', 'W':
		return strconv.FormatInt(i.when.Unix(), 10)
	case 'y':
		return i.when.UTC().Format("2006-01-02 15:04:05.000000000 -0700")
	case 'h':
		return strconv.Itoa(i.links)
	case 'i':
		return strconv.FormatUint(i.number, 10)
	case 'd':
		return i.device()
	case 'b':
		return strconv.FormatInt(i.room/512, 10)
	case 'B':
		return "512"
	case 'F':
		return kindName(i)
	}
	return "?"
}

// device is the number of the filesystem: the disk's is that of /dev/sda1.
func (i info) device() string {
	if i.dev == 1 {
		return "2049"
	}
	return strconv.Itoa(i.dev)
}

func kindName(i info) string {
	switch {
	case i.IsDir():
		return "directory"
	case i.target != "":
		return "symbolic link"
	case i.size == 0:
		return "regular empty file"
	}
	return "regular file"
}

// expandPercent replaces %c in a format.
func expandPercent(format string, field func(c byte) string) string {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		i++
		if format[i] == '%' {
			b.WriteByte('%')
			continue
		}
		b.WriteString(field(format[i]))
	}
	return b.String()
}

// unescape reads \n, \t, \0 and \\.
func unescape(s string) string {
	return strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t", `\0`, "\x00", `\r`, "\r").Replace(s)
}

func (p *process) statFS(format string) string {
	b := p.box
	return expandPercent(format, func(c byte) string {
		switch c {
		case 'S', 's':
			return "4096"
		case 'b':
			return strconv.FormatInt(b.o.Space.Size/block, 10)
		case 'f':
			return strconv.FormatInt((b.o.Space.Size-b.Used())/block, 10)
		case 'a':
			return strconv.FormatInt(b.Available()/block, 10)
		case 'T':
			return "ext2/ext3"
		}
		return "?"
	})
}

func readlink(_ context.Context, p *process, args []string) int {
	f, words := parse(args)
	code := 0
	for _, w := range words {
		at := p.path(w)
		if f.has("f", "e", "m", "canonicalize") || nameOf(args) == "realpath" {
			resolved, err := p.box.disk.real(p.who, at)
			if err != nil && !f.has("m") {
				code = 1
				if nameOf(args) == "realpath" {
					p.say("realpath: %s: %s", w, why(err))
				}
				continue
			}
			p.print("%s\n", resolved)
			continue
		}
		i, err := p.box.disk.stat(p.who, at, false)
		if err != nil || i.target == "" {
			code = 1
			continue
		}
		if f.has("n") {
			p.print("%s", i.target)
			continue
		}
		p.print("%s\n", i.target)
	}
	return code
}

// real is a path without links in it.
func (d *disk) real(w who, at string) (string, error) {
	for range maxLinks {
		dir, last := path.Split(at)
		if last == "" {
			return "/", nil
		}
		up := "/"
		if dir != "/" {
			parent, err := d.real(w, path.Clean(dir))
			if err != nil {
				return "", err
			}
			up = parent
		}
		at = path.Join(up, last)
		i, err := d.stat(w, at, false)
		if err != nil || i.target == "" || (i.node != nil && i.node.to != nil) {
			return at, err
		}
		if at = i.target; !path.IsAbs(at) {
			at = path.Join(up, at)
		}
	}
	return "", errors.New("Too many levels of symbolic links")
}
