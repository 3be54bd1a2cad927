package box

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// crictl asks containerd for what the kubelet sees.
func crictl(_ context.Context, p *process, args []string) int {
	if code := p.reachContainerd("validate CRI v1 runtime API for endpoint \"unix:///run/k3s/containerd/containerd.sock\": rpc error: code = Unavailable desc = connection error: desc = \"transport: Error while dialing: dial unix /run/k3s/containerd/containerd.sock: connect: "); code != 0 {
		return code
	}
	f, words := parse(append([]string{"crictl"}, args...), "o", "output", "r", "runtime-endpoint", "i", "image-endpoint", "t", "timeout")
	if len(words) == 0 {
		return p.say("crictl: the demo's crictl knows images, ps, stats, inspecti, imagefsinfo and rmi")
	}
	b := p.box
	b.runtime.mu.Lock()
	defer b.runtime.mu.Unlock()
	switch words[0] {
	case "images", "image", "img":
		return p.crictlImages(f)
	case "ps":
		return p.crictlPS(f)
	case "stats":
		return p.json(map[string]any{"stats": b.criStats(f.has("a", "all"))})
	case "imagefsinfo":
		return p.json(map[string]any{"status": b.criImageFS()})
	case "inspecti":
		return p.crictlInspect(words[1:])
	case "rmi":
		return p.crictlRemove(f, words[1:])
	case "version":
		p.print("Version:  0.1.0\nRuntimeName:  containerd\nRuntimeVersion:  v2.0.5-k3s2\nRuntimeApiVersion:  v1\n")
		return 0
	}
	return p.say("crictl: the demo's crictl has no %s", words[0])
}

// reachContainerd is why it cannot be reached: only root may, and it runs
// only as long as k3s does.
func (p *process) reachContainerd(lead string) int {
	switch {
	case p.who.uid != 0:
		return p.say("%spermission denied\"", lead)
	case !p.box.K3s().Up:
		return p.say("%sno such file or directory\"", lead)
	}
	return 0
}

// json writes an answer as crictl and ctr do.
func (p *process) json(v any) int {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return p.say("%v", err)
	}
	p.print("%s\n", text)
	return 0
}

func (p *process) crictlImages(f flags) int {
	images := p.box.runtime.images
	if f.has("q", "quiet") {
		for _, i := range images {
			p.print("%s\n", i.id)
		}
		return 0
	}
	if f.get("o", "output") != "json" {
		rows := [][]string{{"IMAGE", "TAG", "IMAGE ID", "SIZE"}}
		for _, i := range images {
			at := strings.LastIndexByte(i.name, ':')
			rows = append(rows, []string{i.name[:at], i.name[at+1:], i.id[7:20], human(i.size, 1000) + "B"})
		}
		p.leftColumns(rows)
		return 0
	}
	all := make([]map[string]any, 0, len(images))
	for _, i := range images {
		all = append(all, i.cri())
	}
	return p.json(map[string]any{"images": all})
}

func (i *image) cri() map[string]any {
	name := i.name[:strings.LastIndexByte(i.name, ':')]
	return map[string]any{
		"id": i.id, "repoTags": []string{i.name}, "repoDigests": []string{name + "@sha256:" + digest("manifest", i.name)},
		"size": strconv.FormatInt(i.size, 10), "uid": nil, "username": "", "spec": nil, "pinned": i.pinned,
	}
}

// leftColumns writes a table as crictl does.
func (p *process) leftColumns(rows [][]string) {
	width := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, c := range r {
			width[i] = max(width[i], len(c))
		}
	}
	for _, r := range rows {
		var line strings.Builder
		for i, c := range r {
			_, _ = fmt.Fprintf(&line, "%-*s", width[i]+4, c)
		}
		p.print("%s\n", strings.TrimRight(line.String(), " "))
	}
}

// criContainer is a container as crictl has it.
func (b *Box) criContainer(p Pod, c Container) map[string]any {
	state := "CONTAINER_EXITED"
	if c.Running {
		state = "CONTAINER_RUNNING"
	}
	id := c.Image
	if i := b.runtime.named(c.Image); i != nil {
		id = i.id
	}
	return map[string]any{
		"id": c.ID, "podSandboxId": p.sandboxID(), "metadata": map[string]any{"name": c.Name, "attempt": c.Attempt},
		"image": map[string]any{"image": id, "annotations": map[string]string{}}, "imageRef": id, "imageId": id,
		"state": state, "createdAt": strconv.FormatInt(c.Created.UnixNano(), 10), "labels": criLabels(p, c), "annotations": map[string]string{},
	}
}

func criLabels(p Pod, c Container) map[string]string {
	return map[string]string{
		"io.kubernetes.container.name": c.Name, "io.kubernetes.pod.name": p.Name,
		"io.kubernetes.pod.namespace": p.Namespace, "io.kubernetes.pod.uid": p.UID,
	}
}

func (p *process) crictlPS(f flags) int {
	all := make([]map[string]any, 0)
	rows := [][]string{{"CONTAINER", "IMAGE", "STATE", "NAME", "ATTEMPT", "POD ID", "POD"}}
	for _, pod := range p.box.podsInOrder() {
		for _, c := range pod.Containers {
			if !c.Running && !f.has("a", "all") {
				continue
			}
			all = append(all, p.box.criContainer(pod, c))
			state := map[bool]string{true: "Running", false: "Exited"}[c.Running]
			rows = append(rows, []string{c.ID[:13], c.Image, state, c.Name, strconv.Itoa(c.Attempt), pod.sandboxID()[:13], pod.Name})
		}
	}
	if f.get("o", "output") == "json" {
		return p.json(map[string]any{"containers": all})
	}
	p.leftColumns(rows)
	return 0
}

