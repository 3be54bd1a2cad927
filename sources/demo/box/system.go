package box

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// commands are the programs of the machine but the k3s binary.
func commands() map[string]command {
	ok := func(context.Context, *process, []string) int { return 0 }
	return map[string]command{
		"sh": runShell, "bash": runShell, "dash": runShell,
		"sudo": sudo, "env": envCommand, "nice": wrapper("n", "adjustment"), "ionice": wrapper("c", "n", "p", "class", "classdata"),
		"setsid": wrapper(), "nohup": wrapper(), "stdbuf": wrapper("i", "o", "e"), "chronic": wrapper(),
		"timeout": timeout, "sleep": sleep, "true": ok, "sync": ok, "modprobe": ok, "ulimit": ok, "times": ok,
		"false": func(context.Context, *process, []string) int { return 1 },
		"uname": uname, "hostname": hostname, "id": id, "whoami": whoami, "date": date, "uptime": uptime, "nproc": nproc, "which": which,
		"systemctl": systemctl, "systemd-run": systemdRun, "journalctl": journalctl, "kill": kill,
		"cat": cat, "ls": ls, "mkdir": mkdir, "rm": rm, "rmdir": rm, "mv": mv, "cp": cp, "ln": ln, "chmod": chmod, "chown": chown,
		"install": install, "mktemp": mktemp, "touch": touch, "truncate": truncate, "tee": tee, "dd": dd,
		"stat": stat, "readlink": readlink, "realpath": readlink, "df": df, "du": du, "find": find,
		"head": head, "tail": tail, "wc": wc, "sort": sortLines, "uniq": uniq, "grep": grep, "egrep": grep, "fgrep": grep, "cut": cut, "tr": tr,
		"sha256sum": sha256sum, "curl": curl, "basename": basename, "dirname": dirname, "apt-get": aptGet, "sqlite3": sqlite3, "cmp": cmpFiles,
		"echo": echo,
	}
}

// sudo becomes root, or says why not.
func sudo(ctx context.Context, p *process, args []string) int {
	rest := args[1:]
	n := false
	for len(rest) > 0 && strings.HasPrefix(rest[0], "-") {
		word := rest[0]
		rest = rest[1:]
		if word == "--" {
			break
		}
		if word == "-n" || word == "--non-interactive" {
			n = true
		}
		if (word == "-u" || word == "-p") && len(rest) > 0 {
			rest = rest[1:]
		}
	}
	if p.who.uid != 0 {
		i := slices.IndexFunc(accounts(), func(a account) bool { return a.who.uid == p.who.uid })
		switch {
		case p.box.fault().SudoAsks && n:
			return p.say("sudo: a password is required")
		case p.box.fault().SudoAsks:
			return p.say("sudo: a terminal is required to read the password; either use the -S option to read from standard input or configure an askpass helper")
		case (i < 0 || !accounts()[i].sudo) && n:
			return p.say("sudo: a password is required")
		case i < 0 || !accounts()[i].sudo:
			return p.say("%s is not in the sudoers file.", p.who.name)
		}
	}
	child := *p
	child.who = who{0, 0, "root", 0o022}
	child.env = maps.Clone(p.env)
	child.env["SUDO_USER"], child.env["USER"], child.env["HOME"], child.env["PATH"] = p.who.name, "root", "/root", searchPath
	for len(rest) > 0 && strings.Contains(rest[0], "=") && !strings.Contains(rest[0], "/") {
		k, v, _ := strings.Cut(rest[0], "=")
		child.env[k], rest = v, rest[1:]
	}
	if len(rest) == 0 {
		return 0
	}
	if _, err := child.which(rest[0]); err != nil {
		return p.say("sudo: %s: command not found", rest[0])
	}
	return child.run(ctx, rest)
}

