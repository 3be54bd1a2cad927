//go:build lab

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"daytwolab/e2e/labenv"
)

// eaten is the server whose disk is looked into.
const eaten = "worker-2"

// plants are what is put on a disk, in bytes: 5 GB together.
const (
	plantedLog     = 400 << 20 // a container writes it into its own layer
	plantedHeld    = 300 << 20 // it has no name any more
	plantedImage   = 100 << 20 // no container uses it; as much again is unpacked
	plantedFiles   = 20_000
	plantedFile    = 160 << 10 // each of them
	plantedPackage = 200 << 20 // in apt's cache
	plantedVersion = 200 << 20 // of k3s, unpacked and forgotten
	plantedJournal = 600 << 20
	plantedOver    = 64 << 20 // the log of a pod that is over
)

// forgotten is a k3s version that nothing runs from.
const forgotten = "/var/lib/rancher/k3s/data/00000000000000000000000000000000000000000000000000000000000000ff"

// hostile is a name that would clear a terminal, and set its title.
const hostile = "evil\x1b[2J\x1b]0;owned\x07.log"

// verdict is what is looked at of a saved one.
type verdict struct {
	Accounts []struct {
		Mount struct {
			On   string
			Used int64
		}
		Shares []struct {
			Category string
			Bytes    int64
			Parts    []struct {
				Path  string
				Bytes int64
			}
		}
	}
	Since []struct {
		By []struct {
			Category string
			Bytes    int64
		}
	}
	Unknown []struct{ ID, Err string }
}

func (v verdict) share(category string) (bytes int64, names string) {
	if len(v.Accounts) == 0 {
		return 0, ""
	}
	for _, s := range v.Accounts[0].Shares {
		if s.Category == category {
			var parts []string
			for _, p := range s.Parts {
				parts = append(parts, fmt.Sprintf("%s %d", p.Path, p.Bytes))
			}
			return s.Bytes, strings.Join(parts, "\n")
		}
	}
	return 0, ""
}

// part is what one name in a category takes, by the end of that name.
func (v verdict) part(category, end string) int64 {
	_, names := v.share(category)
	for line := range strings.SplitSeq(names, "\n") {
		at := strings.LastIndexByte(line, ' ')
		if at < 0 || !strings.HasSuffix(line[:at], end) {
			continue
		}
		if n, err := strconv.ParseInt(line[at+1:], 10, 64); err == nil {
			return n
		}
	}
	return 0
}

// grew is by how much a category grew since the forensics before.
func (v verdict) grew(category string) int64 {
	if len(v.Since) > 0 {
		for _, d := range v.Since[0].By {
			if d.Category == category {
				return d.Bytes
			}
		}
	}
	return 0
}

// newest is the last verdict, and the folder of its run.
func (o operator) newest() (verdict, string) {
	o.t.Helper()
	all := o.files("runs", "*", "verdict.json")
	if len(all) == 0 {
		o.t.Fatal("no forensics came to a verdict")
	}
	path := all[len(all)-1]
	text, err := os.ReadFile(path)
	var v verdict
	if err == nil {
		err = json.Unmarshal(text, &v)
	}
	if err != nil {
		o.t.Fatal(err)
	}
	return v, filepath.Dir(path)
}

// inspects opens the forensics of a node; the screen is then at their plan.
func (c cockpit) inspects(node string) {
	c.t.Helper()
	c.press(":node "+node, node)
	c.press("\r", "f forensics")
	c.press("f", "Forensics of "+node, "reads only")
}

// within2 reports that a number is within 2 % of what it should be, and of the
// folders and journals that a filesystem adds.
func within2(got int64, want float64) bool {
	return math.Abs(float64(got)-want) <= 0.02*want
}

