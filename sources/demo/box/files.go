package box

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
)

// readCloser is a file, if it is one, and how it is read.
type readCloser struct {
	io.Reader
	file *file
}

func cat(ctx context.Context, p *process, args []string) int {
	_, words := parse(args)
	return p.inputs("cat", words, func(_ string, f readCloser) int { return p.pour(ctx, "cat", p.out, f) })
}

// pour copies until the end or until ctx ends.
func (p *process) pour(ctx context.Context, name string, to io.Writer, from io.Reader) int {
	buf := make([]byte, 64<<10)
	for ctx.Err() == nil {
		n, err := from.Read(buf)
		if n > 0 {
			if _, werr := to.Write(buf[:n]); werr != nil {
				return p.say("%s: write error: %s", name, why(werr))
			}
		}
		if errors.Is(err, io.EOF) {
			return 0
		}
		if err != nil {
			return p.say("%s: read error: %s", name, why(err))
		}
	}
	return 143
}

func mkdir(_ context.Context, p *process, args []string) int {
	f, words := parse(args, "m", "mode")
	perm, ok := modeOf(f.get("m", "mode"), 0)
	if !ok || !f.has("m", "mode") {
		perm = 0o777
	}
	code := 0
	for _, w := range words {
		at := p.path(w)
		if f.has("p", "parents") {
			if i, err := p.box.disk.stat(p.who, at, true); err == nil && i.IsDir() {
				continue
			}
			for i, c := range at {
				if c == '/' && i > 0 {
					_ = p.box.disk.mkdir(p.who, at[:i], 0o777) // it is there already, or the last one says why not
				}
			}
		}
		if err := p.box.disk.mkdir(p.who, at, perm); err != nil {
			code = p.say("mkdir: cannot create directory '%s': %s", w, why(err))
		}
	}
	return code
}

func rm(_ context.Context, p *process, args []string) int {
	f, words := parse(args)
	code := 0
	for _, w := range words {
		at := p.path(w)
		i, err := p.box.disk.stat(p.who, at, false)
		switch {
		case errors.Is(err, fs.ErrNotExist) && f.has("f", "force"):
			continue
		case err != nil:
			code = p.say("rm: cannot remove '%s': %s", w, why(err))
			continue
		case i.IsDir() && !f.has("r", "R", "recursive"):
			code = p.say("rm: cannot remove '%s': Is a directory", w)
			continue
		}
		if err := p.box.disk.removeAll(p.who, at, i.IsDir()); err != nil {
			code = p.say("rm: cannot remove '%s': %s", w, why(err))
		}
	}
	return code
}

func (d *disk) removeAll(w who, at string, dir bool) error {
	if dir {
		kids, err := d.list(w, at)
		if err != nil {
			return err
		}
		for _, k := range kids {
			if err := d.removeAll(w, path.Join(at, k.name), k.IsDir()); err != nil {
				return err
			}
		}
	}
	return d.remove(w, at)
}

// into is the path that a file gets in a target, which may be a folder.
func (p *process) into(source, target string, plain bool) string {
	at := p.path(target)
	if i, err := p.box.disk.stat(p.who, at, true); !plain && err == nil && i.IsDir() {
		return path.Join(at, path.Base(source))
	}
	return at
}

func mv(_ context.Context, p *process, args []string) int {
	f, words := parse(args, "t")
	if len(words) < 2 {
		return p.say("mv: missing file operand")
	}
	target, code := words[len(words)-1], 0
	for _, w := range words[:len(words)-1] {
		to := p.into(w, target, f.has("T", "no-target-directory"))
		if _, err := p.box.disk.stat(p.who, to, false); err == nil && f.has("n", "no-clobber") {
			continue
		}
		if err := p.box.disk.rename(p.who, p.path(w), to); err != nil {
			code = p.say("mv: cannot move '%s' to '%s': %s", w, target, why(err))
		} else if to == BinaryPath {
			p.box.o.Did("swap")
		}
	}
	return code
}

func cp(_ context.Context, p *process, args []string) int {
	f, words := parse(args, "t")
	if len(words) < 2 {
		return p.say("cp: missing file operand")
	}
	target, code := words[len(words)-1], 0
	keep := f.has("p", "a", "preserve", "archive")
	for _, w := range words[:len(words)-1] {
		to := p.into(w, target, f.has("T", "no-target-directory"))
		if f.has("l", "link") {
			if err := p.box.disk.link(p.who, p.path(w), to); err != nil {
				code = p.say("cp: cannot create hard link '%s' to '%s': %s", target, w, why(err))
			}
			continue
		}
		if err := p.copy(p.path(w), to, f.has("r", "R", "a", "recursive", "archive"), keep); err != nil {
			code = p.say("cp: cannot copy '%s' to '%s': %s", w, target, why(err))
		}
	}
	return code
}

