package sources

import (
	"errors"
	"fmt"
	"time"
)

// Reading is a value with the time it was last seen true and the reason why
// it could not be read again. A failed look keeps the old Value and At and
// sets Err, so a pane can show the last picture with its age.
type Reading[T any] struct {
	Value T
	At    time.Time
	Err   error
}

// Loaded reports whether the value was ever read.
func (r Reading[T]) Loaded() bool { return !r.At.IsZero() }

// Age is how old the value is at now; zero if it was never read.
func (r Reading[T]) Age(now time.Time) time.Duration {
	if r.At.IsZero() || now.Before(r.At) {
		return 0
	}
	return now.Sub(r.At)
}

// Usable reports whether the value may be judged: it was read, and the last
// look did not fail.
func (r Reading[T]) Usable() bool { return r.Loaded() && r.Err == nil }

// Read makes a good reading.
func Read[T any](v T, at time.Time) Reading[T] { return Reading[T]{Value: v, At: at} }

// Failed keeps what r knew and notes why the newest look failed.
func (r Reading[T]) Failed(err error) Reading[T] {
	r.Err = err
	return r
}

// ErrNotInstalled says that the cluster does not serve a resource at all
// (an absent CRD or API group). It is an answer, not a failure.
var ErrNotInstalled = errors.New("not installed")

// AccessError says that the credentials in use may not do something.
// Its text names the missing permission.
type AccessError struct {
	Verb      string // "list", "get", …
	Group     string // API group, "" for core
	Resource  string // plural, with subresource: "nodes/proxy"
	Namespace string // "" for cluster-wide
}

// Error names the verb and resource that RBAC refused.
func (e *AccessError) Error() string {
	res := e.Resource
	if e.Group != "" {
		res += "." + e.Group
	}
	if e.Namespace != "" {
		return fmt.Sprintf("no permission to %s %s in namespace %s", e.Verb, res, e.Namespace)
	}
	return fmt.Sprintf("no permission to %s %s", e.Verb, res)
}