// plant puts a log into a container's layer, a file that loses its name, an
// image that nobody uses, many small files and lines of the journal.
func (o operator) plant() {
	o.t.Helper()
	o.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(o.t.Context()), time.Minute)
		defer cancel()
		_, _ = o.lab.Try(ctx, o.lab.AsAdmin("delete", "pod", "leaky", "over", "--ignore-not-found", "--force", "--grace-period=0")...)
		_, _ = o.lab.Try(ctx, o.lab.OnServer(eaten, "systemctl stop lab-holder; k3s crictl rmi docker.io/lab/unused:1; "+
			"rm -rf /var/lib/lab-many "+forgotten+" /var/cache/apt/archives/*.deb; journalctl -q --rotate; journalctl -q --vacuum-size=8M")...)
	})
	pod := func(name, phase string, args ...string) {
		file, list := filepath.Join(o.t.TempDir(), name+".json"), `"`+strings.Join(args, `", "`)+`"`
		text := fmt.Sprintf(`{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": %q}, "spec": {"nodeName": %q, "terminationGracePeriodSeconds": 0, "restartPolicy": "Never",
  "containers": [{"name": "web", "image": "docker.io/lab/web:1.4.2", "imagePullPolicy": "IfNotPresent", "args": [%s]}]}}`, name, eaten, list)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			o.t.Fatal(err)
		}
		o.lab.Run(o.t, o.lab.AsAdmin("apply", "-f", file)...)
		o.lab.Run(o.t, o.lab.AsAdmin("wait", "pod/"+name, "--for=jsonpath={.status.phase}="+phase, "--timeout=90s")...)
	}
	pod("leaky", "Running", "serve", ":8080")
	pod("over", "Succeeded", "succeed", "1s")
	id := o.lab.Run(o.t, o.lab.AsAdmin("get", "pod", "leaky", "-o", "jsonpath={.status.containerStatuses[0].containerID}")...)
	o.script(fmt.Sprintf(`set -eu
pid=$(k3s ctr tasks ls | awk -v id=%s '$1 == id {print $2}')
mkdir -p /proc/$pid/root/var/log
fallocate -l %d /proc/$pid/root/var/log/app.log
fallocate -l 20M "/proc/$pid/root/var/log/$(printf %q)"
fallocate -l %d /var/tmp/held
systemd-run -q --unit=lab-holder sh -c 'exec 9</var/tmp/held; rm /var/tmp/held; exec sleep 900'
mkdir -p /var/lib/lab-many %s && cd /var/lib/lab-many
head -c %d /dev/zero | split -a 5 -b %d -
fallocate -l %d %s/kubelet
fallocate -l %d /var/cache/apt/archives/lab_1_all.deb
fallocate -l %d "$(echo /var/log/pods/default_over_*/web)/9.log"
d=$(mktemp -d) && cd $d && head -c %d /dev/urandom >blob && tar -cf layer.tar blob
echo '{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:'$(sha256sum layer.tar | cut -d' ' -f1)'"]}}' >config.json
echo '[{"Config":"config.json","RepoTags":["docker.io/lab/unused:1"],"Layers":["layer.tar"]}]' >manifest.json
tar -cf image.tar config.json manifest.json layer.tar && k3s ctr images import image.tar >/dev/null
cd / && rm -rf $d
head -c %d /dev/urandom | base64 -w 40000 | systemd-cat -t lab
journalctl --sync
while [ -e /var/tmp/held ]; do sleep 0.1; done
sync
`, strings.TrimPrefix(id, "containerd://"), plantedLog, strings.ReplaceAll(strings.ReplaceAll(hostile, "\x1b", `\033`), "\x07", `\007`), plantedHeld,
		forgotten, plantedFiles*plantedFile, plantedFile, plantedVersion, forgotten, plantedPackage, plantedOver, plantedImage, plantedJournal))
}

