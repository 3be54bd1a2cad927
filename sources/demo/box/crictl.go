package box

import "context"

// crictl asks containerd.
func crictl(_ context.Context, p *process, args []string) int {
	if p.who.uid != 0 {
		return p.say("E validate service connection: validate CRI v1 runtime API for endpoint \"unix:///run/k3s/containerd/containerd.sock\": permission denied")
	}
	return p.say("crictl: unknown command %v", args)
}

// killed ends a process of a container.
func (b *Box) killed(_ string) bool { return false }
