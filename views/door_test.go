package views_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"daytwo/actions/trail"
	"daytwo/sources"
	"daytwo/ui"
	"daytwo/ui/uitest"
	"daytwo/views"
)

// doubts are what machines ask a person for. It stands for them in screens,
// which need fingerprints that stay; real ones are asked for on the demo world.
type doubts struct {
	of       map[string]error // by node
	full     bool             // nothing can be written
	accepted []string
	ran      int
}

func (d *doubts) Doubt(_ context.Context, node string) error { return d.of[node] }

func (d *doubts) Accept(e *sources.UnknownKeyError) error {
	if d.full {
		return errors.New("writing the accepted key: no space left on device")
	}
	d.accepted = append(d.accepted, e.Node)
	delete(d.of, e.Node)
	return nil
}

func (d *doubts) Unlock(_ string, passphrase []byte) error {
	if string(passphrase) != "open sesame" {
		return sources.ErrPassphrase
	}
	for node, doubt := range d.of {
		if _, locked := errors.AsType[*sources.LockedKeyError](doubt); locked {
			delete(d.of, node)
		}
	}
	return nil
}

func strange(node string) *sources.UnknownKeyError {
	host := "[203.0.113." + strings.Replace(node[len(node)-1:], "0", "7", 1) + "]:2222"
	return &sources.UnknownKeyError{
		Node: node, Host: host, Type: "ssh-ed25519", Fingerprint: "SHA256:uNiVztksCsDhcc0u9e8BrEXkSeT5CDyeFsy5oP1MdgQ",
		File: "/home/op/.ssh/known_hosts", Line: host + " ssh-ed25519 AAAA",
	}
}

func replaced(node string) *sources.ChangedKeyError {
	return &sources.ChangedKeyError{
		Node: node, Host: "203.0.113.8", Type: "ssh-ed25519", Fingerprint: "SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8",
		Known: "ssh-ed25519 SHA256:uNiVztksCsDhcc0u9e8BrEXkSeT5CDyeFsy5oP1MdgQ", File: "/home/op/.ssh/known_hosts", Line: 14,
	}
}

func locked(node string) *sources.LockedKeyError {
	return &sources.LockedKeyError{Node: node, Path: "/home/op/.ssh/id_ed25519"}
}

// before opens the trail in read-only mode and runs a command on all nodes.
func (d *doubts) before(t *testing.T, width, height int) *uitest.Driver {
	t.Helper()
	kit := trail.Kit{Kubectl: answers{}, Hosts: answers{}, Clock: uitest.Start, Check: func([]string) error { return nil }}
	w := views.Trail{Kit: kit, Door: views.Door{Trust: d}, Start: func(l trail.Line, nodes []sources.Node) *trail.Fan {
		d.ran++
		fan := kit.Start(t.Context(), l, nodes)
		fan.Wait()
		t.Cleanup(fan.Close)
		return fan
	}}
	o := ui.Options{Color: true, ReadOnly: true, Tools: []func(ui.Frame, sources.Ref) []ui.Command{w.Tool}}
	driver, _ := open(t, width, height, o, world.incident)
	driver.Press("t", "down", "down", "a", "enter")
	return driver
}

func TestDoorScreens(t *testing.T) {
	t.Parallel()
	for _, size := range sizes() {
		t.Run(size.name, func(t *testing.T) {
			t.Parallel()
			for name, doubt := range map[string]error{"unknown": strange("worker-0"), "changed": replaced("worker-0"), "locked": locked("worker-0")} {
				d := &doubts{of: map[string]error{"worker-0": doubt}}
				screen := d.before(t, size.width, size.height)
				if name == "locked" {
					screen.Type("guess")
					screen.Press("enter")
				}
				screen.Golden("door-" + name + "-" + size.name)
			}
		})
	}
}

// TestDoorAsksOneAfterTheOther, then does what was asked for by itself; what
// cannot be written is said, and nothing is done.
func TestDoorAsksOneAfterTheOther(t *testing.T) {
	t.Parallel()
	d := &doubts{of: map[string]error{"master-0": locked("master-0"), "worker-0": strange("worker-0"), "worker-2": strange("worker-2")}, full: true}
	s := d.before(t, 120, 40)
	s.See("Locked key", "passphrase")
	s.Press("enter")
	s.See("type it, esc to leave it")
	s.Paste("guess")
	s.See("> *****")
	s.NotSee("guess")
	s.Press("enter")
	s.See("not the passphrase of this key; try again")
	s.NotSee("*****")
	s.Type("open sesame")
	s.Press("enter")
	s.See("Unknown host key: worker-0", "2222", "SHA256:uNiV", "/home/op/.ssh/known_hosts", "1 more key to decide about")
	s.Type("worker-0")
	s.Press("enter")
	s.See("no space left on device")
	d.full = false
	s.Press("enter")
	s.See("Unknown host key: worker-2")
	if d.ran != 0 || len(d.accepted) != 1 {
		t.Fatalf("ran %d times, accepted %v", d.ran, d.accepted)
	}
	s.Type("worker-2")
	s.Press("enter")
	s.NotSee("Unknown host key")
	s.See("on 5 nodes", "2 failed") // by itself
	if d.ran != 1 {
		t.Errorf("ran %d times", d.ran)
	}
}

// TestDoorStaysShut for a person who refuses; one that shows another key than
// before cannot be let in, and keeps nobody else out.
func TestDoorStaysShut(t *testing.T) {
	t.Parallel()
	for _, leave := range []func(*uitest.Driver){
		func(s *uitest.Driver) { s.Press("esc") }, func(s *uitest.Driver) { s.Click(0, 0) },
	} {
		d := &doubts{of: map[string]error{"worker-0": strange("worker-0")}}
		s := d.before(t, 80, 24)
		s.Type("worker-0")
		leave(s)
		s.NotSee("Unknown host key")
		s.See("Commands", "Nodes")
		if d.ran != 0 || len(d.accepted) != 0 {
			t.Errorf("ran %d times, accepted %v", d.ran, d.accepted)
		}
	}
	d := &doubts{of: map[string]error{"worker-0": replaced("worker-0")}}
	s := d.before(t, 120, 40)
	s.See("Refused: the host key of worker-0 has changed", "line 14", "goes on with the other 4 machines")
	s.NotSee("type worker-0")
	s.Press("esc")
	s.See("on 5 nodes")
	if d.ran != 1 || len(d.accepted) != 0 {
		t.Errorf("ran %d times, accepted %v", d.ran, d.accepted)
	}
}

// TestDoorAsksOnceForOneKey: a jump host before several nodes is one decision.
func TestDoorAsksOnceForOneKey(t *testing.T) {
	t.Parallel()
	d := &doubts{of: map[string]error{"worker-0": replaced("worker-0"), "worker-1": replaced("worker-1"), "worker-2": replaced("worker-2")}}
	s := d.before(t, 120, 40)
	s.See("Refused: the host key of worker-0 has changed", "goes on with the other 2 machines")
	s.Press("enter")
	s.NotSee("Refused")
	if d.ran != 1 {
		t.Errorf("ran %d times", d.ran)
	}
}
