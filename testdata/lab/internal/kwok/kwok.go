// Package kwok adds nodes and pods that exist in the API alone, kept alive by KWOK.
package kwok

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"daytwolab/internal/build"
	"daytwolab/internal/place"
	"daytwolab/internal/proc"
	"daytwolab/internal/say"
)

const (
	namespace   = "scale"
	connections = 16
	label       = "type=kwok"
)

// stages are KWOK's own, from its module.
var stages = []string{
	"kustomize/stage/node/fast/node-initialize.yaml",
	"kustomize/stage/node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
	"kustomize/stage/pod/fast/pod-ready.yaml",
	"kustomize/stage/pod/fast/pod-complete.yaml",
	"kustomize/stage/pod/fast/pod-delete.yaml",
}

// Scale makes the lab have n nodes with pods each beside the real servers; 0 removes
// them all.
func Scale(ctx context.Context, p place.Place, b build.Builder, version string, n, pods int, log *say.Log) error {
	if err := remove(ctx, p, log); err != nil {
		return err
	}
	if n == 0 {
		return nil
	}
	if err := start(ctx, p, b); err != nil {
		return err
	}
	c, err := connect(p)
	if err != nil {
		return err
	}
	if _, err := proc.Kubectl(ctx, p, "", "create", "namespace", namespace); err != nil {
		return fmt.Errorf("making the namespace: %w", err)
	}
	err = proc.Poll(ctx, time.Minute, func(ctx context.Context) error {
		_, err := proc.Kubectl(ctx, p, "", "-n", namespace, "get", "serviceaccount", "default")
		return err
	})
	if err != nil {
		return fmt.Errorf("waiting for the namespace's service account: %w", err)
	}
	log.Step("making %d nodes", n)
	if err := c.each(ctx, n, func(i int) (string, any) { return "/api/v1/nodes", node(i, version) }); err != nil {
		return err
	}
	if err := startLeases(p, n); err != nil {
		return err
	}
	log.Step("making %d pods", n*pods)
	err = c.each(ctx, n*pods, func(i int) (string, any) {
		return "/api/v1/namespaces/" + namespace + "/pods", pod(i, i%n)
	})
	if err != nil {
		return err
	}
	log.Step("waiting for them to run")
	return settled(ctx, p, n)
}

// remove ends KWOK and removes what it kept.
func remove(ctx context.Context, p place.Place, log *say.Log) error {
	names, err := proc.Kubectl(ctx, p, "", "get", "nodes", "-l", label, "-o", "name")
	if err != nil {
		return fmt.Errorf("looking for earlier nodes: %w", err)
	}
	if names != "" {
		log.Step("removing the earlier nodes and pods")
	}
	if err := proc.End(ctx, p, leases, syscall.SIGTERM, 5*time.Second); err != nil {
		return err
	}
	// Collections at once, not object by object as "kubectl delete" does it.
	steps := [][]string{
		{"delete", "--raw", "/api/v1/namespaces/" + namespace + "/pods?gracePeriodSeconds=0"},
		{"delete", "--raw", "/api/v1/nodes?labelSelector=type%3Dkwok"},
		{"delete", "--raw", leasesPath + "?labelSelector=type%3Dkwok"},
		{"delete", "namespace", namespace, "--ignore-not-found", "--timeout=300s"},
	}
	for _, step := range steps {
		// The API server gives a request a minute; what is left goes with the next.
		err := proc.Poll(ctx, 5*time.Minute, func(ctx context.Context) error {
			_, err := proc.Kubectl(ctx, p, "", step...)
			return err
		})
		if err != nil {
			return fmt.Errorf("removing the earlier nodes and pods: %w", err)
		}
	}
	return proc.End(ctx, p, "kwok", syscall.SIGTERM, 5*time.Second)
}

