package box

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"mvdan.cc/sh/v3/syntax"
)

// Options say what machine to make.
type Options struct {
	Name   string
	Now    func() time.Time // the world's clock
	Server bool             // runs the k3s server, else the agent

	Version  string       // of the k3s binary that lies there, such as v1.33.4+k3s1
	Args     []string     // of the k3s unit, beginning with server or agent
	Memory   int64        // bytes
	Cores    int64        //
	Space    Space        // of the root filesystem
	Booted   time.Time    //
	Fetch    Fetch        // how curl gets what it is asked for
	Pods     func() []Pod // whose containers are here now, over or not
	Contents Contents     // what else is on the disk
	Stopped  func()       // called when k3s stops
	Did      func(string) // told "swap" when another file takes the k3s binary's place, "restart" when k3s is started
}

// Space is the size of the root filesystem, and how much is in use on it as
// long as nobody on the machine adds or removes anything.
type Space struct {
	Size, Inodes int64
	Reserved     float64 // share that only root may write
	Used, Files  func() int64
}

// Fetch gets a URL. Status is that of the last answer; body must be closed.
type Fetch func(ctx context.Context, url string, follow bool) (Fetched, error)

// Fetched is what a server answered.
type Fetched struct {
	Status   int
	Location string // of a redirect that was not followed
	URL      string // the last one asked
	Length   int64  // -1 if not told
	Body     io.ReadCloser
}

// Pod is a pod on this machine, with its containers.
type Pod struct {
	Namespace, Name, UID string
	Containers           []Container
	Scratch              []Volume // emptyDirs
}

// Container is a container of a pod.
type Container struct {
	ID, Name, Image string
	Attempt         int
	Running         bool
	Created         time.Time

	Layer, Log int64        // bytes that it wrote into its own layer and its log
	Grows      string       // a file in its layer that grows for ever, "" for none
	Growth     func() int64 // how large that is
	Line       string       // what is in it
}

// Box is a simulated machine.
type Box struct {
	o        Options
	ctx      context.Context //nolint:containedctx // the machine's own lifetime
	disk     *disk
	journal  *journal
	commands map[string]command
	base     int64 // what was held on the disk when the machine was made
	files    int64 // the same, inodes

	runtime runtime

	mu      sync.Mutex
	held    []heldFile
	units   map[string]*unit
	pids    int
	changed chan struct{} // closed when a unit changed
	faults  Faults
	running sync.WaitGroup
	lines   map[net.Conn]*gate
}

// Faults are what goes wrong on a machine, until they are changed.
type Faults struct {
	SudoAsks bool // sudo wants a password, and nobody is there to type it
	DiskFull bool // no room for another byte
	NotBack  bool // k3s does not come up again once it is started anew
	HangSSH  bool // SSH connections go quiet, old and new
}

// New makes a machine. It lives until ctx ends.
func New(ctx context.Context, o Options) *Box {
	b := &Box{
		o: o, ctx: ctx, disk: newDisk(o.Now), journal: newJournal(o.Name, o.Now, o.Booted),
		units: map[string]*unit{}, pids: 1200, changed: make(chan struct{}), lines: map[net.Conn]*gate{},
		runtime: runtime{layers: map[string]*layer{}, pods: map[string]Pod{}, shims: map[string]int{}},
	}
	if b.o.Did == nil {
		b.o.Did = func(string) {}
	}
	b.commands = commands()
	b.install()
	b.fill()
	b.base, b.files = b.disk.held, b.disk.count
	b.disk.room = b.Available
	return b
}

// Wait returns when everything that ran on the machine has ended, which it
// does after its context.
func (b *Box) Wait() { b.running.Wait() }

// SetFaults changes what goes wrong.
func (b *Box) SetFaults(change func(f *Faults)) {
	b.mu.Lock()
	change(&b.faults)
	f := b.faults
	for _, g := range b.lines {
		g.hold(f.HangSSH)
	}
	b.mu.Unlock()
	b.disk.mu.Lock()
	b.disk.full = f.DiskFull
	b.disk.mu.Unlock()
}

func (b *Box) fault() Faults {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.faults
}

// Changed is by how much the use of the disk differs from Space.Used because
// of what was written and removed here.
func (b *Box) Changed() int64 {
	b.disk.mu.RLock()
	defer b.disk.mu.RUnlock()
	return b.changedLocked()
}

func (b *Box) changedLocked() int64 {
	d := b.disk.held - b.base
	for _, n := range b.disk.gone {
		d -= max(0, n.grow())
	}
	return d
}

// Used is the bytes in use on the root filesystem.
func (b *Box) Used() int64 { return max(0, b.o.Space.Used()+b.Changed()) }

// Available is what anybody but root may still write.
func (b *Box) Available() int64 {
	if b.fault().DiskFull {
		return 0
	}
	return max(0, b.capacity()-b.Used())
}

func (b *Box) capacity() int64 { return int64(float64(b.o.Space.Size) * (1 - b.o.Space.Reserved)) }

// ChangedInodes is Changed for inodes.
func (b *Box) ChangedInodes() int64 {
	b.disk.mu.RLock()
	defer b.disk.mu.RUnlock()
	return b.disk.count - b.files
}

// Inodes in use on the root filesystem.
func (b *Box) Inodes() int64 { return max(1, b.o.Space.Files()+b.ChangedInodes()) }

