package ssh

import "time"

// look is how the last connection to a node's machine went.
type look struct {
	at  time.Time
	err error
}

// note remembers how a connection went.
func (f *Fleet) note(node string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looks[node] = look{at: time.Now(), err: err}
}

// forgive forgets failures: a person did something about them.
func (f *Fleet) forgive() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for node, l := range f.looks {
		if l.err != nil {
			delete(f.looks, node)
		}
	}
	f.user = nil
}
