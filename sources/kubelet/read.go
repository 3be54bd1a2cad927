package kubelet

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"daytwo/sources"
	"daytwo/sources/kube"
)

// read asks one node for its summary, and for its configuration if due.
func (s *source) read(ctx context.Context, j job) answer {
	a := answer{job: j}
	proxy := "/api/v1/nodes/" + url.PathEscape(j.node) + "/proxy"
	raw, err := s.c.Get(ctx, proxy+"/stats/summary?only_cpu_and_memory=false", kube.NeedProxy(), s.pace.timeout)
	if err == nil {
		a.stats, err = parseSummary(bytes.NewReader(raw))
	}
	if a.err = explain(err, s.pace.timeout); a.err != nil {
		a.configErr = a.err // the same way leads there
		return a
	}
	if !j.config {
		return a
	}
	raw, err = s.c.Get(ctx, proxy+"/configz", kube.NeedProxy(), s.pace.timeout)
	if err == nil {
		a.conf, err = parseConfig(raw)
	}
	a.configErr = explain(err, s.pace.timeout)
	return a
}

// kubeletError is one line for people over the error it came from.
type kubeletError struct {
	text string
	err  error
}

func (e *kubeletError) Error() string { return e.text }
func (e *kubeletError) Unwrap() error { return e.err }

// explain tells a silent kubelet from a silent API server: the request went
// through one to the other.
func explain(err error, d time.Duration) error {
	var status *apierrors.StatusError
	switch {
	case err == nil, refused(err):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return &kubeletError{fmt.Sprintf("its kubelet does not answer (%s)", sources.Span(d)), err}
	case errors.Is(err, sources.ErrNotInstalled):
		return &kubeletError{"its kubelet does not serve this", err}
	case errors.As(err, &status) && status.Status().Code >= 500:
		return &kubeletError{"the API server cannot reach its kubelet: " + sources.Clean(said(status), 200), err}
	}
	return err
}

// said is what the other side wrote, without what was put around it.
func said(status *apierrors.StatusError) string {
	text := status.Status().Message
	if d := status.Status().Details; d != nil {
		for _, c := range d.Causes {
			if c.Type == metav1.CauseTypeUnexpectedServerResponse {
				text = c.Message
			}
		}
	}
	if _, why, ok := strings.Cut(text, "error trying to reach service: "); ok {
		return why
	}
	return text
}

// filesystem is stats/summary's FsStats.
type filesystem struct {
	AvailableBytes int64 `json:"availableBytes"`
	CapacityBytes  int64 `json:"capacityBytes"`
	UsedBytes      int64 `json:"usedBytes"`
	InodesFree     int64 `json:"inodesFree"`
	Inodes         int64 `json:"inodes"`
	InodesUsed     int64 `json:"inodesUsed"`
}

func (f filesystem) of() sources.Filesystem {
	return sources.Filesystem{
		Capacity: f.CapacityBytes, Available: f.AvailableBytes, Used: f.UsedBytes,
		Inodes: f.Inodes, InodesFree: f.InodesFree, InodesUsed: f.InodesUsed,
	}
}

// nodeSummary is what is read of stats/summary's node.
type nodeSummary struct {
	CPU struct {
		UsageNanoCores *int64 `json:"usageNanoCores"`
	} `json:"cpu"`
	Memory struct {
		WorkingSetBytes *int64 `json:"workingSetBytes"`
	} `json:"memory"`
	FS      filesystem `json:"fs"`
	Runtime struct {
		ImageFS filesystem `json:"imageFs"`
	} `json:"runtime"`
}

// parseSummary reads the node of a stats/summary and stops there: the pods
// that follow are many.
func parseSummary(r io.Reader) (sources.NodeStats, error) {
	dec := json.NewDecoder(r)
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return sources.NodeStats{}, fmt.Errorf("its kubelet answered stats/summary with something else than JSON")
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return sources.NodeStats{}, fmt.Errorf("reading stats/summary: %w", err)
		}
		if key != "node" {
			var skipped json.RawMessage
			if err := dec.Decode(&skipped); err != nil {
				return sources.NodeStats{}, fmt.Errorf("reading stats/summary: %w", err)
			}
			continue
		}
		var n nodeSummary
		if err := dec.Decode(&n); err != nil {
			return sources.NodeStats{}, fmt.Errorf("reading stats/summary: %w", err)
		}
		return n.stats(), nil
	}
	return sources.NodeStats{}, errors.New("its kubelet's stats/summary tells nothing of the node")
}

