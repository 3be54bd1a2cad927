package box

import (
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// block is what a file's bytes are rounded up to on the disk.
const block = 4096

// maxLinks is how many symbolic links one path may lead through.
const maxLinks = 40

// who acts on the disk. Root may do everything.
type who struct {
	uid, gid int
	name     string
	umask    fs.FileMode
}

// inode is a file, folder or link. Its fields are guarded by the disk's lock.
type inode struct {
	number   uint64
	dev      int // 1 is the root filesystem; others take no room there
	mode     fs.FileMode
	uid, gid int
	modified time.Time

	data  []byte       // a file's content; never changed in place, so it can be shared
	size  int64        // of a file or folder whose bytes are only said to be there
	grow  func() int64 // the same, changing with time
	text  string       // what bytes that are only said to be there read as
	files int64        // a folder: the files in it that nobody sees one by one

	target string // a link's
	to     *inode // a link of /proc that leads to a file without a name

	kids  map[string]*inode
	up    *inode // a folder's parent
	links int
	opens int
}

// disk is a filesystem in memory. What is large on it is only said to be so.
type disk struct {
	mu    sync.RWMutex
	root  *inode
	now   func() time.Time
	last  uint64
	held  int64        // bytes that files without grow take on the root filesystem
	count int64        // inodes on the root filesystem
	gone  []*inode     // growing files that were removed: they grow no more
	full  bool         // no room for another byte
	room  func() int64 // how many there is room for
}

func newDisk(now func() time.Time) *disk {
	d := &disk{now: now}
	d.root = d.make(fs.ModeDir|0o755, who{}, 1)
	d.root.up = d.root
	return d
}

// make must be called with the lock held, or before the disk is shared.
func (d *disk) make(mode fs.FileMode, w who, dev int) *inode {
	d.last++
	n := &inode{number: d.last, dev: dev, mode: mode, uid: w.uid, gid: w.gid, modified: d.now(), links: 1}
	if mode.IsDir() {
		n.kids = map[string]*inode{}
	}
	if dev == 1 {
		d.count++
		d.held += n.takes()
	}
	return n
}

// length is what stat says.
func (n *inode) length() int64 {
	switch {
	case n.mode.IsDir():
		return block
	case n.mode&fs.ModeSymlink != 0:
		return int64(len(n.target))
	case n.grow != nil:
		return max(0, n.grow())
	case n.data != nil:
		return int64(len(n.data))
	}
	return n.size
}

// takes is the room on the disk, growing files at their present size.
func (n *inode) takes() int64 {
	switch {
	case n.dev != 1 || n.mode&(fs.ModeSymlink|fs.ModeDevice) != 0:
		return 0
	case n.mode.IsDir():
		return block + n.size
	}
	return (n.length() + block - 1) / block * block
}

// fixed is takes without what grows by itself.
func (n *inode) fixed() int64 {
	if n.grow != nil {
		return 0
	}
	return n.takes()
}

func (n *inode) may(w who, bit fs.FileMode) bool {
	switch {
	case w.uid == 0:
		return bit != 1 || n.mode.IsDir() || n.mode&0o111 != 0
	case w.uid == n.uid:
		return n.mode&(bit<<6) != 0
	case w.gid == n.gid:
		return n.mode&(bit<<3) != 0
	}
	return n.mode&bit != 0
}

func fail(op, name string, err error) error { return &fs.PathError{Op: op, Path: name, Err: err} }

// walk finds the folder that holds a path's last word, and the word; "" for
// the root itself.
func (d *disk) walk(w who, name string, depth int) (*inode, string, error) {
	name = path.Clean("/" + name)
	at := d.root
	words := strings.Split(strings.Trim(name, "/"), "/")
	for i, word := range words {
		if !at.mode.IsDir() {
			return nil, "", syscall.ENOTDIR
		}
		if !at.may(w, 1) {
			return nil, "", syscall.EACCES
		}
		if i == len(words)-1 {
			return at, word, nil
		}
		next, ok := at.kids[word]
		if !ok {
			return nil, "", syscall.ENOENT
		}
		if next.mode&fs.ModeSymlink != 0 {
			var err error
			if next, err = d.follow(w, path.Join(append([]string{"/"}, words[:i]...)...), next, depth+1); err != nil {
				return nil, "", err
			}
		}
		at = next
	}
	return at, "", nil
}

func (d *disk) follow(w who, dir string, link *inode, depth int) (*inode, error) {
	if depth > maxLinks {
		return nil, syscall.ELOOP
	}
	if link.to != nil {
		return link.to, nil
	}
	target := link.target
	if !path.IsAbs(target) {
		target = path.Join(dir, target)
	}
	return d.find(w, target, true, depth)
}

func (d *disk) find(w who, name string, follow bool, depth int) (*inode, error) {
	dir, last, err := d.walk(w, name, depth)
	if err != nil || last == "" {
		return dir, err
	}
	n, ok := dir.kids[last]
	if !ok {
		return nil, syscall.ENOENT
	}
	if follow && n.mode&fs.ModeSymlink != 0 {
		return d.follow(w, path.Dir(path.Clean("/"+name)), n, depth+1)
	}
	return n, nil
}

// stat says what a file is.
func (d *disk) stat(w who, name string, follow bool) (info, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	n, err := d.find(w, name, follow, 0)
	if err != nil {
		return info{}, fail("stat", name, err)
	}
	return d.infoOf(path.Base(path.Clean("/"+name)), n), nil
}

// list is a folder's content in the order of its names.
func (d *disk) list(w who, name string) ([]info, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	n, err := d.find(w, name, true, 0)
	switch {
	case err != nil:
		return nil, fail("open", name, err)
	case !n.mode.IsDir():
		return nil, fail("readdirent", name, syscall.ENOTDIR)
	case !n.may(w, 4):
		return nil, fail("open", name, syscall.EACCES)
	}
	out := make([]info, 0, len(n.kids))
	for _, k := range slices.Sorted(maps.Keys(n.kids)) {
		out = append(out, d.infoOf(k, n.kids[k]))
	}
	return out, nil
}

// enter is walk for a change: the folder must be there and writable.
func (d *disk) enter(w who, name string) (*inode, string, error) {
	dir, last, err := d.walk(w, name, 0)
	switch {
	case err != nil:
		return nil, "", err
	case last == "":
		return nil, "", syscall.EEXIST
	case !dir.may(w, 2):
		return nil, "", syscall.EACCES
	}
	return dir, last, nil
}

// mkdir makes one folder.
func (d *disk) mkdir(w who, name string, perm fs.FileMode) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	dir, last, err := d.enter(w, name)
	switch {
	case err != nil:
		return fail("mkdir", name, err)
	case dir.kids[last] != nil:
		return fail("mkdir", name, syscall.EEXIST)
	case d.full && dir.dev == 1:
		return fail("mkdir", name, syscall.ENOSPC)
	}
	n := d.make(fs.ModeDir|perm&^w.umask, w, dir.dev)
	n.up, dir.kids[last], dir.modified = dir, n, d.now()
	return nil
}