func start(ctx context.Context, p place.Place, b build.Builder) error {
	binary, err := b.Kwok(ctx)
	if err != nil {
		return err
	}
	out, err := proc.Output(ctx, "go", "mod", "download", "-json", "sigs.k8s.io/kwok@"+build.KwokVersion)
	if err != nil {
		return fmt.Errorf("finding KWOK's stages: %w", err)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal([]byte(out), &module); err != nil {
		return fmt.Errorf("finding KWOK's stages: %w", err)
	}
	args := []string{
		binary, "--kubeconfig=" + p.Path("admin.kubeconfig"), "--manage-all-nodes=false",
		"--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake", "--node-lease-duration-seconds=0",
		"--cidr=10.64.0.0/10", "--node-ip=" + place.ControlIP, "--server-address=127.0.0.1:10247",
	}
	for _, stage := range stages {
		args = append(args, "--config="+filepath.Join(module.Dir, stage))
	}
	return proc.Spawn(p, proc.Spec{Name: "kwok", Args: args})
}

func nodeName(i int) string { return fmt.Sprintf("kwok-%04d", i) }

func node(i int, version string) any {
	name := nodeName(i)
	capacity := map[string]string{"cpu": "4", "memory": "16Gi", "pods": "110", "ephemeral-storage": "80Gi"}
	return map[string]any{
		"apiVersion": "v1", "kind": "Node",
		"metadata": map[string]any{
			"name": name,
			"labels": map[string]string{
				"type": "kwok", "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
				"node.kubernetes.io/instance-type": "k3s",
			},
			"annotations": map[string]string{"kwok.x-k8s.io/node": "fake", "node.alpha.kubernetes.io/ttl": "0"},
		},
		// Without the taint the scheduler would put the real workloads there.
		"spec": map[string]any{"taints": []any{map[string]string{"key": "kwok.x-k8s.io/node", "value": "fake", "effect": "NoSchedule"}}},
		"status": map[string]any{
			"allocatable": capacity, "capacity": capacity, "phase": "Running",
			"nodeInfo": map[string]string{
				"kubeletVersion": version, "architecture": "amd64", "operatingSystem": "linux", "osImage": "KWOK",
				"kernelVersion": "", "containerRuntimeVersion": "", "kubeProxyVersion": "", "bootID": "", "machineID": "", "systemUUID": "",
			},
		},
	}
}

func pod(i, n int) any {
	return map[string]any{
		"apiVersion": "v1", "kind": "Pod",
		"metadata": map[string]any{
			"name":   fmt.Sprintf("fake-%06d", i),
			"labels": map[string]string{"app": fmt.Sprintf("fake-%03d", i%100), "type": "kwok"},
		},
		"spec": map[string]any{
			"nodeName":    nodeName(n),
			"tolerations": []any{map[string]string{"operator": "Exists"}},
			"containers": []any{map[string]any{
				"name": "main", "image": "docker.io/lab/web:1.4.2",
				"resources": map[string]any{"requests": map[string]string{"cpu": "10m", "memory": "16Mi"}},
			}},
		},
	}
}

// settled waits until the nodes are Ready and the pods run.
func settled(ctx context.Context, p place.Place, nodes int) error {
	// Only the first that does not run is asked for: lists of thousands take time that
	// the cluster needs.
	pods := "/api/v1/namespaces/" + namespace + "/pods?limit=1&fieldSelector=status.phase%21%3DRunning"
	for range 300 {
		out, err := proc.Kubectl(ctx, p, "", "get", "nodes", "-l", label, "--no-headers")
		if err != nil {
			return fmt.Errorf("waiting for the nodes: %w", err)
		}
		ready := strings.Count(out, " Ready ")
		left, err := proc.Kubectl(ctx, p, "", "get", "--raw", pods)
		if err != nil {
			return fmt.Errorf("waiting for the pods: %w", err)
		}
		if ready == nodes && strings.Contains(left, `"items":[]`) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the nodes and pods: %w", ctx.Err())
		case <-time.After(2 * time.Second):
		}
	}
	return fmt.Errorf("waiting for the nodes and pods: not within 10 minutes (see %s)", proc.LogFile(p, "kwok"))
}

// client writes to the API server over a few connections.
type client struct {
	http  *http.Client
	token string
}

func connect(p place.Place) (client, error) {
	ca, err := os.ReadFile(p.Path("pki", "ca.crt"))
	if err != nil {
		return client{}, fmt.Errorf("reading the lab's authority: %w", err)
	}
	token, err := os.ReadFile(p.Path("pki", "admin-token"))
	if err != nil {
		return client{}, fmt.Errorf("reading the lab's token: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return client{}, errors.New("reading the lab's authority: no certificate in it")
	}
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		MaxConnsPerHost: connections, MaxIdleConnsPerHost: connections,
		DialContext: dialer(p),
	}
	return client{&http.Client{Transport: transport, Timeout: time.Minute}, string(token)}, nil
}

// each posts n objects, several at a time.
func (c client) each(ctx context.Context, n int, object func(int) (path string, body any)) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(connections)
	for i := range n {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error {
			path, body := object(i)
			return c.post(ctx, path, body)
		})
	}
	return group.Wait()
}

func (c client) post(ctx context.Context, path string, body any) error {
	return c.send(ctx, http.MethodPost, path, "application/json", body)
}

var errNotFound = errors.New("not found")

func (c client) send(ctx context.Context, method, path, kind string, body any) error {
	failed := func(err error) error { return fmt.Errorf("%s %s: %w", method, path, err) }
	data, err := json.Marshal(body)
	if err != nil {
		return failed(err)
	}
	req, err := http.NewRequestWithContext(ctx, method, place.APIURL+path, bytes.NewReader(data))
	if err != nil {
		return failed(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Content-Type", kind)
	resp, err := c.http.Do(req)
	if err != nil {
		return failed(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return failed(err)
	case resp.StatusCode == http.StatusNotFound:
		return failed(errNotFound)
	case resp.StatusCode >= http.StatusBadRequest:
		return failed(fmt.Errorf("%s: %s", resp.Status, answer))
	}
	return nil
}

// dialer opens connections in the lab's namespace, in which this program is not.
func dialer(p place.Place) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		return dialIn(ctx, p.NetnsPath(), network, addr)
	}
}
