package sources

import (
	"errors"
	"time"
)

// ReleaseServer is where versions of k3s come from.
type ReleaseServer struct {
	URL      string // below it: tag/TAG and download/TAG/FILE
	Channels string // answers with a list; below it: NAME, which redirects to a tag
	Install  string // the install script
}

// DefaultReleaseServer is where k3s publishes.
func DefaultReleaseServer() ReleaseServer {
	return ReleaseServer{
		URL:      "https://github.com/k3s-io/k3s/releases",
		Channels: "https://update.k3s.io/v1-release/channels",
		Install:  "https://get.k3s.io",
	}
}

// Channel is a name that stands for a version, which changes: stable, v1.33.
type Channel struct {
	Name   string
	Latest string // exact tag
}

// Release is one version for one architecture as the release server has it.
type Release struct {
	Tag    string
	Arch   string    // as Go and Kubernetes name it: amd64, arm64, arm
	Notes  string    // address for people
	Binary string    // address of the file
	Sums   string    // address of its checksums
	File   string    // its name in the checksums
	SHA256 string    // hex
	Size   int64     // bytes; 0 if not told
	Built  time.Time // when the file was published; zero if not told
}

// ErrNoRelease says that the release server answered and has no such version.
var ErrNoRelease = errors.New("the release server has no such version")
