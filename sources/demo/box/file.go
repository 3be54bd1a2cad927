package box

import (
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"
)

// info is what stat tells of a file, as an fs.FileInfo and fs.DirEntry.
type info struct {
	name string
	node *inode // for identity only
	mode fs.FileMode
	size int64
	room int64
	when time.Time

	uid, gid, links, dev int
	number               uint64
	files                int64 // of a folder: more than its content shows
	target               string
}

func (d *disk) infoOf(name string, n *inode) info {
	return info{
		name: name, node: n, mode: n.mode, size: n.length(), room: n.takes(), when: n.modified,
		uid: n.uid, gid: n.gid, links: n.links, dev: n.dev, number: n.number, files: n.files, target: n.target,
	}
}

// Name, Size, Mode, ModTime, IsDir, Sys, Type and Info are those of
// fs.FileInfo and fs.DirEntry.
func (i info) Name() string { return i.name }

// Size is the file's length.
func (i info) Size() int64 { return i.size }

// Mode is its kind and permissions.
func (i info) Mode() fs.FileMode { return i.mode }

// ModTime is when it was last changed.
func (i info) ModTime() time.Time { return i.when }

// IsDir tells folders.
func (i info) IsDir() bool { return i.mode.IsDir() }

// Sys is the file itself: two paths with the same are one file.
func (i info) Sys() any { return i.node }

// Type is its kind.
func (i info) Type() fs.FileMode { return i.mode.Type() }

// Info is itself.
func (i info) Info() (fs.FileInfo, error) { return i, nil }

// file is an open file.
type file struct {
	d      *disk
	n      *inode
	at     int64
	append bool
	write  bool
	closed bool
}

// open opens or makes a file, with the flags of os.OpenFile.
func (d *disk) open(w who, name string, flag int, perm fs.FileMode) (*file, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	writes := flag&(os.O_WRONLY|os.O_RDWR) != 0
	n, err := d.find(w, name, true, 0)
	switch {
	case err == syscall.ENOENT && flag&os.O_CREATE != 0: //nolint:errorlint // find returns bare numbers
		if n, err = d.create(w, name, perm); err != nil {
			return nil, fail("open", name, err)
		}
	case err != nil:
		return nil, fail("open", name, err)
	case flag&os.O_EXCL != 0:
		return nil, fail("open", name, syscall.EEXIST)
	case n.mode.IsDir() && writes:
		return nil, fail("open", name, syscall.EISDIR)
	case !n.may(w, 4) && !writes, writes && !n.may(w, 2):
		return nil, fail("open", name, syscall.EACCES)
	}
	if writes && flag&os.O_TRUNC != 0 {
		d.set(n, []byte{})
	}
	n.opens++
	return &file{d: d, n: n, append: flag&os.O_APPEND != 0, write: writes}, nil
}

func (d *disk) create(w who, name string, perm fs.FileMode) (*inode, error) {
	dir, last, err := d.enter(w, name)
	switch {
	case err != nil:
		return nil, err
	case d.full && dir.dev == 1:
		return nil, syscall.ENOSPC
	case dir.kids[last] != nil: // a link to nowhere
		return nil, syscall.ENOENT
	}
	n := d.make(perm.Perm()&^w.umask, w, dir.dev)
	n.data = []byte{}
	dir.kids[last], dir.modified = n, d.now()
	return n, nil
}

// set replaces a file's content. A file that grows by itself goes on growing
// from there, as its writer does not notice.
func (d *disk) set(n *inode, data []byte) {
	if n.mode&fs.ModeDevice != 0 {
		return
	}
	if grow := n.grow; grow != nil && len(data) == 0 {
		cut := grow()
		if n.dev == 1 {
			d.held -= cut
		}
		n.grow, n.modified = func() int64 { return grow() - cut }, d.now()
		return
	}
	if n.dev == 1 {
		d.held -= n.fixed()
	}
	n.data, n.size, n.grow, n.modified = data, 0, nil, d.now()
	if n.dev == 1 {
		d.held += n.fixed()
	}
}

// Read reads on; bytes that are only said to be there repeat the file's text.
func (f *file) Read(p []byte) (int, error) {
	n, err := f.ReadAt(p, f.at)
	f.at += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

// ReadAt reads at an offset.
func (f *file) ReadAt(p []byte, off int64) (int, error) {
	f.d.mu.RLock()
	defer f.d.mu.RUnlock()
	switch {
	case f.closed:
		return 0, fs.ErrClosed
	case f.n.mode.IsDir():
		return 0, syscall.EISDIR
	}
	size := f.n.length()
	if off >= size {
		return 0, io.EOF
	}
	if f.n.data != nil && f.n.grow == nil {
		n := copy(p, f.n.data[off:])
		return n, nil
	}
	p = p[:min(int64(len(p)), size-off)]
	text := f.n.text
	if text == "" {
		text = "\x00"
	}
	for i := range p {
		p[i] = text[(off+int64(i))%int64(len(text))]
	}
	return len(p), nil
}

// Write writes on, or at the end.
func (f *file) Write(p []byte) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	switch {
	case f.closed:
		return 0, fs.ErrClosed
	case !f.write:
		return 0, syscall.EBADF
	case f.n.mode&fs.ModeDevice != 0:
		return len(p), nil
	case f.d.full && f.n.dev == 1 && len(p) > 0:
		return 0, syscall.ENOSPC
	}
	old := f.n.data
	if f.append {
		f.at = int64(len(old))
	}
	end := f.at + int64(len(p))
	data := make([]byte, max(end, int64(len(old))), max(end, int64(len(old)))*5/4)
	copy(data, old)
	if end > int64(len(old)) && cap(old) >= int(end) && f.at == int64(len(old)) {
		data = old[:end] // the room behind it belongs to this file alone
	}
	copy(data[f.at:], p)
	f.at = end
	f.d.set(f.n, data)
	return len(p), nil
}

// Close ends it; a file without a name is gone with its last reader.
func (f *file) Close() error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if f.closed {
		return fs.ErrClosed
	}
	f.closed = true
	f.n.opens--
	f.d.release(f.n)
	return nil
}

// read is a whole file; one whose bytes are only said to be there is refused
// beyond a megabyte.
func (d *disk) read(w who, name string) ([]byte, error) {
	f, err := d.open(w, name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	d.mu.RLock()
	data := f.n.data
	d.mu.RUnlock()
	if data != nil {
		return slices.Clip(data), nil // a copy of it must not grow into its room
	}
	return io.ReadAll(io.LimitReader(f, 1<<20))
}

// put writes a whole file in one go, as root, with the folders above it.
func (d *disk) put(name string, data []byte, perm fs.FileMode) {
	d.folders(path.Dir(name))
	f, err := d.open(who{}, name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm)
	if err != nil {
		return
	}
	d.mu.Lock()
	d.set(f.n, slices.Clip(data))
	f.n.mode = f.n.mode.Type() | perm
	d.mu.Unlock()
	_ = f.Close()
}

// folders makes a folder and those above it, as root.
func (d *disk) folders(name string) {
	at := "/"
	for word := range strings.SplitSeq(strings.Trim(path.Clean(name), "/"), "/") {
		at = path.Join(at, word)
		_ = d.mkdir(who{}, at, 0o755) // it is there already, or the next step says why not
	}
}
