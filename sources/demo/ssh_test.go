package demo_test

import (
	"bytes"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"daytwo/sources/demo"
)

// login opens an SSH connection to a node as user.
func login(t *testing.T, w *demo.World, user, node string) *ssh.Client {
	t.Helper()
	s, err := w.SSH()
	if err != nil {
		t.Fatal(err)
	}
	known := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(known, s.KnownHosts, 0o600); err != nil {
		t.Fatal(err)
	}
	check, err := knownhosts.New(known)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.ParsePrivateKey(s.Key)
	if err != nil {
		t.Fatal(err)
	}
	if user == "" {
		user = s.User
	}
	c, err := ssh.Dial("tcp", s.Addr[node], &ssh.ClientConfig{
		User: user, Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}, HostKeyCallback: check, Timeout: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// typed runs one line on a node and returns what it wrote and its exit code,
// -1 if the line was lost.
func typed(t *testing.T, c *ssh.Client, line string) (out, complaints string, code int) {
	t.Helper()
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	var stdout, stderr bytes.Buffer
	s.Stdout, s.Stderr = &stdout, &stderr
	err = s.Run(line)
	var exit *ssh.ExitError
	switch {
	case errors.As(err, &exit):
		code = exit.ExitStatus()
	case err != nil:
		code = -1
	}
	return stdout.String(), stderr.String(), code
}

func must(t *testing.T, c *ssh.Client, line string) string {
	t.Helper()
	out, complaints, code := typed(t, c, line)
	if code != 0 {
		t.Fatalf("%s: exit %d: %s", line, code, complaints)
	}
	return strings.TrimSuffix(out, "\n")
}

func TestShellAnswersWhatWizardsAsk(t *testing.T) {
	t.Parallel()
	w, _ := start(t, demo.Options{})
	c := login(t, w, "", "worker-0")
	for _, x := range []struct{ line, want string }{
		{"uname -m", "x86_64"},
		{"id -un; sudo -n id -u", "ops\n0"},
		{"sudo -n true && echo yes", "yes"},
		{"hostname", "worker-0"},
		{"date +%s", "1795359871"},
		{"for i in 1 2 3; do echo $i; done | tail -n 1", "3"},
		{"x=$(printf 'a\\nb\\n' | wc -l); if [ \"$x\" = 2 ]; then echo two; fi", "two"},
		{"cat <<EOF | tr a-z A-Z\nhello\nEOF", "HELLO"},
		{"k3s --version | head -n1 | cut -d' ' -f3", "v1.33.4+k3s1"},
		{"sudo -n sh -c 'umask 077; echo secret > /root/x; stat -c %a /root/x'", "600"},
		{"mkdir -p /tmp/a/b && echo hi > /tmp/a/b/c && mv /tmp/a/b/c /tmp/a/d && cat /tmp/a/d && ls /tmp/a", "hi\nb\nd"},
		{"command -v systemd-run && command -v nosuch || echo none", "/usr/bin/systemd-run\nnone"},
		{"readlink -f /usr/local/bin/kubectl", "/usr/local/bin/k3s"},
		{"systemctl is-active k3s-agent", "active"},
		{"systemctl show -p ActiveState,SubState --value k3s-agent", "active\nrunning"},
		{"sudo -n cat /etc/systemd/system/k3s-agent.service.env | grep -c K3S_TOKEN=", "1"},
		{"cat /etc/systemd/system/k3s-agent.service.env 2>&1 >/dev/null", ""},
		{"nice -n19 ionice -c3 timeout 5 echo calm", "calm"},
		{"false || echo no", "no"},
		{"sudo -n k3s etcd-snapshot save 2>&1 || true", "FATA[0000] Error: etcd datastore disabled"},
		{"cd /usr/local/bin && sudo -n cp -p k3s k3s.old && cmp k3s k3s.old && ./k3s.old --version | wc -l", "2"},
	} {
		out, complaints, _ := typed(t, c, x.line)
		if got := strings.TrimSuffix(out, "\n"); got != x.want && (x.want != "" || !strings.Contains(got, "denied")) {
			t.Errorf("%s:\n got %q %s\nwant %q", x.line, got, complaints, x.want)
		}
	}
	if _, complaints, code := typed(t, login(t, w, "guest", "worker-0"), "sudo -n true"); code == 0 || !strings.Contains(complaints, "password") {
		t.Errorf("guest may sudo: %d %s", code, complaints)
	}
	lift := w.SudoAsks("worker-0")
	if _, complaints, code := typed(t, c, "sudo -n true"); code != 1 || complaints != "sudo: a password is required\n" {
		t.Errorf("sudo that asks: %d %q", code, complaints)
	}
	lift()
	must(t, c, "sudo -n true")
}

// TestUnitOutlivesItsLine holds what long steps rely on.
func TestUnitOutlivesItsLine(t *testing.T) {
	t.Parallel()
	w, _ := start(t, demo.Options{})
	c := login(t, w, "root", "worker-1")
	must(t, c, "systemd-run --unit=daytwo-r1-fetch --collect --property=Type=exec -- sh -c 'echo begun; while [ ! -e /tmp/go ]; do sleep 0.01; done; echo through; exit 3'")
	if got := must(t, c, "systemctl is-active daytwo-r1-fetch"); got != "active" {
		t.Fatalf("unit is %s", got)
	}
	w.CutSSH("worker-1")
	if err := c.Wait(); err == nil {
		t.Error("the line ended as if it had been closed in order")
	}
	c = login(t, w, "root", "worker-1")
	must(t, c, "touch /tmp/go")
	must(t, c, "while systemctl is-active -q daytwo-r1-fetch; do sleep 0.01; done")
	out := must(t, c, "journalctl -u daytwo-r1-fetch -o cat")
	for _, want := range []string{"begun\nthrough\n", "status=3/NOTIMPLEMENTED", "Failed with result 'exit-code'"} {
		if !strings.Contains(out, want) {
			t.Errorf("the journal lacks %q:\n%s", want, out)
		}
	}
	if got := must(t, c, "systemctl show -p LoadState --value daytwo-r1-fetch"); got != "not-found" {
		t.Errorf("a collected unit is still %s", got)
	}
	cursor := must(t, c, "journalctl -u daytwo-r1-fetch -n1 --show-cursor -o cat | tail -n1")
	_, cursor, _ = strings.Cut(cursor, "cursor: ")
	if out := must(t, c, "journalctl -q -u daytwo-r1-fetch -o cat --after-cursor='"+cursor+"'"); out != "" {
		t.Errorf("behind the last cursor there is %q", out)
	}
}

func node(t *testing.T, w *demo.World, name string) *corev1.Node {
	t.Helper()
	n, err := client(t, w, "admin", "").CoreV1().Nodes().Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func ready(n *corev1.Node) corev1.ConditionStatus {
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status
		}
	}
	return ""
}

// TestRestartTakesUpTheBinaryThatLiesThere is the agent's half of an upgrade.
func TestRestartTakesUpTheBinaryThatLiesThere(t *testing.T) {
	t.Parallel()
	w, clock := start(t, demo.Options{})
	c := login(t, w, "", "worker-2")
	url := w.ReleaseURL() + "/releases/download/v1.33.5%2Bk3s1/"
	must(t, c, "cd /tmp && curl -fsSL -o k3s "+url+"k3s && curl -fsSL "+url+"sha256sum-amd64.txt | grep ' k3s$' | sha256sum -c - && chmod 755 k3s")
	if got := must(t, c, "/tmp/k3s --version | head -n1"); !strings.HasPrefix(got, "k3s version v1.33.5+k3s1 ") {
		t.Fatal(got)
	}
	must(t, c, "sudo -n sh -c 'cp -p /usr/local/bin/k3s /usr/local/bin/k3s.v1.33.4+k3s1 && mv /tmp/k3s /usr/local/bin/k3s && systemctl restart k3s-agent'")
	clock.pass(time.Second)
	if n := node(t, w, "worker-2"); ready(n) != corev1.ConditionFalse || n.Status.NodeInfo.KubeletVersion != "v1.33.4+k3s1" {
		t.Errorf("just after the restart: ready %s at %s", ready(n), n.Status.NodeInfo.KubeletVersion)
	}
	clock.pass(4 * time.Second)
	if n := node(t, w, "worker-2"); ready(n) != corev1.ConditionTrue || n.Status.NodeInfo.KubeletVersion != "v1.33.5+k3s1" {
		t.Errorf("soon after the restart: ready %s at %s", ready(n), n.Status.NodeInfo.KubeletVersion)
	}
	// A binary for another machine does not start, and the old one goes back.
	must(t, c, "sudo -n sh -c 'cd /usr/local/bin && mv k3s k3s.new && printf nonsense > k3s && chmod 755 k3s'")
	if _, complaints, code := typed(t, c, "sudo -n systemctl restart k3s-agent"); code != 1 || !strings.Contains(complaints, "control process exited") {
		t.Errorf("a broken binary starts: %d %s", code, complaints)
	}
	clock.pass(45 * time.Second)
	if n := node(t, w, "worker-2"); ready(n) != corev1.ConditionUnknown {
		t.Errorf("without its kubelet the node is ready: %s", ready(n))
	}
	must(t, c, "sudo -n sh -c 'mv /usr/local/bin/k3s.v1.33.4+k3s1 /usr/local/bin/k3s && systemctl restart k3s-agent'")
	clock.pass(5 * time.Second)
	if n := node(t, w, "worker-2"); ready(n) != corev1.ConditionTrue || n.Status.NodeInfo.KubeletVersion != "v1.33.4+k3s1" {
		t.Errorf("rolled back: ready %s at %s", ready(n), n.Status.NodeInfo.KubeletVersion)
	}
	// Nobody looks between a restart and its end.
	must(t, c, "sudo -n sh -c 'mv /usr/local/bin/k3s.new /usr/local/bin/k3s && systemctl restart k3s-agent'")
	clock.jump(5 * time.Second)
	if n := node(t, w, "worker-2"); ready(n) != corev1.ConditionTrue || n.Status.NodeInfo.KubeletVersion != "v1.33.5+k3s1" {
		t.Errorf("away between two steps: ready %s at %s", ready(n), n.Status.NodeInfo.KubeletVersion)
	}
}

// TestServerRestartTakesTheAPIAlong is the single server's half.
func TestServerRestartTakesTheAPIAlong(t *testing.T) {
	t.Parallel()
	w, clock := start(t, demo.Options{})
	c := login(t, w, "root", "master-0")
	must(t, c, "systemctl stop k3s")
	if conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(w.URL(), "https://")); err == nil {
		_ = conn.Close()
		t.Error("the API server still listens")
	}
	url := w.ReleaseURL() + "/releases/download/v1.34.1%2Bk3s1/"
	must(t, c, "cd /usr/local/bin && curl -fsSL -o k3s.new "+url+"k3s && chmod 755 k3s.new && mv k3s.new k3s && systemctl start --no-block k3s")
	clock.pass(2 * time.Second)
	if got, _, _ := typed(t, c, "systemctl is-active k3s"); got != "activating\n" {
		t.Errorf("a server that starts is %s", got)
	}
	clock.pass(4 * time.Second)
	v, err := client(t, w, "admin", "").Discovery().ServerVersion()
	if err != nil || v.GitVersion != "v1.34.1+k3s1" || v.Minor != "34" {
		t.Errorf("version %v, %v", v, err)
	}
	if n := node(t, w, "master-0"); n.Status.NodeInfo.KubeletVersion != "v1.34.1+k3s1" || ready(n) != corev1.ConditionTrue {
		t.Errorf("master-0 is at %s, ready %s", n.Status.NodeInfo.KubeletVersion, ready(n))
	}
}
