// Package control runs the control plane in the lab's network namespace: real etcd,
// API server, controller manager, scheduler and metrics-server.
package control

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"time"

	"daytwolab/internal/build"
	"daytwolab/internal/place"
	"daytwolab/internal/proc"
	"daytwolab/internal/say"
)

// Network makes the namespace and its bridge. There is no route out.
func Network(ctx context.Context, p place.Place) error {
	if _, err := os.Stat(p.NetnsPath()); err == nil {
		return nil
	}
	ip := func(args ...string) []string { return append([]string{"ip", "-n", p.Netns()}, args...) }
	steps := [][]string{
		{"ip", "netns", "add", p.Netns()},
		ip("link", "set", "lo", "up"),
		ip("link", "add", "br0", "type", "bridge"),
		ip("address", "add", place.ControlIP+"/24", "dev", "br0"),
		ip("link", "set", "br0", "up"),
	}
	for _, step := range steps {
		if err := proc.Run(ctx, step[0], step[1:]...); err != nil {
			return fmt.Errorf("making the network: %w", err)
		}
	}
	return nil
}

// Route lets the control plane reach the pods of a node.
func Route(ctx context.Context, p place.Place, n place.Node) error {
	return proc.Run(ctx, "ip", "-n", p.Netns(), "route", "replace", n.Pods, "via", n.IP)
}

// programs in the order in which they start.
const (
	etcd       = "etcd"
	apiserver  = "kube-apiserver"
	controller = "kube-controller-manager"
	scheduler  = "kube-scheduler"
	metrics    = "metrics-server"
)

// Start starts what does not run yet and waits until the API server is ready.
func Start(ctx context.Context, p place.Place, b build.Builder, version string, log *say.Log) error {
	binaries := map[string]string{etcd: "/usr/bin/etcd"}
	for _, name := range []string{apiserver, controller, scheduler} {
		path, err := b.Kube(ctx, name, version)
		if err != nil {
			return err
		}
		binaries[name] = path
	}
	log.Step("starting etcd and kube-apiserver %s", version)
	for _, name := range []string{etcd, apiserver} {
		if err := spawn(p, name, binaries[name]); err != nil {
			return err
		}
	}
	if err := Ready(ctx, p); err != nil {
		return err
	}
	for _, name := range []string{controller, scheduler} {
		if err := spawn(p, name, binaries[name]); err != nil {
			return err
		}
	}
	log.Step("API server is ready")
	return nil
}

// Metrics starts the metrics-server, which wants its nodes to be there.
func Metrics(ctx context.Context, p place.Place, b build.Builder) error {
	path, err := b.MetricsServer(ctx)
	if err != nil {
		return err
	}
	return spawn(p, metrics, path)
}

func spawn(p place.Place, name, binary string) error {
	return proc.Spawn(p, proc.Spec{Name: name, Args: append([]string{binary}, flags(p, name)...)})
}

// Ready waits until the API server says that it is.
func Ready(ctx context.Context, p place.Place) error {
	err := proc.Poll(ctx, 90*time.Second, func(ctx context.Context) error {
		_, err := proc.Kubectl(ctx, p, "", "get", "--raw", "/readyz")
		return err
	})
	if err != nil {
		return fmt.Errorf("waiting for the API server (see %s): %w", proc.LogFile(p, apiserver), err)
	}
	return nil
}

// StopAPI ends the API server and nothing else: connections are refused from now on.
func StopAPI(ctx context.Context, p place.Place) error {
	return proc.End(ctx, p, apiserver, syscall.SIGKILL, 5*time.Second)
}

// StartAPI starts the API server again, on the same data.
func StartAPI(ctx context.Context, p place.Place, version string) error {
	if err := spawn(p, apiserver, p.Cached("kube", version, apiserver)); err != nil {
		return err
	}
	return Ready(ctx, p)
}

// flags of a program, with files of the state folder.
func flags(p place.Place, name string) []string {
	file := func(s string) string { return p.Path("pki", s) }
	switch name {
	case etcd:
		return []string{
			"--name=lab", "--data-dir=" + p.Path("etcd"), "--unsafe-no-fsync",
			"--listen-client-urls=http://127.0.0.1:2379", "--advertise-client-urls=http://127.0.0.1:2379",
			"--listen-peer-urls=http://127.0.0.1:2380", "--log-level=warn",
			"--quota-backend-bytes=8589934592", "--auto-compaction-mode=periodic", "--auto-compaction-retention=5m",
		}
	case apiserver:
		return append(apiFlags(file), "--etcd-servers=http://127.0.0.1:2379", "--v=1")
	case controller:
		return []string{
			"--kubeconfig=" + p.Path("admin.kubeconfig"), "--leader-elect=false", "--bind-address=127.0.0.1",
			"--root-ca-file=" + file("ca.crt"), "--service-account-private-key-file=" + file("serviceaccount.key"),
			// A frozen server is to become NotReady soon, but not the hundreds of nodes
			// that one KWOK on a busy machine keeps alive.
			"--node-monitor-grace-period=50s", "--node-monitor-period=2s",
			"--kube-api-qps=200", "--kube-api-burst=400",
		}
	case scheduler:
		return []string{"--kubeconfig=" + p.Path("admin.kubeconfig"), "--leader-elect=false", "--bind-address=127.0.0.1"}
	case metrics:
		return []string{
			"--kubeconfig=" + p.Path("admin.kubeconfig"),
			"--authentication-kubeconfig=" + p.Path("admin.kubeconfig"),
			"--authorization-kubeconfig=" + p.Path("admin.kubeconfig"),
			"--bind-address=" + place.ControlIP, fmt.Sprintf("--secure-port=%d", place.MetricsPort),
			"--tls-cert-file=" + file("metrics.crt"), "--tls-private-key-file=" + file("metrics.key"),
			"--kubelet-insecure-tls", "--kubelet-preferred-address-types=InternalIP", "--metric-resolution=15s",
		}
	default:
		return nil
	}
}

func apiFlags(file func(string) string) []string {
	return []string{
		"--bind-address=" + place.ControlIP, "--advertise-address=" + place.ControlIP, "--secure-port=6443",
		"--tls-cert-file=" + file("apiserver.crt"), "--tls-private-key-file=" + file("apiserver.key"),
		"--client-ca-file=" + file("ca.crt"), "--token-auth-file=" + file("tokens.csv"),
		"--authorization-mode=RBAC", "--allow-privileged=true",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + file("serviceaccount.crt"),
		"--service-account-signing-key-file=" + file("serviceaccount.key"),
		"--service-cluster-ip-range=" + place.ServiceCIDR,
		"--kubelet-preferred-address-types=InternalIP",
		"--kubelet-client-certificate=" + file("kubelet-client.crt"),
		"--kubelet-client-key=" + file("kubelet-client.key"),
		"--requestheader-client-ca-file=" + file("front-ca.crt"),
		"--requestheader-allowed-names=system:auth-proxy",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-username-headers=X-Remote-User",
		"--proxy-client-cert-file=" + file("front-proxy.crt"),
		"--proxy-client-key-file=" + file("front-proxy.key"),
		"--enable-aggregator-routing=true", "--delete-collection-workers=8",
	}
}
