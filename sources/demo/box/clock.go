package box

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

func sleep(ctx context.Context, p *process, args []string) int {
	if len(args) != 2 {
		return p.say("sleep: missing operand")
	}
	d, err := seconds(args[1])
	if err != nil {
		return p.say("sleep: invalid time interval '%s'", args[1])
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return 0
	case <-ctx.Done():
		return 143
	}
}

// seconds reads 5, 0.2, 5s, 2m, 1h and 1d.
func seconds(text string) (time.Duration, error) {
	unit := time.Second
	if n := len(text); n > 0 {
		if u, ok := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}[text[n-1]]; ok {
			unit, text = u, text[:n-1]
		}
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, fmt.Errorf("read %q as seconds: %w", text, err)
	}
	return time.Duration(v * float64(unit)), nil
}

func date(_ context.Context, p *process, args []string) int {
	now := p.box.o.Now().UTC()
	format := ""
	for _, a := range args[1:] {
		if strings.HasPrefix(a, "+") {
			format = a[1:]
		}
		if strings.HasPrefix(a, "-Is") || strings.HasPrefix(a, "--iso-8601=s") {
			format = "%Y-%m-%dT%H:%M:%S+00:00"
		}
	}
	if format == "" {
		p.print("%s\n", now.Format("Mon Jan _2 15:04:05 UTC 2006"))
		return 0
	}
	p.print("%s\n", expandPercent(format, func(c byte) string {
		layout := map[byte]string{'Y': "2006", 'm': "01", 'd': "02", 'H': "15", 'M': "04", 'S': "05", 'F': time.DateOnly, 'T': time.TimeOnly, 'Z': "MST", 'z': "-0700"}[c]
		switch {
		case c == 's':
			return strconv.FormatInt(now.Unix(), 10)
		case c == 'N':
			return now.Format("000000000")
		case layout == "":
			return "%" + string(c)
		}
		return now.Format(layout)
	}))
	return 0
}

func uptime(_ context.Context, p *process, args []string) int {
	f, _ := parse(args)
	if f.has("s", "since") {
		p.print("%s\n", p.box.o.Booted.UTC().Format(time.DateTime))
		return 0
	}
	p.print(" %s up %d days,  0 users,  load average: 0.42, 0.39, 0.37\n", p.box.o.Now().UTC().Format(time.TimeOnly), int(p.box.o.Now().Sub(p.box.o.Booted).Hours()/24))
	return 0
}
