package ssh

import (
	"bytes"
	"encoding/json"
	"fmt"

	"daytwo/sources"
)

// entry takes one line: of the journal, or about the unit.
func (j *journal) entry(line []byte) error {
	line = bytes.TrimSpace(line)
	switch {
	case len(line) == 0:
		return nil
	case line[0] == '=':
		j.state = string(line)
		return nil
	case line[0] != '{':
		return fmt.Errorf("journalctl says: %s", sources.Clean(string(line), 200))
	}
	var e struct {
		Cursor  string          `json:"__CURSOR"`
		Message json.RawMessage `json:"MESSAGE"`
		Break   string          `json:"_LINE_BREAK"`
		PID     string          `json:"_PID"`
	}
	if err := json.Unmarshal(line, &e); err != nil {
		return fmt.Errorf("an entry is not understood: %w", err)
	}
	text, err := message(e.Message)
	switch {
	case err != nil:
		return err
	case e.PID == "1": // systemd, not the unit
		select {
		case j.said <- struct{}{}:
		default:
		}
		text = nil
	case e.Break != "line-max": // there it was journald that broke the line
		text = append(text, '\n')
	}
	if err := j.write(text); err != nil {
		return err
	}
	if e.Cursor != "" {
		j.cursor = e.Cursor
		if j.at != nil {
			j.at(e.Cursor)
		}
	}
	return nil
}

// message is an entry's text: a string, the bytes as numbers where they are
// no text, or several of one field, of which the last counts.
func message(raw json.RawMessage) ([]byte, error) {
	var text string
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return nil, nil
	}
	if err := json.Unmarshal(raw, &text); err == nil {
		return []byte(text), nil
	}
	var numbers []int
	if err := json.Unmarshal(raw, &numbers); err == nil {
		out := make([]byte, len(numbers))
		for i, n := range numbers {
			out[i] = byte(n)
		}
		return out, nil
	}
	var several []json.RawMessage
	if err := json.Unmarshal(raw, &several); err != nil || len(several) == 0 {
		return nil, fmt.Errorf("a message is not understood: %s", sources.Clean(string(raw), 80))
	}
	return message(several[len(several)-1])
}

func (j *journal) write(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	if _, err := j.out.Write(text); err != nil {
		return fmt.Errorf("writing it: %w", err)
	}
	return nil
}
