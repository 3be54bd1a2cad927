package box

import "context"

// k3s is the binary, under all its names.
func k3s(ctx context.Context, p *process, version string, args []string) int {
	name := nameOf(args)
	if name == "crictl" || name == "ctr" || name == "kubectl" {
		return k3sTool(ctx, p, name, args[1:])
	}
	if len(args) < 2 {
		p.print("NAME:\n   k3s - Kubernetes, but small and simple\n\nVERSION:\n   %s (%s)\n", version, bundle(version)[:8])
		return 0
	}
	switch args[1] {
	case "--version", "-v":
		p.print("k3s version %s (%s)\ngo version go1.24.5\n", version, bundle(version)[:8])
		return 0
	case "crictl", "ctr", "kubectl":
		return k3sTool(ctx, p, args[1], args[2:])
	case "etcd-snapshot":
		if p.who.uid != 0 {
			return p.say("FATA[0000] must be run as root")
		}
		return p.say("FATA[0000] Error: etcd datastore disabled")
	case "check-config":
		p.print("STATUS: pass\n")
		return 0
	case "certificate", "token", "secrets-encrypt":
		return p.say("FATA[0000] the demo's k3s has no %s", args[1])
	}
	return p.say("No help topic for '%s'", args[1])
}

func k3sTool(ctx context.Context, p *process, name string, args []string) int {
	switch name {
	case "crictl":
		return crictl(ctx, p, args)
	case "ctr":
		return ctr(p, args)
	}
	return p.say("The connection to the server localhost:8080 was refused - did you specify the right host or port?")
}