// symlink makes a symbolic link.
func (d *disk) symlink(w who, target, name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	dir, last, err := d.enter(w, name)
	switch {
	case err != nil:
		return fail("symlink", name, err)
	case dir.kids[last] != nil:
		return fail("symlink", name, syscall.EEXIST)
	}
	n := d.make(fs.ModeSymlink|0o777, w, dir.dev)
	n.target, dir.kids[last] = target, n
	return nil
}

// link gives a file one more name.
func (d *disk) link(w who, old, name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.find(w, old, false, 0)
	if err != nil {
		return fail("link", old, err)
	}
	dir, last, err := d.enter(w, name)
	switch {
	case err != nil:
		return fail("link", name, err)
	case dir.kids[last] != nil:
		return fail("link", name, syscall.EEXIST)
	case n.mode.IsDir():
		return fail("link", old, syscall.EPERM)
	case n.dev != dir.dev:
		return fail("link", name, syscall.EXDEV)
	}
	n.links++
	dir.kids[last] = n
	return nil
}

// rename moves a name; what was there before is gone, as with rename(2).
func (d *disk) rename(w who, old, name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	from, was, err := d.enter(w, old)
	if err != nil {
		return fail("rename", old, err)
	}
	n := from.kids[was]
	if n == nil {
		return fail("rename", old, syscall.ENOENT)
	}
	to, last, err := d.enter(w, name)
	switch {
	case err != nil:
		return fail("rename", name, err)
	case to.dev != from.dev:
		return fail("rename", name, syscall.EXDEV)
	}
	over := to.kids[last]
	switch {
	case over == n:
		return nil
	case over != nil && over.mode.IsDir() && (!n.mode.IsDir() || len(over.kids) > 0):
		return fail("rename", name, syscall.EISDIR)
	}
	if over != nil {
		d.drop(over)
	}
	delete(from.kids, was)
	to.kids[last] = n
	if n.mode.IsDir() {
		n.up = to
	}
	from.modified, to.modified = d.now(), d.now()
	return nil
}

// remove takes a name away, and the file with its last name and reader.
func (d *disk) remove(w who, name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	dir, last, err := d.enter(w, name)
	if err != nil {
		return fail("remove", name, err)
	}
	n := dir.kids[last]
	switch {
	case n == nil:
		return fail("remove", name, syscall.ENOENT)
	case n.mode.IsDir() && len(n.kids) > 0:
		return fail("remove", name, syscall.ENOTEMPTY)
	}
	delete(dir.kids, last)
	dir.modified = d.now()
	d.drop(n)
	return nil
}

// drop forgets one name of a file.
func (d *disk) drop(n *inode) {
	n.links--
	d.release(n)
}

func (d *disk) release(n *inode) {
	if n.links > 0 || n.opens > 0 || n.dev != 1 {
		return
	}
	d.held -= n.fixed()
	d.count -= 1 + n.files
	if n.grow != nil {
		d.gone = append(d.gone, n)
	}
}

// chmod and chown change who may do what.
func (d *disk) change(w who, name string, how func(n *inode)) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.find(w, name, true, 0)
	switch {
	case err != nil:
		return fail("chmod", name, err)
	case w.uid != 0 && w.uid != n.uid:
		return fail("chmod", name, syscall.EPERM)
	}
	how(n)
	return nil
}

// fits tells whether so many more bytes do.
func (d *disk) fits(n int64) bool { return d.room == nil || n <= d.room() }
