package actions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"daytwo/sources"
)

// Holder is who has hold of a cluster or of a target.
type Holder = sources.Holder

// HeldError says that something else runs and who runs it.
type HeldError = sources.HeldError

// Lease is a cluster's own word on who changes it, seen from every machine.
type Lease interface {
	// Take takes what is free or this holder's own, and says that the holder is
	// alive. It returns *HeldError if another has it, *sources.AccessError if
	// it is not permitted.
	Take(ctx context.Context, by Holder) error
	// Release gives back what this holder has; what others have is left.
	Release(ctx context.Context, by Holder) error
	// Free takes an orphaned one away from who holds it, by name.
	Free(ctx context.Context, who string) error
}

// locks are what a run holds while it runs.
type locks struct {
	files    []*os.File
	by       Holder
	leased   bool     // the lease is to be given back
	unleased bool     // there is no lease to renew
	notes    []string // what is to be known of them
}

// hold takes a file for this process alone. Others look at it for a moment to
// see if it is held, so one refusal is not believed.
func hold(file *os.File) error {
	const tries, pause = 10, 20 * time.Millisecond
	wait := time.NewTicker(pause)
	defer wait.Stop()
	for n := 1; ; n++ {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, syscall.EWOULDBLOCK):
			return fmt.Errorf("locking %s: %w", file.Name(), err)
		case n == tries:
			return &HeldError{What: "this run", By: holderOf(file)}
		}
		<-wait.C
	}
}

// heldNow reports whether another process or another part of this one holds a
// file.
func heldNow(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = file.Close() }()
	return errors.Is(syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB), syscall.EWOULDBLOCK)
}

// holdNamed takes the lock file of a name and writes down who has it.
func holdNamed(dir, name, what string, by Holder) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder for runs: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(dir, name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the lock of %s: %w", what, err)
	}
	if err := hold(file); err != nil {
		_ = file.Close()
		if held := (*HeldError)(nil); errors.As(err, &held) {
			held.What = what
		}
		return nil, err
	}
	text, err := json.Marshal(by)
	if err == nil {
		err = file.Truncate(0)
	}
	if err == nil {
		_, err = file.WriteAt(text, 0)
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("writing who holds %s: %w", what, err)
	}
	return file, nil
}

// holderOf reads who holds a lock file; zero if it says nothing.
func holderOf(file *os.File) Holder {
	var h Holder
	text, err := io.ReadAll(io.NewSectionReader(file, 0, 4096))
	if err != nil || json.Unmarshal(text, &h) != nil {
		return Holder{}
	}
	h.Who, h.Run = sources.Clean(h.Who, sources.MaxName), sources.Clean(h.Run, sources.MaxName)
	return h
}

// changingLock is the file that the one changing run of a cluster holds.
const changingLock = ".changing.lock"

func targetLock(target sources.Ref) string {
	return ".target-" + hashOf([]byte(target.Kind + "/" + target.String()))[:16] + ".lock"
}
