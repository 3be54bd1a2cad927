package kubelet

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"

	"daytwo/sources"
	"daytwo/sources/kube"
)

// Disks asks kubelets, one at a time, what their pods take of the disk.
type Disks struct{ c Cluster }

// NewDisks asks through a client.
func NewDisks(c Cluster) Disks { return Disks{c} }

// PodDisks asks the kubelet of one node.
func (d Disks) PodDisks(ctx context.Context, node string) ([]sources.PodDisk, error) {
	limit := usualPace().timeout
	path := "/api/v1/nodes/" + url.PathEscape(node) + "/proxy/stats/summary"
	raw, err := d.c.Get(ctx, path, kube.NeedProxy(), limit)
	if err != nil {
		return nil, explain(err, limit)
	}
	return parsePodDisks(raw)
}

func parsePodDisks(raw []byte) ([]sources.PodDisk, error) {
	type used struct {
		Bytes int64 `json:"usedBytes"`
	}
	var s struct {
		Pods []struct {
			Ref struct {
				Name      string `json:"name"`
				Namespace string `json:"namespace"`
				UID       string `json:"uid"`
			} `json:"podRef"`
			Containers []struct {
				Rootfs used `json:"rootfs"`
				Logs   used `json:"logs"`
			} `json:"containers"`
			Ephemeral used `json:"ephemeral-storage"`
		} `json:"pods"`
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, fmt.Errorf("reading the pods of the kubelet's summary: %w", err)
	}
	all := make([]sources.PodDisk, 0, len(s.Pods))
	for _, p := range s.Pods {
		d := sources.PodDisk{
			Namespace: sources.Clean(p.Ref.Namespace, sources.MaxName), Pod: sources.Clean(p.Ref.Name, sources.MaxName),
			UID: sources.Clean(p.Ref.UID, sources.MaxName), Ephemeral: p.Ephemeral.Bytes,
		}
		for _, c := range p.Containers {
			d.Writable += c.Rootfs.Bytes
			d.Logs += c.Logs.Bytes
		}
		all = append(all, d)
	}
	return all, nil
}