// script runs lines on the server in one login, and returns what they wrote.
func (o operator) script(text string) string {
	o.t.Helper()
	var out, complaint strings.Builder
	cmd := o.lab.Command(o.t.Context(), o.lab.OnServer(eaten, "bash", "-s")...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(text), &out, &complaint
	if err := cmd.Run(); err != nil {
		o.t.Fatalf("%v: %s", err, complaint.String())
	}
	return out.String()
}

// TestForensicsNamesWhatWasPlanted on a real server, each within 2 %, and takes
// little longer than the same commands typed one after the other.
func TestForensicsNamesWhatWasPlanted(t *testing.T) {
	lab := labenv.Find(t)
	o := newOperator(t, lab)
	c := o.cockpit()
	c.inspects(eaten)
	c.press("\r", "What would help", "R look again")
	before, _ := o.newest()
	o.plant()
	c.press("R", "running")
	c.see("since the last forensics")
	v, dir := o.newest()
	c.see("writable layers", "/var/log/app.log", "deleted, still open")
	journal, err := strconv.ParseFloat(strings.Fields(o.on(eaten, "du -sB1 /var/log/journal"))[0], 64)
	if err != nil {
		t.Fatal(err)
	}
	used := o.used()
	_, written := v.share("writable layers")
	if !within2(v.part("writable layers", ": /var/log/app.log"), plantedLog) || !strings.Contains(written, "/"+hostile) {
		t.Errorf("the written layers are\n%q", written)
	}
	held, names := v.share("deleted, still open")
	if !strings.Contains(names, "/var/tmp/held, held by sleep") || !within2(held, plantedHeld) {
		t.Errorf("held are %d of %d:\n%s", held, plantedHeld, names)
	}
	if got := v.grew("images not in use"); !within2(got, 2*plantedImage) {
		t.Errorf("unused images grew by %d, planted were %d, packed and unpacked", got, 2*plantedImage)
	}
	if got, _ := v.share("journal"); !within2(got, journal) {
		t.Errorf("the journal has %d, du says %.0f", got, journal)
	}
	if left, _ := v.share("unexplained"); !within2(v.Accounts[0].Mount.Used, used) || math.Abs(float64(left)) > 0.02*used {
		t.Errorf("%d are unexplained of %.0f", left, used)
	}
	if len(before.Accounts) == 0 || len(v.Unknown) > 0 {
		t.Errorf("unknown is %+v", v.Unknown)
	}
	o.compare(c, dir)
	c.harmless()
	c.press("\t\t", "What would help")
	o.cleansUp(c)
}

// cleansUp does by keys what the verdict suggests and daytwo may do, and looks
// at what became of the disk.
func (o operator) cleansUp(c cockpit) {
	o.t.Helper()
	for _, x := range []struct {
		what, command string
		frees, within float64 // journald removes whole files of some 100 MB
	}{
		{"the journal to 500M", "journalctl --vacuum-size=500M", 180 << 20, 0.5},
		{"apt's cache", "apt-get clean", plantedPackage, 0.05},
		{"finished pod", "kubectl -n default delete pod over", plantedOver, 0.1},
		{"1 old k3s version", "rm -rf --one-file-system " + forgotten, plantedVersion, 0.05},
		{"unused image", "k3s crictl rmi sha256:", 2 * plantedImage, 0.05},
	} {
		c.choose(x.command)
		before := o.used()
		c.press("\r", "Clean up ", x.what, "type "+eaten+" to clean up")
		c.press(eaten+"\r", "freed ", "done", "df after")
		if freed := before - o.used(); math.Abs(freed-x.frees) > x.within*x.frees {
			o.t.Errorf("cleaning up %s freed %.0f, planted were %.0f", x.what, freed, x.frees)
		}
		c.press("\x1b", "What would help", "done: freed")
	}
	if left := o.lab.Run(o.t, o.lab.AsAdmin("get", "pod", "over", "--ignore-not-found", "-o", "name")...); left != "" {
		o.t.Errorf("the pod that was over is still there: %s", left)
	}
	if left := o.on(eaten, "k3s crictl images; ls "+filepath.Dir(forgotten)); strings.Contains(left, "lab/unused") || !strings.Contains(left, "pause") || strings.Contains(left, filepath.Base(forgotten)) {
		o.t.Errorf("left are\n%s", left)
	}
}

// choose moves down to the suggestion with a command.
func (c cockpit) choose(command string) {
	c.t.Helper()
	for range 12 {
		if strings.Contains(c.Screen(), command) {
			return
		}
		c.press("j")
		if err := c.Quiet(c.t.Context(), 100*time.Millisecond); err != nil {
			c.t.Fatal(err)
		}
	}
	c.see(command)
}

// used is what df says of the server's disk, in bytes.
func (o operator) used() float64 {
	o.t.Helper()
	n, err := strconv.ParseFloat(strings.TrimSpace(o.on(eaten, "df -B1 --output=used / | tail -n1")), 64)
	if err != nil {
		o.t.Fatal(err)
	}
	return n
}

// harmless looks at the evidence, where the hostile name is, for what it would
// have done to the terminal.
func (c cockpit) harmless() {
	c.t.Helper()
	c.press("\t", "verdict", "evil")
	if s := c.Screen(); strings.Contains(s, "\x1b") || !strings.Contains(s, eaten) {
		c.t.Errorf("the screen after a hostile name:\n%q", s)
	}
}

// compare logs how long the probes take, and the same commands in one script: by
// turns, the shortest of each, for the server has a life of its own.
func (o operator) compare(c cockpit, dir string) {
	o.t.Helper()
	script := o.typed(dir)
	typed, ours := time.Hour, time.Hour
	for range 3 {
		began := time.Now()
		o.script(script)
		typed = min(typed, time.Since(began))
		c.press("R")
		labenv.Eventually(o.t, patience, "forensics once more", func(context.Context) error {
			_, now := o.newest()
			journal, err := os.ReadFile(filepath.Join(now, "journal.jsonl"))
			if err == nil && (now == dir || !strings.Contains(string(journal), `"rest"`)) {
				err = errors.New("not through")
			}
			if err == nil {
				dir = now
			}
			return err
		})
		ours = min(ours, o.took(filepath.Join(dir, "journal.jsonl")))
	}
	o.t.Logf("forensics of %s: daytwo %v, the same commands in one script %v, ratio %.2f", eaten, ours, typed, ours.Seconds()/typed.Seconds())
}

// typed is the script that runs what forensics ran.
func (o operator) typed(dir string) string {
	o.t.Helper()
	probes, err := filepath.Glob(filepath.Join(dir, "probe-*.json"))
	if err != nil || len(probes) < 20 {
		o.t.Fatalf("the probes are %v, %v", probes, err)
	}
	var script strings.Builder
	for _, p := range probes {
		var saved struct{ Result struct{ Command string } }
		text, err := os.ReadFile(p)
		if err == nil {
			err = json.Unmarshal(text, &saved)
		}
		if err != nil {
			o.t.Fatal(err)
		}
		if !strings.HasPrefix(saved.Result.Command, "kubectl") {
			script.WriteString(saved.Result.Command + " >/dev/null 2>&1\n")
		}
	}
	return script.String() + "true\n"
}

// TestForensicsByOthersThanRoot: who may sudo sees the same, who may not is told.
func TestForensicsByOthersThanRoot(t *testing.T) {
	lab := labenv.Find(t)
	root := newOperator(t, lab)
	root.on(eaten, "id guest 2>/dev/null || { useradd -m guest && cp -r /home/ops/.ssh /home/guest/ && chown -R guest /home/guest/.ssh; }")
	t.Cleanup(func() {
		_, _ = lab.Try(context.WithoutCancel(t.Context()), lab.OnServer(eaten, "userdel -rf guest")...)
	})
	for _, x := range []struct {
		user string
		says []string
	}{
		{"guest", []string{"nothing could be looked at on " + eaten, "guest may not become root", "sudo wants a password"}},
		{"ops", []string{"What would help", "images in use", "unexplained"}},
	} {
		o := newOperator(t, lab)
		home := strings.TrimPrefix(o.env[2], "HOME=")
		config, err := os.ReadFile(lab.SSHConfig)
		if err == nil {
			err = os.WriteFile(filepath.Join(home, ".ssh", "config"), []byte(strings.ReplaceAll(string(config), "User root", "User "+x.user)), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		c := o.cockpit()
		c.inspects(eaten)
		c.press("\r", x.says...)
		c.Close()
	}
}
