package box

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"path"
	"strconv"
	"strings"
	"time"
)

// BinaryPath is where the k3s binary lies on every machine.
const BinaryPath = "/usr/local/bin/k3s"

// ServerToken is the secret in the demo's token files. It opens nothing.
const ServerToken = "K10d3m0d3m0d3m0d3m0d3m0::server:not-a-secret-in-the-demo"

// The kubelet and API server take these from the start of k3s to readiness.
const (
	agentStart  = 3 * time.Second
	serverStart = 5 * time.Second
)

// binarySize is that of a k3s binary in the demo.
const binarySize = 1 << 20

// Binary is the k3s binary of a version for this machine's architecture, or
// for another. It is the same at each call.
func Binary(version string, wrongArch bool) []byte {
	arch := "amd64"
	if wrongArch {
		arch = "s390x"
	}
	seed := sha256.Sum256([]byte(version + arch))
	out := bytes.NewBuffer(make([]byte, 0, binarySize))
	_, _ = fmt.Fprintf(out, "%sk3s %s %s\n", magic, version, arch)
	noise := rand.NewChaCha8(seed)
	body := make([]byte, binarySize-out.Len())
	_, _ = noise.Read(body)
	out.Write(body)
	return out.Bytes()
}

// binaryVersion reads what Binary wrote. It does not fit if it is for another
// machine, or cut off.
func binaryVersion(data []byte) (version string, fits bool) {
	head, _, _ := bytes.Cut(data, []byte("\n"))
	words := strings.Fields(strings.TrimPrefix(string(head), magic))
	if len(words) != 3 || words[0] != "k3s" {
		return "", false
	}
	return words[1], words[2] == "amd64" && len(data) == binarySize
}

// K3s is how a machine's k3s stands.
type K3s struct {
	Up      bool // the process runs
	Ready   bool // and the kubelet, on a server also the API server, answers
	Version string
	Args    []string  // of its unit when it started
	Since   time.Time // it is up, ready or down
	ready   time.Time // when it will be
}

// K3s says how this machine's k3s stands.
func (b *Box) K3s() K3s {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.units[b.unitName()].k3s
}

func (b *Box) unitName() string {
	if b.o.Server {
		return "k3s.service"
	}
	return "k3s-agent.service"
}

func (b *Box) installK3s() {
	d, name := b.disk, b.unitName()
	d.put(BinaryPath, Binary(b.o.Version, false), 0o755)
	for _, l := range []string{"kubectl", "crictl", "ctr"} {
		_ = d.symlink(who{}, "k3s", "/usr/local/bin/"+l)
	}
	typ, after := "exec", "\nKillMode=process\nDelegate=yes\nRestart=always\nRestartSec=5s\n"
	if b.o.Server {
		typ = "notify"
	}
	words := make([]string, len(b.o.Args))
	for i, a := range b.o.Args {
		words[i] = "        '" + a + "' \\"
	}
	d.put("/etc/systemd/system/"+name, []byte("[Unit]\nDescription=Lightweight Kubernetes\nDocumentation=https://k3s.io\n"+
		"Wants=network-online.target\nAfter=network-online.target\n\n[Install]\nWantedBy=multi-user.target\n\n[Service]\nType="+typ+
		"\nEnvironmentFile=-/etc/default/%N\nEnvironmentFile=-/etc/sysconfig/%N\nEnvironmentFile=-/etc/systemd/system/"+name+".env"+after+
		"ExecStartPre=-/sbin/modprobe br_netfilter\nExecStartPre=-/sbin/modprobe overlay\nExecStart="+BinaryPath+" \\\n"+
		strings.Join(words, "\n")+"\n\n"), 0o644)
	env := "K3S_TOKEN=" + ServerToken + "\nK3S_URL=https://10.0.0.2:6443\n"
	if b.o.Server {
		env = "K3S_TOKEN=" + ServerToken + "\n"
		d.put("/var/lib/rancher/k3s/server/token", []byte(ServerToken+"\n"), 0o600)
		d.put("/var/lib/rancher/k3s/server/node-token", []byte(ServerToken+"\n"), 0o600)
		d.put("/var/lib/rancher/k3s/server/db/state.db", stateDB(b.o.Name), 0o644)
		d.put("/var/lib/rancher/k3s/server/db/state.db-wal", []byte{}, 0o644)
		d.folders("/var/lib/rancher/k3s/server/tls")
		_ = d.change(who{}, "/var/lib/rancher/k3s/server", func(n *inode) { n.mode &^= 0o077 })
	}
	d.put("/etc/systemd/system/"+name+".env", []byte(env), 0o600)
	d.put("/etc/rancher/k3s/config.yaml", []byte("node-ip: "+argument(b.o.Args, "--node-ip")+"\n"), 0o600)
	d.folders("/var/lib/rancher/k3s/agent/containerd")
	for _, dir := range []string{"/var/lib/rancher/k3s/agent", "/var/lib/rancher/k3s/agent/containerd"} {
		_ = d.change(who{}, dir, func(n *inode) { n.mode = n.mode.Type() | 0o711 })
	}
	u := &unit{
		name: name, description: "Lightweight Kubernetes", notify: b.o.Server, argv: append([]string{BinaryPath}, b.o.Args...),
		state: active, sub: "running", result: "success", pid: 1107, began: b.o.Booted, invocation: strings.Repeat("5c", 16),
		k3s: K3s{Up: true, Ready: true, Version: b.o.Version, Args: b.o.Args, Since: b.o.Booted},
	}
	b.units[name] = u
}

