package box

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"maps"
	"strings"
	"sync"
	"time"
)

// entry is a line of the journal.
type entry struct {
	seq    uint64
	at     time.Time
	fields map[string]string // MESSAGE, _SYSTEMD_UNIT, …
}

// journal is what journald keeps. Old entries are only said to be there.
type journal struct {
	mu      sync.Mutex
	host    string
	boot    string
	now     func() time.Time
	booted  time.Time
	entries []entry
	last    uint64
	more    chan struct{} // closed when something was added
}

// journalKept is how many entries can be read back.
const journalKept = 20_000

func newJournal(host string, now func() time.Time, booted time.Time) *journal {
	h := fnv.New128a()
	_, _ = h.Write([]byte(host))
	return &journal{host: host, boot: fmt.Sprintf("%032x", h.Sum(nil)), now: now, booted: booted, more: make(chan struct{})}
}

// add writes an entry of now.
func (j *journal) add(fields map[string]string) { j.addAt(j.now(), fields) }

func (j *journal) addAt(at time.Time, fields map[string]string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	fields["_HOSTNAME"] = j.host
	j.last++
	j.entries = append(j.entries, entry{seq: j.last, at: at, fields: fields})
	if len(j.entries) > journalKept*5/4 {
		j.entries = append([]entry(nil), j.entries[len(j.entries)-journalKept:]...)
	}
	close(j.more)
	j.more = make(chan struct{})
}

// systemd writes what the manager says about a unit.
func (j *journal) systemd(unit, message string, more ...string) {
	f := map[string]string{
		"MESSAGE": message, "UNIT": unit, "_PID": "1", "_UID": "0", "_GID": "0", "_COMM": "systemd", "SYSLOG_IDENTIFIER": "systemd",
		"SYSLOG_FACILITY": "3", "PRIORITY": "6", "_SYSTEMD_UNIT": "init.scope", "_TRANSPORT": "journal",
	}
	for i := 0; i+1 < len(more); i += 2 {
		f[more[i]] = more[i+1]
	}
	j.add(f)
}

// after are the entries behind a place, and what is closed when there are
// more.
func (j *journal) after(seq uint64) ([]entry, <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	i := len(j.entries)
	for i > 0 && j.entries[i-1].seq > seq {
		i--
	}
	return j.entries[i:len(j.entries):len(j.entries)], j.more
}

// cursor names an entry as journald does: all but i is the same for a boot.
func (j *journal) cursor(e entry) string {
	us := e.at.UnixMicro()
	return fmt.Sprintf("s=%s;i=%x;b=%s;m=%x;t=%x;x=%x", j.boot[:32], e.seq, j.boot, max(0, us-j.booted.UnixMicro()), us, e.seq*2654435761)
}

// place reads a cursor.
func place(cursor string) (uint64, bool) {
	for part := range strings.SplitSeq(cursor, ";") {
		if i, ok := strings.CutPrefix(part, "i="); ok {
			var seq uint64
			_, err := fmt.Sscanf(i, "%x", &seq)
			return seq, err == nil
		}
	}
	return 0, false
}

// writer turns what a process writes into entries, a line each.
type writer struct {
	mu     sync.Mutex
	j      *journal
	fields map[string]string
	rest   []byte
}

// Write takes a piece of output.
func (w *writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rest = append(w.rest, p...)
	for {
		line, rest, ok := bytes.Cut(w.rest, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		w.line(string(line))
		w.rest = append([]byte(nil), rest...)
	}
}

// flush ends the last line.
func (w *writer) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.rest) > 0 {
		w.line(string(w.rest))
		w.rest = nil
	}
}

func (w *writer) line(text string) {
	f := make(map[string]string, len(w.fields)+1)
	maps.Copy(f, w.fields)
	f["MESSAGE"] = text
	w.j.add(f)
}
