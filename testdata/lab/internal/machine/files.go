package machine

import (
	_ "embed"
	"fmt"
	"strings"

	"daytwolab/internal/place"
)

//go:embed setup.sh
var setupScript string

// entry is one file on a server's disk.
type entry struct {
	path    string
	mode    uint32
	content string
}

// identity is what differs between servers beside their names.
type identity struct {
	node      place.Node
	nodes     []place.Node
	cgroup    string
	machineID string
	token     string
	ca        string
	admin     string
	key       string
	hostKey   string
	hostPub   string
}

// cgroupRoot is where the kubelet puts its pods. With cgroup v1 every server sees the
// machine's own hierarchy and so needs a group of its own in it.
func (id identity) cgroupRoot() string {
	if unified() {
		return "/"
	}
	return "/" + id.cgroup
}

// files lists what a server's disk gets on top of the common image.
func (id identity) files() []entry {
	unit := id.node.Unit()
	list := []entry{
		{"etc/hostname", 0o644, id.node.Name + "\n"},
		{"etc/hosts", 0o644, id.hosts()},
		{"etc/machine-id", 0o444, id.machineID + "\n"},
		{"etc/systemd/network/10-host0.network", 0o644, id.network()},
		{"etc/ssh/ssh_host_ed25519_key", 0o600, id.hostKey},
		{"etc/ssh/ssh_host_ed25519_key.pub", 0o644, id.hostPub},
		{"root/.ssh/authorized_keys", 0o600, id.key},
		{"home/ops/.ssh/authorized_keys", 0o600, id.key},
		{"etc/sudoers.d/ops", 0o440, "ops ALL=(ALL) NOPASSWD: ALL\n"},
		{"usr/local/sbin/lab-setup", 0o755, setupScript},
		{"etc/systemd/system/lab-setup.service", 0o644, setupUnit},
		{"etc/rancher/lab/cgroup", 0o644, id.cgroup + "\n"},
		{"etc/rancher/lab/api", 0o644, place.APIURL + "\n"},
		{"etc/rancher/lab/ca.crt", 0o644, id.ca},
		{"etc/rancher/lab/kubelet.yaml", 0o644, fmt.Sprintf(kubeletConfig, id.cgroupRoot())},
		{"etc/rancher/lab/containerd.toml", 0o644, containerdConfig},
		{"etc/rancher/lab/cni.conflist", 0o644, fmt.Sprintf(cniConfig, id.node.Pods)},
		{"etc/rancher/node/password", 0o600, id.machineID + "\n"},
		{"etc/systemd/system/" + unit + ".service", 0o644, id.unit()},
		{"etc/systemd/system/" + unit + ".service.env", 0o600, id.env()},
	}
	if id.node.Role == "server" {
		list = append(list,
			entry{"etc/rancher/k3s/k3s.yaml", 0o600, id.admin},
			entry{"etc/rancher/k3s/config.yaml", 0o600, "# As the installer left it.\nwrite-kubeconfig-mode: \"0600\"\n"},
			entry{"var/lib/rancher/k3s/server/token", 0o600, id.token + "\n"},
			entry{"var/lib/rancher/k3s/server/node-token", 0o600, id.token + "\n"},
		)
	}
	return list
}

func (id identity) hosts() string {
	var b strings.Builder
	b.WriteString("127.0.0.1 localhost\n")
	for _, n := range id.nodes {
		fmt.Fprintf(&b, "%s %s\n", n.IP, n.Name)
	}
	return b.String()
}

func (id identity) network() string {
	var b strings.Builder
	fmt.Fprintf(&b, "[Match]\nName=host0\n[Network]\nAddress=%s/24\nLinkLocalAddressing=no\nIPForward=yes\n", id.node.IP)
	for _, n := range id.nodes {
		if n.Name != id.node.Name {
			fmt.Fprintf(&b, "[Route]\nDestination=%s\nGateway=%s\n", n.Pods, n.IP)
		}
	}
	return b.String()
}

func (id identity) env() string {
	if id.node.Role == "server" {
		return ""
	}
	return fmt.Sprintf("K3S_TOKEN='%s'\nK3S_URL='%s'\n", id.token, place.APIURL)
}

// unit is the unit that k3s's installer writes.
func (id identity) unit() string {
	kind, args := "exec", []string{"agent", "'--node-ip' '" + id.node.IP + "'", "'--node-label' 'pool=general'"}
	if id.node.Role == "server" {
		kind, args = "notify", []string{"server", "'--node-ip' '" + id.node.IP + "'", "'--disable' 'traefik'", "'--tls-san' 'lab.example.org'"}
	}
	return fmt.Sprintf(k3sUnit, kind, id.node.Unit(), strings.Join(args, " \\\n\t"))
}

const setupUnit = `[Unit]
Description=Prepare this server of the lab for a kubelet
Before=k3s.service k3s-agent.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/lab-setup
[Install]
WantedBy=multi-user.target
`

const k3sUnit = `[Unit]
Description=Lightweight Kubernetes
Documentation=https://k3s.io
Wants=network-online.target
After=network-online.target

[Install]
WantedBy=multi-user.target

[Service]
Type=%[1]s
EnvironmentFile=-/etc/default/%%N
EnvironmentFile=-/etc/sysconfig/%%N
EnvironmentFile=-/etc/systemd/system/%[2]s.service.env
KillMode=process
Delegate=yes
User=root
TasksMax=infinity
TimeoutStartSec=0
Restart=always
RestartSec=5s
ExecStart=/usr/local/bin/k3s \
    %[3]s
`

// kubeletConfig has k3s's eviction thresholds, which are not the kubelet's own.
const kubeletConfig = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
cgroupDriver: cgroupfs
cgroupRoot: %s
failCgroupV1: false
failSwapOn: false
featureGates: {KubeletInUserNamespace: true}
containerRuntimeEndpoint: unix:///run/k3s/containerd/containerd.sock
clusterDomain: cluster.local
resolvConf: ""
evictionHard: {imagefs.available: "5%%", nodefs.available: "5%%"}
evictionMinimumReclaim: {imagefs.available: "10%%", nodefs.available: "10%%"}
evictionPressureTransitionPeriod: 30s # 5 min by default: a test that fills a disk is not to last that long
nodeLeaseDurationSeconds: 20
nodeStatusUpdateFrequency: 5s
nodeStatusReportFrequency: 1m
serializeImagePulls: false
shutdownGracePeriod: 0s
`

const containerdConfig = `version = 2
root = "/var/lib/rancher/k3s/agent/containerd"
state = "/run/k3s/containerd"
[grpc]
  address = "/run/k3s/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  restrict_oom_score_adj = true
  disable_apparmor = true
  sandbox_image = "docker.io/rancher/mirrored-pause:3.6"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "/var/lib/rancher/k3s/agent/etc/cni/net.d"
`

const cniConfig = `{"cniVersion": "0.4.0", "name": "cbr0", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": false, "hairpinMode": true,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "%s"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}
]}
`