func value(n int64) map[string]string { return map[string]string{"value": strconv.FormatInt(n, 10)} }

func (b *Box) criStats(exited bool) []map[string]any {
	all := make([]map[string]any, 0)
	at := strconv.FormatInt(b.o.Now().UnixNano(), 10)
	for _, p := range b.podsInOrder() {
		for _, c := range p.Containers {
			l := b.runtime.layers[c.ID]
			if l == nil || !c.Running && !exited {
				continue
			}
			w := b.usage(l)
			all = append(all, map[string]any{
				"attributes": map[string]any{"id": c.ID, "metadata": map[string]any{"name": c.Name, "attempt": c.Attempt}, "labels": criLabels(p, c)},
				"writableLayer": map[string]any{
					"timestamp": at, "fsId": map[string]string{"mountpoint": snapshotsDir[:len(snapshotsDir)-len("/snapshots")]},
					"usedBytes": value(w.room), "inodesUsed": value(w.files),
				},
			})
		}
	}
	return all
}

func (b *Box) criImageFS() map[string]any {
	sum := b.imageWeight()
	return map[string]any{"imageFilesystems": []any{map[string]any{
		"timestamp": strconv.FormatInt(b.o.Now().UnixNano(), 10), "fsId": map[string]string{"mountpoint": containerdDir},
		"usedBytes": value(sum.room), "inodesUsed": value(sum.files),
	}}, "containerFilesystems": []any{}}
}

func (p *process) crictlInspect(words []string) int {
	all, code := make([]map[string]any, 0, len(words)), 0
	for _, w := range words {
		i := p.box.runtime.named(w)
		if i == nil {
			code = p.say("E no such image %q present", w)
			continue
		}
		all = append(all, map[string]any{"status": i.cri(), "info": map[string]any{"chainID": i.top(), "imageSpec": map[string]any{
			"architecture": "amd64", "os": "linux", "rootfs": map[string]any{"type": "layers", "diff_ids": i.diffs},
		}}})
	}
	switch {
	case code != 0:
	case len(all) == 1:
		code = p.json(all[0])
	default:
		code = p.json(all)
	}
	return code
}

// crictlRemove removes images as the runtime does: it asks nobody whether a
// container uses one.
func (p *process) crictlRemove(f flags, words []string) int {
	b, code := p.box, 0
	if f.has("prune", "a", "all") {
		words = nil
		for _, i := range b.runtime.images {
			if f.has("a", "all") || !b.imageUsed(i) {
				words = append(words, i.id)
			}
		}
	}
	for _, w := range words {
		i := b.runtime.named(w)
		if i == nil {
			code = p.say("E removing image %q: no such image", w)
			continue
		}
		b.remove(i)
		p.print("Deleted: %s\n", i.name)
	}
	return code
}

func (b *Box) imageUsed(i *image) bool {
	for _, p := range b.runtime.pods {
		if slices.ContainsFunc(p.Containers, func(c Container) bool { return c.Image == i.name }) {
			return true
		}
	}
	return false
}

// ctr asks containerd itself: for its version and its snapshots.
func ctr(p *process, args []string) int {
	f, words := parse(append([]string{"ctr"}, args...), "n", "namespace", "a", "address")
	namespace := cmp.Or(f.get("n", "namespace"), "k8s.io") // k3s's ctr looks there, unlike containerd's own
	if code := p.reachContainerd("ctr: failed to dial \"/run/k3s/containerd/containerd.sock\": dial unix /run/k3s/containerd/containerd.sock: connect: "); code != 0 {
		return code
	}
	b := p.box
	b.runtime.mu.Lock()
	defer b.runtime.mu.Unlock()
	switch what := strings.Join(words, " "); what {
	case "version":
		p.print("Client:\n  Version:  v2.0.5-k3s2\n")
	case "snapshots ls", "snapshots list", "snapshot ls":
		rows := [][]string{{"KEY", "PARENT", "KIND"}}
		for _, l := range b.layersInOrder(namespace) {
			rows = append(rows, []string{l.key, l.parent, map[bool]string{true: "Active", false: "Committed"}[l.active]})
		}
		p.leftColumns(rows)
	case "snapshots usage", "snapshot usage":
		rows := [][]string{{"KEY", "SIZE", "INODES"}}
		for _, l := range b.layersInOrder(namespace) {
			w := b.usage(l)
			size := strconv.FormatInt(w.room, 10)
			if !f.has("b") {
				size = human(w.room, 1024) + "iB"
			}
			rows = append(rows, []string{l.key, size, strconv.FormatInt(w.files, 10)})
		}
		p.leftColumns(rows)
	default:
		return p.say("ctr: the demo has no %s", what)
	}
	return 0
}

// layersInOrder are those of a namespace of containerd's; the kubelet's is
// k8s.io, and nobody uses another.
func (b *Box) layersInOrder(namespace string) []*layer {
	if namespace != "k8s.io" {
		return nil
	}
	all := make([]*layer, 0, len(b.runtime.layers))
	for _, l := range b.runtime.layers {
		all = append(all, l)
	}
	slices.SortFunc(all, func(x, y *layer) int { return strings.Compare(x.key, y.key) })
	return all
}