func (n nodeSummary) stats() sources.NodeStats {
	out := sources.NodeStats{FS: n.FS.of(), ImageFS: n.Runtime.ImageFS.of()}
	// One filesystem is measured at two moments: its size and its number of
	// inodes are the same, what is free need not be.
	i := out.ImageFS
	out.ImageOwn = i.Capacity > 0 && (i.Capacity != out.FS.Capacity || i.Inodes != out.FS.Inodes)
	if n.CPU.UsageNanoCores != nil && n.Memory.WorkingSetBytes != nil {
		out.CPU, out.Memory, out.From = *n.CPU.UsageNanoCores/1e6, *n.Memory.WorkingSetBytes, "stats/summary"
	}
	return out
}

// parseConfig reads /configz.
func parseConfig(raw []byte) (sources.NodeConfig, error) {
	var z struct {
		Config *struct {
			ImageGCHigh  float64           `json:"imageGCHighThresholdPercent"`
			ImageGCLow   float64           `json:"imageGCLowThresholdPercent"`
			EvictionHard map[string]string `json:"evictionHard"`
			LogMaxSize   string            `json:"containerLogMaxSize"`
			LogMaxFiles  int32             `json:"containerLogMaxFiles"`
		} `json:"kubeletconfig"`
	}
	if err := json.Unmarshal(raw, &z); err != nil {
		return sources.NodeConfig{}, fmt.Errorf("reading configz: %w", err)
	}
	if z.Config == nil {
		return sources.NodeConfig{}, errors.New("its kubelet's configz tells nothing of its configuration")
	}
	c := z.Config
	out := sources.NodeConfig{
		ImageGCHigh: c.ImageGCHigh, ImageGCLow: c.ImageGCLow,
		LogMaxSize: sources.Clean(c.LogMaxSize, sources.MaxName), LogMaxFiles: c.LogMaxFiles,
		EvictionHard: make(map[string]string, len(c.EvictionHard)),
	}
	for k, v := range c.EvictionHard {
		out.EvictionHard[sources.Clean(k, sources.MaxName)] = sources.Clean(v, sources.MaxName)
	}
	return out, nil
}

// usage is one answer of metrics.k8s.io.
type usage struct {
	at    time.Time
	nodes map[string]load
}

type load struct{ cpu, memory int64 } // millicores, bytes

// readMetrics asks metrics.k8s.io until ctx ends.
func (s *source) readMetrics(ctx context.Context, to chan<- usage) {
	for {
		wait := s.pace.metrics
		raw, err := s.c.Get(ctx, "/apis/metrics.k8s.io/v1beta1/nodes", kube.NeedMetrics(), s.pace.timeout)
		var u usage
		if err == nil {
			u, err = parseMetrics(raw, s.now())
		}
		switch {
		case err == nil:
			select {
			case to <- u:
			case <-ctx.Done():
			}
		case errors.Is(err, sources.ErrNotInstalled), refused(err):
			wait = s.pace.absent
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
	}
}

// parseMetrics reads a NodeMetricsList.
func parseMetrics(raw []byte, now time.Time) (usage, error) {
	var list struct {
		Items []struct {
			Metadata struct {
				Name string `json:"name"`
			} `json:"metadata"`
			Usage map[string]string `json:"usage"`
		} `json:"items"`
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return usage{}, fmt.Errorf("reading metrics.k8s.io: %w", err)
	}
	u := usage{at: now, nodes: make(map[string]load, len(list.Items))}
	for _, i := range list.Items {
		cpu, err := resource.ParseQuantity(i.Usage["cpu"])
		if err != nil {
			continue
		}
		memory, err := resource.ParseQuantity(i.Usage["memory"])
		if err != nil {
			continue
		}
		u.nodes[i.Metadata.Name] = load{cpu: cpu.MilliValue(), memory: memory.Value()}
	}
	return u, nil
}
