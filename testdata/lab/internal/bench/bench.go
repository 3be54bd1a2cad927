// Package bench measures a program on a terminal: memory, processor, bytes written,
// time to the first useful screen and to the answer of a key.
package bench

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"daytwolab/term"
)

// The terminal that everything is measured on.
const (
	width  = 200
	height = 50
)

// Program is what is measured.
type Program struct {
	Name string
	Args []string
	Env  []string
	// Useful are all on the screen once what the program is opened for is there;
	// Whole as well once everything is.
	Useful []*regexp.Regexp
	Whole  []*regexp.Regexp
	// List are keys that open a list to move in; Listed is on the screen then.
	List   string
	Listed *regexp.Regexp
}

// Figures are what was measured of a program.
type Figures struct {
	Start, Whole time.Duration // until the screen is useful, and whole; medians
	RSS          int64         // resident bytes at rest
	CPU          float64       // per cent of one core at rest
	IdleBytes    float64       // bytes a minute to the terminal at rest
	KeyBytes     int64         // median bytes a cursor key
	// From a cursor key to the first byte that answers it.
	KeyTime50, KeyTime95 time.Duration
}

// settle is how long a program gets to come to rest, idle how long it is watched then:
// twice the period of what the lab's own CronJob and kubelets do.
const (
	settle = 20 * time.Second
	idle   = 2 * time.Minute
	keys   = 40
	starts = 5
)

// Measure starts a program several times, and watches the last one at rest and at work.
func Measure(ctx context.Context, p Program) (Figures, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	var f Figures
	var useful, whole []time.Duration
	for n := range starts {
		t, times, err := start(ctx, p)
		if err != nil {
			return f, err
		}
		useful, whole = append(useful, times[0]), append(whole, times[1])
		if n == starts-1 {
			err = f.watch(ctx, t, p)
		}
		t.Close()
		if err != nil {
			return f, err
		}
	}
	f.Start, f.Whole = percentile(useful, 50), percentile(whole, 50)
	return f, nil
}

// start opens a program and returns when its screen was useful and when it was whole.
func start(ctx context.Context, p Program) (*term.Terminal, [2]time.Duration, error) {
	var times [2]time.Duration
	begun := time.Now()
	t, err := term.Start(ctx, width, height, p.Env, p.Args...)
	if err != nil {
		return nil, times, fmt.Errorf("measuring %s: %w", p.Name, err)
	}
	for n, wanted := range [][]*regexp.Regexp{p.Useful, p.Whole} {
		if err := t.Until(ctx, fmt.Sprintf("all of %v", wanted), func(s string) bool { return all(wanted, s) }); err != nil {
			t.Close()
			return nil, times, fmt.Errorf("measuring the start of %s: %w", p.Name, err)
		}
		times[n] = time.Since(begun)
	}
	return t, times, nil
}

func all(patterns []*regexp.Regexp, screen string) bool {
	for _, p := range patterns {
		if !p.MatchString(screen) {
			return false
		}
	}
	return true
}

func (f *Figures) watch(ctx context.Context, t *term.Terminal, p Program) error {
	if err := f.rest(ctx, t); err != nil {
		return fmt.Errorf("measuring %s at rest: %w", p.Name, err)
	}
	if err := f.cursor(ctx, t, p); err != nil {
		return fmt.Errorf("measuring the keys of %s: %w", p.Name, err)
	}
	return nil
}

// percentile is the value that so many per cent of them do not exceed (nearest rank).
func percentile[T cmp.Ordered](values []T, percent int) T {
	sorted := slices.Sorted(slices.Values(values))
	rank := (len(sorted)*percent + 99) / 100
	return sorted[max(rank, 1)-1]
}

// rest measures what the program takes when nobody types.
func (f *Figures) rest(ctx context.Context, t *term.Terminal) error {
	if err := wait(ctx, settle); err != nil {
		return err
	}
	before, err := processor(t.PID())
	if err != nil {
		return err
	}
	bytes, begun := t.Bytes(), time.Now()
	if err := wait(ctx, idle); err != nil {
		return err
	}
	after, err := processor(t.PID())
	if err != nil {
		return err
	}
	took := time.Since(begun)
	f.CPU = 100 * (after - before).Seconds() / took.Seconds()
	f.IdleBytes = float64(t.Bytes()-bytes) / took.Minutes()
	f.RSS, err = resident(t.PID())
	return err
}

// cursor measures what moving in a list costs.
func (f *Figures) cursor(ctx context.Context, t *term.Terminal, p Program) error {
	if p.List != "" {
		if err := t.Keys(p.List); err != nil {
			return err
		}
	}
	if err := t.Until(ctx, "the list", p.Listed.MatchString); err != nil {
		return err
	}
	bytes, times := make([]int64, 0, keys), make([]time.Duration, 0, keys)
	for range keys {
		if err := t.Quiet(ctx, 150*time.Millisecond); err != nil {
			return err
		}
		if err := wait(ctx, anyPhase()); err != nil {
			return err
		}
		before := t.Bytes()
		if err := t.Keys("j"); err != nil {
			return err
		}
		if err := wait(ctx, 150*time.Millisecond); err != nil {
			return err
		}
		if latency := t.Latency(); latency > 0 {
			bytes, times = append(bytes, t.Bytes()-before), append(times, latency)
		}
	}
	if len(times) == 0 {
		return fmt.Errorf("no key was answered; the screen:\n%s", t.Screen())
	}
	f.KeyBytes = percentile(bytes, 50)
	f.KeyTime50, f.KeyTime95 = percentile(times, 50), percentile(times, 95)
	return nil
}

// anyPhase is how much later a key comes than the screen came to rest. People
// press at any moment; a fixed pause would meet a program that draws by a clock
// always at the same distance from its next frame, and measure that.
func anyPhase() time.Duration { return time.Duration(rand.Int64N(int64(50 * time.Millisecond))) }

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return fmt.Errorf("waiting: %w", ctx.Err())
	case <-timer.C:
		return nil
	}
}

// ticks is the kernel's unit of processor time in /proc (USER_HZ).
const ticks = 100

// processor is the time a process has had so far.
func processor(pid int) (time.Duration, error) {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, fmt.Errorf("reading processor time: %w", err)
	}
	fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
	var sum time.Duration
	for _, f := range fields[11:13] { // utime and stime
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("reading processor time: %w", err)
		}
		sum += time.Duration(n) * time.Second / ticks
	}
	return sum, nil
}

// resident is the memory of a process.
func resident(pid int) (int64, error) {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "statm"))
	if err != nil {
		return 0, fmt.Errorf("reading memory: %w", err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(data))[1], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("reading memory: %w", err)
	}
	return pages * int64(os.Getpagesize()), nil
}
