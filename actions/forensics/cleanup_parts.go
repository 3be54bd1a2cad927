package forensics

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"daytwo/actions"
	"daytwo/sources"
)

// podSteps deletes the finished pods, one a step: each can be proved, and
// skipped by somebody who wants to keep one. Their room is free when the kubelet
// has cleared up behind them.
func (c *Cleanup) podSteps() []actions.Step {
	steps := make([]actions.Step, 0, len(c.Pods))
	for _, p := range c.Pods {
		ref := sources.Ref{Kind: "Pod", Namespace: p.Namespace, Name: p.Name}
		steps = append(steps, actions.Step{
			ID: "pod/" + p.UID, Title: p.Why + " " + p.Namespace + "/" + p.Name, Group: c.Node,
			Command: sources.Typed("kubectl", "-n", p.Namespace, "delete", "pod", p.Name),
			Done:    func(ctx context.Context) (bool, error) { return c.with.Pods.PodGone(ctx, ref, p.UID) },
			Do: func(ctx context.Context, out io.Writer) error {
				if err := c.with.Pods.DeletePod(ctx, ref, p.UID); err != nil {
					return fmt.Errorf("deleting %s: %w", ref, err)
				}
				_, _ = fmt.Fprintf(out, "pod %q deleted from %s\n", p.Name, p.Namespace)
				return nil
			},
		})
	}
	return append(steps, actions.Step{
		ID: "cleared", Title: "kubelet clears up", Group: c.Node, Command: c.typed("ls -d " + podFolders(c.Pods)),
		Do: c.awaitKubelet,
	})
}

// mostAwaited is of how many pods the folders are looked at: a command line has
// an end, and the kubelet clears up behind all of them in one round.
const mostAwaited = 50

// podFolders are what the kubelet keeps of pods on the node, quoted.
func podFolders(pods []FinishedPod) string {
	all := make([]string, 0, 2*mostAwaited)
	for _, p := range pods[:min(len(pods), mostAwaited)] {
		all = append(all, podLogsDir+"/"+p.Namespace+"_"+p.Name+"_"+p.UID, kubeletDir+"/pods/"+p.UID)
	}
	return sources.Typed(all...)
}

// awaitKubelet waits until the folders of the pods that are gone, are gone as
// well. The kubelet removes logs of pods that are no more once a minute
// (kuberuntime_gc.go), so that what is there after three is left to it, and told.
func (c *Cleanup) awaitKubelet(ctx context.Context, out io.Writer) error {
	var gone []FinishedPod
	for _, p := range c.Pods {
		ref := sources.Ref{Kind: "Pod", Namespace: p.Namespace, Name: p.Name}
		switch is, err := c.with.Pods.PodGone(ctx, ref, p.UID); {
		case err != nil:
			return fmt.Errorf("looking whether %s is gone: %w", ref, err)
		case is:
			gone = append(gone, p)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	line := fmt.Sprintf(`i=0; while left=$(ls -d %s 2>/dev/null); [ -n "$left" ] && [ $i -lt 36 ]; do i=$((i+1)); sleep 5; done; `+
		`if [ -n "$left" ]; then echo "left for the kubelet to remove: $left"; else echo 'their folders are gone'; fi`, podFolders(gone))
	if err := c.run(ctx, line, out); err != nil {
		return fmt.Errorf("waiting for the kubelet to clear up: %w", err)
	}
	return nil
}

// images asks which images there are now.
func (c *Cleanup) images(ctx context.Context) ([]Image, error) {
	got := &bounded{most: mostOutput}
	if err := c.run(ctx, "k3s crictl images -o json", got); err != nil {
		return nil, fmt.Errorf("listing the images: %w", err)
	}
	return parseImages(got.Bytes())
}

// still are the planned images that are there.
func (c *Cleanup) still(images []Image) []CleanImage {
	var left []CleanImage
	for _, i := range c.Images {
		if slices.ContainsFunc(images, func(have Image) bool { return have.ID == i.ID }) {
			left = append(left, i)
		}
	}
	return left
}

// checkImages refuses to remove what a container was made from since, or what
// is pinned: the runtime itself would not refuse it.
func (c *Cleanup) checkImages(ctx context.Context) ([]CleanImage, error) {
	images, err := c.images(ctx)
	if err != nil {
		return nil, err
	}
	got := &bounded{most: mostOutput}
	if err := c.run(ctx, "k3s crictl ps -a -o json", got); err != nil {
		return nil, fmt.Errorf("listing the containers: %w", err)
	}
	containers, err := parseContainers(got.Bytes())
	if err != nil {
		return nil, err
	}
	users := map[string]bool{}
	for _, k := range containers {
		users[k.Image] = true
	}
	left := c.still(images)
	for _, have := range images {
		planned := slices.ContainsFunc(left, func(i CleanImage) bool { return i.ID == have.ID })
		switch {
		case !planned:
		case have.Pinned || pause(have):
			return nil, fmt.Errorf("%s is pinned now: nothing was removed; run the forensics again", clean(have.Name()))
		case usedImage(have, users):
			return nil, fmt.Errorf("a container uses %s now: nothing was removed; run the forensics again", clean(have.Name()))
		}
	}
	if len(left) == 0 {
		return nil, errors.New("none of the images is there any more")
	}
	return left, nil
}

// bundleLine removes old versions of k3s unless one became current or
// previous, or something still runs from it: containers outlive an upgrade
// with the shims of the version that started them.
func (c *Cleanup) bundleLine() string {
	var b strings.Builder
	b.WriteString("set -e; cd " + k3sDir + "/data; ")
	for _, name := range c.Bundles {
		q := sources.Quote(name)
		fmt.Fprintf(&b, `for l in current previous; do case "$(readlink "$l" || true)" in %s|*/%s) `+
			`echo "%s is $l now: kept" >&2; exit 1;; esac; done; `, q, q, name)
		fmt.Fprintf(&b, `if find /proc/[0-9]*/exe -maxdepth 0 -lname '*/data/%s/*' 2>/dev/null | grep -q .; then `+
			`echo "something still runs from %s: kept until its containers are restarted" >&2; exit 1; fi; `, name, name)
		fmt.Fprintf(&b, "rm -rf --one-file-system ./%s; ", q)
	}
	b.WriteString("echo removed")
	return b.String()
}
