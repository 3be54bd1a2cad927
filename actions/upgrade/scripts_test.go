package upgrade

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// bench is a folder in which scripts run with this machine's own sh, and
// stand-ins for what they must not really call.
type bench struct {
	t   *testing.T
	dir string
}

const (
	oldVersion = "v1.33.4+k3s1"
	newVersion = "v1.33.6+k3s1"
)

func newBench(t *testing.T) *bench {
	t.Helper()
	if _, err := exec.LookPath("sh"); err != nil {
		t.Fatal("no POSIX shell on this machine: the scripts cannot be proved")
	}
	b := &bench{t, t.TempDir()}
	b.write("bin/k3s", 0o755, k3s(oldVersion))
	b.write("server/k3s", 0o644, k3s(newVersion))
	b.sums(fmt.Sprintf("%x", sha256.Sum256([]byte(k3s(newVersion)))))
	b.write("path/curl", 0o755, "#!/bin/sh\nwhile [ $# -gt 1 ]; do [ \"$1\" = -o ] && out=$2; shift; done\ncp \"$SERVER/${1##*/}\" \"$out\"\n")
	b.write("path/systemctl", 0o755, "#!/bin/sh\necho \"systemctl $*\" >>\"$DIR/calls\"\ncase $1 in show) echo \"ExecStart={ path=$DIR/bin/k3s ; argv[]=$DIR/bin/k3s agent --token K10secret ; }\" ;; is-active) [ \"$3\" = k3s-agent.service ] ;; is-enabled) exit 1 ;; esac\n")
	b.write("path/journalctl", 0o755, "#!/bin/sh\necho started\n")
	return b
}

func k3s(version string) string {
	return "#!/bin/sh\necho 'k3s version " + version + " (deadbeef)'\necho 'go version go1.26'\n"
}

func (b *bench) sums(sum string) {
	b.write("server/sums", 0o644, strings.Repeat("a", 64)+"  k3s-airgap-images-amd64.tar.zst\n"+sum+"  k3s\n")
}

func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }

func (b *bench) write(name string, mode os.FileMode, text string) {
	b.t.Helper()
	if err := os.MkdirAll(filepath.Dir(b.path(name)), 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(b.path(name), []byte(text), mode); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) read(name string) string {
	b.t.Helper()
	text, err := os.ReadFile(b.path(name))
	if errors.Is(err, os.ErrNotExist) {
		return ""
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return string(text)
}

// sh runs a script and returns what it said and how it ended.
func (b *bench) sh(script string) (string, int) {
	b.t.Helper()
	cmd := exec.CommandContext(b.t.Context(), "sh", "-c", script)
	cmd.Env = []string{"PATH=" + b.path("path") + ":" + os.Getenv("PATH"), "SERVER=" + b.path("server"), "DIR=" + b.dir, "LC_ALL=C"}
	out, err := cmd.CombinedOutput()
	var failed *exec.ExitError
	switch {
	case errors.As(err, &failed):
		return string(out), failed.ExitCode()
	case err != nil:
		b.t.Fatal(err)
	}
	return string(out), 0
}

func (b *bench) fetch(planned string) (string, int) {
	return b.sh(assign("url", "http://x/k3s", "sums", "http://x/sums", "file", "k3s", "planned", planned,
		"new", b.path("bin/k3s.next"), "to", newVersion) + fetchScript)
}

func TestProbeTellsTheMachineAndNoSecret(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	out, code := b.sh(probeScript)
	for _, want := range []string{"unit=k3s-agent\n", "binary=" + b.path("bin/k3s") + "\n", "version=" + oldVersion + "\n", "free=", "curl=yes\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in (%d):\n%s", want, code, out)
		}
	}
	if strings.Contains(out, "secret") || code != 0 {
		t.Errorf("code %d, and this must not hold the token:\n%s", code, out)
	}
}

func TestFetchSwapAndBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	bin, next, old := b.path("bin/k3s"), b.path("bin/k3s.next"), b.path("bin/k3s."+oldVersion)
	if out, code := b.fetch(""); code != 0 || b.read("bin/k3s") != k3s(oldVersion) || b.read("bin/k3s.next") != k3s(newVersion) {
		t.Fatalf("fetch ended with %d:\n%s", code, out)
	}
	swap := assign("bin", bin, "new", next, "old", old, "from", oldVersion, "to", newVersion) + swapScript
	for range 2 { // again after a crash: nothing more, and the old one is not lost
		if out, code := b.sh(swap); code != 0 || b.read("bin/k3s") != k3s(newVersion) || b.read("bin/k3s."+oldVersion) != k3s(oldVersion) {
			t.Fatalf("swap ended with %d:\n%s", code, out)
		}
	}
	back := assign("bin", bin, "old", old, "to", oldVersion, "unit", "k3s-agent") + backScript
	for range 2 {
		if out, code := b.sh(back); code != 0 || b.read("bin/k3s") != k3s(oldVersion) || b.read("bin/k3s."+oldVersion) != k3s(oldVersion) {
			t.Fatalf("back ended with %d:\n%s", code, out)
		}
	}
}

