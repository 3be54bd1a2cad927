package demo

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// machines makes the nodes for machines that the builder described.
func (b *builder) machines(ms ...*machine) {
	b.w.machines = append(b.w.machines, ms...)
	for i, m := range ms {
		b.w.byName[m.name] = m
		n := b.node(m, i)
		add(b.s, n)
		b.m.renew(n, b.now)
	}
}

func (b *builder) node(m *machine, i int) *corev1.Node {
	created := metav1.NewTime(m.created.Truncate(time.Second))
	labels := map[string]string{
		corev1.LabelHostname: m.name, corev1.LabelArchStable: "amd64", corev1.LabelOSStable: "linux",
		corev1.LabelInstanceTypeStable: serverType(m), corev1.LabelTopologyRegion: "fsn1", corev1.LabelTopologyZone: "fsn1-dc14",
		"beta.kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux",
	}
	args := `["agent","--node-ip","10.0.0.%d"]`
	if m.server {
		labels["node-role.kubernetes.io/control-plane"], labels["node-role.kubernetes.io/master"] = "true", "true"
		args = `["server","--node-ip","10.0.0.%d","--disable","servicelb"]`
	}
	ip := fmt.Sprintf("10.0.%d.%d", i/250, 2+i%250)
	size := corev1.ResourceList{
		corev1.ResourceCPU:              *resource.NewQuantity(m.cores, resource.DecimalSI),
		corev1.ResourceMemory:           *resource.NewQuantity(m.memory, resource.BinarySI),
		corev1.ResourcePods:             *resource.NewQuantity(110, resource.DecimalSI),
		corev1.ResourceEphemeralStorage: *resource.NewQuantity(m.disk, resource.BinarySI),
	}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: m.name, Labels: labels, CreationTimestamp: created,
			Annotations: map[string]string{
				"k3s.io/hostname": m.name, "k3s.io/internal-ip": ip, "k3s.io/node-args": fmt.Sprintf(args, 2+i%250),
				"k3s.io/node-config-hash": fmt.Sprintf("%016X====", hash(m.name, "config")),
			},
		},
		Spec: corev1.NodeSpec{PodCIDR: fmt.Sprintf("10.42.%d.0/24", i%250), PodCIDRs: []string{fmt.Sprintf("10.42.%d.0/24", i%250)}, ProviderID: fmt.Sprintf("hcloud://%d", 40000000+hash(m.name)%9000000)},
		Status: corev1.NodeStatus{
			Capacity: size, Allocatable: size,
			Addresses: []corev1.NodeAddress{
				{Type: corev1.NodeInternalIP, Address: ip}, {Type: corev1.NodeHostName, Address: m.name},
			},
			Conditions: b.healthySince(m),
			NodeInfo: corev1.NodeSystemInfo{
				MachineID: fmt.Sprintf("%032x", hash(m.name, "machine")), SystemUUID: string(b.s.ids.uid()), BootID: string(b.s.ids.uid()),
				KernelVersion: "6.8.0-71-generic", OSImage: "Ubuntu 24.04.3 LTS", ContainerRuntimeVersion: "containerd://2.0.5-k3s2",
				KubeletVersion: gitVersion, OperatingSystem: "linux", Architecture: "amd64",
			},
			DaemonEndpoints: corev1.NodeDaemonEndpoints{KubeletEndpoint: corev1.DaemonEndpoint{Port: 10250}},
		},
	}
}

// healthySince spreads the heartbeats of the nodes over the 5 min between
// two status reports.
func (b *builder) healthySince(m *machine) []corev1.NodeCondition {
	cs := nodeConditions(nil, false, m.created)
	beat := metav1.NewTime(b.now.Add(-time.Duration(unit(m.name, "report") * float64(5*time.Minute))).Truncate(time.Second))
	for i := range cs {
		cs[i].LastHeartbeatTime = beat
	}
	return cs
}

func serverType(m *machine) string {
	if m.cores <= 4 {
		return "cpx31"
	}
	return "cpx41"
}

func (b *builder) storageClasses() {
	wait := storagev1.VolumeBindingWaitForFirstConsumer
	for _, c := range [][2]string{{"hcloud-volumes", "csi.hetzner.cloud"}, {"local-path", "rancher.io/local-path"}} {
		add(b.s, &storagev1.StorageClass{
			ObjectMeta:  metav1.ObjectMeta{Name: c[0], CreationTimestamp: metav1.NewTime(b.old)},
			Provisioner: c[1], VolumeBindingMode: &wait, ReclaimPolicy: new(corev1.PersistentVolumeReclaimDelete),
		})
	}
}

// fresh is one server the day it was installed.
func (b *builder) fresh() {
	b.old = b.now.Add(-42 * time.Minute)
	b.machines(&machine{
		name: "master-0", server: true, cores: 2, memory: 4 << 30, created: b.old, cpuBase: 0.06, memBase: 0.28,
		disk: 40e9, inodes: 2_500_000, perFile: 30_000, used: []diskPeriod{{b.old, 4.1e9, 0.02e9}},
	})
	b.namespaces("default", "kube-system", "kube-public", leaseNamespace)
	b.system()
	b.settle()
}

// system is what k3s brings along.
func (b *builder) system() {
	age := b.now.Sub(b.old) - 20*time.Second
	ks := func(name, image, cpu, mem string, port int32) app {
		return app{ns: "kube-system", name: name, image: "rancher/" + image, age: age, cpu: cpu, mem: mem, port: port}
	}
	b.deployments(
		ks("coredns", "mirrored-coredns-coredns:1.12.3", "100m", "70Mi", 9153),
		ks("local-path-provisioner", "local-path-provisioner:v0.0.31", "", "", 0),
		ks("metrics-server", "mirrored-metrics-server:v0.8.0", "100m", "70Mi", 10250),
		ks("traefik", "mirrored-library-traefik:3.3.6", "100m", "50Mi", 8000),
	)
	b.daemonSets(ks("svclb-traefik", "klipper-lb:v0.4.13", "", "", 0))
	b.storageClasses()
}
