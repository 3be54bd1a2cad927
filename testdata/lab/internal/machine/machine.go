// Package machine makes the lab's servers: Debian with systemd, sshd, journald and
// containerd in systemd-nspawn, each on a disk of its own.
package machine

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"daytwolab/internal/place"
	"daytwolab/internal/proc"
)

// Parts are the files that every server gets.
type Parts struct {
	Image    string
	K3s      string
	PodImage string
}

func disk(p place.Place, name string) string { return p.Path("disks", name+".ext4") }

// Root is where a server's disk is mounted on the machine that runs the lab.
func Root(p place.Place, name string) string { return p.Path("roots", name) }

// unitName is the name under which a server's systemd-nspawn is recorded.
func unitName(name string) string { return "machine-" + name }

// Alive says whether a server runs.
func Alive(p place.Place, name string) bool { return proc.Alive(p, unitName(name)) }

// Key makes the SSH key that opens every server, once for a lab.
func Key(ctx context.Context, p place.Place) error {
	if err := os.MkdirAll(p.Path("ssh"), 0o700); err != nil {
		return fmt.Errorf("making the SSH key: %w", err)
	}
	return keygen(ctx, p.Path("ssh", "id_ed25519"), "operator@lab")
}

func keygen(ctx context.Context, path, comment string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	return proc.Run(ctx, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path)
}

// SSHConfig writes the ssh configuration and the known hosts of a lab's servers.
func SSHConfig(p place.Place, nodes []place.Node) (string, error) {
	var config, known strings.Builder
	for _, n := range nodes {
		fmt.Fprintf(&config, "Host %s\n  HostName %s\n", n.Name, n.IP)
		pub, err := os.ReadFile(p.Path("ssh", n.Name+".pub"))
		if err != nil {
			return "", fmt.Errorf("writing the known hosts: %w", err)
		}
		fmt.Fprintf(&known, "%s,%s %s", n.Name, n.IP, pub)
	}
	fmt.Fprintf(&config, "Host master-* worker-*\n  User root\n  IdentityFile %s\n  IdentitiesOnly yes\n"+
		"  UserKnownHostsFile %s\n  StrictHostKeyChecking yes\n  ConnectTimeout 5\n",
		p.Path("ssh", "id_ed25519"), p.Path("ssh", "known_hosts"))
	if err := os.WriteFile(p.Path("ssh", "known_hosts"), []byte(known.String()), 0o644); err != nil {
		return "", fmt.Errorf("writing the known hosts: %w", err)
	}
	path := p.Path("ssh", "config")
	if err := os.WriteFile(path, []byte(config.String()), 0o644); err != nil {
		return "", fmt.Errorf("writing the ssh configuration: %w", err)
	}
	return path, nil
}

// Make makes a server's disk from the image, mounts it and writes what is its own.
func Make(ctx context.Context, p place.Place, n place.Node, nodes []place.Node, parts Parts) error {
	root := Root(p, n.Name)
	for _, dir := range []string{filepath.Dir(disk(p, n.Name)), root, "/run/systemd/nspawn"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("making %s: %w", n.Name, err)
		}
	}
	if err := proc.Run(ctx, "cp", "--sparse=always", "--reflink=auto", parts.Image, disk(p, n.Name)); err != nil {
		return fmt.Errorf("copying the disk of %s: %w", n.Name, err)
	}
	if err := proc.Run(ctx, "mount", "-o", "loop", disk(p, n.Name), root); err != nil {
		return fmt.Errorf("mounting the disk of %s: %w", n.Name, err)
	}
	id, err := identify(ctx, p, n, nodes)
	if err != nil {
		return err
	}
	if err := writeAll(root, id.files()); err != nil {
		return fmt.Errorf("writing the disk of %s: %w", n.Name, err)
	}
	const finish = `set -e
root=$1 k3s=$2 image=$3 unit=$4
install -D -m 0755 "$k3s" "$root/usr/local/bin/k3s"
install -D -m 0644 "$image" "$root/var/lib/rancher/k3s/agent/images/lab.tar"
mkdir -p "$root/opt/lab/bin" "$root/var/log/journal" "$root/var/lib/rancher/k3s/storage"
grep -q ^ops: "$root/etc/passwd" || chroot "$root" useradd --uid 1000 --shell /bin/bash ops
chown -R 1000:1000 "$root/home/ops" && chmod 0700 "$root/home/ops/.ssh" "$root/root/.ssh"
wants=$root/etc/systemd/system/multi-user.target.wants
mkdir -p "$wants"
ln -sf /etc/systemd/system/lab-setup.service "$wants/"
ln -sf "/etc/systemd/system/$unit.service" "$wants/"
ln -sf /lib/systemd/system/systemd-networkd.service "$wants/"
for u in apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer dpkg-db-backup.timer \
	containerd.service systemd-networkd-wait-online.service; do ln -sf /dev/null "$root/etc/systemd/system/$u"; done
: >"$root/etc/fstab"
`
	if err := proc.Run(ctx, "sh", "-c", finish, "sh", root, parts.K3s, parts.PodImage, n.Unit()); err != nil {
		return fmt.Errorf("writing the disk of %s: %w", n.Name, err)
	}
	return nil
}

