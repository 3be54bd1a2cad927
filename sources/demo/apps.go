package demo

import (
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// app is a workload in few words.
type app struct {
	ns, name, image string
	replicas        int32
	age             time.Duration // of the workload
	rolled          time.Duration // age of its newest version, if younger
	cpu, mem, limit string        // requests, and the memory limit
	port            int32
	scratch         bool     // mounts an emptyDir
	args            []string // of its one container
	node            string   // where its pods are, "" for anywhere
	volume          string   // size of each replica's volume; StatefulSets only
	class           string   // its storage class
}

func (a *app) labels() map[string]string {
	return map[string]string{"app.kubernetes.io/name": a.name, "app.kubernetes.io/instance": a.ns}
}

func (a *app) meta(b *builder) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: a.ns, Name: a.name, Labels: a.labels(), CreationTimestamp: b.ago(a.age)}
}

func (a *app) template() corev1.PodTemplateSpec {
	c := corev1.Container{
		Name: a.name, Image: a.image, ImagePullPolicy: corev1.PullIfNotPresent, Args: a.args,
		Resources:              corev1.ResourceRequirements{Requests: quantities(a.cpu, a.mem), Limits: quantities("", a.limit)},
		TerminationMessagePath: corev1.TerminationMessagePathDefault, TerminationMessagePolicy: corev1.TerminationMessageReadFile,
	}
	if a.port > 0 {
		c.Ports = []corev1.ContainerPort{{Name: "http", ContainerPort: a.port, Protocol: corev1.ProtocolTCP}}
		c.ReadinessProbe = &corev1.Probe{
			ProbeHandler:  corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: intstr.FromString("http")}},
			PeriodSeconds: 10, TimeoutSeconds: 1, SuccessThreshold: 1, FailureThreshold: 3,
		}
	}
	t := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: a.labels()}, Spec: corev1.PodSpec{Containers: []corev1.Container{c}}}
	if a.scratch {
		t.Spec.Volumes = []corev1.Volume{{Name: "scratch", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
		t.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "scratch", MountPath: "/scratch"}}
	}
	podDefaults(&t.Spec)
	return t
}

func quantities(cpu, mem string) corev1.ResourceList {
	l := corev1.ResourceList{}
	if cpu != "" {
		l[corev1.ResourceCPU] = resource.MustParse(cpu)
	}
	if mem != "" {
		l[corev1.ResourceMemory] = resource.MustParse(mem)
	}
	return l
}

func (b *builder) pin(a *app) {
	if a.node != "" {
		b.pins[a.ns+"/"+a.name] = a.node
	}
}

func (b *builder) deployments(apps ...app) {
	for i := range apps {
		a := &apps[i]
		b.pin(a)
		d := add(b.s, &appsv1.Deployment{ObjectMeta: a.meta(b), Spec: appsv1.DeploymentSpec{
			Replicas: new(max(1, a.replicas)), Template: a.template(), RevisionHistoryLimit: new(int32(10)),
			Selector: &metav1.LabelSelector{MatchLabels: a.labels()}, ProgressDeadlineSeconds: new(int32(600)),
			Strategy: appsv1.DeploymentStrategy{Type: appsv1.RollingUpdateDeploymentStrategyType, RollingUpdate: &appsv1.RollingUpdateDeployment{
				MaxSurge: new(intstr.FromString("25%")), MaxUnavailable: new(intstr.FromString("25%")),
			}},
		}})
		if a.rolled > 0 {
			b.olderVersion(d, a)
		}
		b.service(a)
	}
}

// olderVersion leaves the ReplicaSet of the version before the newest.
func (b *builder) olderVersion(d *appsv1.Deployment, a *app) {
	older := *a
	older.image += "-rc1"
	t := older.template()
	sum := templateHash(&t)
	t.Labels = withEntry(t.Labels, hashLabel, sum)
	add(b.s, &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: a.ns, Name: a.name + "-" + sum, Labels: t.Labels, OwnerReferences: ownerRef(d),
			CreationTimestamp: b.ago(a.age), Annotations: map[string]string{revisionAnnotation: "1"},
		},
		Spec: appsv1.ReplicaSetSpec{Replicas: new(int32(0)), Template: t, Selector: &metav1.LabelSelector{MatchLabels: t.Labels}},
	})
	b.m.newReplicaSet(d, templateHash(&d.Spec.Template), 2, b.now.Add(-a.rolled))
}

