package forensics

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// whole is a number that protobuf's JSON writes as text.
type whole int64

// UnmarshalJSON takes 5, "5" and {"value":"5"}.
func (w *whole) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '{' {
		var v struct {
			Value whole `json:"value"`
		}
		if err := json.Unmarshal(raw, &v); err != nil {
			return fmt.Errorf("reading a number: %w", err)
		}
		*w = v.Value
		return nil
	}
	text := strings.Trim(string(raw), `"`)
	if text == "" || text == "null" {
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return fmt.Errorf("reading the number %q: %w", short(text), err)
	}
	*w = whole(max(n, 0))
	return nil
}

// answer reads one JSON document of crictl.
func answer(out []byte, into any) error {
	if err := json.Unmarshal(out, into); err != nil {
		return fmt.Errorf("crictl did not answer in JSON: %w", err)
	}
	return nil
}

// parseImageFS reads crictl imagefsinfo, whose status was one and is now a list.
func parseImageFS(out []byte) (int64, error) {
	type fs struct {
		Used whole `json:"usedBytes"`
	}
	var a struct {
		Status struct {
			fs
			Images []fs `json:"imageFilesystems"`
		} `json:"status"`
	}
	if err := answer(out, &a); err != nil {
		return 0, err
	}
	sum := a.Status.Used
	for _, f := range a.Status.Images {
		sum += f.Used
	}
	return int64(sum), nil
}

// parseImages reads crictl images -o json.
func parseImages(out []byte) ([]Image, error) {
	var a struct {
		Images []struct {
			ID      string   `json:"id"`
			Tags    []string `json:"repoTags"`
			Digests []string `json:"repoDigests"`
			Size    whole    `json:"size"`
			Pinned  bool     `json:"pinned"`
		} `json:"images"`
	}
	if err := answer(out, &a); err != nil {
		return nil, err
	}
	all := make([]Image, 0, len(a.Images))
	for _, i := range a.Images {
		tags := i.Tags
		if len(tags) == 0 {
			tags = i.Digests
		}
		all = append(all, Image{ID: i.ID, Tags: tags, Bytes: int64(i.Size), Pinned: i.Pinned})
	}
	return all, nil
}

// parseContainers reads crictl ps -a -o json.
func parseContainers(out []byte) ([]Container, error) {
	var a struct {
		Containers []struct {
			ID      string `json:"id"`
			Sandbox string `json:"podSandboxId"`
			State   string `json:"state"`
			Ref     string `json:"imageRef"`
			ImageID string `json:"imageId"`
			Image   struct {
				Image string `json:"image"`
			} `json:"image"`
			Metadata struct {
				Name string `json:"name"`
			} `json:"metadata"`
			Labels map[string]string `json:"labels"`
		} `json:"containers"`
	}
	if err := answer(out, &a); err != nil {
		return nil, err
	}
	all := make([]Container, 0, len(a.Containers))
	for _, c := range a.Containers {
		image := c.Image.Image
		for _, other := range []string{c.Ref, c.ImageID} {
			if !strings.HasPrefix(image, "sha256:") && other != "" {
				image = other
			}
		}
		all = append(all, Container{
			ID: c.ID, Image: image, Sandbox: c.Sandbox, Name: c.Metadata.Name,
			Pod: c.Labels["io.kubernetes.pod.name"], Namespace: c.Labels["io.kubernetes.pod.namespace"],
			Running: c.State == "CONTAINER_RUNNING",
		})
	}
	return all, nil
}

// parseStats reads the writable layers of crictl stats -a -o json.
func parseStats(out []byte) (map[string]int64, error) {
	var a struct {
		Stats []struct {
			Attributes struct {
				ID string `json:"id"`
			} `json:"attributes"`
			Layer struct {
				Used whole `json:"usedBytes"`
			} `json:"writableLayer"`
		} `json:"stats"`
	}
	if err := answer(out, &a); err != nil {
		return nil, err
	}
	all := map[string]int64{}
	for _, s := range a.Stats {
		all[s.Attributes.ID] = int64(s.Layer.Used)
	}
	return all, nil
}

// parseChains reads crictl inspecti -o json of several images: documents one
// after the other, or lists of them.
func parseChains(out []byte) (map[string][]string, error) {
	type image struct {
		Status struct {
			ID string `json:"id"`
		} `json:"status"`
		Info struct {
			Spec struct {
				RootFS struct {
					Diffs []string `json:"diff_ids"`
				} `json:"rootfs"`
			} `json:"imageSpec"`
		} `json:"info"`
	}
	all := map[string][]string{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var raw json.RawMessage
		err := d.Decode(&raw)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("crictl did not answer in JSON: %w", err)
		}
		var list []image
		if len(raw) > 0 && raw[0] != '[' {
			list = make([]image, 1)
			err = json.Unmarshal(raw, &list[0])
		} else {
			err = json.Unmarshal(raw, &list)
		}
		if err != nil {
			return nil, fmt.Errorf("crictl described an image in another way: %w", err)
		}
		for _, i := range list {
			all[i.Status.ID] = i.Info.Spec.RootFS.Diffs
		}
	}
}