func envCommand(ctx context.Context, p *process, args []string) int {
	child := *p
	child.env = maps.Clone(p.env)
	rest := args[1:]
	for len(rest) > 0 && (strings.Contains(rest[0], "=") || rest[0] == "-i") {
		if k, v, ok := strings.Cut(rest[0], "="); ok {
			child.env[k] = v
		} else {
			child.env = map[string]string{"PATH": searchPath}
		}
		rest = rest[1:]
	}
	if len(rest) > 0 {
		return child.run(ctx, rest)
	}
	for _, k := range slices.Sorted(maps.Keys(child.env)) {
		p.print("%s=%s\n", k, child.env[k])
	}
	return 0
}

// wrapper is a command that runs another one, here without more ado.
func wrapper(takes ...string) command {
	return func(ctx context.Context, p *process, args []string) int {
		rest := args[1:]
		for len(rest) > 0 && strings.HasPrefix(rest[0], "-") && rest[0] != "-" {
			word := rest[0]
			rest = rest[1:]
			if word == "--" {
				break
			}
			name := strings.TrimLeft(word, "-")
			if slices.Contains(takes, name) && len(rest) > 0 {
				rest = rest[1:]
			}
		}
		if len(rest) == 0 {
			return 0
		}
		return p.run(ctx, rest)
	}
}

func timeout(ctx context.Context, p *process, args []string) int {
	rest := args[1:]
	for len(rest) > 0 && strings.HasPrefix(rest[0], "-") {
		word := rest[0]
		rest = rest[1:]
		if (word == "-k" || word == "-s") && len(rest) > 0 {
			rest = rest[1:]
		}
	}
	if len(rest) < 2 {
		p.say("timeout: missing operand")
		return 125
	}
	d, err := seconds(rest[0])
	if err != nil {
		p.say("timeout: invalid time interval '%s'", rest[0])
		return 125
	}
	limited, cancel := ctx, context.CancelFunc(func() {})
	if d > 0 {
		limited, cancel = context.WithTimeout(ctx, d)
	}
	defer cancel()
	code := p.run(limited, rest[1:])
	if limited.Err() != nil && ctx.Err() == nil {
		return 124
	}
	return code
}

func uname(_ context.Context, p *process, args []string) int {
	f, _ := parse(args)
	var out []string
	for _, o := range [][3]string{
		{"s", "kernel-name", "Linux"}, {"n", "nodename", p.box.o.Name}, {"r", "kernel-release", "6.8.0-71-generic"}, {"m", "machine", "x86_64"},
	} {
		if f.has("a", o[0], o[1]) {
			out = append(out, o[2])
		}
	}
	if len(out) == 0 {
		out = []string{"Linux"}
	}
	p.print("%s\n", strings.Join(out, " "))
	return 0
}

func hostname(_ context.Context, p *process, _ []string) int {
	p.print("%s\n", p.box.o.Name)
	return 0
}

func id(_ context.Context, p *process, args []string) int {
	f, _ := parse(args)
	switch {
	case f.has("u") && f.has("n"):
		p.print("%s\n", p.who.name)
	case f.has("u"):
		p.print("%d\n", p.who.uid)
	case f.has("g"):
		p.print("%d\n", p.who.gid)
	default:
		p.print("uid=%d(%s) gid=%d(%s) groups=%d(%s)\n", p.who.uid, p.who.name, p.who.gid, p.who.name, p.who.gid, p.who.name)
	}
	return 0
}

func whoami(_ context.Context, p *process, _ []string) int {
	p.print("%s\n", p.who.name)
	return 0
}

func nproc(_ context.Context, p *process, _ []string) int {
	p.print("%d\n", p.box.o.Cores)
	return 0
}

func which(_ context.Context, p *process, args []string) int {
	code := 0
	for _, name := range args[1:] {
		if strings.HasPrefix(name, "-") {
			continue
		}
		switch name {
		case "cd", "echo", "test", "[", "printf", "read", "true", "false", "kill", "command", "set", "export", "umask", "trap", "wait":
			p.print("%s\n", name)
			continue
		}
		at, err := p.which(name)
		if err != nil {
			code = 1
			continue
		}
		p.print("%s\n", at)
	}
	return code
}

