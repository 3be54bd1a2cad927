package kube

import (
	"slices"

	networking "k8s.io/api/networking/v1"

	"daytwo/sources"
)

// classAnnotation named an Ingress's class before spec.ingressClassName.
const classAnnotation = "kubernetes.io/ingress.class"

func toIngress(i *networking.Ingress) *sources.Ingress {
	out := &sources.Ingress{
		Ref:   sources.Ref{Kind: "Ingress", Namespace: name(i.Namespace), Name: name(i.Name)},
		Class: name(i.Annotations[classAnnotation]),
	}
	if i.Spec.IngressClassName != nil {
		out.Class = name(*i.Spec.IngressClassName)
	}
	host := func(h string) {
		if h = name(h); h != "" && !slices.Contains(out.Hosts, h) {
			out.Hosts = append(out.Hosts, h)
		}
	}
	for _, r := range i.Spec.Rules {
		host(r.Host)
	}
	for _, t := range i.Spec.TLS {
		for _, h := range t.Hosts {
			host(h)
		}
		if s := name(t.SecretName); s != "" && !slices.Contains(out.Secrets, s) {
			out.Secrets = append(out.Secrets, s)
		}
	}
	return out
}
