package sources

import (
	"errors"
	"time"
)

// ReleaseServer is where versions of k3s come from.
type ReleaseServer struct {
	URL      string `json:"url"`      // below it: tag/TAG and download/TAG/FILE
	Channels string `json:"channels"` // answers with a list; below it: NAME, which redirects to a tag
	Install  string `json:"install"`  // the install script
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
	Tag    string    `json:"tag"`
	Arch   string    `json:"arch"`   // as Go and Kubernetes name it: amd64, arm64, arm
	Notes  string    `json:"notes"`  // address for people
	Binary string    `json:"binary"` // address of the file
	Sums   string    `json:"sums"`   // address of its checksums
	File   string    `json:"file"`   // its name in the checksums
	SHA256 string    `json:"sha256"` // hex
	Size   int64     `json:"size"`   // bytes; 0 if not told
	Built  time.Time `json:"built"`  // when the file was published; zero if not told
}

// ErrNoRelease says that the release server answered and has no such version.
var ErrNoRelease = errors.New("the release server has no such version")
