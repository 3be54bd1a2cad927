package box

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"mvdan.cc/sh/v3/syntax"
)

// fromInput runs what stands in the standard input.
func (p *process) fromInput(ctx context.Context, dialect syntax.LangVariant, name, flags string, params []string) int {
	text, err := io.ReadAll(p.in)
	if err != nil {
		return p.say("%s: %v", name, err)
	}
	return p.script(ctx, dialect, name, strings.TrimPrefix(flags+"\n", "\n")+string(text), params...)
}

// systemctl asks about units and starts and stops k3s.
func systemctl(ctx context.Context, p *process, args []string) int {
	var words, properties []string
	value, quiet, noBlock := false, false, false
	rest := args[1:]
	for len(rest) > 0 {
		word := rest[0]
		rest = rest[1:]
		name, v, has := strings.Cut(word, "=")
		switch {
		case name == "-p" || name == "--property":
			if !has && len(rest) > 0 {
				v, rest = rest[0], rest[1:]
			}
			properties = append(properties, strings.Split(v, ",")...)
		case name == "--value":
			value = true
		case name == "-q" || name == "--quiet":
			quiet = true
		case name == "--no-block":
			noBlock = true
		case strings.HasPrefix(word, "-"):
		default:
			words = append(words, word)
		}
	}
	if len(words) == 0 {
		return p.say("systemctl: name what to do")
	}
	verb, units := words[0], words[1:]
	for i := range units {
		units[i] = p.box.unitOf(units[i])
	}
	switch verb {
	case "is-active":
		return p.isState(units, quiet, 3, active)
	case "is-failed":
		return p.isState(units, quiet, 1, failed)
	case "is-enabled":
		return p.isEnabled(units, quiet)
	case "show":
		return p.show(units, properties, value)
	case "status":
		return p.status(units)
	case "cat":
		return p.catUnits(units)
	case "list-units", "list-unit-files":
		return p.listUnits(units)
	}
	return systemctlChange(ctx, p, verb, units, noBlock)
}

// unitOf is a unit by its name, or by the number of its process.
func (b *Box) unitOf(word string) string {
	pid, err := strconv.Atoi(word)
	b.mu.Lock()
	defer b.mu.Unlock()
	for name, u := range b.units {
		if err == nil && u.pid == pid {
			return name
		}
	}
	return serviceName(word)
}

func systemctlChange(ctx context.Context, p *process, verb string, units []string, noBlock bool) int {
	switch verb {
	case "start", "stop", "restart", "try-restart", "reset-failed", "kill", "daemon-reload", "enable", "disable":
	default:
		return p.say("Unknown command verb '%s'.", verb)
	}
	if p.who.uid != 0 {
		return p.say("Failed to %s %s: Interactive authentication required.", verb, strings.Join(units, " "))
	}
	code := 0
	for _, name := range units {
		if c := p.box.command(ctx, p, verb, name, noBlock); c != 0 {
			code = c
		}
	}
	return code
}

// command does one verb to one unit.
func (b *Box) command(ctx context.Context, p *process, verb, name string, noBlock bool) int {
	b.mu.Lock()
	u := b.units[name]
	b.mu.Unlock()
	if u == nil {
		p.say("Failed to %s %s: Unit %s not found.", verb, name, name)
		return 5
	}
	switch {
	case verb == "enable" || verb == "disable" || verb == "daemon-reload":
		return 0
	case verb == "reset-failed":
		b.mu.Lock()
		defer b.mu.Unlock()
		if u.state == failed && u.transient {
			delete(b.units, name)
		} else if u.state == failed {
			u.state, u.sub = inactive, "dead"
		}
		return 0
	case u.transient:
		if u.stop != nil && (verb == "stop" || verb == "kill") {
			u.stop()
			return b.until(ctx, func() bool { return u.state != active || u.sub == "exited" })
		}
		return 0
	}
	if u.plain {
		return b.again(u, verb)
	}
	if verb == "stop" || verb == "restart" || verb == "try-restart" || verb == "kill" {
		b.stopK3s(u)
	}
	if verb == "stop" || verb == "kill" {
		return 0
	}
	return b.startK3s(ctx, p, u, noBlock)
}

// again ends a plain unit's process, with all that it had open, and begins it
// anew unless it is to stop.
func (b *Box) again(u *unit, verb string) int {
	b.release(u.pid)
	b.mu.Lock()
	if verb == "stop" || verb == "kill" {
		u.state, u.sub, u.ended = inactive, "dead", b.o.Now()
		b.signal()
	} else {
		b.begin(u)
	}
	pid := u.pid
	b.mu.Unlock()
	b.process(pid, "rsyslogd", u.argv[0])
	return 0
}

// until waits for a unit; the lock is held while good looks.
func (b *Box) until(ctx context.Context, good func() bool) int {
	for {
		b.mu.Lock()
		ok, changed := good(), b.changed
		b.mu.Unlock()
		if ok {
			return 0
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return 143
		}
	}
}

func (p *process) isState(units []string, quiet bool, otherwise int, want string) int {
	code := otherwise
	for _, name := range units {
		p.box.mu.Lock()
		state := inactive
		if u := p.box.units[name]; u != nil {
			state = u.state
		}
		p.box.mu.Unlock()
		if state == want {
			code = 0
		}
		if !quiet {
			p.print("%s\n", state)
		}
	}
	return code
}

