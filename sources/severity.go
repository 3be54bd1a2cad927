package sources

// Severity is how bad something is. The order is the order of attention:
// a higher value is shown first. Unknown is never green: what could not be
// looked at ranks between a warning and all is well.
type Severity int8

// The four answers a signal can give.
const (
	OK Severity = iota
	Unknown
	Warning
	Critical
)

// String returns the word that goes with the severity's glyph and colour.
func (s Severity) String() string {
	switch s {
	case OK:
		return "ok"
	case Unknown:
		return "unknown"
	case Warning:
		return "warning"
	case Critical:
		return "critical"
	}
	return "unknown"
}

// MarshalText makes severities words in JSON.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
