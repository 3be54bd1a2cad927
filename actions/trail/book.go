package trail

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"daytwo/actions"
	"daytwo/sources"
)

// BookName is the file in which is written down what people did by hand.
const BookName = "by-hand.jsonl"

// Book is where it is written down that somebody had a shell or ran a command
// of their own: a line of JSON at the beginning and one at the end, each on
// the disk before anything else happens. What was typed in a shell is not in
// it.
type Book struct {
	Dir   string // made if it is not there; "" is nowhere to write
	Who   string
	Clock func() time.Time

	mu sync.Mutex
}

// Deed is something that was done by hand.
type Deed struct {
	What string   // "shell", "exec", "command"
	On   []string // nodes, or one pod and container
	Line string   // the command; "" for a shell
}

type bookEntry struct {
	At   time.Time `json:"at"`
	Mark string    `json:"mark"` // "began" or "ended"
	Who  string    `json:"who"`
	What string    `json:"what"`
	On   []string  `json:"on"`
	Line string    `json:"line,omitempty"`
	Took string    `json:"took,omitempty"`
	How  string    `json:"how,omitempty"` // it ended
}

// Begin writes down that something begins. What is returned writes down its
// end and may be called in any case.
func (b *Book) Begin(d Deed) (ended func(how string), err error) {
	began := b.Clock()
	e := bookEntry{At: began.UTC(), Mark: "began", Who: b.Who, What: d.What, On: d.On, Line: actions.Redacted(d.Line)}
	err = b.write(e)
	return func(how string) {
		now := b.Clock()
		e.At, e.Mark, e.Took, e.How = now.UTC(), "ended", now.Sub(began).Round(time.Second).String(), actions.Redacted(sources.Clean(how, 500))
		_ = b.write(e) // the beginning is there, or its error was told
	}, err
}

func (b *Book) write(e bookEntry) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.Dir == "" {
		return errors.New("no folder for the record is known, neither XDG_STATE_HOME nor HOME is set to a full path")
	}
	text, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("writing down what is done by hand: %w", err)
	}
	if err := os.MkdirAll(b.Dir, 0o700); err != nil {
		return fmt.Errorf("making the folder of the record: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(b.Dir, BookName), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("writing down what is done by hand: %w", err)
	}
	_, err = file.Write(append(text, '\n'))
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("writing down what is done by hand: %w", err)
	}
	return nil
}
