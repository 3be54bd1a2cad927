package kube

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"daytwo/sources"
)

// Options says which cluster to connect to.
type Options struct {
	Kubeconfig string // path; "" looks where kubectl looks, then for k3s's own
	Context    string // "" is the kubeconfig's current context
	UserAgent  string // "" is "daytwo"
	Log        sources.Logger
	Clock      func() time.Time // nil is time.Now

	ping time.Duration // 0 is pingAfter; tests make it short
}

// Limits of the connection that looks. A cockpit asks little; the burst lets
// all first lists go out at once.
const (
	qps   = 50
	burst = 100

	dialTimeout    = 5 * time.Second
	requestTimeout = 5 * time.Second  // one object, one answer
	listTimeout    = 30 * time.Second // one page, also over a slow line
	pingAfter      = 5 * time.Second  // of silence on a connection; after as much again it is taken for dead
)

// Client is a connection to one cluster that only looks.
type Client struct {
	context    string
	server     string // URL
	host       string // for messages
	clientCert time.Time
	cfg        *rest.Config
	http       *http.Client
	set        *kubernetes.Clientset
	custom     rest.Interface // JSON, for types of custom resources
	log        sources.Logger
	now        func() time.Time
	pace       pace
	roster     roster
}

// Connect reads the kubeconfig and prepares the connection. Nothing is sent:
// what can be known to be wrong beforehand (no kubeconfig, no such context, an
// expired client certificate) is said at once, an absent server later by the
// source, which then waits for it.
func Connect(o Options) (*Client, error) {
	if o.UserAgent == "" {
		o.UserAgent = "daytwo"
	}
	if o.Log == nil {
		o.Log = func(string, ...any) {}
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.ping == 0 {
		o.ping = pingAfter
	}
	found, err := load(o)
	if err != nil {
		return nil, err
	}
	return newClient(o, found)
}

func newClient(o Options, found kubeconfig) (*Client, error) {
	cfg := tune(found.rest, o)
	base, _, err := rest.DefaultServerUrlFor(cfg)
	if err != nil {
		return nil, fmt.Errorf("context %q of %s has a bad server address %q: %w", found.context, found.path, cfg.Host, err)
	}
	c := &Client{
		context: found.context, server: shown(base), host: hostOf(base), clientCert: found.clientCert,
		cfg: cfg, log: o.Log, now: o.Clock, pace: usualPace(),
	}
	c.roster.init()
	if c.http, err = rest.HTTPClientFor(cfg); err != nil {
		return nil, fmt.Errorf("context %q of %s: %w", found.context, found.path, err)
	}
	if c.set, err = kubernetes.NewForConfigAndClient(cfg, c.http); err != nil {
		return nil, fmt.Errorf("preparing the client for %s: %w", c.host, err)
	}
	custom := dynamic.ConfigFor(cfg)
	custom.GroupVersion, custom.APIPath = &schema.GroupVersion{}, "/"
	if c.custom, err = rest.RESTClientForConfigAndClient(custom, c.http); err != nil {
		return nil, fmt.Errorf("preparing the client for custom resources of %s: %w", c.host, err)
	}
	return c, nil
}

// tune sets what the kubeconfig leaves open.
func tune(cfg *rest.Config, o Options) *rest.Config {
	cfg = rest.CopyConfig(cfg)
	cfg.UserAgent = o.UserAgent
	cfg.QPS, cfg.Burst = qps, burst
	cfg.ContentType = runtime.ContentTypeProtobuf
	cfg.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	cfg.WarningHandler = rest.NoWarnings{}
	// A dialer of its own gives the client a transport of its own.
	cfg.Dial = (&net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second}).DialContext
	cfg.Wrap(func(rt http.RoundTripper) http.RoundTripper { return shortPings(rt, o.ping) })
	if cfg.ExecProvider != nil {
		cfg.ExecProvider.StdinUnavailable = true
		cfg.ExecProvider.StdinUnavailableMessage = "daytwo has the terminal"
	}
	return cfg
}

// shortPings makes a connection that died without a word (a laptop that
// slept, a router that forgot) noticed in seconds; client-go waits 45.
func shortPings(rt http.RoundTripper, ping time.Duration) http.RoundTripper {
	for inner := rt; inner != nil; {
		if t, ok := inner.(*http.Transport); ok {
			t.HTTP2 = &http.HTTP2Config{SendPingTimeout: ping, PingTimeout: ping}
			t.TLSHandshakeTimeout = dialTimeout
			break
		}
		wrapper, ok := inner.(utilnet.RoundTripperWrapper)
		if !ok {
			break
		}
		inner = wrapper.WrappedRoundTripper()
	}
	return rt
}

// shown is an address without a name and password in it.
func shown(u *url.URL) string {
	bare := *u
	bare.User = nil
	return bare.String()
}

func hostOf(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	if u.Scheme == "http" {
		return net.JoinHostPort(u.Hostname(), "80")
	}
	return net.JoinHostPort(u.Hostname(), "443")
}

// ContextName is the kubeconfig context in use.
func (c *Client) ContextName() string { return c.context }

// Identity tells clusters of the same context name apart; it is not for
// showing.
func (c *Client) Identity() string { return identity(c.cfg, c.server) }

// ServerURL is the API server's address.
func (c *Client) ServerURL() string { return c.server }

// ClientCertExpiry is notAfter of the kubeconfig's own client certificate;
// zero where a token or a plug-in is used.
func (c *Client) ClientCertExpiry() time.Time { return c.clientCert }

// ForChanges returns a client for actions: a connection and a rate limit of
// its own, so that a change never waits behind what looks.
func (c *Client) ForChanges() (kubernetes.Interface, error) {
	cfg := rest.CopyConfig(c.cfg)
	cfg.Dial = (&net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second}).DialContext
	cfg.UserAgent = c.cfg.UserAgent + "-actions"
	cfg.Timeout = listTimeout
	set, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("preparing the client for changes on %s: %w", c.host, err)
	}
	return set, nil
}

// Get asks the API server for one path, with a query if it has one, and
// returns what it answers. need names the permission in the error if it is
// refused. d bounds the whole exchange.
func (c *Client) Get(ctx context.Context, path string, need Need, d time.Duration) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	got := c.set.CoreV1().RESTClient().Get().RequestURI(path).
		SetHeader("Accept", runtime.ContentTypeJSON).MaxRetries(0).Do(ctx)
	if err := got.Error(); err != nil { // reads what the server said, which Raw does not
		return nil, c.explain(err, need, d)
	}
	return got.Raw() //nolint:wrapcheck // no error after that
}
