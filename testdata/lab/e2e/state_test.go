//go:build lab

package e2e

import (
	"strings"
	"testing"

	"daytwolab/e2e/labenv"
)

// TestNoRoomForState: the state folder is on a disk that is read-only, or full. What
// the cluster is like is said all the same, and so is what cannot be kept.
func TestNoRoomForState(t *testing.T) {
	lab := labenv.Find(t)
	for name, disk := range map[string]string{
		"read-only": `mount -t tmpfs -o ro tmpfs "$XDG_STATE_HOME"`,
		"full":      `mount -t tmpfs -o size=16k tmpfs "$XDG_STATE_HOME" && ! cat /dev/zero >"$XDG_STATE_HOME/full" 2>/dev/null`,
	} {
		t.Run(name, func(t *testing.T) {
			const run = `mkdir -p "$XDG_STATE_HOME" && DISK && exec "$@"`
			got := headlessBy(t, lab, []string{"unshare", "-m", "sh", "-c", strings.ReplaceAll(run, "DISK", disk), "sh"},
				"check", "--kubeconfig", lab.ViewerKubeconfig)
			if got.code != 1 || !holdsAll(got.out, []string{"samples are not kept", "shop/api-tls"}) || strings.Contains(got.out+got.err, "panic") {
				t.Errorf("check exits %d:\n%s%s", got.code, got.out, got.err)
			}
		})
	}
}
