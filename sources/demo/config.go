package demo

// Config is a configuration, as YAML, that fits the scenario: it declares the
// backups that the shop relies on.
func (w *World) Config() string {
	if w.scenario != Incident && w.scenario != Healthy {
		return "# the demo cluster declares no backups\nbackups: []\n"
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
`
}
