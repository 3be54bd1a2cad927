package box

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

// searchPath is where commands are, as for a login of Ubuntu's.
const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// process is a shell or command that runs: who runs it, where, and how it
// talks.
type process struct {
	box *Box
	who who
	dir string
	env map[string]string

	in       io.Reader
	out, err io.Writer
}

// command is a program of the box. It returns its exit code.
type command func(ctx context.Context, p *process, args []string) int

// say writes a command's complaint to its standard error.
func (p *process) say(format string, args ...any) int {
	_, _ = fmt.Fprintf(p.err, format+"\n", args...)
	return 1
}

// print writes to the standard output. It is false if nobody reads any more.
func (p *process) print(format string, args ...any) bool {
	_, err := fmt.Fprintf(p.out, format, args...)
	return err == nil
}

// path makes a word of the command line a path from the root.
func (p *process) path(name string) string {
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	return path.Join(p.dir, name)
}

// why is the reason in an error of the disk, in libc's words.
func why(err error) string {
	if number, ok := errors.AsType[syscall.Errno](err); ok {
		text := number.Error()
		return strings.ToUpper(text[:1]) + text[1:]
	}
	return err.Error()
}

// script runs text as a shell does and returns the exit code. dialect is
// LangPOSIX for sh, which is dash there, and LangBash for a login.
func (p *process) script(ctx context.Context, dialect syntax.LangVariant, name, text string, params ...string) int {
	tree, err := syntax.NewParser(syntax.Variant(dialect)).Parse(strings.NewReader(text), name)
	if err != nil {
		p.say("%s: %v", name, err)
		return 2
	}
	runner, err := p.runner(params)
	if err != nil {
		p.say("%s: %v", name, err)
		return 126
	}
	err = runner.Run(ctx, tree)
	var status interp.ExitStatus
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	case ctx.Err() != nil:
		return 143
	}
	return p.say("%s: %v", name, err)
}

// shell is an interpreter that runs.
type shell struct {
	*process
	mask atomic.Uint32 // umask, which a script may change while its pipes run
}

func (s *shell) user() who {
	w := s.who
	w.umask = fs.FileMode(s.mask.Load())
	return w
}

