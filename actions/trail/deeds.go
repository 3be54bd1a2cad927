package trail

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"daytwo/sources"
)

// ByHand is something that was done by hand, as it is written down.
type ByHand struct {
	Deed

	Who   string
	Began time.Time
	Ended time.Time // zero: its end is not written down (yet)
	How   string    // it ended
}

// Title says what was done where: "shell on worker-0", "df -h on 5 nodes".
func (d ByHand) Title() string {
	where := strings.Join(d.On, ", ")
	if len(d.On) > 2 {
		where = fmt.Sprintf("%d nodes", len(d.On))
	}
	switch {
	case d.What == "exec":
		return "shell in " + where
	case d.Line != "":
		return d.Line + " on " + where
	}
	return d.What + " on " + where
}

// mostDeeds bounds how much of a book is read: its newest bytes.
const mostDeeds = 1 << 20

// Deeds is what the book has, the newest first. What cannot be understood is
// left out: a line may have been cut by a full disk.
func (b *Book) Deeds() ([]ByHand, error) {
	if b.Dir == "" {
		return nil, nil
	}
	text, err := newest(filepath.Join(b.Dir, BookName), mostDeeds)
	if err != nil {
		return nil, err
	}
	var out []ByHand
	for line := range bytes.Lines(text) {
		var e bookEntry
		if json.Unmarshal(line, &e) != nil {
			continue
		}
		d := e.deed()
		if e.Mark == "began" {
			out = append(out, d)
			continue
		}
		i := d.beginning(out)
		if i < 0 { // it is too old to have been read
			out, i = append(out, d), len(out)
		}
		out[i].Ended, out[i].How = e.At, sources.Clean(e.How, 500)
	}
	slices.SortStableFunc(out, func(a, b ByHand) int { return b.Began.Compare(a.Began) })
	return out, nil
}

// beginning is which of the deeds an end belongs to, -1 for none: of those
// alike without an end, the one that began nearest to when this says. Others
// may never get theirs: a terminal was killed.
func (d ByHand) beginning(of []ByHand) int {
	best, least := -1, time.Duration(0)
	for i, o := range of {
		if !o.Ended.IsZero() || o.Who != d.Who || o.What != d.What || o.Line != d.Line || !slices.Equal(o.On, d.On) {
			continue
		}
		if off := d.Began.Sub(o.Began).Abs(); best < 0 || off < least {
			best, least = i, off
		}
	}
	return best
}

func (e bookEntry) deed() ByHand {
	d := ByHand{Deed: Deed{What: sources.Clean(e.What, 50), Line: sources.Clean(e.Line, 500)}, Who: sources.Clean(e.Who, 100), Began: e.At}
	for _, on := range e.On {
		d.On = append(d.On, sources.Clean(on, sources.MaxName))
	}
	if took, err := time.ParseDuration(e.Took); err == nil {
		d.Began = e.At.Add(-took)
	}
	return d
}

// newest is the end of a file, from the beginning of a line on; nothing if
// there is no such file.
func newest(path string, most int64) ([]byte, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading what was done by hand: %w", err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("reading what was done by hand: %w", err)
	}
	from := max(info.Size()-most, 0)
	text, err := io.ReadAll(io.NewSectionReader(file, from, most))
	if err != nil {
		return nil, fmt.Errorf("reading what was done by hand: %w", err)
	}
	if from > 0 {
		_, text, _ = bytes.Cut(text, []byte("\n"))
	}
	return text, nil
}