// stateDB looks like the head of a SQLite file, and is as consistent.
func stateDB(name string) []byte {
	seed := sha256.Sum256([]byte(name + "kine"))
	out := make([]byte, 256<<10)
	_, _ = rand.NewChaCha8(seed).Read(out)
	copy(out, "SQLite format 3\x00")
	return out
}

func argument(args []string, name string) string {
	for i, a := range args {
		if a == name && i+1 < len(args) {
			return args[i+1]
		}
		if v, ok := strings.CutPrefix(a, name+"="); ok {
			return v
		}
	}
	return ""
}

// stopK3s ends k3s; containers go on, as its unit says.
func (b *Box) stopK3s(u *unit) {
	b.mu.Lock()
	was := u.k3s.Up || u.state == activating
	now := b.o.Now()
	u.k3s.Up, u.k3s.Ready, u.k3s.Since = false, false, now
	u.state, u.sub, u.ended, u.code, u.result = inactive, "dead", now, 0, "success"
	b.signal()
	b.mu.Unlock()
	if !was {
		return
	}
	b.journal.systemd(u.name, "Stopping "+u.name+" - "+u.description+"...", "MESSAGE_ID", "de5b426a63be47a7b6ac3eaac82e2f6f", "JOB_TYPE", "stop")
	b.journal.systemd(u.name, u.name+": Deactivated successfully.", "MESSAGE_ID", "7ad2d189f7e94e70a38c781354912448")
	b.journal.systemd(u.name, "Stopped "+u.name+" - "+u.description+".", "MESSAGE_ID", "9d1aaa27d60140bd96365438aad20286", "JOB_TYPE", "stop", "JOB_RESULT", "done")
	if b.o.Stopped != nil {
		b.o.Stopped()
	}
}

// startK3s starts k3s from the binary and the unit file that lie there now.
// Like systemctl it returns when the agent's process runs, or the server
// answers.
func (b *Box) startK3s(ctx context.Context, p *process, u *unit, noBlock bool) int {
	b.mu.Lock()
	if u.k3s.Up || u.state == activating {
		b.mu.Unlock()
		return 0
	}
	b.mu.Unlock()
	b.o.Did("restart")
	b.journal.systemd(u.name, "Starting "+u.name+" - "+u.description+"...", "MESSAGE_ID", "7d4958e842da4a758f6c1cdc7b36dcc5", "JOB_TYPE", "start")
	data, err := b.disk.read(who{}, BinaryPath)
	version, fits := binaryVersion(data)
	if i, statErr := b.disk.stat(who{}, BinaryPath, true); err != nil || statErr != nil || !fits || i.mode&0o111 == 0 {
		b.cannotExec(u, err == nil && !fits)
		return p.say("Job for %s failed because the control process exited with error code.\n"+
			"See \"systemctl status %s\" and \"journalctl -xeu %s\" for details.", u.name, u.name, u.name)
	}
	wait := agentStart
	if u.notify {
		wait = serverStart
	}
	b.mu.Lock()
	b.begin(u)
	if u.notify {
		u.state, u.sub = activating, "start"
	}
	now := b.o.Now()
	u.k3s = K3s{Up: true, Version: version, Args: b.unitArgs(u), Since: now, ready: now.Add(wait)}
	b.mu.Unlock()
	b.bootLines(u, version)
	if !u.notify || noBlock {
		return 0
	}
	if code := b.until(ctx, func() bool { return u.state != activating }); code != 0 {
		return code
	}
	if b.K3s().Ready {
		return 0
	}
	return p.say("Job for %s failed because the control process exited with error code.\n"+
		"See \"systemctl status %s\" and \"journalctl -xeu %s\" for details.", u.name, u.name, u.name)
}

