package box

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// query is what journalctl was asked for.
type query struct {
	units, matches, ids []string
	fields              []string
	lines               int // -1: all
	follow, reverse     bool
	all, quiet          bool
	after               string
	afterHas, cursor    bool
	output, grep        string
	since, until        time.Time
}

// of tells whether an entry is a unit's, or the manager's about it.
func (e entry) of(unit string) bool {
	return e.fields["_SYSTEMD_UNIT"] == unit || (e.fields["UNIT"] == unit && e.fields["_PID"] == "1")
}

func (q *query) wants(e entry) bool {
	if len(q.units) > 0 && !slices.ContainsFunc(q.units, e.of) {
		return false
	}
	if len(q.ids) > 0 && !slices.Contains(q.ids, e.fields["SYSLOG_IDENTIFIER"]) {
		return false
	}
	if !q.since.IsZero() && e.at.Before(q.since) || !q.until.IsZero() && e.at.After(q.until) {
		return false
	}
	if q.grep != "" && !strings.Contains(strings.ToLower(e.fields["MESSAGE"]), strings.ToLower(q.grep)) {
		return false
	}
	return len(q.matches) == 0 || q.matched(e)
}

// matched is for FIELD=value words: "+" is an or between groups.
func (q *query) matched(e entry) bool {
	group := true
	for _, m := range q.matches {
		if m == "+" {
			if group {
				return true
			}
			group = true
			continue
		}
		k, v, _ := strings.Cut(m, "=")
		have := e.fields[k]
		group = group && have == v
	}
	return group
}

// journalctl reads the journal, or makes it smaller.
func journalctl(ctx context.Context, p *process, args []string) int {
	q := &query{lines: -1, output: "short"}
	rest := args[1:]
	for len(rest) > 0 {
		word := rest[0]
		rest = rest[1:]
		name, v, has := splitOption(word)
		if !has && journalTakes(name) {
			if len(rest) == 0 {
				return p.say("journalctl: option '%s' requires an argument", name)
			}
			v, rest = rest[0], rest[1:]
		}
		if done, code := p.journalOption(q, name, v); done {
			return code
		}
	}
	if p.who.uid != 0 && p.who.name != Operator {
		p.say("Hint: You are currently not seeing messages from other users and the system.\n" +
			"      Users in groups 'adm', 'systemd-journal' can see all messages.\n      Pass -q to turn off this notice.")
		return p.say("No journal files were opened due to insufficient permissions.")
	}
	return p.readJournal(ctx, q)
}

// splitOption parts --name=value and -nvalue.
func splitOption(word string) (name, value string, has bool) {
	if strings.HasPrefix(word, "--") {
		return strings.Cut(word, "=")
	}
	if len(word) > 2 && word[0] == '-' && strings.ContainsRune("nuotSUgpI", rune(word[1])) {
		return word[:2], word[2:], true
	}
	return word, "", false
}

func journalTakes(name string) bool {
	switch name {
	case "-u", "--unit", "-n", "--lines", "-o", "--output", "--after-cursor", "-c", "--cursor", "-S", "--since", "-U", "--until",
		"-t", "--identifier", "-g", "--grep", "-p", "--priority", "--output-fields", "--vacuum-size", "--vacuum-time", "--cursor-file":
		return true
	}
	return false
}

func (p *process) journalOption(q *query, name, v string) (done bool, code int) {
	switch name {
	case "-u", "--unit":
		q.units = append(q.units, serviceName(v))
	case "-n", "--lines":
		q.lines, _ = strconv.Atoi(strings.TrimPrefix(v, "+"))
		if v == "all" {
			q.lines = -1
		}
	case "-o", "--output":
		q.output = v
	case "--after-cursor":
		q.after, q.afterHas = v, true
	case "--sync", "--flush":
		return true, 0 // the box's journal is written at once
	case "-f", "--follow":
		q.follow = true
	case "-S", "--since", "-U", "--until":
		t, ok := p.when(v)
		if !ok {
			return true, p.say("Failed to parse timestamp: %s", v)
		}
		if strings.Contains(name, "S") || strings.Contains(name, "since") {
			q.since = t
		} else {
			q.until = t
		}
	case "-t", "--identifier":
		q.ids = append(q.ids, v)
	case "-g", "--grep":
		q.grep = v
	case "--output-fields":
		q.fields = strings.Split(v, ",")
	case "--show-cursor":
		q.cursor = true
	case "--disk-usage":
		p.print("Archived and active journals take up %s in the file system.\n", human1(p.box.journalBytes()))
		return true, 0
	case "--vacuum-size":
		return true, p.vacuum(v)
	default:
		return p.journalFlag(q, name)
	}
	return false, 0
}

func (p *process) journalFlag(q *query, name string) (done bool, code int) {
	switch name {
	case "-r", "--reverse":
		q.reverse = true
	case "--no-tail":
		q.all = true
	case "-q", "--quiet":
		q.quiet = true
	case "--list-boots":
		p.print("IDX BOOT ID                          FIRST ENTRY                 LAST ENTRY\n  0 %s %s %s\n", p.box.journal.boot,
			stamp(p.box.o.Booted), stamp(p.box.o.Now()))
		return true, 0
	case "--no-pager", "-b", "--boot", "-a", "--all", "-e", "-x", "-p", "--priority", "-m", "--utc", "--no-hostname", "--system", "--sync", "--flush", "--rotate":
	default:
		if strings.HasPrefix(name, "-") {
			return true, p.say("journalctl: unrecognized option '%s'", name)
		}
		q.matches = append(q.matches, name)
	}
	return false, 0
}