func (b *builder) statefulSets(apps ...app) {
	for i := range apps {
		a := &apps[i]
		b.pin(a)
		s := &appsv1.StatefulSet{ObjectMeta: a.meta(b), Spec: appsv1.StatefulSetSpec{
			Replicas: new(max(1, a.replicas)), Template: a.template(), ServiceName: a.name,
			Selector: &metav1.LabelSelector{MatchLabels: a.labels()}, PodManagementPolicy: appsv1.OrderedReadyPodManagement,
		}}
		if a.volume != "" {
			s.Spec.VolumeClaimTemplates = []corev1.PersistentVolumeClaim{{
				ObjectMeta: metav1.ObjectMeta{Name: "data"}, Spec: claimSpec(a, ""),
			}}
			for n := range max(1, a.replicas) {
				b.volume(a, fmt.Sprintf("data-%s-%d", a.name, n))
			}
		}
		add(b.s, s)
		b.service(a)
	}
}

func claimSpec(a *app, volume string) corev1.PersistentVolumeClaimSpec {
	return corev1.PersistentVolumeClaimSpec{
		AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}, StorageClassName: &a.class, VolumeName: volume,
		Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(a.volume)}},
	}
}

// volume makes a bound claim and its volume; a local-path volume belongs to
// its node.
func (b *builder) volume(a *app, claim string) {
	uid := b.s.ids.uid()
	name := "pvc-" + string(uid)
	size := corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(a.volume)}
	c := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Namespace: a.ns, Name: claim, UID: uid, CreationTimestamp: b.ago(a.age)},
		Spec:       claimSpec(a, name),
		Status:     corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimBound, Capacity: size, AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}},
	}
	add(b.s, c)
	v := &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: b.ago(a.age)},
		Spec: corev1.PersistentVolumeSpec{
			Capacity: size, AccessModes: c.Spec.AccessModes, StorageClassName: a.class,
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimDelete,
			ClaimRef:                      &corev1.ObjectReference{Kind: "PersistentVolumeClaim", Namespace: a.ns, Name: claim, UID: uid},
		},
		Status: corev1.PersistentVolumeStatus{Phase: corev1.VolumeBound},
	}
	if a.class == "local-path" {
		v.Spec.HostPath = &corev1.HostPathVolumeSource{Path: "/var/lib/rancher/k3s/storage/" + name + "_" + a.ns + "_" + claim}
		v.Spec.NodeAffinity = &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
			MatchExpressions: []corev1.NodeSelectorRequirement{{Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{a.node}}},
		}}}}
	} else {
		v.Spec.CSI = &corev1.CSIPersistentVolumeSource{Driver: "csi.hetzner.cloud", VolumeHandle: fmt.Sprint(100000000 + hash(name)%9000000), FSType: "ext4"}
	}
	add(b.s, v)
}

func (b *builder) daemonSets(apps ...app) {
	for i := range apps {
		a := &apps[i]
		t := a.template()
		t.Spec.HostNetwork = true
		t.Spec.Tolerations = []corev1.Toleration{{Operator: corev1.TolerationOpExists}}
		add(b.s, &appsv1.DaemonSet{ObjectMeta: a.meta(b), Spec: appsv1.DaemonSetSpec{
			Template: t, Selector: &metav1.LabelSelector{MatchLabels: a.labels()},
		}})
	}
}

func (b *builder) service(a *app) {
	if a.port == 0 {
		return
	}
	add(b.s, &corev1.Service{ObjectMeta: a.meta(b), Spec: corev1.ServiceSpec{
		Type: corev1.ServiceTypeClusterIP, Selector: a.labels(),
		ClusterIP: fmt.Sprintf("10.43.%d.%d", hash(a.ns, a.name)%250, 2+hash(a.name, a.ns)%250),
		Ports:     []corev1.ServicePort{{Name: "http", Port: 80, TargetPort: intstr.FromInt32(a.port), Protocol: corev1.ProtocolTCP}},
	}})
}

// budget makes a disruption budget over an app's pods; a limit is
// "min=1" or "max=1".
func (b *builder) budget(ns, name, limit string) {
	a := app{ns: ns, name: name, age: 100 * day}
	p := &policyv1.PodDisruptionBudget{ObjectMeta: a.meta(b), Spec: policyv1.PodDisruptionBudgetSpec{
		Selector: &metav1.LabelSelector{MatchLabels: a.labels()},
	}}
	n := new(intstr.Parse(limit[4:]))
	if limit[:4] == "min=" {
		p.Spec.MinAvailable = n
	} else {
		p.Spec.MaxUnavailable = n
	}
	add(b.s, p)
}
