package ssh

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"daytwo/sources"
)

// Below /run/daytwo, which is empty after a boot, a unit has: NAME.sh, its
// script; NAME.begun, made by the first that begins; NAME.status, how it
// ended: systemd's words for the result, how and with what.
const unitFolder = "/run/daytwo"

// Exit codes of our own scripts, for what is no failure of the shell.
const (
	noUnits  = 69
	notBegun = 70
)

// startLine takes the script from its input. A unit that was begun before is
// left alone, whether it runs or ended. The unit notes itself how it ended;
// where it was killed, systemd does.
const startLine = `umask 077
d=` + unitFolder + ` n=NAME
command -v systemd-run >/dev/null 2>&1 && [ -d /run/systemd/system ] || exit 69
mkdir -p "$d" || exit 70
[ -e "$d/$n.begun" ] && exit 0
cat >"$d/$n.new.$$" && mv "$d/$n.new.$$" "$d/$n.sh" || { rm -f "$d/$n.new.$$"; exit 70; }
cat >"$d/unit.new.$$" <<'END' && mv "$d/unit.new.$$" "$d/unit" || exit 70
umask 077
at="/run/daytwo/$2"
if [ "$1" = run ]; then
  mkdir "$at.begun" 2>/dev/null || exit 0
  umask 022
  sh "$at.sh"
  set -- ended "$2" "$?"
  umask 077
  echo "unit exited $3" >"$at.ended" && mv "$at.ended" "$at.status"
  exit "$3"
fi
[ -e "$at.status" ] && exit 0
echo "$SERVICE_RESULT $EXIT_CODE $EXIT_STATUS" >"$at.ended" && mv "$at.ended" "$at.status"
END
systemd-run --quiet --unit="$n" --collect --description="daytwo $n" \
  --property=LogRateLimitIntervalSec=0 --property=SyslogLevelPrefix=no \
  --property="ExecStopPost=/bin/sh $d/unit ended $n" --setenv=LC_ALL=C \
  /bin/sh "$d/unit" run "$n" && exit 0
r=$?
if [ -e "$d/$n.begun" ] || systemctl is-active --quiet "$n.service"; then exit 0; fi
exit $r`

// lookLine says how a unit stands, in one line that begins with "=".
const lookLine = `d=` + unitFolder + ` n=NAME
if [ -e "$d/$n.status" ]; then echo "= ended $(cat "$d/$n.status")"; exit 0; fi
case "$(systemctl show -p ActiveState --value "$n.service" 2>/dev/null)" in
active|activating|deactivating|reloading) echo "= running"; exit 0;; esac
if [ -e "$d/$n.status" ]; then echo "= ended $(cat "$d/$n.status")"
elif [ -e "$d/$n.begun" ]; then echo "= gone"
else echo "= unknown"; fi
`

// journalLine reads what the unit's own processes wrote, and what systemd
// says of it.
const journalLine = `journalctl -b -a -o json --no-pager --quiet --output-fields=MESSAGE,_LINE_BREAK,_PID CURSOR FOLLOW _SYSTEMD_UNIT=NAME.service + UNIT=NAME.service _PID=1`

// followLine follows for some seconds: it ends by itself where nobody is at
// the other end of the line, and leaves its session to others.
const followLine = `timeout 5 ` + journalLine

// readLine says how the unit stands and then reads out what is left: what an
// ended unit wrote is in the journal by then.
const readLine = "(\n" + lookLine + `)
journalctl --sync 2>/dev/null
` + journalLine

// Start begins a unit, unless it was begun before.
func (h *host) Start(ctx context.Context, u sources.Unit) error {
	line, err := unitLine(startLine, u.Name, "")
	if err != nil {
		return err
	}
	err = h.Run(ctx, sources.Command{Line: line, Root: true, Stdin: strings.NewReader(u.Script)})
	failed, ok := errors.AsType[*sources.ExitError](err)
	if !ok {
		return err
	}
	failed.Line = "systemd-run --unit=" + u.Name
	switch failed.Code {
	case noUnits:
		return fmt.Errorf("%s has no systemd-run, or does not run systemd: nothing was begun, for what takes long would break off with the line. Run it there by hand, within tmux or the like", h.node)
	case notBegun:
		return fmt.Errorf("nothing was begun on %s, the script cannot be kept below %s: %w", h.node, unitFolder, failed)
	}
	return fmt.Errorf("beginning %s on %s: %w", u.Name, h.node, failed)
}