func TestFetchRefusesWhatIsNotTheRelease(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(b *bench) (string, int){
		"wrong checksum":             func(b *bench) (string, int) { b.sums(strings.Repeat("0", 64)); return b.fetch("") },
		"truncated":                  func(b *bench) (string, int) { b.write("server/k3s", 0o644, k3s(newVersion)[:20]); return b.fetch("") },
		"not the sum of the plan":    func(b *bench) (string, int) { return b.fetch(strings.Repeat("1", 64)) },
		"no sum for this file":       func(b *bench) (string, int) { b.write("server/sums", 0o644, ""); return b.fetch("") },
		"no such file on the server": func(b *bench) (string, int) { _ = os.Remove(b.path("server/k3s")); return b.fetch("") },
		"another version": func(b *bench) (string, int) {
			other := k3s("v1.33.5+k3s1")
			b.write("server/k3s", 0o644, other)
			b.sums(fmt.Sprintf("%x", sha256.Sum256([]byte(other))))
			return b.fetch("")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			out, code := spoil(b)
			left, err := filepath.Glob(b.path("bin/*"))
			if code == 0 || err != nil || len(left) != 1 || b.read("bin/k3s") != k3s(oldVersion) {
				t.Errorf("it ended with %d and left %v:\n%s", code, left, out)
			}
		})
	}
}

func TestRestartTellsWhatSystemdSaid(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	out, code := b.sh(assign("unit", "k3s-agent") + restartScript)
	if code != 0 || !strings.Contains(out, "started") || !strings.Contains(b.read("calls"), "restart k3s-agent.service") {
		t.Errorf("%d:\n%s", code, out)
	}
	b.write("path/systemctl", 0o755, "#!/bin/sh\nexit 7\n")
	if out, code := b.sh(assign("unit", "k3s-agent") + restartScript); code != 7 || !strings.Contains(out, "ended with 7") {
		t.Errorf("%d:\n%s", code, out)
	}
}

// TestInstallerGetsWhatTheUnitHas: the install script is called with the
// arguments and environment that it would otherwise forget.
func TestInstallerGetsWhatTheUnitHas(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	unit := "[Service]\nEnvironmentFile=-/etc/systemd/system/k3s-agent.service.env\nExecStart=/usr/local/bin/k3s \\\n    agent \\\n\t'--node-label' \\\n\t'tier=web; rm -rf /' \\\n\nRestart=always\n"
	b.write("system/k3s-agent.service", 0o644, unit)
	b.write("system/k3s-agent.service.env", 0o600, "K3S_TOKEN='K10secret::server:abc'\nK3S_URL='https://10.0.0.1:6443'\n")
	b.write("server/install.sh", 0o644, `for a in "$@"; do echo "arg=$a"; done; echo "url=$K3S_URL skip=$INSTALL_K3S_SKIP_DOWNLOAD force=$INSTALL_K3S_FORCE_RESTART"; [ -n "$K3S_TOKEN" ] && echo has-token`)
	script := assign("unit", "k3s-agent", "bin", b.path("bin/k3s"), "from", oldVersion, "install", "http://x/install.sh") +
		strings.ReplaceAll(installScript, "/etc/systemd/system", b.path("system"))
	out, code := b.sh(script)
	for _, want := range []string{"arg=agent\n", "arg=--node-label\n", "arg=tier=web; rm -rf /\n", "url=https://10.0.0.1:6443 skip=true force=true\n", "has-token\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in (%d):\n%s", want, code, out)
		}
	}
	if strings.Contains(out, "secret") || strings.Contains(script, "secret") {
		t.Errorf("the token is in sight:\n%s", out)
	}
	if b.read("system/k3s-agent.service."+oldVersion) != unit {
		t.Error("the unit was not kept beside")
	}
}

func TestSQLiteIsSavedWithItsToken(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.write("data/server/token", 0o600, "K10x::server:y\n")
	b.write("data/server/db/state.db", 0o600, "SQLite format 3\x00rest")
	b.write("path/sqlite3", 0o755, "#!/bin/sh\ncase $2 in .backup*) f=${2#*\\'}; cp \"$1\" \"${f%\\'*}\" ;; *) echo \"$CHECK\" ;; esac\n")
	script := assign("dir", b.path("saved"), "data", b.path("data"), "bin", b.path("bin/k3s"), "unit", "k3s") + saveSQLite
	if out, code := b.sh("CHECK=ok; export CHECK\n" + script); code != 0 || b.read("saved/token") == "" || !strings.HasPrefix(b.read("saved/state.db"), "SQLite") {
		t.Errorf("%d:\n%s", code, out)
	}
	if out, code := b.sh("CHECK='malformed'; export CHECK\n" + script); code == 0 || !strings.Contains(out, "cannot be read") {
		t.Errorf("a damaged copy was taken for one (%d):\n%s", code, out)
	}
	if _, err := os.Stat(b.path("saved/complete")); err == nil {
		t.Error("a damaged copy is marked complete")
	}
}
