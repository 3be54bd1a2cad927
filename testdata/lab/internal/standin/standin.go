// Package standin assembles the lab's k3s: a shell head that behaves like k3s, then a
// real kubelet, in one file, as k3s is one file.
package standin

import (
	"crypto/sha256"
	_ "embed"
	"fmt"
	"os"
	"runtime"
	"strings"
)

//go:embed k3s.sh
var head string

// Write assembles a version's stand-in from its kubelet.
func Write(version, kubelet, out string) error {
	payload, err := os.ReadFile(kubelet)
	if err != nil {
		return fmt.Errorf("assembling k3s %s: %w", version, err)
	}
	script := strings.NewReplacer(
		"@VERSION@", version,
		"@COMMIT@", fmt.Sprintf("%x", sha256.Sum256([]byte(version)))[:8],
		"@GO@", runtime.Version(),
	).Replace(head)
	// Both numbers get ten digits, so that they do not change what they count.
	const digits = 10
	length := len(script) - len("@OFFSET@") - len("@SIZE@") + 2*digits
	script = strings.NewReplacer(
		"@OFFSET@", fmt.Sprintf("%0*d", digits, length),
		"@SIZE@", fmt.Sprintf("%0*d", digits, length+len(payload)),
	).Replace(script)
	if err := os.WriteFile(out+".new", append([]byte(script), payload...), 0o755); err != nil {
		return fmt.Errorf("assembling k3s %s: %w", version, err)
	}
	if err := os.Rename(out+".new", out); err != nil {
		return fmt.Errorf("assembling k3s %s: %w", version, err)
	}
	return nil
}

// Fingerprint changes when the shell head does.
func Fingerprint() string { return fmt.Sprintf("%x", sha256.Sum256([]byte(head)))[:12] }