// Look says how a unit stands.
func (h *host) Look(ctx context.Context, unit string) (sources.UnitState, error) {
	line, err := unitLine(lookLine, unit, "")
	if err != nil {
		return sources.UnitState{}, err
	}
	var out bytes.Buffer
	if err := h.Run(ctx, sources.Command{Line: line, Root: true, Stdout: &out}); err != nil {
		return sources.UnitState{}, err
	}
	return unitState(strings.TrimSpace(out.String()))
}

// Follow writes a unit's output from a cursor until the unit ends.
func (h *host) Follow(ctx context.Context, unit, cursor string, out io.Writer, at func(string)) (sources.UnitState, error) {
	j := &journal{out: out, at: at, cursor: cursor}
	for {
		if err := h.read(ctx, readLine, unit, j); err != nil {
			return sources.UnitState{}, err
		}
		state, err := unitState(j.state)
		if err != nil || !state.Running {
			return state, err
		}
		if err := h.read(ctx, followLine, unit, j); err != nil && !timedOut(err) {
			return sources.UnitState{}, err
		}
	}
}

// timedOut reports whether timeout ended a command, as it should.
func timedOut(err error) bool {
	e, ok := errors.AsType[*sources.ExitError](err)
	return errors.Is(err, errLeft) || ok && (e.Code == 124 || e.Code == 143 || e.Signal == "TERM")
}

// read runs a script whose output is the journal's. Following, it leaves when
// systemd says something about the unit, for that may be its end.
func (h *host) read(ctx context.Context, text, unit string, j *journal) error {
	script, err := unitLine(text, unit, j.cursor)
	if err != nil {
		return err
	}
	j.rest, j.state, j.err, j.said = nil, "", nil, make(chan struct{}, 1)
	var leave chan struct{}
	if text == followLine {
		leave = j.said
	}
	err = h.on(ctx, func(l *line) error {
		return h.run(ctx, l, sources.Command{Line: script, Root: true, Stdout: j}, leave)
	})
	if j.err != nil {
		return fmt.Errorf("reading the journal of %s: %w", h.node, j.err)
	}
	return err
}

// unitLine fills a script of ours.
func unitLine(script, unit, cursor string) (string, error) {
	if !regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,199}$`).MatchString(unit) {
		return "", fmt.Errorf("%q is no name for a unit: letters, digits and dashes only", unit)
	}
	after := ""
	if cursor != "" {
		after = sources.Quote("--after-cursor=" + cursor)
	}
	follow := ""
	if script == followLine {
		follow = "-f --no-tail"
	}
	return strings.NewReplacer("NAME", unit, "CURSOR", after, "FOLLOW", follow).Replace(script), nil
}

// unitState reads what lookLine says.
func unitState(text string) (sources.UnitState, error) {
	words := strings.Fields(text)
	if len(words) < 2 || words[0] != "=" {
		return sources.UnitState{}, fmt.Errorf("the answer about the unit is not understood: %q", sources.Clean(text, 200))
	}
	switch words[1] {
	case "running":
		return sources.UnitState{Known: true, Running: true}, nil
	case "unknown":
		return sources.UnitState{}, nil
	case "ended":
		return sources.UnitState{Known: true, Exit: exitOf(words[2:])}, nil
	}
	return sources.UnitState{Known: true, Exit: -1}, nil // nobody saw its end
}

// exitOf is a unit's exit code as a shell would say it, from systemd's
// result, how it ended, and its code or signal.
func exitOf(words []string) int {
	if len(words) < 3 {
		return -1
	}
	if n, err := strconv.Atoi(words[2]); err == nil && words[1] == "exited" {
		return n
	}
	for i, name := range strings.Fields("HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM") {
		if name == strings.TrimPrefix(words[2], "SIG") {
			return 128 + i + 1
		}
	}
	return -1
}

// journal takes journalctl's JSON lines, writes the messages to out and keeps
// the cursor. What comes after the last line break is dropped: it is read
// again from the cursor.
type journal struct {
	out    io.Writer
	at     func(string)
	cursor string
	state  string
	err    error
	rest   []byte
	said   chan struct{} // systemd said something about the unit
}

// longestEntry bounds one entry; journald cuts lines much shorter.
const longestEntry = 8 << 20

func (j *journal) Write(p []byte) (int, error) {
	n := len(p)
	for {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			break
		}
		line := p[:i]
		if len(j.rest) > 0 {
			line = append(j.rest, line...)
		}
		p = p[i+1:]
		err := j.entry(line)
		j.rest = j.rest[:0]
		if err != nil {
			j.err = err
			return 0, err
		}
	}
	if j.rest = append(j.rest, p...); len(j.rest) > longestEntry {
		j.err = bufio.ErrTooLong
		return 0, j.err
	}
	return n, nil
}
