package upgrade

import (
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
)

// Preference remembers which order somebody chose for patch steps of a
// cluster. It is a convenience: what cannot be read or written is no error.
type Preference struct {
	path string
	mu   sync.Mutex
}

// OpenPreference keeps it in a cluster's folder; "" remembers nothing.
func OpenPreference(dir string) *Preference {
	if dir == "" {
		return &Preference{}
	}
	return &Preference{path: filepath.Join(dir, "upgrade.json")}
}

type preferred struct {
	Order Style `json:"order"`
}

// Style is what was chosen the last time; "" if nothing was.
func (p *Preference) Style() Style {
	if p == nil || p.path == "" {
		return ""
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	text, err := os.ReadFile(p.path)
	var saved preferred
	if err != nil || json.Unmarshal(text, &saved) != nil {
		return ""
	}
	return saved.Order
}

// Remember keeps a choice between the two orders; one of somebody's own is for
// its cluster at that time only.
func (p *Preference) Remember(s Style) {
	if p == nil || p.path == "" || (s != WorkersFirst && s != ServersFirst) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	text, err := json.Marshal(preferred{s})
	if err != nil || os.MkdirAll(filepath.Dir(p.path), 0o700) != nil {
		return
	}
	_ = os.WriteFile(p.path, text, 0o600)
}