func (p *process) runner(params []string) (*interp.Runner, error) {
	shell := &shell{process: p}
	shell.mask.Store(uint32(p.who.umask))
	env := make([]string, 0, len(p.env))
	for _, k := range slices.Sorted(maps.Keys(p.env)) {
		env = append(env, k+"="+p.env[k])
	}
	env = append(env, "PWD="+p.dir)
	r, err := interp.New(
		interp.Env(expand.ListEnviron(env...)),
		interp.Dir("/"),
		interp.Params(append([]string{"--"}, params...)...),
		interp.StdIO(p.in, p.out, p.err),
		interp.CallHandler(shell.call),
		interp.ExecHandlers(func(interp.ExecHandlerFunc) interp.ExecHandlerFunc { return shell.exec }),
		interp.OpenHandler(shell.openFile),
		interp.ReadDirHandler2(func(_ context.Context, name string) ([]fs.DirEntry, error) {
			infos, err := shell.box.disk.list(shell.who, name)
			out := make([]fs.DirEntry, len(infos))
			for i := range infos {
				out[i] = infos[i]
			}
			return out, err
		}),
		interp.StatHandler(func(_ context.Context, name string, follow bool) (fs.FileInfo, error) {
			return shell.box.disk.stat(shell.who, name, follow)
		}),
		interp.AccessHandler(func(_ context.Context, name string, mode interp.AccessMode) error {
			return shell.box.disk.access(shell.who, name, fs.FileMode(mode))
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("make a shell: %w", err)
	}
	r.Dir = p.dir
	return r, nil
}

func (d *disk) access(w who, name string, bits fs.FileMode) error {
	d.mu.RLock()
	defer d.mu.RUnlock()
	n, err := d.find(w, name, true, 0)
	if err != nil {
		return fail("access", name, err)
	}
	for _, bit := range []fs.FileMode{1, 2, 4} {
		if bits&bit != 0 && !n.may(w, bit) {
			return fail("access", name, syscall.EACCES)
		}
	}
	return nil
}

// call turns the builtins that would look at the real machine into commands
// of the box.
func (s *shell) call(_ context.Context, args []string) ([]string, error) {
	switch args[0] {
	case "umask":
		if len(args) == 2 {
			if mask, err := strconv.ParseUint(args[1], 8, 12); err == nil {
				s.mask.Store(uint32(mask))
				return []string{"true"}, nil
			}
		}
		return []string{"echo", fmt.Sprintf("%04o", s.mask.Load())}, nil
	case "kill", "ulimit", "times", "help":
		args[0] = "/usr/bin/" + args[0]
	case "type", "hash":
		return append([]string{"/usr/bin/which"}, args[1:]...), nil
	case "command":
		if len(args) > 2 && (args[1] == "-v" || args[1] == "-V") {
			return append([]string{"/usr/bin/which"}, args[2:]...), nil
		}
	}
	return args, nil
}

// exec runs a command for the shell.
func (s *shell) exec(ctx context.Context, args []string) error {
	hc := interp.HandlerCtx(ctx)
	child := &process{
		box: s.box, who: s.user(), dir: hc.Dir, env: map[string]string{},
		in: hc.Stdin, out: hc.Stdout, err: hc.Stderr,
	}
	for name, v := range hc.Env.Each {
		if v.Exported && v.Kind == expand.String {
			child.env[name] = v.Str
		} else {
			delete(child.env, name)
		}
	}
	if code := child.run(ctx, args); code != 0 {
		return interp.ExitStatus(uint8(code))
	}
	return nil
}

// run finds a command and runs it.
func (p *process) run(ctx context.Context, args []string) int {
	if ctx.Err() != nil {
		return 143
	}
	at, err := p.which(args[0])
	switch {
	case errors.Is(err, syscall.EACCES):
		p.say("%s: Permission denied", args[0])
		return 126
	case err != nil && strings.Contains(args[0], "/"):
		p.say("%s: No such file or directory", args[0])
		return 127
	case err != nil:
		p.say("%s: command not found", args[0])
		return 127
	}
	return p.box.execute(ctx, p, at, args)
}

// which finds a command's file.
func (p *process) which(name string) (string, error) {
	if strings.Contains(name, "/") {
		at := p.path(name)
		if i, err := p.box.disk.stat(p.who, at, true); err == nil && i.IsDir() {
			return "", syscall.EACCES
		}
		return at, p.box.disk.access(p.who, at, 1)
	}
	dirs := p.env["PATH"]
	if dirs == "" {
		dirs = searchPath
	}
	for dir := range strings.SplitSeq(dirs, ":") {
		at := path.Join(dir, name)
		if i, err := p.box.disk.stat(p.who, at, true); err == nil && !i.IsDir() && p.box.disk.access(p.who, at, 1) == nil {
			return at, nil
		}
	}
	return "", syscall.ENOENT
}

func (s *shell) openFile(ctx context.Context, name string, flag int, perm fs.FileMode) (io.ReadWriteCloser, error) {
	hc := interp.HandlerCtx(ctx)
	switch name {
	case "/dev/stdout":
		return stream{hc.Stdin, hc.Stdout}, nil
	case "/dev/stderr":
		return stream{hc.Stdin, hc.Stderr}, nil
	case "/dev/stdin":
		return stream{hc.Stdin, io.Discard}, nil
	}
	if !path.IsAbs(name) {
		name = path.Join(hc.Dir, name)
	}
	f, err := s.box.disk.open(s.user(), name, flag, perm)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: errors.New(why(err))}
	}
	return f, nil
}

// stream is a shell's own input and output, opened once more.
type stream struct {
	io.Reader
	io.Writer
}

// Close leaves it open: the shell goes on with it.
func (stream) Close() error { return nil }
