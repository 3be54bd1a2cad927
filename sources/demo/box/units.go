package box

import (
	"context"
	"fmt"
	"hash/fnv"
	"path"
	"strconv"
	"strings"
	"time"

	"mvdan.cc/sh/v3/syntax"
)

// The states of a unit, as systemctl names them.
const (
	inactive   = "inactive"
	activating = "activating"
	active     = "active"
	failed     = "failed"
)

// unit is a systemd service.
type unit struct {
	name        string // with .service
	description string
	argv        []string
	transient   bool
	collect     bool // forget it also when it failed
	remain      bool // RemainAfterExit
	notify      bool // Type=notify: active when it says so
	plain       bool // neither k3s nor transient: it runs, and may be started anew

	state, sub, result string
	code               int
	signal             string
	pid, restarts      int
	began, ended       time.Time
	invocation         string
	stop               context.CancelFunc
	k3s                K3s // of k3s.service and k3s-agent.service
}

func serviceName(name string) string {
	if path.Ext(name) == ".service" {
		return name
	}
	return name + ".service"
}

// begin gives a unit a new life. The lock must be held.
func (b *Box) begin(u *unit) {
	b.pids += 3
	u.pid, u.began, u.ended = b.pids, b.o.Now(), time.Time{}
	h := fnv.New128a()
	_, _ = fmt.Fprint(h, b.o.Name, u.name, u.pid)
	u.invocation = fmt.Sprintf("%032x", h.Sum(nil))
	u.state, u.sub, u.result, u.code, u.signal = active, "running", "success", 0, ""
	b.signal()
}

// fieldsOf are the journal's fields of what a unit's process writes.
func (u *unit) fieldsOf(program string) map[string]string {
	return map[string]string{
		"_SYSTEMD_UNIT": u.name, "_PID": strconv.Itoa(u.pid), "_UID": "0", "_GID": "0", "_COMM": program, "PRIORITY": "6",
		"SYSLOG_IDENTIFIER": program, "SYSLOG_FACILITY": "3", "_TRANSPORT": "stdout", "_SYSTEMD_INVOCATION_ID": u.invocation,
	}
}

// startTransient runs a transient unit's command, which no connection ends.
// done is closed when it is through.
func (b *Box) startTransient(u *unit, p *process) (done chan struct{}) {
	ctx, cancel := context.WithCancel(b.ctx)
	b.mu.Lock()
	u.stop = cancel
	b.begin(u)
	b.units[u.name] = u
	b.mu.Unlock()
	b.journal.systemd(u.name, "Started "+u.name+" - "+u.description+".",
		"MESSAGE_ID", "39f53479d3a045ac8e11786248231fbf", "JOB_TYPE", "start", "JOB_RESULT", "done", "INVOCATION_ID", u.invocation)
	done = make(chan struct{})
	b.running.Go(func() {
		defer close(done)
		defer cancel()
		w := &writer{j: b.journal, fields: u.fieldsOf(path.Base(u.argv[0]))}
		if p.out == nil {
			p.out, p.err = w, w
		}
		code := p.run(ctx, u.argv)
		w.flush()
		b.end(u, code, ctx.Err() != nil)
	})
	return done
}

// end notes how a transient unit ended, in the journal first: who sees that
// it ended finds its last words there.
func (b *Box) end(u *unit, code int, stopped bool) {
	switch {
	case stopped:
		b.journal.systemd(u.name, u.name+": Deactivated successfully.",
			"MESSAGE_ID", "7ad2d189f7e94e70a38c781354912448", "INVOCATION_ID", u.invocation)
	case code != 0:
		b.journal.systemd(u.name, fmt.Sprintf("%s: Main process exited, code=exited, status=%d/%s", u.name, code, statusName(code)),
			"MESSAGE_ID", "98e322203f7a4ed290d09fe03c09fe15", "EXIT_CODE", "exited", "EXIT_STATUS", strconv.Itoa(code),
			"COMMAND", "ExecStart", "INVOCATION_ID", u.invocation, "PRIORITY", "5")
		b.journal.systemd(u.name, u.name+": Failed with result 'exit-code'.",
			"MESSAGE_ID", "d9b373ed55a64feb8242e02dbe79a49c", "UNIT_RESULT", "exit-code", "INVOCATION_ID", u.invocation, "PRIORITY", "4")
	default:
		b.journal.systemd(u.name, u.name+": Deactivated successfully.",
			"MESSAGE_ID", "7ad2d189f7e94e70a38c781354912448", "INVOCATION_ID", u.invocation)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	u.ended, u.code = b.o.Now(), code
	switch {
	case stopped:
		u.state, u.sub, u.code, u.signal = inactive, "dead", 15, "TERM"
	case code != 0:
		u.state, u.sub, u.result = failed, "failed", "exit-code"
	case u.remain:
		u.state, u.sub = active, "exited"
	default:
		u.state, u.sub = inactive, "dead"
	}
	if u.transient && (u.state == inactive || (u.state == failed && u.collect)) && b.units[u.name] == u {
		delete(b.units, u.name)
	}
	b.signal()
}

// statusName is systemd's word for an exit code.
func statusName(code int) string {
	names := map[int]string{
		1: "FAILURE", 2: "INVALIDARGUMENT", 3: "NOTIMPLEMENTED", 4: "NOPERMISSION", 5: "NOTINSTALLED", 6: "NOTCONFIGURED", 7: "NOTRUNNING",
		126: "n/a", 127: "n/a", 203: "EXEC",
	}
	if n, ok := names[code]; ok {
		return n
	}
	return "n/a"
}

// systemdRun starts a transient service.
func systemdRun(ctx context.Context, p *process, args []string) int {
	if p.who.uid != 0 {
		return p.say("Failed to start transient service unit: Interactive authentication required.")
	}
	u := &unit{transient: true}
	o, code := p.runOptions(u, args[1:])
	if code != 0 {
		return code
	}
	b := p.box
	if u.name == "" {
		u.name = fmt.Sprintf("run-r%032x.service", b.pid())
	}
	u.name, u.argv = serviceName(u.name), o.argv
	if u.description == "" {
		u.description = strings.Join(u.argv, " ")
	}
	b.mu.Lock()
	_, there := b.units[u.name]
	b.mu.Unlock()
	if there {
		return p.say("Failed to start transient service unit: Unit %s was already loaded or has a fragment file.", u.name)
	}
	child := &process{box: b, who: who{0, 0, "root", 0o022}, dir: o.dir, env: o.env, in: strings.NewReader("")}
	if o.pipe {
		child.in, child.out, child.err = p.in, p.out, p.err
	}
	if at, err := child.which(u.argv[0]); err != nil {
		return p.say("Failed to find executable %s: No such file or directory", u.argv[0])
	} else if !o.pipe && !o.quiet {
		_ = at
		p.say("Running as unit: %s; invocation ID: %032x", u.name, b.pid())
	}
	done := b.startTransient(u, child)
	if !o.wait && !o.pipe {
		return 0
	}
	select {
	case <-done:
	case <-ctx.Done():
		return 143
	}
	return u.code
}

// runOptions are systemd-run's that are not the unit's own.
type runOptions struct {
	argv              []string
	dir               string
	env               map[string]string
	wait, pipe, quiet bool
}

func (p *process) runOptions(u *unit, args []string) (runOptions, int) {
	o := runOptions{dir: "/", env: map[string]string{"PATH": searchPath, "LANG": "C.UTF-8", "HOME": "/root", "USER": "root", "SHELL": "/bin/sh"}}
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		name, value, has := strings.Cut(args[0], "=")
		args = args[1:]
		if name == "--" {
			break
		}
		if !has && takesValue(name) {
			if len(args) == 0 {
				return o, p.say("systemd-run: option '%s' requires an argument", name)
			}
			value, args = args[0], args[1:]
		}
		if !o.take(u, name, value) {
			return o, p.say("systemd-run: unrecognized option '%s'", name)
		}
	}
	if o.argv = args; len(args) == 0 {
		return o, p.say("Command line to execute required.")
	}
	return o, 0
}