func basename(_ context.Context, p *process, args []string) int {
	if len(args) < 2 {
		return p.say("basename: missing operand")
	}
	name := nameOf(args[1:])
	if len(args) > 2 {
		name = strings.TrimSuffix(name, args[2])
	}
	p.print("%s\n", name)
	return 0
}

func dirname(_ context.Context, p *process, args []string) int {
	for _, a := range args[1:] {
		i := strings.LastIndex(strings.TrimRight(a, "/"), "/")
		switch {
		case i < 0:
			p.print(".\n")
		case i == 0:
			p.print("/\n")
		default:
			p.print("%s\n", a[:i])
		}
	}
	return 0
}

func echo(_ context.Context, p *process, args []string) int {
	p.print("%s\n", strings.Join(args[1:], " "))
	return 0
}

func kill(_ context.Context, p *process, args []string) int {
	_, words := parse(args, "s")
	for _, w := range words {
		if pid, err := strconv.Atoi(w); err != nil || !p.box.release(pid) {
			return p.say("kill: (%s) - No such process", w)
		}
	}
	return 0
}

func cmpFiles(_ context.Context, p *process, args []string) int {
	_, words := parse(args)
	if len(words) != 2 {
		return p.say("cmp: name two files")
	}
	a, errA := p.readAny(words[0])
	b, errB := p.readAny(words[1])
	if errA != nil || errB != nil {
		p.say("cmp: cannot open: No such file or directory")
		return 2
	}
	if string(a) != string(b) {
		return p.say("%s %s differ", words[0], words[1])
	}
	return 0
}

// aptCache is where apt keeps what it fetched.
const aptCache = "/var/cache/apt/archives"

func aptGet(_ context.Context, p *process, args []string) int {
	_, words := parse(args, "o")
	switch {
	case len(words) == 0 || (words[0] != "clean" && words[0] != "autoclean"):
		p.say("E: the demo's apt-get only cleans")
		return 100
	case p.who.uid != 0:
		p.say("E: Could not open lock file /var/cache/apt/archives/lock - open (13: Permission denied)")
		return 100
	}
	files, err := p.box.disk.list(p.who, aptCache)
	if err != nil {
		return 0
	}
	for _, f := range files {
		if strings.HasSuffix(f.name, ".deb") {
			_ = p.box.disk.remove(p.who, aptCache+"/"+f.name)
		}
	}
	return 0
}

// sqlite3 copies k3s's datastore: .backup FILE, VACUUM INTO, and checks it.
func sqlite3(_ context.Context, p *process, args []string) int {
	_, words := parse(args, "cmd")
	if len(words) == 0 {
		return p.say("sqlite3: name a database")
	}
	data, err := p.box.disk.read(p.who, p.path(words[0]))
	if err != nil {
		return p.say("Error: unable to open database \"%s\": unable to open database file", words[0])
	}
	if !strings.HasPrefix(string(data), "SQLite format 3\x00") {
		return p.say("Error: file is not a database")
	}
	text := strings.Join(words[1:], " ")
	lower := strings.ToLower(text)
	switch {
	case strings.Contains(lower, "backup") || strings.Contains(lower, "vacuum into"):
		to := strings.Trim(text[strings.LastIndexAny(strings.TrimRight(text, "'\"; "), " '\"")+1:], `'"; `)
		if err := p.writeWhole(p.path(to), data, 0o644, false); err != nil {
			return p.say("Error: cannot open \"%s\": %s", to, why(err))
		}
	case strings.Contains(lower, "integrity_check"), strings.Contains(lower, "quick_check"):
		p.print("ok\n")
	case strings.Contains(lower, "count("):
		p.print("4821\n")
	}
	return 0
}
