// Package build makes what a lab consists of, into the cache: the Kubernetes
// programs from their modules, the root image from Debian's packages. Everything is
// keyed by version, so that only the first start on a machine is slow.
package build

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"

	"daytwolab/internal/place"
	"daytwolab/internal/proc"
	"daytwolab/internal/say"
)

// Modules that are installed as they are. The version of KWOK is also that of its stages.
const (
	KwokVersion          = "v0.8.0"
	metricsServerVersion = "v0.9.0"
	crictlVersion        = "v1.37.0"
)

// Builder builds into the cache of a place.
type Builder struct {
	Place place.Place
	Log   *say.Log
}

var versionPattern = regexp.MustCompile(`^v1\.([0-9]+)\.([0-9]+)(\+k3s[0-9]+)?$`)

// Version is a k3s version such as v1.37.1+k3s1.
type Version struct{ Minor, Patch int }

// ParseVersion reads a k3s version; the suffix must be there, as in a release's tag.
func ParseVersion(s string) (Version, error) {
	m := versionPattern.FindStringSubmatch(s)
	if m == nil || m[3] == "" {
		return Version{}, fmt.Errorf("version %q: want an exact k3s version such as v1.37.1+k3s1", s)
	}
	minor, err := strconv.Atoi(m[1])
	if err != nil {
		return Version{}, fmt.Errorf("version %q: %w", s, err)
	}
	patch, err := strconv.Atoi(m[2])
	if err != nil {
		return Version{}, fmt.Errorf("version %q: %w", s, err)
	}
	return Version{Minor: minor, Patch: patch}, nil
}

// String is the version as a tag.
func (v Version) String() string { return fmt.Sprintf("v1.%d.%d+k3s1", v.Minor, v.Patch) }

// Releases are the versions that the release server has beside a cluster's own: the
// next patch and the next minor.
func Releases(version string) ([]string, error) {
	v, err := ParseVersion(version)
	if err != nil {
		return nil, err
	}
	return []string{
		version,
		Version{Minor: v.Minor, Patch: v.Patch + 1}.String(),
		Version{Minor: v.Minor + 1}.String(),
	}, nil
}

// Kube builds one Kubernetes program that says it is a version: the source is that of
// the kube module, the version is linked in. A further version is a link step.
func (b Builder) Kube(ctx context.Context, name, version string) (string, error) {
	out := b.Place.Cached("kube", version, name)
	if exists(out) {
		return out, nil
	}
	v, err := ParseVersion(version)
	if err != nil {
		return "", err
	}
	b.Log.Step("building %s %s (the first build on a machine takes minutes)", name, version)
	const pkg = "k8s.io/component-base/version"
	flags := fmt.Sprintf("-s -w -X %s.gitVersion=%s -X %s.gitMajor=1 -X %s.gitMinor=%d", pkg, version, pkg, pkg, v.Minor)
	err = b.gobuild(ctx, b.Place.Source+"/kube", out, "-ldflags", flags, "k8s.io/kubernetes/cmd/"+name)
	return out, err
}

// Own builds one of the lab's own programs, every time: Go's build cache makes that
// a second, and so none is ever stale.
func (b Builder) Own(ctx context.Context, name string) (string, error) {
	out := b.Place.Cached("lab", name)
	err := b.gobuild(ctx, b.Place.Source, out, "-ldflags", "-s -w", "./cmd/"+name)
	return out, err
}

func (b Builder) gobuild(ctx context.Context, dir, out string, args ...string) error {
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return fmt.Errorf("building %s: %w", filepath.Base(out), err)
	}
	line := append([]string{"-C", dir, "CGO_ENABLED=0", "go", "build", "-p", jobs(), "-trimpath", "-o", out + ".new"}, args...)
	if err := proc.Run(ctx, "env", line...); err != nil {
		return fmt.Errorf("building %s (is the Go module proxy reachable?): %w", filepath.Base(out), err)
	}
	if err := os.Rename(out+".new", out); err != nil {
		return fmt.Errorf("building %s: %w", filepath.Base(out), err)
	}
	return nil
}