func takesValue(name string) bool {
	switch name {
	case "--unit", "-u", "--property", "-p", "--description", "--setenv", "-E", "--working-directory", "--service-type",
		"--uid", "--gid", "--nice", "--slice":
		return true
	}
	return false
}

func (o *runOptions) take(u *unit, name, value string) bool {
	switch name {
	case "--unit", "-u":
		u.name = value
	case "--collect", "-G":
		u.collect = true
	case "--description":
		u.description = value
	case "--remain-after-exit", "-r":
		u.remain = true
	case "--setenv", "-E":
		k, v, _ := strings.Cut(value, "=")
		o.env[k] = v
	case "--working-directory":
		o.dir = value
	case "--property", "-p":
		o.property(u, value)
	case "--wait":
		o.wait = true
	case "--pipe", "-P":
		o.pipe = true
	case "--quiet", "-q":
		o.quiet = true
	case "--no-block", "--service-type", "--uid", "--gid", "--nice", "--slice", "--no-ask-password", "--system", "--same-dir", "-d":
	default:
		return false
	}
	return true
}

func (o *runOptions) property(u *unit, value string) {
	k, v, _ := strings.Cut(value, "=")
	switch k {
	case "RemainAfterExit":
		u.remain = v == "yes" || v == "true" || v == "1"
	case "Environment":
		name, text, _ := strings.Cut(v, "=")
		o.env[name] = text
	case "WorkingDirectory":
		o.dir = v
	case "CollectMode":
		u.collect = v == "inactive-or-failed"
	case "Description":
		u.description = v
	}
}

// runShell is sh, dash and bash.
func runShell(ctx context.Context, p *process, args []string) int {
	dialect := syntax.LangPOSIX
	if nameOf(args) == "bash" {
		dialect = syntax.LangBash
	}
	flags, rest := "", args[1:]
	for len(rest) > 0 && strings.HasPrefix(rest[0], "-") && len(rest[0]) > 1 {
		word := rest[0]
		rest = rest[1:]
		if word == "--" {
			break
		}
		if strings.HasSuffix(word, "o") && len(rest) > 0 { // -o pipefail
			flags += "\nset -o " + rest[0]
			rest, word = rest[1:], strings.TrimSuffix(word, "o")
		}
		for _, f := range word[1:] {
			if strings.ContainsRune("eux", f) {
				flags += "\nset -" + string(f)
			}
		}
		if strings.Contains(word, "c") {
			if len(rest) == 0 {
				return p.say("%s: -c requires an argument", args[0])
			}
			text, name := rest[0], args[0]
			if rest = rest[1:]; len(rest) > 0 {
				name, rest = rest[0], rest[1:]
			}
			return p.script(ctx, dialect, name, strings.TrimPrefix(flags+"\n", "\n")+text, rest...)
		}
		if strings.Contains(word, "s") {
			return p.fromInput(ctx, dialect, args[0], flags, rest)
		}
	}
	if len(rest) == 0 {
		return p.fromInput(ctx, dialect, args[0], flags, nil)
	}
	text, err := p.box.disk.read(p.who, p.path(rest[0]))
	if err != nil {
		p.say("%s: 0: cannot open %s: %s", args[0], rest[0], why(err))
		return 127
	}
	return p.script(ctx, dialect, rest[0], strings.TrimPrefix(flags+"\n", "\n")+string(text), rest[1:]...)
}