func (p *process) isEnabled(units []string, quiet bool) int {
	code := 0
	for _, name := range units {
		p.box.mu.Lock()
		u := p.box.units[name]
		p.box.mu.Unlock()
		word := "enabled"
		switch {
		case u == nil:
			word, code = "not-found", 4
		case u.transient:
			word, code = "transient", 1
		}
		if !quiet {
			p.print("%s\n", word)
		}
	}
	return code
}

// properties are a unit's as systemctl show names them.
func (b *Box) properties(name string) map[string]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	u := b.units[name]
	m := map[string]string{
		"Id": name, "Names": name, "LoadState": "not-found", "ActiveState": inactive, "SubState": "dead", "Result": "success",
		"MainPID": "0", "ExecMainPID": "0", "ExecMainCode": "0", "ExecMainStatus": "0", "NRestarts": "0", "UnitFileState": "",
		"FragmentPath": "", "InvocationID": "", "Description": name, "ActiveEnterTimestamp": "", "ExecMainStartTimestamp": "",
		"ExecMainExitTimestamp": "", "Transient": "no", "Type": "simple", "NeedDaemonReload": "no", "EnvironmentFiles": "",
	}
	if u == nil {
		return m
	}
	m["LoadState"], m["ActiveState"], m["SubState"], m["Result"] = "loaded", u.state, u.sub, u.result
	m["Description"], m["NRestarts"], m["InvocationID"] = u.description, strconv.Itoa(u.restarts), u.invocation
	m["ExecMainPID"] = strconv.Itoa(u.pid)
	m["FragmentPath"], m["UnitFileState"] = "/etc/systemd/system/"+u.name, "enabled"
	m["ExecStart"] = "{ path=" + u.argv[0] + " ; argv[]=" + strings.Join(u.argv, " ") + " ; ignore_errors=no }"
	if u.transient {
		m["FragmentPath"], m["UnitFileState"], m["Transient"] = "/run/systemd/transient/"+u.name, "transient", "yes"
	} else {
		m["EnvironmentFiles"] = "/etc/systemd/system/" + u.name + ".env (ignore_errors=yes)"
		m["Type"] = map[bool]string{true: "notify", false: "exec"}[u.notify]
	}
	if u.state == active && u.sub == "running" || u.state == activating {
		m["MainPID"] = strconv.Itoa(u.pid)
	}
	m["ActiveEnterTimestamp"], m["ExecMainStartTimestamp"] = stamp(u.began), stamp(u.began)
	if !u.ended.IsZero() {
		m["ExecMainExitTimestamp"], m["ExecMainStatus"], m["ExecMainCode"] = stamp(u.ended), strconv.Itoa(u.code), "1"
		if u.signal != "" {
			m["ExecMainCode"] = "2"
		}
	}
	return m
}

// stamp is a time as systemd writes it.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("Mon 2006-01-02 15:04:05 MST")
}

func (p *process) show(units, properties []string, value bool) int {
	for i, name := range units {
		if i > 0 {
			p.print("\n")
		}
		m := p.box.properties(name)
		names := properties
		if len(names) == 0 {
			names = slices.Sorted(maps.Keys(m))
		}
		for _, k := range names {
			v, ok := m[k]
			switch {
			case value:
				p.print("%s\n", v)
			case ok:
				p.print("%s=%s\n", k, v)
			}
		}
	}
	return 0
}

func (p *process) status(units []string) int {
	code := 0
	for _, name := range units {
		m := p.box.properties(name)
		if m["LoadState"] != "loaded" {
			p.say("Unit %s could not be found.", name)
			code = 4
			continue
		}
		p.print("● %s - %s\n     Loaded: loaded (%s; %s; preset: enabled)\n     Active: %s (%s) since %s\n   Main PID: %s\n\n",
			name, m["Description"], m["FragmentPath"], m["UnitFileState"], m["ActiveState"], m["SubState"], m["ActiveEnterTimestamp"], m["MainPID"])
		if m["ActiveState"] != active {
			code = 3
		}
		entries, _ := p.box.journal.after(0)
		entries = slices.DeleteFunc(slices.Clone(entries), func(e entry) bool { return !e.of(name) })
		for _, e := range entries[max(0, len(entries)-10):] {
			p.print("%s\n", p.box.journal.short(e, "short"))
		}
	}
	return code
}

func (p *process) catUnits(units []string) int {
	code := 0
	for _, name := range units {
		at := p.box.properties(name)["FragmentPath"]
		text, err := p.box.disk.read(p.who, at)
		if err != nil {
			p.say("No files found for %s.", name)
			code = 1
			continue
		}
		p.print("# %s\n%s", at, text)
	}
	return code
}

func (p *process) listUnits(_ []string) int {
	p.box.mu.Lock()
	names := slices.Sorted(maps.Keys(p.box.units))
	lines := make([]string, len(names))
	for i, n := range names {
		u := p.box.units[n]
		lines[i] = fmt.Sprintf("%s loaded %s %s %s", n, u.state, u.sub, u.description)
	}
	p.box.mu.Unlock()
	for _, l := range lines {
		p.print("%s\n", l)
	}
	return 0
}
