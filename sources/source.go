package sources

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// Source looks at one part of the world until ctx ends. It publishes what it
// sees, and its own failures as Reading.Err and Health.Err. Run returns only
// when ctx ends or when it cannot go on; it is then started again.
type Source interface {
	Name() string
	Run(ctx context.Context, publish func(...Edit)) error
}

// Logger receives what must not go to the terminal.
type Logger func(format string, args ...any)

// Supervise runs src until ctx ends: a source that returns or panics is
// marked as failing and started again after a pause that grows from 1 s to
// 30 s. It never ends the program.
func Supervise(ctx context.Context, src Source, publish func(...Edit), log Logger) {
	const longest = 30 * time.Second
	pause := time.Second
	for ctx.Err() == nil {
		began := time.Now()
		err := runGuarded(ctx, src, publish, log)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			err = errors.New("stopped without a reason")
		}
		log("source %s: %v", src.Name(), err)
		publish(failHealth(src.Name(), err))
		if time.Since(began) > time.Minute {
			pause = time.Second
		}
		wait := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			wait.Stop()
			return
		case <-wait.C:
		}
		pause = min(2*pause, longest)
	}
}

// failHealth keeps the last success and notes why the source failed.
func failHealth(name string, err error) Edit {
	return func(s *Snapshot) {
		h := s.Sources[name]
		h.Name, h.Err = name, err
		SetHealth(h)(s)
	}
}

func runGuarded(ctx context.Context, src Source, publish func(...Edit), log Logger) (err error) {
	defer func() {
		if p := recover(); p != nil {
			log("source %s panicked: %v\n%s", src.Name(), p, debug.Stack())
			err = fmt.Errorf("internal error in source %s: %v", src.Name(), p)
		}
	}()
	return src.Run(ctx, publish)
}
