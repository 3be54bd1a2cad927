package demo

import (
	"math"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"daytwo/sources/demo/box"
)

// machine is what stands behind a node: its size, and how its disk and load
// go over time. All of it is a function of the clock alone, so that history,
// metrics and the kubelet's summary tell one story; only what somebody does on
// the machine itself, in its box, is added to that.
type machine struct {
	name    string
	server  bool
	cores   int64
	memory  int64 // bytes
	created time.Time

	disk    int64        // size of the root filesystem, bytes
	used    []diskPeriod // oldest first
	inodes  int64
	perFile int64   // bytes of disk per inode in use
	saw     float64 // bytes: what image GC frees every few days
	cpuBase float64 // share of all cores, 0 to 1
	memBase float64
	hot     []hotSpell
	spill   *spill

	boxing sync.Mutex // one maker of the box
	box    atomic.Pointer[box.Box]
	ssh    sshDoor
}

// diskPeriod is a stretch of time with one growth.
type diskPeriod struct {
	from  time.Time
	level float64 // bytes used at from
	day   float64 // bytes a day
}

// hotSpell is a time of high CPU load.
type hotSpell struct {
	from, to time.Time
	cpu      float64
}

// reserved is the share of an ext4 filesystem that only root may write; it
// is why df's Use% is higher than used/size.
const reserved = 0.05

// diskUsed is the bytes in use on the root filesystem.
func (m *machine) diskUsed(t time.Time) int64 {
	if b := m.box.Load(); b != nil {
		return max(0, m.story(t)+b.Changed())
	}
	return m.story(t)
}

// story is diskUsed as long as nobody touches the machine.
func (m *machine) story(t time.Time) int64 {
	var v float64
	for _, p := range m.used {
		if !t.Before(p.from) || v == 0 {
			v = p.level + p.day*t.Sub(p.from).Hours()/24
		}
	}
	v += m.saw * sawTooth(m.name, t)
	// Logs and temporary files come and go within the hour.
	v += 60e6 * wave(m.name+"disk", t, 37*time.Minute)
	return int64(math.Max(1e9, math.Min(v, float64(m.disk)*(1-reserved))))
}

// sawTooth rises from 0 to 1 over three days as images are pulled, and falls
// when the image garbage collector runs.
func sawTooth(name string, t time.Time) float64 {
	const period = 3 * 24 * time.Hour
	phase := time.Duration(unit(name, "saw") * float64(period))
	at := (time.Duration(t.UnixNano()) + phase) % period
	return float64(at) / float64(period)
}

func (m *machine) diskAvailable(t time.Time) int64 {
	return int64(float64(m.disk)*(1-reserved)) - m.diskUsed(t)
}

func (m *machine) inodesUsed(t time.Time) int64 {
	if b := m.box.Load(); b != nil {
		return min(m.inodes, m.inodesStory(t)+b.ChangedInodes())
	}
	return m.inodesStory(t)
}

func (m *machine) inodesStory(t time.Time) int64 {
	return min(m.inodes, 90_000+m.story(t)/m.perFile)
}

// cpu is the share of all cores in use, 0 to 1.
func (m *machine) cpu(t time.Time) float64 {
	base := m.cpuBase
	if i := slices.IndexFunc(m.hot, func(h hotSpell) bool { return !t.Before(h.from) && t.Before(h.to) }); i >= 0 {
		return clamp(m.hot[i].cpu + 0.012*wave(m.name, t, 5*time.Minute) + 0.008*jitter(m.name+"cpu", t))
	}
	day := 0.35 * math.Sin(2*math.Pi*(float64(t.Unix()%86400)/86400-0.35))
	return clamp(base * (1 + day + 0.12*wave(m.name, t, 11*time.Minute) + 0.08*jitter(m.name+"cpu", t)))
}

// mem is the share of memory in the working set, 0 to 1.
func (m *machine) mem(t time.Time) float64 {
	return clamp(m.memBase * (1 + 0.03*wave(m.name+"mem", t, 3*time.Hour) + 0.01*jitter(m.name+"mem", t)))
}

func clamp(v float64) float64 { return math.Max(0.01, math.Min(0.995, v)) }

// wave swings between -1 and 1 with a phase of its own for each name.
func wave(name string, t time.Time, period time.Duration) float64 {
	return math.Sin(2 * math.Pi * (float64(t.UnixNano()%int64(period))/float64(period) + unit(name, "phase")))
}

// jitter is noise between -1 and 1 that holds for 15 s, a metrics-server
// resolution.
func jitter(name string, t time.Time) float64 {
	return 2*unit(name, strconv.FormatInt(t.Unix()/15, 10)) - 1
}
