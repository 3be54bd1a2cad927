package trail

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"daytwo/sources"
)

// Bounds of what is kept on disk.
const (
	mostInFile   = 256 << 20
	mostInFolder = 1 << 30
)

// Paper is a file that takes a stream in full, up to a bound: when it is full
// or cannot be written, the stream goes on without it and Trouble says so.
type Paper struct {
	mu      sync.Mutex
	f       *os.File
	path    string
	size    int64
	most    int64
	trouble string
}

// Keep says where a stream is kept on disk.
type Keep struct {
	Dir  string // made if it is not there; "" keeps nothing
	Name string // of the stream
	At   time.Time
	Most int64 // bytes; 0 is 256 MiB
}

// NewPaper makes a file for a stream. Old files of the folder go until there
// is room for a full new one. A Paper is returned in any case; if there can be
// no file, its Trouble says why.
func NewPaper(k Keep) *Paper {
	p := &Paper{most: cmp.Or(k.Most, mostInFile)}
	if k.Dir == "" {
		p.trouble = "there is no folder to keep it in"
		return p
	}
	if err := p.open(k.Dir, k.At.UTC().Format("20060102T150405Z")+"-"+fileName(k.Name)); err != nil {
		p.trouble = "it is not kept on disk: " + sources.Clean(err.Error(), 200)
	}
	return p
}

func (p *Paper) open(dir, name string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the folder: %w", err)
	}
	makeRoom(dir, mostInFolder-p.most)
	for n := range 100 {
		path := filepath.Join(dir, name+".log")
		if n > 0 {
			path = filepath.Join(dir, name+"-"+strconv.Itoa(n)+".log")
		}
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("making the file: %w", err)
		}
		p.f, p.path = f, path
		return nil
	}
	return fmt.Errorf("there are too many files %s in %s", name, dir)
}

// makeRoom removes the oldest files of a folder until at most so many bytes
// are left. What cannot be removed stays: it is no reason to show no log.
func makeRoom(dir string, most int64) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	var total int64
	sizes := map[string]int64{}
	var names []string // they begin with their time
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || !strings.HasSuffix(e.Name(), ".log") {
			continue
		}
		names = append(names, e.Name())
		sizes[e.Name()] = info.Size()
		total += info.Size()
	}
	slices.Sort(names)
	for _, name := range names {
		if total <= most {
			return
		}
		if os.Remove(filepath.Join(dir, name)) == nil {
			total -= sizes[name]
		}
	}
}

// fileName is a name with nothing in it that a file system or a shell minds.
func fileName(name string) string {
	const longest = 100
	plain := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r) {
			return r
		}
		return '-'
	}, name)
	return plain[:min(len(plain), longest)]
}

// Write takes whole lines. It never fails: what cannot be kept is the
// stream's trouble, not the reader's.
func (p *Paper) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(text)
	if p.f == nil {
		return n, nil
	}
	full := p.size+int64(len(text)) > p.most
	if full {
		room := text[:max(p.most-p.size, 0)]
		text = room[:bytes.LastIndexByte(room, '\n')+1]
	}
	wrote, err := p.f.Write(text)
	p.size += int64(wrote)
	switch {
	case err != nil:
		p.give("from here on it is only on the screen: " + sources.Clean(err.Error(), 200))
	case full:
		p.give("from here on it is only on the screen: the file has reached its bound of " + sources.Bytes(float64(p.most)))
	}
	return n, nil
}

// give ends the keeping, and says why.
func (p *Paper) give(why string) {
	p.trouble = why
	_ = p.f.Close() // what was written is there, what was not is told
	p.f = nil
}

// Path is where the file is; "" if there is none.
func (p *Paper) Path() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.path
}

// Trouble says why not all is kept; "" if all is.
func (p *Paper) Trouble() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.trouble
}

// Close ends the file.
func (p *Paper) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.f == nil {
		return
	}
	if err := p.f.Close(); err != nil {
		p.trouble = "the end may be missing on disk: " + sources.Clean(err.Error(), 200)
	}
	p.f = nil
}
