package history

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// Dir is the folder for what daytwo keeps of a cluster, below Base. The name
// may be any string: what is not fit for a folder's name is replaced, and a
// short hash keeps different names apart. Identity, if not empty, is what
// tells clusters of one name apart: k3s calls every context "default".
func Dir(cluster, identity string) (string, error) {
	base, err := Base()
	if err != nil {
		return "", err
	}
	folder := folderName(cluster)
	if identity != "" {
		folder += "-" + shortHash(identity)
	}
	return filepath.Join(base, folder), nil
}

// Base is the folder for everything that daytwo keeps: $XDG_STATE_HOME/daytwo,
// or ~/.local/state/daytwo (XDG Base Directory Specification 0.8; a relative
// XDG_STATE_HOME is invalid there and ignored).
func Base() (string, error) {
	base := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(base) {
		home, err := os.UserHomeDir()
		if err != nil || !filepath.IsAbs(home) {
			return "", errors.New("no state folder is known, neither XDG_STATE_HOME nor HOME is set to a full path; set one of them")
		}
		base = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(base, "daytwo"), nil
}

// folderName keeps a plain name as it is. Capitals get a hash too, because
// not every file system tells them from small letters, and so does what ends
// like the log files that lie beside the folders.
func folderName(cluster string) string {
	const longest = 64
	plain := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("._-@+", r):
			return r
		}
		return '_'
	}, cluster)
	plain = strings.TrimLeft(plain[:min(len(plain), longest)], ".-")
	if plain == cluster && plain != "" && plain == strings.ToLower(plain) && !strings.Contains(plain, ".log") {
		return plain
	}
	return plain + "-" + shortHash(cluster)
}

func shortHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:4])
}
