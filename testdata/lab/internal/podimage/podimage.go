// Package podimage writes a container image with one program as an archive that
// containerd imports, so that no registry is needed.
package podimage

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
)

// Tags are the names of the one image. The sandbox's name is among them: the image
// that every pod needs then is in use wherever a pod runs, and the kubelet's image
// garbage collection on a full disk cannot take it away.
var Tags = []string{
	"docker.io/rancher/mirrored-pause:3.6",
	"docker.io/lab/web:1.4.2",
	"docker.io/lab/database:11.4.3",
	"docker.io/lab/agent:0.9.0",
	"docker.io/lab/worker:2.0.1",
	"docker.io/lab/backup:1.0.0",
}

type config struct {
	Architecture string        `json:"architecture"`
	OS           string        `json:"os"`
	Config       containerConf `json:"config"`
	RootFS       rootFS        `json:"rootfs"`
}

type containerConf struct {
	Entrypoint []string `json:"Entrypoint"`
}

type rootFS struct {
	Type    string   `json:"type"`
	DiffIDs []string `json:"diff_ids"`
}

type manifest struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// Write makes the archive (docker-archive format) of a static program.
func Write(program, arch, out string) error {
	binary, err := os.ReadFile(program)
	if err != nil {
		return fmt.Errorf("making the pod image: %w", err)
	}
	layer, err := archive(file{"labpod", 0o755, binary})
	if err != nil {
		return err
	}
	conf, err := json.Marshal(config{
		Architecture: arch,
		OS:           "linux",
		Config:       containerConf{Entrypoint: []string{"/labpod"}},
		RootFS:       rootFS{Type: "layers", DiffIDs: []string{fmt.Sprintf("sha256:%x", sha256.Sum256(layer))}},
	})
	if err != nil {
		return fmt.Errorf("making the pod image: %w", err)
	}
	confName := fmt.Sprintf("%x.json", sha256.Sum256(conf))
	index, err := json.Marshal([]manifest{{Config: confName, RepoTags: Tags, Layers: []string{"layer.tar"}}})
	if err != nil {
		return fmt.Errorf("making the pod image: %w", err)
	}
	image, err := archive(file{confName, 0o644, conf}, file{"layer.tar", 0o644, layer}, file{"manifest.json", 0o644, index})
	if err != nil {
		return err
	}
	if err := os.WriteFile(out, image, 0o644); err != nil {
		return fmt.Errorf("making the pod image: %w", err)
	}
	return nil
}

type file struct {
	name string
	mode int64
	data []byte
}

func archive(files ...file) ([]byte, error) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, f := range files {
		if err := w.WriteHeader(&tar.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.data))}); err != nil {
			return nil, fmt.Errorf("writing %s to the pod image: %w", f.name, err)
		}
		if _, err := w.Write(f.data); err != nil {
			return nil, fmt.Errorf("writing %s to the pod image: %w", f.name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("closing the pod image: %w", err)
	}
	return buf.Bytes(), nil
}
