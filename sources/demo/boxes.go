package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	corev1 "k8s.io/api/core/v1"

	"daytwo/sources/demo/box"
)

// box is the machine behind a node. It is made when somebody first asks for
// it: most of a large cluster's never are.
func (w *World) box(m *machine) *box.Box {
	m.boxing.Lock()
	defer m.boxing.Unlock()
	if b := m.box.Load(); b != nil {
		return b
	}
	o := box.Options{
		Name: m.name, Server: m.server, Now: w.now, Version: gitVersion, Args: w.nodeArgs(m.name), Memory: m.memory, Cores: m.cores,
		Booted: m.created,
		Space: box.Space{
			Size: m.disk, Inodes: m.inodes, Reserved: reserved,
			Used: func() int64 { return m.story(w.now()) }, Files: func() int64 { return m.inodesStory(w.now()) },
		},
		Fetch: w.fetch, Pods: func() []box.Pod { return w.boxPods(m) }, Contents: w.contents(m, w.now()),
		Did: func(what string) { w.did.note(what, m.name) },
	}
	if m.server && w.servers() == 1 {
		o.Stopped = w.StopServer
	}
	b := box.New(w.ctx, o)
	w.done.Go(func() {
		<-w.ctx.Done()
		b.Wait()
	})
	m.box.Store(b)
	return b
}

// servers is how many machines run the API server.
func (w *World) servers() int {
	n := 0
	for _, m := range w.machines {
		if m.server {
			n++
		}
	}
	return n
}

// nodeArgs are the arguments of a node's k3s as its annotation has them.
func (w *World) nodeArgs(name string) []string {
	var args []string
	if n, ok := fetch[*corev1.Node](w.store, "", name); ok {
		_ = json.Unmarshal([]byte(n.Annotations[nodeArgsKey]), &args) // written by the builder
	}
	return args
}

// nodeArgsKey is where k3s writes its arguments down.
const nodeArgsKey = "k3s.io/node-args"

// boxPods are the pods whose containers are on a machine. Those of a pod that
// is over stay as long as the pod does.
func (w *World) boxPods(m *machine) []box.Pod {
	pods := w.podsOn(m.name)
	out := make([]box.Pod, 0, len(pods))
	for _, p := range pods {
		bp := box.Pod{Namespace: p.Namespace, Name: p.Name, UID: string(p.UID)}
		for i := range p.Status.ContainerStatuses {
			s := &p.Status.ContainerStatuses[i]
			if bareID(s) == "" || s.State.Waiting != nil && s.LastTerminationState.Terminated == nil {
				continue // there was never a container
			}
			bp.Containers = append(bp.Containers, w.boxContainer(m, p, s))
		}
		if len(bp.Containers) == 0 {
			continue
		}
		for _, v := range p.Spec.Volumes {
			if v.EmptyDir != nil {
				bp.Scratch = append(bp.Scratch, box.Volume{Name: v.Name, Bytes: scratch(p, v.Name)})
			}
		}
		out = append(out, bp)
	}
	return out
}

func (w *World) boxContainer(m *machine, p *corev1.Pod, s *corev1.ContainerStatus) box.Container {
	c := box.Container{
		ID: bareID(s), Name: s.Name, Image: s.Image,
		Attempt: int(s.RestartCount), Running: s.State.Running != nil, Created: p.CreationTimestamp.Time,
	}
	c.Layer, c.Log = containerDisk(p, s.Name)
	if m.spill != nil && m.spill.pod == p.UID {
		c.Grows, c.Line = m.spill.path, m.spill.line
		c.Growth = func() int64 { return m.spill.bytes(m, w.now()) }
	}
	return c
}

// fetch is what curl on a machine gets: this machine's loopback alone.
func (w *World) fetch(ctx context.Context, url string, follow bool) (box.Fetched, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return box.Fetched{}, fmt.Errorf("read the URL: %w", err)
	}
	if h := req.URL.Hostname(); h != "127.0.0.1" && h != "localhost" && h != "::1" {
		return box.Fetched{}, fmt.Errorf("the demo's machines reach nothing but this one, and %s is elsewhere", h)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if !follow {
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	res, err := client.Do(req) //nolint:bodyclose // whoever fetched reads and closes it
	if err != nil {
		return box.Fetched{}, err
	}
	return box.Fetched{
		Status: res.StatusCode, Location: res.Header.Get("Location"), URL: res.Request.URL.String(), Length: res.ContentLength, Body: res.Body,
	}, nil
}

// k3s is how the k3s of a node's machine stands; one that nobody looked at
// runs as ever.
func (m *machine) k3s() box.K3s {
	if b := m.box.Load(); b != nil {
		return b.K3s()
	}
	return box.K3s{Up: true, Ready: true}
}

// machinesK3s lets the k3s of all machines get on, and the API server come
// back with its own.
func (m *simulation) machinesK3s() {
	for _, x := range m.w.machines {
		b := x.box.Load()
		if b == nil {
			continue
		}
		before := x.k3s()
		b.Tick()
		if after := x.k3s(); x.server && m.w.servers() == 1 && after.Ready && !before.Ready {
			m.w.version.Store(&after.Version)
			m.w.listenAgain()
		}
	}
}

// listenAgain starts the API server once more. A port that another program
// took meanwhile leaves it away, as would be with a real one.
func (w *World) listenAgain() {
	w.serve1.Lock()
	listens := w.server != nil
	w.serve1.Unlock()
	if !listens {
		_ = w.StartServer()
	}
}