func identify(ctx context.Context, p place.Place, n place.Node, nodes []place.Node) (identity, error) {
	id := identity{node: n, nodes: nodes, cgroup: p.Cgroup(n.Name), machineID: randomHex()}
	if err := keygen(ctx, p.Path("ssh", n.Name), "root@"+n.Name); err != nil {
		return id, fmt.Errorf("making the host key of %s: %w", n.Name, err)
	}
	for path, into := range map[string]*string{
		p.Path("pki", "node-token"):     &id.token,
		p.Path("pki", "ca.crt"):         &id.ca,
		p.Path("admin.kubeconfig"):      &id.admin,
		p.Path("ssh", "id_ed25519.pub"): &id.key,
		p.Path("ssh", n.Name):           &id.hostKey,
		p.Path("ssh", n.Name+".pub"):    &id.hostPub,
	} {
		data, err := os.ReadFile(path)
		if err != nil {
			return id, fmt.Errorf("preparing %s: %w", n.Name, err)
		}
		*into = string(data)
	}
	return id, nil
}

func randomHex() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails.
	return hex.EncodeToString(b[:])
}

func writeAll(root string, files []entry) error {
	for _, f := range files {
		path := filepath.Join(root, f.path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.RemoveAll(path); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(f.content), os.FileMode(f.mode)); err != nil {
			return err
		}
		if err := os.Chmod(path, os.FileMode(f.mode)); err != nil {
			return err
		}
	}
	return nil
}

// Boot starts a server. It answers some seconds later.
func Boot(p place.Place, n place.Node) error {
	groups, err := makeGroups(p.Cgroup(n.Name))
	if err != nil {
		return err
	}
	return proc.Spawn(p, proc.Spec{
		Name: unitName(n.Name),
		Args: []string{
			"systemd-nspawn", "-q", "-D", Root(p, n.Name), "--machine=" + n.Name,
			"--register=no", "--keep-unit", "--network-bridge=br0", "--capability=all",
			"--system-call-filter=@keyring bpf", "--bind-ro=/sys/module", "--bind=/dev/kmsg",
			"--bind-ro=" + p.Cached("lab") + ":/opt/lab/bin", "--property=DeviceAllow=*",
			"--resolv-conf=off", "--timezone=off", "-b",
		},
		Cgroups: groups,
	})
}

// Answers waits until a server takes an SSH connection.
func Answers(ctx context.Context, p place.Place, n place.Node) error {
	err := proc.Poll(ctx, 90*time.Second, func(ctx context.Context) error {
		if !Alive(p, n.Name) {
			return errors.New("systemd-nspawn ended")
		}
		_, err := SSH(ctx, p, n.Name, "true")
		return err
	})
	if err != nil {
		return fmt.Errorf("waiting for SSH of %s (see %s): %w", n.Name, proc.LogFile(p, unitName(n.Name)), err)
	}
	return nil
}

// SSH runs a command on a server as an operator would.
func SSH(ctx context.Context, p place.Place, name string, command ...string) (string, error) {
	args := append([]string{"ssh", "-F", p.Path("ssh", "config"), "-o", "BatchMode=yes", name}, command...)
	line := proc.Inside(p, args...)
	return proc.Output(ctx, line[0], line[1:]...)
}

// Stop ends a server at once, as if its power went.
func Stop(ctx context.Context, p place.Place, name string) error {
	if err := Thaw(p, name); err != nil {
		return err
	}
	if err := proc.End(ctx, p, unitName(name), syscall.SIGKILL, 15*time.Second); err != nil {
		return err
	}
	return removeGroups(ctx, p.Cgroup(name))
}
