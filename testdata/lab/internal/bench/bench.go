// Package bench measures a program on a terminal: memory, processor, bytes written,
// time to the first useful screen and to the answer of a key.
package bench

import (
	"context"
	"fmt"
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
	// Useful is on the screen once the first of what the program is opened for is.
	Useful *regexp.Regexp
	// List are keys that open a list to move in; Listed is on the screen then.
	List   string
	Listed *regexp.Regexp
}

// Figures are what was measured of a program.
type Figures struct {
	Start     time.Duration
	RSS       int64   // resident bytes at rest
	CPU       float64 // per cent of one core at rest
	IdleBytes float64 // bytes a minute to the terminal at rest
	KeyBytes  int64   // median bytes a cursor key
	KeyTime   time.Duration
}

// settle is how long a program gets to come to rest, idle how long it is watched then.
const (
	settle = 20 * time.Second
	idle   = 60 * time.Second
	keys   = 40
)

// Measure runs a program once.
func Measure(ctx context.Context, p Program) (Figures, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	var f Figures
	begun := time.Now()
	t, err := term.Start(ctx, width, height, p.Env, p.Args...)
	if err != nil {
		return f, fmt.Errorf("measuring %s: %w", p.Name, err)
	}
	defer t.Close()
	if err := t.Until(ctx, "the first useful screen", p.Useful.MatchString); err != nil {
		return f, fmt.Errorf("measuring %s: %w", p.Name, err)
	}
	f.Start = time.Since(begun)
	if err := f.rest(ctx, t); err != nil {
		return f, fmt.Errorf("measuring %s at rest: %w", p.Name, err)
	}
	if err := f.cursor(ctx, t, p); err != nil {
		return f, fmt.Errorf("measuring the keys of %s: %w", p.Name, err)
	}
	return f, nil
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
	slices.Sort(bytes)
	slices.Sort(times)
	f.KeyBytes, f.KeyTime = bytes[len(bytes)/2], times[len(times)/2]
	return nil
}

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