func (p *process) when(v string) (time.Time, bool) {
	now := p.box.o.Now()
	if s, ok := strings.CutPrefix(v, "@"); ok {
		n, err := strconv.ParseFloat(s, 64)
		return time.UnixMicro(int64(n * 1e6)), err == nil
	}
	if v == "today" {
		return now.Truncate(24 * time.Hour), true
	}
	text := strings.NewReplacer("hours", "h", "hour", "h", "minutes", "m", "minute", "m", "min", "m", "seconds", "s", "sec", "s", " ", "", "ago", "").Replace(strings.TrimPrefix(v, "-"))
	if d, err := time.ParseDuration(text); err == nil {
		return now.Add(-d), true
	}
	for _, layout := range []string{time.DateTime, "2006-01-02 15:04", time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, v); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// readJournal writes what was asked for, and goes on when it follows.
func (p *process) readJournal(ctx context.Context, q *query) int {
	j := p.box.journal
	var from uint64
	if q.after != "" {
		seq, ok := place(q.after)
		if !ok {
			return p.say("Failed to seek to cursor: Invalid argument")
		}
		from = seq
	}
	entries, more := j.after(from)
	last := from
	if len(entries) > 0 {
		last = entries[len(entries)-1].seq
	}
	entries = slices.DeleteFunc(slices.Clone(entries), func(e entry) bool { return !q.wants(e) })
	n := q.lines
	if q.follow && n < 0 && !q.all && !q.afterHas {
		n = 10
	}
	if n >= 0 && n < len(entries) {
		entries = entries[len(entries)-n:]
	}
	if q.reverse {
		slices.Reverse(entries)
	}
	if len(entries) == 0 && !q.quiet && !q.follow {
		p.print("-- No entries --\n")
	}
	for _, e := range entries {
		if !p.print("%s\n", j.format(e, q)) {
			return 1
		}
	}
	if q.cursor && len(entries) > 0 {
		p.print("-- cursor: %s\n", j.cursor(entries[len(entries)-1]))
	}
	if q.follow {
		return p.followJournal(ctx, q, last, more)
	}
	return 0
}

func (p *process) followJournal(ctx context.Context, q *query, last uint64, more <-chan struct{}) int {
	j := p.box.journal
	for {
		select {
		case <-more:
		case <-ctx.Done():
			return 130
		}
		var entries []entry
		entries, more = j.after(last)
		for _, e := range entries {
			last = e.seq
			if q.wants(e) && !p.print("%s\n", j.format(e, q)) {
				return 1
			}
		}
	}
}

func (j *journal) format(e entry, q *query) string {
	switch q.output {
	case "cat":
		return e.fields["MESSAGE"]
	case "json", "json-seq", "json-pretty":
		m := map[string]string{
			"__CURSOR": j.cursor(e), "__REALTIME_TIMESTAMP": strconv.FormatInt(e.at.UnixMicro(), 10), "__SEQNUM": strconv.FormatUint(e.seq, 10),
			"__MONOTONIC_TIMESTAMP": strconv.FormatInt(max(0, e.at.Sub(j.booted).Microseconds()), 10), "_BOOT_ID": j.boot,
		}
		for k, v := range e.fields {
			if len(q.fields) == 0 || slices.Contains(q.fields, k) {
				m[k] = v
			}
		}
		b, err := json.Marshal(m)
		if err != nil {
			return err.Error()
		}
		return string(b)
	case "export":
		return fmt.Sprintf("__CURSOR=%s\nMESSAGE=%s\n", j.cursor(e), e.fields["MESSAGE"])
	}
	text := j.short(e, q.output)
	if q.output == "with-unit" {
		text = j.short(e, "short")
	}
	return text
}

func (j *journal) short(e entry, layout string) string {
	at := e.at.UTC()
	when := at.Format("Jan 02 15:04:05")
	switch layout {
	case "short-iso":
		when = at.Format("2006-01-02T15:04:05-07:00")
	case "short-iso-precise":
		when = at.Format("2006-01-02T15:04:05.000000-07:00")
	case "short-precise":
		when = at.Format("Jan 02 15:04:05.000000")
	case "short-full":
		when = stamp(at)
	case "short-unix":
		when = fmt.Sprintf("%d.%06d", at.Unix(), at.Nanosecond()/1000)
	}
	return fmt.Sprintf("%s %s %s[%s]: %s", when, j.host, e.fields["SYSLOG_IDENTIFIER"], e.fields["_PID"], e.fields["MESSAGE"])
}

// journalDir is where journald keeps its files.
const journalDir = "/var/log/journal"

func (b *Box) journalBytes() int64 {
	b.disk.mu.RLock()
	defer b.disk.mu.RUnlock()
	n, err := b.disk.find(who{}, journalDir, true, 0)
	if err != nil {
		return 0
	}
	return weigh(n, n.dev).room
}

// vacuum removes archived files, the oldest first, until the rest fits.
func (p *process) vacuum(limit string) int {
	most, ok := bytesOf(limit)
	switch {
	case !ok:
		return p.say("Failed to parse vacuum size: %s", limit)
	case p.who.uid != 0:
		return p.say("Failed to vacuum: Permission denied")
	}
	b := p.box
	var freed int64
	dir := journalDir + "/" + b.journal.boot
	files, err := b.disk.list(p.who, dir)
	if err != nil && !os.IsNotExist(err) {
		return p.say("Failed to vacuum: %s", why(err))
	}
	for _, f := range files {
		if !strings.Contains(f.name, "@") || b.journalBytes() <= most {
			continue
		}
		if b.disk.remove(p.who, dir+"/"+f.name) == nil {
			freed += f.room
			p.say("Deleted archived journal %s/%s (%s).", dir, f.name, human1(f.room))
		}
	}
	p.say("Vacuuming done, freed %s of archived journals from %s.", human1(freed), dir)
	return 0
}
