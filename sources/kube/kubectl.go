package kube

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/kubectl/pkg/describe"
)

// asked is one kubectl command line taken apart.
type asked struct {
	verb      string
	resources []string // "pods", "node/worker-0"
	names     []string
	namespace string
	all       bool // all namespaces
	wide      bool
	labels    string
	fields    string
}

// where is the namespace to ask in; "" is all of them.
func (a asked) where(mapping *meta.RESTMapping) string {
	if a.all || mapping.Scope.Name() == meta.RESTScopeNameRoot {
		return ""
	}
	return a.namespace
}

// Kubectl answers a kubectl command that only reads as kubectl would, in its
// own columns, without the program: get, describe and top. args are its
// words, with or without "kubectl" in front.
func (c *Client) Kubectl(ctx context.Context, args []string, out io.Writer) error {
	a, err := parseKubectl(args)
	if err != nil {
		return err
	}
	k := c.bound(ctx)
	switch a.verb {
	case "top":
		return k.top(ctx, a, out)
	case "describe":
		return k.describe(a, out)
	}
	return k.get(ctx, a, out)
}

// CheckKubectl says why a command line could not be answered; nil if it can.
func CheckKubectl(args []string) error {
	_, err := parseKubectl(args)
	return err
}

func parseKubectl(args []string) (asked, error) {
	a := asked{}
	if len(args) > 0 && args[0] == "kubectl" {
		args = args[1:]
	}
	line := "kubectl " + strings.Join(args, " ")
	flags := pflag.NewFlagSet("kubectl", pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.BoolVarP(&a.all, "all-namespaces", "A", false, "")
	flags.StringVarP(&a.namespace, "namespace", "n", "default", "")
	flags.StringVarP(&a.labels, "selector", "l", "", "")
	flags.StringVar(&a.fields, "field-selector", "", "")
	output := flags.StringP("output", "o", "", "")
	if err := flags.Parse(args); err != nil {
		return a, fmt.Errorf("%q: %w; of kubectl's flags -A, -n, -o wide, -l and --field-selector are understood here", line, err)
	}
	words := flags.Args()
	if len(words) < 2 || words[0] != "get" && words[0] != "describe" && words[0] != "top" {
		return a, fmt.Errorf("%q cannot be answered without kubectl: get, describe and top of something can", line)
	}
	if *output != "" && *output != "wide" {
		return a, fmt.Errorf("%q: of kubectl's outputs only -o wide is made here", line)
	}
	a.wide = *output == "wide"
	a.verb, a.resources, a.names = words[0], strings.Split(words[1], ","), words[2:]
	if kind, name, ok := strings.Cut(words[1], "/"); ok {
		a.resources, a.names = []string{kind}, append([]string{name}, a.names...)
	}
	if a.verb == "describe" && len(a.names) == 0 {
		return a, fmt.Errorf("%q: describe wants a name", line)
	}
	return a, nil
}

// boundClient is a connection whose every request ends with one context:
// kubectl's own code asks without any.
type boundClient struct {
	c   *Client
	cfg *rest.Config
}

func (c *Client) bound(ctx context.Context) boundClient {
	return boundClient{c, &rest.Config{
		Host: c.cfg.Host, APIPath: c.cfg.APIPath, QPS: qps, Burst: burst, UserAgent: c.cfg.UserAgent,
		WarningHandler: rest.NoWarnings{}, Transport: boundTransport{ctx, c.http.Transport},
	}}
}

// boundTransport ends requests with its context.
type boundTransport struct {
	ctx context.Context //nolint:containedctx // the context of one command, for code that takes none
	rt  http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t boundTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := t.ctx.Err(); err != nil {
		return nil, err //nolint:wrapcheck // as the transport itself would
	}
	rt := t.rt
	if rt == nil {
		rt = http.DefaultTransport
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	stop := context.AfterFunc(t.ctx, func() { cancel(t.ctx.Err()) }) //nolint:contextcheck // ends with whichever ends first
	answer, err := rt.RoundTrip(r.WithContext(ctx))
	if err != nil {
		stop()
		cancel(nil)
		return nil, err //nolint:wrapcheck // the transport's own
	}
	answer.Body = &boundBody{answer.Body, func() { stop(); cancel(nil) }}
	return answer, nil
}

// boundBody lets go of the context when the body was read.
type boundBody struct {
	io.ReadCloser

	release func()
}

// Close implements io.Closer.
func (b *boundBody) Close() error {
	defer b.release()
	return b.ReadCloser.Close() //nolint:wrapcheck // the body's own
}

// mapper knows all resources that the server has, by any of their names.
func (k boundClient) mapper() (meta.RESTMapper, error) {
	found, err := discovery.NewDiscoveryClientForConfig(k.cfg)
	if err != nil {
		return nil, fmt.Errorf("preparing to ask for the server's resources: %w", err)
	}
	groups, err := restmapper.GetAPIGroupResources(found)
	if err != nil && len(groups) == 0 {
		return nil, k.c.explain(err, Need{Verb: "get", Resource: "/api"}, requestTimeout)
	}
	return restmapper.NewShortcutExpander(restmapper.NewDiscoveryRESTMapper(groups), found, nil), nil
}

// mapping is the resource that a word of the command line names.
func mapping(m meta.RESTMapper, word string) (*meta.RESTMapping, error) {
	full, short := schema.ParseResourceArg(word)
	gvk := schema.GroupVersionKind{}
	if full != nil {
		gvk, _ = m.KindFor(*full) // not one of this form: the other is tried
	}
	if gvk.Empty() {
		gvk, _ = m.KindFor(short.WithVersion("")) // the same
	}
	if gvk.Empty() {
		return nil, fmt.Errorf("the server doesn't have a resource type %q", word)
	}
	found, err := m.RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		return nil, fmt.Errorf("the server doesn't have a resource type %q: %w", word, err)
	}
	return found, nil
}

// describe is kubectl describe.
func (k boundClient) describe(a asked, out io.Writer) error {
	m, err := k.mapper()
	if err != nil {
		return err
	}
	of, err := mapping(m, a.resources[0])
	if err != nil {
		return err
	}
	d, ok := describe.DescriberFor(of.GroupVersionKind.GroupKind(), k.cfg)
	if !ok {
		if d, ok = describe.GenericDescriberFor(of, k.cfg); !ok {
			return fmt.Errorf("there is no description of %s", of.GroupVersionKind.Kind)
		}
	}
	settings := describe.DescriberSettings{ShowEvents: len(a.names) == 1, ChunkSize: pageSize}
	for i, name := range a.names {
		text, err := d.Describe(a.where(of), name, settings)
		if err != nil {
			need := Need{Verb: "get", Group: of.Resource.Group, Resource: of.Resource.Resource}
			return k.c.explain(err, need, listTimeout)
		}
		if i > 0 {
			text = "\n\n" + text
		}
		if _, err := io.WriteString(out, text); err != nil {
			return fmt.Errorf("writing the description: %w", err)
		}
	}
	return nil
}