func (b *Box) cannotExec(u *unit, format bool) {
	why := "No such file or directory"
	if format {
		why = "Exec format error"
	}
	b.mu.Lock()
	b.begin(u)
	u.state, u.sub, u.result, u.code, u.ended = failed, "failed", "exit-code", 203, b.o.Now()
	u.restarts += 5
	u.k3s = K3s{Since: b.o.Now()}
	b.signal()
	b.mu.Unlock()
	b.journal.systemd(u.name, u.name+": Failed to execute "+BinaryPath+": "+why, "PRIORITY", "3", "_COMM", "(k3s)")
	b.journal.systemd(u.name, u.name+": Main process exited, code=exited, status=203/EXEC", "EXIT_CODE", "exited", "EXIT_STATUS", "203", "PRIORITY", "5")
	b.journal.systemd(u.name, u.name+": Failed with result 'exit-code'.", "UNIT_RESULT", "exit-code", "PRIORITY", "4",
		"MESSAGE_ID", "d9b373ed55a64feb8242e02dbe79a49c")
	b.journal.systemd(u.name, "Failed to start "+u.name+" - "+u.description+".", "PRIORITY", "3", "JOB_TYPE", "start", "JOB_RESULT", "failed")
}

// unitArgs are the arguments in the unit file as it lies there.
func (b *Box) unitArgs(u *unit) []string {
	text, err := b.disk.read(who{}, "/etc/systemd/system/"+u.name)
	if err != nil {
		return u.argv[1:]
	}
	_, line, ok := strings.Cut(string(text), "ExecStart="+BinaryPath)
	if !ok {
		return u.argv[1:]
	}
	line = strings.ReplaceAll(line, "\\\n", " ")
	line, _, _ = strings.Cut(line, "\n")
	var args []string
	for word := range strings.FieldsSeq(line) {
		args = append(args, strings.Trim(word, `'"`))
	}
	u.argv = append([]string{BinaryPath}, args...)
	return args
}

// bootLines are what k3s says when it starts.
func (b *Box) bootLines(u *unit, version string) {
	w := &writer{j: b.journal, fields: u.fieldsOf("k3s")}
	at := b.o.Now().UTC().Format(time.RFC3339)
	kind := "agent"
	if u.notify {
		kind = "server"
	}
	for _, text := range []string{
		"Acquiring lock file /var/lib/rancher/k3s/data/.lock",
		"Preparing data dir /var/lib/rancher/k3s/data/" + bundle(version),
		"Starting k3s " + kind + " " + version + " (" + bundle(version)[:8] + ")",
		"Module overlay was already loaded",
		"Logging containerd to /var/lib/rancher/k3s/agent/containerd/containerd.log",
		"Running containerd -c /var/lib/rancher/k3s/agent/etc/containerd/config.toml",
		"Running kubelet --cloud-provider=external --config-dir=/var/lib/rancher/k3s/agent/etc/kubelet.conf.d",
	} {
		w.line("time=\"" + at + "\" level=info msg=" + strconv.Quote(text))
	}
	if !u.notify {
		b.journal.systemd(u.name, "Started "+u.name+" - "+u.description+".", "MESSAGE_ID", "39f53479d3a045ac8e11786248231fbf", "JOB_TYPE", "start", "JOB_RESULT", "done")
	}
}

