package views

import (
	"strings"

	"daytwo/sources"
)

// typed joins words to a command line, each quoted where it must be.
func typed(words ...string) string { return sources.Typed(words...) }

// kubectl is a kubectl command in the namespace of an object, if it has one.
func kubectl(about sources.Ref, words ...string) string {
	line := []string{"kubectl"}
	if about.Namespace != "" {
		line = append(line, "-n", about.Namespace)
	}
	return typed(append(line, words...)...)
}

// kindWord is an object's kind as kubectl takes it.
func kindWord(kind string) string { return strings.ToLower(kind) }

// nodeCommands are what one would type about a node.
func nodeCommands(name string) []string {
	return []string{
		typed("kubectl", "describe", "node", name),
		typed("kubectl", "top", "node", name),
		typed("kubectl", "get", "pods", "-A", "-o", "wide", "--field-selector", "spec.nodeName="+name),
		typed("ssh", name, "sudo journalctl -u k3s-agent -n 200 --no-pager"),
	}
}

// diskCommands are what one would type about a node's disk, the playbook's
// terminal trail first. du walks the folder itself: a glob would be expanded by
// the unprivileged shell, which may not read it, and the answer would be empty.
func diskCommands(name string) []string {
	return []string{
		typed("ssh", name, "df -h /; df -i /"),
		typed("ssh", name, "sudo du -xhd1 /var/lib/rancher/k3s/agent/containerd | sort -h | tail"),
		typed("kubectl", "get", "--raw", "/api/v1/nodes/"+name+"/proxy/stats/summary"),
		typed("kubectl", "get", "--raw", "/api/v1/nodes/"+name+"/proxy/configz"),
		typed("kubectl", "describe", "node", name),
	}
}

// podCommands are what one would type about a pod; container may be "".
func podCommands(pod sources.Ref, container string, restarted bool) []string {
	logs := []string{"logs", pod.Name, "--tail=200"}
	if container != "" {
		logs = append(logs, "-c", container)
	}
	lines := []string{kubectl(pod, "describe", "pod", pod.Name)}
	if restarted {
		lines = append(lines, kubectl(pod, append(logs, "-p")...))
	}
	return append(lines, kubectl(pod, logs...))
}

// ownerCommands are what one would type about an owner of pods.
func ownerCommands(owner sources.Ref, pod, container string, restarted bool) []string {
	var lines []string
	if pod != "" {
		lines = podCommands(sources.Ref{Kind: "Pod", Namespace: owner.Namespace, Name: pod}, container, restarted)
	}
	if owner.Kind != "" && owner.Kind != "Pod" {
		lines = append(lines, kubectl(owner, "describe", kindWord(owner.Kind), owner.Name))
	}
	return append(lines, kubectl(owner, "get", "pods", "-o", "wide"))
}

// certCommands are what one would type about a certificate, by its kind.
func certCommands(about sources.Ref, secret string) []string {
	var lines []string
	switch about.Kind {
	case "Certificate":
		lines = append(lines,
			kubectl(about, "describe", "certificate", about.Name),
			kubectl(about, "get", "certificaterequests,orders,challenges"))
	case "Node":
		return []string{
			typed("ssh", about.Name, "sudo k3s certificate check --output table"),
			typed("kubectl", "get", "events", "-A", "--field-selector", "involvedObject.name="+about.Name),
		}
	case "Kubeconfig":
		return []string{"kubectl config view --raw --minify -o jsonpath='{.users[0].user.client-certificate-data}'" +
			" | base64 -d | openssl x509 -noout -subject -enddate"}
	}
	if secret != "" {
		// Only the public certificate is read, never the key beside it.
		lines = append(lines, kubectl(about, "get", "secret", secret, "-o", `jsonpath={.data.tls\.crt}`)+
			" | base64 -d | openssl x509 -noout -subject -dates -ext subjectAltName")
	}
	return append(lines, kubectl(about, "get", "ingress"))
}

// backupCommands are what one would type about a backup.
func backupCommands(b sources.BackupState) []string {
	if b.CronJob.Name == "" {
		return []string{"kubectl get cronjobs -A"}
	}
	lines := []string{kubectl(b.CronJob, "describe", "cronjob", b.CronJob.Name)}
	if len(b.Jobs) > 0 {
		lines = append(lines, kubectl(b.CronJob, "logs", "job/"+b.Jobs[0].Ref.Name, "--tail=200"))
	}
	return append(lines, kubectl(b.CronJob, "get", "jobs", "--sort-by=.metadata.creationTimestamp"))
}
