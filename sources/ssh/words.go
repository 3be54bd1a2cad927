package ssh

import (
	"strings"

	"daytwo/sources"
)

// wrapped is the line for the login shell, whatever that is. The mark stands
// in the arguments of what it starts, so that killLine finds it.
func wrapped(c sources.Command, user, mark string) string {
	line := "env LC_ALL=C sh -c " + sources.Quote(c.Line+"\n# "+mark)
	if c.Root && user != "root" {
		line = "env LC_ALL=C sudo -n -- " + line
	}
	return "exec " + line
}

// killLine ends every process group in which a process has the mark in its
// arguments; its own arguments do not match the pattern in them.
func killLine(mark string) string {
	pattern := "[" + mark[:1] + "]" + mark[1:]
	return `for s in TERM KILL; do
  for f in $(grep -ls '` + pattern + `' /proc/[0-9]*/cmdline); do
    g=$(sed 's/.*) //' "${f%cmdline}stat" 2>/dev/null | cut -d' ' -f3) && [ "${g:-0}" -gt 1 ] && kill -s "$s" -- "-$g" 2>/dev/null
  done
  [ "$s" = KILL ] || sleep 0.3 2>/dev/null || sleep 1
done
exit 0`
}

// sudoRefusal reads from a failed command that it was sudo that failed.
func sudoRefusal(e *sources.ExitError, user string) error {
	refused := &sources.SudoError{Host: e.Host, User: user}
	last := e.Stderr[strings.LastIndexByte(e.Stderr, '\n')+1:]
	switch {
	case e.Code == 127 && strings.Contains(last, "sudo") && strings.Contains(last, "not found"),
		e.Code == 127 && strings.Contains(last, "sudo") && strings.Contains(last, "No such file"):
		refused.Why, refused.Next = "there is no sudo", "Log in as root (ssh.user in the configuration), or install sudo"
	case e.Code != 1:
		return nil
	case strings.HasPrefix(last, "sudo: a password is required"), strings.HasPrefix(last, "sudo: a terminal is required"), strings.HasPrefix(last, "sudo: interactive authentication is required"):
		refused.Why, refused.Next = "sudo wants a password, and daytwo gives none",
			"Allow it without one: echo '"+user+" ALL=(root) NOPASSWD: ALL' in a file below /etc/sudoers.d, or log in as root (ssh.user)"
	case strings.Contains(last, "not in the sudoers file"), strings.Contains(last, "is not allowed to execute"), strings.Contains(last, "may not run sudo"):
		refused.Why, refused.Next = "sudo does not allow it: "+last,
			"Allow it: echo '"+user+" ALL=(root) NOPASSWD: ALL' in a file below /etc/sudoers.d, or log in as root (ssh.user)"
	default:
		return nil
	}
	return refused
}

// lastLines are the last n lines that say something, each cleaned.
func lastLines(text string, n int) string {
	var out []string
	for line := range strings.Lines(text) {
		if clean := strings.TrimSpace(sources.Clean(strings.TrimRight(line, "\r\n"), sources.MaxMessage)); clean != "" {
			out = append(out, clean)
		}
	}
	return strings.Join(out[max(0, len(out)-n):], "\n")
}
