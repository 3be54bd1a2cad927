package kube

import (
	"time"

	"daytwo/sources"
)

// output is one reading of the snapshot and what it is made from.
type output interface {
	// edit returns the change since the last call; nil if there is none.
	// broken is why the server cannot be reached at all, nil if it can.
	edit(broken error) sources.Edit
}

// reading makes the Reading of a snapshot field from one or more feeds. The
// first feed is the one whose absence means "not installed"; of the helpers
// only the values are used, their errors and ages are not the reading's.
type reading[T any] struct {
	feeds   []*feed // all must have answered
	helpers []*feed // values that build uses too
	build   func() []T
	field   func(*sources.Snapshot) *sources.Reading[[]T]

	version uint64
	last    sources.Reading[[]T]
}

// edit implements output.
func (r *reading[T]) edit(broken error) sources.Edit {
	next, version, ok := r.look()
	if next.Err == nil {
		next.Err = broken
	}
	if !ok && next.Err == nil {
		return nil // still waiting
	}
	next.Value = r.last.Value
	if !next.At.IsZero() && (version != r.version || !r.last.Loaded()) {
		next.Value, r.version = r.build(), version
	} else if next.At.Equal(r.last.At) && sameError(next.Err, r.last.Err) {
		return nil
	}
	r.last = next
	return func(s *sources.Snapshot) { *r.field(s) = next }
}

// look merges the feeds: the oldest age, the first error. ok says that every
// feed answered, well or badly.
func (r *reading[T]) look() (out sources.Reading[[]T], version uint64, ok bool) {
	ok = true
	for _, f := range r.feeds {
		s := f.state()
		version += s.version
		ok = ok && (!s.at.IsZero() || s.err != nil)
		if out.Err == nil {
			out.Err = s.err
		}
		if !s.at.IsZero() && (out.At.IsZero() || s.at.Before(out.At)) {
			out.At = s.at
		}
	}
	if !ok {
		out.At = time.Time{}
	}
	for _, f := range r.helpers {
		version += f.state().version
	}
	return out, version, ok
}

func sameError(a, b error) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return a.Error() == b.Error()
}
