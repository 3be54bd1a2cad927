package demo

// Config is a configuration, as YAML, that fits the scenario: it declares the
// backups that the shop relies on, and where the demo's releases of k3s are.
func (w *World) Config() string {
	releases := "releases:\n  url: " + w.ReleaseURL() + "/releases\n  channels: " + w.ReleaseURL() + "/v1-release/channels\n  install: " + w.ReleaseURL() + "/install.sh\n"
	if w.scenario != Incident && w.scenario != Healthy {
		return "# the demo cluster declares no backups\nbackups: []\n" + releases
	}
	return `# what the demo cluster's owner says should exist
backups:
  - name: mysql
    cronjob: backup/mysql
    max_age: 25h
    keep: 14
    offsite: true
    where: NAS at home, rclone remote nas:mysql
  - name: media
    cronjob: backup/media
    max_age: 25h
    keep: 30
    offsite: true
    where: Hetzner Storage Box, rclone remote box:media
  - name: manifests
    cronjob: backup/manifests
    max_age: 7h
    offsite: true
    where: git.example.org/ops/manifests
# commands of the owner's own for the terminal trail
trail:
  - {name: recent events, command: kubectl get events -A}
  - {name: load averages, command: uptime, where: node}
` + releases
}
