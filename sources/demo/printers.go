package demo

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/duration"
)

// printerOf finds the columns of a kind, named as Kind or Kind.group.
func printerOf(kindName string) printer {
	if p, ok := customPrinter(kindName); ok {
		return p
	}
	name, _, _ := strings.Cut(kindName, ".")
	switch name {
	case "Pod":
		return of([]string{"Name", "Ready", "Status", "Restarts", "Age", "-IP", "-Node", "-Nominated Node", "-Readiness Gates"}, podCells)
	case "Node":
		return of([]string{"Name", "Status", "Roles", "Age", "Version", "-Internal-IP", "-External-IP", "-OS-Image", "-Kernel-Version", "-Container-Runtime"}, nodeCells)
	case "Event":
		return of([]string{"Last Seen", "Type", "Reason", "Object", "Message"}, func(w *World, e *corev1.Event) []any {
			return []any{w.age(e.LastTimestamp.Time), e.Type, e.Reason, strings.ToLower(e.InvolvedObject.Kind) + "/" + e.InvolvedObject.Name, e.Message}
		})
	case "Namespace":
		return of([]string{"Name", "Status", "Age"}, func(w *World, n *corev1.Namespace) []any {
			return []any{n.Name, string(n.Status.Phase), w.ageOf(n)}
		})
	case "Service":
		return of([]string{"Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age"}, serviceCells)
	case "Secret":
		return of([]string{"Name", "Type", "Data", "Age"}, func(w *World, s *corev1.Secret) []any {
			return []any{s.Name, string(s.Type), strconv.Itoa(len(s.Data)), w.ageOf(s)}
		})
	case "ConfigMap":
		return of([]string{"Name", "Data", "Age"}, func(w *World, c *corev1.ConfigMap) []any {
			return []any{c.Name, strconv.Itoa(len(c.Data)), w.ageOf(c)}
		})
	case "Ingress":
		return of([]string{"Name", "Class", "Hosts", "Address", "Ports", "Age"}, ingressCells)
	case "PodDisruptionBudget":
		return of([]string{"Name", "Min Available", "Max Unavailable", "Allowed Disruptions", "Age"}, budgetCells)
	}
	return workloadPrinter(name)
}

func workloadPrinter(name string) printer {
	switch name {
	case "Deployment":
		return of([]string{"Name", "Ready", "Up-to-date", "Available", "Age"}, func(w *World, d *appsv1.Deployment) []any {
			return []any{d.Name, ratio(d.Status.ReadyReplicas, orOne(d.Spec.Replicas)), num(d.Status.UpdatedReplicas), num(d.Status.AvailableReplicas), w.ageOf(d)}
		})
	case "ReplicaSet":
		return of([]string{"Name", "Desired", "Current", "Ready", "Age"}, func(w *World, r *appsv1.ReplicaSet) []any {
			return []any{r.Name, num(orOne(r.Spec.Replicas)), num(r.Status.Replicas), num(r.Status.ReadyReplicas), w.ageOf(r)}
		})
	case "StatefulSet":
		return of([]string{"Name", "Ready", "Age"}, func(w *World, s *appsv1.StatefulSet) []any {
			return []any{s.Name, ratio(s.Status.ReadyReplicas, orOne(s.Spec.Replicas)), w.ageOf(s)}
		})
	case "DaemonSet":
		return of([]string{"Name", "Desired", "Current", "Ready", "Up-to-date", "Available", "Age"}, func(w *World, d *appsv1.DaemonSet) []any {
			s := d.Status
			return []any{d.Name, num(s.DesiredNumberScheduled), num(s.CurrentNumberScheduled), num(s.NumberReady), num(s.UpdatedNumberScheduled), num(s.NumberAvailable), w.ageOf(d)}
		})
	case "Job":
		return of([]string{"Name", "Status", "Completions", "Duration", "Age"}, jobCells)
	case "CronJob":
		return of([]string{"Name", "Schedule", "Timezone", "Suspend", "Active", "Last Schedule", "Age"}, cronJobCells)
	}
	return plain()
}

func of[T object](columns []string, cells func(*World, T) []any) printer {
	return printer{columns, func(w *World, o object) []any { return cells(w, as[T](o)) }}
}

func num(n int32) string { return strconv.Itoa(int(n)) }

func ratio(a, b int32) string { return num(a) + "/" + num(b) }

func podCells(w *World, p *corev1.Pod) []any {
	var ready, restarts int32
	last := ""
	for _, c := range p.Status.ContainerStatuses {
		if c.Ready {
			ready++
		}
		restarts += c.RestartCount
		if t := c.LastTerminationState.Terminated; t != nil && c.RestartCount > 0 {
			last = fmt.Sprintf(" (%s ago)", duration.HumanDuration(w.now().Sub(t.FinishedAt.Time)))
		}
	}
	return []any{
		p.Name, ratio(ready, int32(len(p.Spec.Containers))), podPhase(p), num(restarts) + last, w.ageOf(p),
		orNone(p.Status.PodIP), orNone(p.Spec.NodeName), "<none>", "<none>",
	}
}