// bundle is the folder below data that a version unpacks itself into.
func bundle(version string) string {
	sum := sha256.Sum256([]byte(version))
	return hex.EncodeToString(sum[:])
}

// Tick lets k3s get on with its start. The world calls it at each of its
// steps.
func (b *Box) Tick() {
	b.settle()
	now := b.o.Now()
	b.mu.Lock()
	u := b.units[b.unitName()]
	if !u.k3s.Up || u.k3s.Ready || now.Before(u.k3s.ready) {
		b.mu.Unlock()
		return
	}
	if b.faults.NotBack {
		u.restarts++
		u.k3s.ready = now.Add(15 * time.Second)
		if u.notify {
			u.state, u.sub, u.result, u.code, u.ended, u.k3s.Up = failed, "failed", "exit-code", 1, now, false
		} else {
			u.state, u.sub = activating, "auto-restart"
		}
		b.signal()
		b.mu.Unlock()
		b.fatal(u)
		return
	}
	u.k3s.Ready, u.k3s.Since = true, now
	u.state, u.sub = active, "running"
	version := u.k3s.Version
	b.signal()
	b.mu.Unlock()
	w := &writer{j: b.journal, fields: u.fieldsOf("k3s")}
	w.line("time=\"" + now.UTC().Format(time.RFC3339) + "\" level=info msg=\"k3s is up and running\"")
	w.line(fmt.Sprintf("I%s %d kubelet_node_status.go:78] \"Successfully registered node\" node=%q", now.UTC().Format("0102 15:04:05.000000"), u.pid, b.o.Name))
	if u.notify {
		b.journal.systemd(u.name, "Started "+u.name+" - "+u.description+".", "MESSAGE_ID", "39f53479d3a045ac8e11786248231fbf", "JOB_TYPE", "start", "JOB_RESULT", "done")
	}
	b.unpack(version)
}

func (b *Box) fatal(u *unit) {
	w := &writer{j: b.journal, fields: u.fieldsOf("k3s")}
	w.line("time=\"" + b.o.Now().UTC().Format(time.RFC3339) + "\" level=fatal msg=\"Error: failed to run Kubelet: validate service connection: " +
		"rpc error: code = Unavailable desc = connection error: dial unix /run/k3s/containerd/containerd.sock: connect: no such file or directory\"")
	b.journal.systemd(u.name, u.name+": Main process exited, code=exited, status=1/FAILURE", "EXIT_CODE", "exited", "EXIT_STATUS", "1", "PRIORITY", "5")
	b.journal.systemd(u.name, u.name+": Failed with result 'exit-code'.", "UNIT_RESULT", "exit-code", "PRIORITY", "4")
	if u.notify {
		b.journal.systemd(u.name, "Failed to start "+u.name+" - "+u.description+".", "PRIORITY", "3", "JOB_TYPE", "start", "JOB_RESULT", "failed")
		return
	}
	b.journal.systemd(u.name, fmt.Sprintf("%s: Scheduled restart job, restart counter is at %d.", u.name, u.restarts))
}

// unpack puts a version's bundle beside the old one and moves the links.
func (b *Box) unpack(version string) {
	const data = "/var/lib/rancher/k3s/data"
	d := b.disk
	dir := path.Join(data, bundle(version))
	if _, err := d.stat(who{}, dir, true); err != nil {
		b.bundle(dir)
	}
	if i, err := d.stat(who{}, data+"/current", false); err == nil && path.Base(i.target) != bundle(version) {
		_ = d.remove(who{}, data+"/previous")
		_ = d.rename(who{}, data+"/current", data+"/previous")
	}
	_ = d.symlink(who{}, dir, data+"/current")
}

// bundleBytes are what one version takes unpacked.
const bundleBytes = 268 << 20

func (b *Box) bundle(dir string) {
	b.disk.put(dir+"/bin/k3s", []byte{}, 0o755)
	b.disk.sized(dir+"/bin/containerd-and-others", bundleBytes, "")
	b.disk.put(dir+"/.sha256sums", []byte{}, 0o644)
}