// signal tells whoever waits that a unit changed. The lock must be held.
func (b *Box) signal() {
	close(b.changed)
	b.changed = make(chan struct{})
}

func (b *Box) pid() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pids += 3
	return b.pids
}

// magic begins every binary of the box; its name follows.
const magic = "\x7fELF demo "

// execute runs the program in a file.
func (b *Box) execute(ctx context.Context, p *process, at string, args []string) int {
	data, err := b.disk.read(who{}, at)
	if err != nil {
		p.say("%s: %s", args[0], why(err))
		return 126
	}
	head, _, _ := bytes.Cut(data[:min(len(data), 200)], []byte("\n"))
	switch text := string(head); {
	case strings.HasPrefix(text, magic+"k3s "):
		version, fits := binaryVersion(data)
		if !fits {
			break
		}
		return k3s(ctx, p, version, args)
	case strings.HasPrefix(text, magic):
		if run := b.commands[strings.TrimPrefix(text, magic)]; run != nil {
			return run(ctx, p, args)
		}
	case strings.HasPrefix(text, "#!"):
		return p.script(ctx, syntax.LangPOSIX, at, string(data), args[1:]...)
	}
	p.say("%s: cannot execute binary file: Exec format error", args[0])
	return 126
}

// login is a shell's process for a user, or false for one that is unknown.
func (b *Box) login(user string) (*process, bool) {
	i := slices.IndexFunc(accounts(), func(a account) bool { return a.who.name == user })
	if i < 0 {
		return nil, false
	}
	a := accounts()[i]
	return &process{
		box: b, who: a.who, dir: a.home,
		env: map[string]string{
			"HOME": a.home, "USER": user, "LOGNAME": user, "SHELL": "/bin/bash", "PATH": searchPath, "LANG": "C.UTF-8",
		},
	}, true
}

// account is a user of the machine.
type account struct {
	who  who
	home string
	sudo bool
}

// accounts are root, an operator who may sudo, and one who may not.
func accounts() []account {
	return []account{
		{who{0, 0, "root", 0o022}, "/root", true},
		{who{1000, 1000, Operator, 0o022}, "/home/" + Operator, true},
		{who{1001, 1001, Guest, 0o022}, "/home/" + Guest, false},
	}
}

// The accounts besides root.
const (
	Operator = "ops"   // may sudo without a password
	Guest    = "guest" // may not sudo
)

// install puts the system onto the disk.
func (b *Box) install() {
	d := b.disk
	for _, dir := range []string{
		"/boot", "/etc/systemd/system", "/home", "/opt", "/root", "/run/systemd/system", "/srv", "/usr/bin", "/usr/sbin",
		"/usr/local/bin", "/usr/local/sbin", "/var/cache/apt/archives", "/var/crash", "/var/lib", "/var/log/journal", "/var/tmp", "/tmp",
	} {
		d.folders(dir)
	}
	_ = d.change(who{}, "/tmp", func(n *inode) { n.mode = fs.ModeDir | fs.ModeSticky | 0o777 })
	_ = d.change(who{}, "/var/tmp", func(n *inode) { n.mode = fs.ModeDir | fs.ModeSticky | 0o777 })
	_ = d.change(who{}, "/root", func(n *inode) { n.mode = fs.ModeDir | 0o700 })
	for _, l := range [][2]string{{"usr/bin", "/bin"}, {"usr/sbin", "/sbin"}, {"/run", "/var/run"}} {
		_ = d.symlink(who{}, l[0], l[1])
	}
	for _, a := range accounts()[1:] {
		d.folders(a.home)
		_ = d.change(who{}, a.home, func(n *inode) { n.uid, n.gid, n.mode = a.who.uid, a.who.gid, fs.ModeDir|0o750 })
	}
	for name := range b.commands {
		d.put("/usr/bin/"+name, []byte(magic+name+"\n"), 0o755)
	}
	for _, dir := range []string{"/dev", "/proc", "/run"} {
		d.mount(dir)
	}
	for _, name := range []string{"null", "zero", "tty"} {
		d.device("/dev/" + name)
	}
	etc := map[string]string{
		"hostname": b.o.Name + "\n", "machine-id": fmt.Sprintf("%032x\n", len(b.o.Name)*7919),
		"os-release": "PRETTY_NAME=\"Ubuntu 24.04.3 LTS\"\nNAME=\"Ubuntu\"\nVERSION_ID=\"24.04\"\nID=ubuntu\nID_LIKE=debian\n",
		"passwd":     "root:x:0:0:root:/root:/bin/bash\nops:x:1000:1000::/home/ops:/bin/bash\nguest:x:1001:1001::/home/guest:/bin/bash\n",
	}
	for name, text := range etc {
		d.put("/etc/"+name, []byte(text), 0o644)
	}
	b.installK3s()
}

// mount makes a folder another filesystem, with all that is made in it.
func (d *disk) mount(name string) {
	d.folders(name)
	_ = d.change(who{}, name, func(n *inode) {
		d.held -= n.takes()
		d.count--
		d.last++
		n.dev = int(d.last) + 1
		for _, k := range n.kids {
			k.dev = n.dev
		}
	})
}

// device makes a file that takes everything and says nothing.
func (d *disk) device(name string) {
	d.put(name, nil, 0o666)
	_ = d.change(who{}, name, func(n *inode) { n.mode |= fs.ModeDevice | fs.ModeCharDevice })
}

// base of a command's name.
func nameOf(args []string) string { return path.Base(args[0]) }