// copy copies a file, or a folder with all that is in it.
func (p *process) copy(from, to string, deep, keep bool) error {
	d := p.box.disk
	i, err := d.stat(p.who, from, true)
	if err != nil {
		return err
	}
	if i.IsDir() {
		if !deep {
			return errors.New("-r not specified; omitting directory")
		}
		if err := d.mkdir(p.who, to, i.mode.Perm()); err != nil && !errors.Is(err, syscall.EEXIST) {
			return err
		}
		kids, err := d.list(p.who, from)
		for _, k := range kids {
			if err := p.copy(path.Join(from, k.name), path.Join(to, k.name), deep, keep); err != nil {
				return err
			}
		}
		return err
	}
	data, err := d.read(p.who, from)
	if err != nil {
		return err
	}
	return p.writeWhole(to, data, i.mode.Perm(), keep)
}

// writeWhole makes or overwrites a file as root or anybody else may.
func (p *process) writeWhole(to string, data []byte, perm fs.FileMode, exactly bool) error {
	f, err := p.box.disk.open(p.who, to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if !p.box.disk.fits(int64(len(data))) {
		return syscall.ENOSPC
	}
	p.box.disk.mu.Lock()
	defer p.box.disk.mu.Unlock()
	p.box.disk.set(f.n, data)
	if exactly {
		f.n.mode = f.n.mode.Type() | perm
	}
	return nil
}

func ln(_ context.Context, p *process, args []string) int {
	f, words := parse(args)
	if len(words) != 2 {
		return p.say("ln: name a target and a link")
	}
	to := p.into(words[0], words[1], f.has("n", "T", "no-dereference"))
	if f.has("f", "force") {
		_ = p.box.disk.remove(p.who, to) // the next step says if that did not work
	}
	var err error
	if f.has("s", "symbolic") {
		err = p.box.disk.symlink(p.who, words[0], to)
	} else {
		err = p.box.disk.link(p.who, p.path(words[0]), to)
	}
	if err != nil {
		return p.say("ln: failed to create link '%s': %s", words[1], why(err))
	}
	return 0
}

func chmod(_ context.Context, p *process, args []string) int {
	if len(args) < 3 {
		return p.say("chmod: missing operand")
	}
	code := 0
	for _, w := range args[2:] {
		good := true
		err := p.box.disk.change(p.who, p.path(w), func(n *inode) { n.mode, good = modeOf(args[1], n.mode) })
		switch {
		case err != nil:
			code = p.say("chmod: cannot access '%s': %s", w, why(err))
		case !good:
			return p.say("chmod: invalid mode: '%s'", args[1])
		}
	}
	return code
}

func chown(_ context.Context, p *process, args []string) int {
	_, words := parse(args)
	if p.who.uid != 0 {
		return p.say("chown: changing ownership: Operation not permitted")
	}
	code := 0
	for _, w := range words[min(1, len(words)):] {
		if err := p.box.disk.change(p.who, p.path(w), func(n *inode) {
			user, _, _ := strings.Cut(words[0], ":")
			for _, a := range accounts() {
				if a.who.name == user {
					n.uid, n.gid = a.who.uid, a.who.gid
				}
			}
		}); err != nil {
			code = p.say("chown: cannot access '%s': %s", w, why(err))
		}
	}
	return code
}

func install(_ context.Context, p *process, args []string) int {
	f, words := parse(args, "m", "o", "g", "mode", "owner", "group")
	perm, ok := modeOf(f.get("m", "mode"), 0)
	if !ok || !f.has("m", "mode") {
		perm = 0o755
	}
	if f.has("d") {
		for _, w := range words {
			p.box.disk.folders(p.path(w))
			_ = p.box.disk.change(p.who, p.path(w), func(n *inode) { n.mode = fs.ModeDir | perm })
		}
		return 0
	}
	if len(words) != 2 {
		return p.say("install: name a file and where it goes")
	}
	to := p.into(words[0], words[1], f.has("T"))
	if f.has("D") {
		p.box.disk.folders(path.Dir(to))
	}
	data, err := p.readAny(words[0])
	if err == nil {
		_ = p.box.disk.remove(p.who, to)
		err = p.writeWhole(to, data, perm, true)
	}
	if err != nil {
		return p.say("install: cannot create '%s': %s", words[1], why(err))
	}
	return 0
}

// readAny reads a whole file or, where it is so named, the standard input.
func (p *process) readAny(name string) ([]byte, error) {
	if name == "-" || name == "/dev/stdin" {
		return io.ReadAll(p.in)
	}
	return p.box.disk.read(p.who, p.path(name))
}