// jobs keeps half of a big machine free, and both cores of a small one busy.
func jobs() string { return strconv.Itoa(max(2, runtime.NumCPU()/2)) }

// Installed installs a program of a module at a version.
func (b Builder) Installed(ctx context.Context, pkg, version string) (string, error) {
	name := filepath.Base(pkg)
	dir := b.Place.Cached("modules", name+"-"+version)
	out := filepath.Join(dir, name)
	if exists(out) {
		return out, nil
	}
	b.Log.Step("building %s %s", name, version)
	err := proc.Run(ctx, "env", "CGO_ENABLED=0", "GOBIN="+dir, "GOFLAGS=", "go", "install", "-p", jobs(), "-trimpath", pkg+"@"+version)
	if err != nil {
		return "", fmt.Errorf("building %s: %w", name, err)
	}
	return out, nil
}

// MetricsServer builds the metrics-server.
func (b Builder) MetricsServer(ctx context.Context) (string, error) {
	return b.Installed(ctx, "sigs.k8s.io/metrics-server/cmd/metrics-server", metricsServerVersion)
}

// Crictl builds crictl, which the real k3s has inside.
func (b Builder) Crictl(ctx context.Context) (string, error) {
	return b.Installed(ctx, "sigs.k8s.io/cri-tools/cmd/crictl", crictlVersion)
}

// Kwok builds KWOK.
func (b Builder) Kwok(ctx context.Context) (string, error) {
	return b.Installed(ctx, "sigs.k8s.io/kwok/cmd/kwok", KwokVersion)
}

// imagePackages is what a server of the lab has installed.
var imagePackages = strings.Join([]string{
	"systemd", "systemd-sysv", "openssh-server", "dbus", "iproute2", "curl", "ca-certificates", "procps",
	"containerd", "runc", "containernetworking-plugins", "iptables", "conntrack", "socat", "ethtool", "kmod",
	"jq", "lsof", "iputils-ping", "libfaketime", "sudo", "openssl",
}, ",")

// imageSize is a server's disk: large enough that kubelet's thresholds in per cent
// leave room to work, sparse, so that it costs what is written to it.
const imageSize = "8G"

// Image makes the root image of a server, one ext4 file.
func (b Builder) Image(ctx context.Context) (string, error) {
	key := fmt.Sprintf("%x", sha256.Sum256([]byte(imagePackages+imageSize)))[:12]
	out := b.Place.Cached("image-" + key + ".ext4")
	if exists(out) {
		return out, nil
	}
	b.Log.Step("building the servers' root image from Debian's packages (2 to 5 minutes)")
	if err := os.MkdirAll(b.Place.Cache, 0o755); err != nil {
		return "", fmt.Errorf("building the root image: %w", err)
	}
	work, err := os.MkdirTemp(b.Place.Cache, "image-work-")
	if err != nil {
		return "", fmt.Errorf("building the root image: %w", err)
	}
	defer os.RemoveAll(work)
	mirror := os.Getenv("LAB_MIRROR")
	if mirror == "" {
		mirror = "http://deb.debian.org/debian"
	}
	root, file := filepath.Join(work, "root"), filepath.Join(work, "image")
	steps := [][]string{
		{"debootstrap", "--variant=minbase", "--include=" + imagePackages, "bookworm", root, mirror},
		{"sh", "-c", `rm -rf "$1"/var/cache/apt/archives/*.deb "$1"/var/lib/apt/lists/* "$1"/etc/ssh/ssh_host_* && : >"$1/etc/machine-id"`, "sh", root},
		{"truncate", "-s", imageSize, file},
		{"mkfs.ext4", "-q", "-F", "-m", "5", "-d", root, file},
	}
	for _, step := range steps {
		if err := proc.Run(ctx, step[0], step[1:]...); err != nil {
			return "", fmt.Errorf("building the root image: %w", err)
		}
	}
	if err := os.Rename(file, out); err != nil {
		return "", fmt.Errorf("building the root image: %w", err)
	}
	return out, nil
}

func exists(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Size() > 0
}