// podPhase is the word kubectl shows as STATUS.
func podPhase(p *corev1.Pod) string {
	phase := string(p.Status.Phase)
	if p.Status.Reason != "" {
		phase = p.Status.Reason
	}
	for _, c := range p.Status.ContainerStatuses {
		switch {
		case c.State.Waiting != nil && c.State.Waiting.Reason != "":
			phase = c.State.Waiting.Reason
		case c.State.Terminated != nil && c.State.Terminated.Reason != "":
			phase = c.State.Terminated.Reason
		}
	}
	if p.DeletionTimestamp != nil {
		return "Terminating"
	}
	return phase
}

func orNone(s string) string {
	if s == "" {
		return "<none>"
	}
	return s
}

func nodeCells(w *World, n *corev1.Node) []any {
	status := "NotReady"
	if nodeCondition(n, corev1.NodeReady) == corev1.ConditionTrue {
		status = "Ready"
	}
	if n.Spec.Unschedulable {
		status += ",SchedulingDisabled"
	}
	var roles []string
	for l := range n.Labels {
		if role, ok := strings.CutPrefix(l, "node-role.kubernetes.io/"); ok {
			roles = append(roles, role)
		}
	}
	slices.Sort(roles)
	internal, external := "", ""
	for _, a := range n.Status.Addresses {
		switch a.Type {
		case corev1.NodeInternalIP:
			internal = a.Address
		case corev1.NodeExternalIP:
			external = a.Address
		}
	}
	i := n.Status.NodeInfo
	return []any{
		n.Name, status, orNone(strings.Join(roles, ",")), w.ageOf(n), i.KubeletVersion,
		orNone(internal), orNone(external), i.OSImage, i.KernelVersion, i.ContainerRuntimeVersion,
	}
}

func serviceCells(w *World, s *corev1.Service) []any {
	ports := make([]string, 0, len(s.Spec.Ports))
	for _, p := range s.Spec.Ports {
		ports = append(ports, fmt.Sprintf("%d/%s", p.Port, p.Protocol))
	}
	external := "<none>"
	if len(s.Status.LoadBalancer.Ingress) > 0 {
		external = s.Status.LoadBalancer.Ingress[0].IP
	}
	return []any{s.Name, string(s.Spec.Type), orNone(s.Spec.ClusterIP), external, strings.Join(ports, ","), w.ageOf(s)}
}

func ingressCells(w *World, i *networkingv1.Ingress) []any {
	hosts := make([]string, 0, len(i.Spec.Rules))
	for _, r := range i.Spec.Rules {
		hosts = append(hosts, r.Host)
	}
	class, ports, address := "<none>", "80", ""
	if i.Spec.IngressClassName != nil {
		class = *i.Spec.IngressClassName
	}
	if len(i.Spec.TLS) > 0 {
		ports = "80, 443"
	}
	if lb := i.Status.LoadBalancer.Ingress; len(lb) > 0 {
		address = lb[0].IP
	}
	return []any{i.Name, class, strings.Join(hosts, ","), address, ports, w.ageOf(i)}
}

func budgetCells(w *World, b *policyv1.PodDisruptionBudget) []any {
	low, high := "N/A", "N/A"
	if b.Spec.MinAvailable != nil {
		low = b.Spec.MinAvailable.String()
	}
	if b.Spec.MaxUnavailable != nil {
		high = b.Spec.MaxUnavailable.String()
	}
	return []any{b.Name, low, high, num(b.Status.DisruptionsAllowed), w.ageOf(b)}
}

func jobCells(w *World, j *batchv1.Job) []any {
	status := "Running"
	for _, c := range j.Status.Conditions {
		if c.Status == corev1.ConditionTrue && (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed) {
			status = string(c.Type)
		}
	}
	took := ""
	if j.Status.StartTime != nil {
		end := w.now()
		if j.Status.CompletionTime != nil {
			end = j.Status.CompletionTime.Time
		}
		took = duration.HumanDuration(end.Sub(j.Status.StartTime.Time))
	}
	return []any{j.Name, status, ratio(j.Status.Succeeded, orOne(j.Spec.Completions)), took, w.ageOf(j)}
}

func cronJobCells(w *World, c *batchv1.CronJob) []any {
	zone, suspend, last := "<none>", "False", "<none>"
	if c.Spec.TimeZone != nil {
		zone = *c.Spec.TimeZone
	}
	if c.Spec.Suspend != nil && *c.Spec.Suspend {
		suspend = "True"
	}
	if c.Status.LastScheduleTime != nil {
		last = w.age(c.Status.LastScheduleTime.Time)
	}
	return []any{c.Name, c.Spec.Schedule, zone, suspend, strconv.Itoa(len(c.Status.Active)), last, w.ageOf(c)}
}
