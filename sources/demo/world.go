package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	clientcmd "k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Scenario names a cluster to simulate.
type Scenario string

// The scenarios.
const (
	Incident Scenario = "incident" // a filling disk, an OOM loop, a late certificate, a stale backup
	Healthy  Scenario = "healthy"  // the same cluster on a good day
	Empty    Scenario = "empty"    // one fresh server, nothing set up
	Large    Scenario = "large"    // 500 nodes, 15,000 pods
)

// Scenarios lists the names of all scenarios, the default first.
func Scenarios() []string {
	return []string{string(Incident), string(Healthy), string(Empty), string(Large)}
}

// Options say what world to start. The zero value is the incident on a free
// port of 127.0.0.1, with the wall clock.
type Options struct {
	Scenario Scenario         // default Incident
	Addr     string           // default 127.0.0.1:0; must be loopback
	Clock    func() time.Time // the world's now; default time.Now
	Tick     <-chan time.Time // drives the controllers; default a ticker of 1 s; a channel that never sends leaves it to Step
	Seed     uint64           // of names and UIDs

	Strange    []string // machines whose host keys the files of SSH do not know; "*" is all
	Changed    []string // machines that they know other host keys of
	Passphrase string   // that locks the users' key; "" leaves it open

	ViewerRules []rbacv1.PolicyRule // what the user "viewer" may do; default the documented view role
}

// World is a running simulated cluster.
type World struct {
	scenario Scenario
	now      func() time.Time
	began    time.Time // the world's time when it was built
	store    *store
	codec    *codec
	faults   *faults
	users    map[string]user // by bearer token
	tls      *authority
	machines []*machine          // in the order of their making
	byName   map[string]*machine // the same
	sim      *simulation
	did      deeds
	version  atomic.Pointer[string] // of the API server
	secure   keys                   // of SSH
	strange  []string               // see Options
	changed  []string
	releases *releases
	loops    []loopPast
	logs     *logbook

	evictions sync.Mutex // one budget decision at a time
	steps     sync.Mutex // one step at a time

	ctx    context.Context //nolint:containedctx // the world's own lifetime
	cancel context.CancelFunc
	done   sync.WaitGroup
	addr   string
	serve1 sync.Mutex // guards server
	server *http.Server
}

// Start builds the scenario's world and serves it until ctx ends or Close.
func Start(ctx context.Context, o Options) (*World, error) {
	if o.Scenario == "" {
		o.Scenario = Incident
	}
	if !slices.Contains(Scenarios(), string(o.Scenario)) {
		return nil, fmt.Errorf("no demo scenario %q; choose one of %s", o.Scenario, strings.Join(Scenarios(), ", "))
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	ca, err := newAuthority()
	if err != nil {
		return nil, err
	}
	w := newWorld(o, ca)
	ctx, cancel := context.WithCancel(ctx)
	w.ctx, w.cancel = ctx, cancel
	if err := w.listen(o.Addr); err != nil {
		cancel()
		return nil, err
	}
	if err := w.publish(); err != nil {
		cancel()
		w.StopServer()
		return nil, err
	}
	w.done.Go(func() { w.run(o.Tick) })
	context.AfterFunc(ctx, w.StopServer)
	return w, nil
}

func newWorld(o Options, ca *authority) *World {
	kinds := builtinKinds()
	if o.Scenario != Empty {
		kinds = append(kinds, certManagerKinds()...)
	}
	w := &World{
		scenario: o.Scenario, now: func() time.Time { return o.Clock().UTC() }, tls: ca,
		codec: newCodec(), faults: newFaults(), logs: newLogbook(), byName: map[string]*machine{},
	}
	w.began = w.now().Truncate(time.Second)
	w.store = newStore(newRegistry(kinds), w.now, o.Seed, 48_213_007)
	w.sim = newSimulation(w)
	w.users = usersOf(o)
	w.secure.passphrase, w.strange, w.changed = o.Passphrase, o.Strange, o.Changed
	w.version.Store(new(gitVersion))
	w.build()
	w.store.compact()
	w.sim.resync()
	return w
}

func usersOf(o Options) map[string]user {
	viewer := o.ViewerRules
	if viewer == nil {
		viewer = viewerRules()
	}
	return map[string]user{
		token(o, "admin"):  {name: "admin", groups: []string{"system:masters"}, rules: adminRules()},
		token(o, "viewer"): {name: "viewer", groups: []string{"viewers"}, rules: append(everyoneRules(), viewer...)},
	}
}

// token is what a user shows the API server. It guards a simulation that
// listens on loopback alone, so it may be known.
func token(o Options, name string) string {
	return "demo-" + name + "-" + strconv.FormatUint(hash(name, strconv.FormatUint(o.Seed, 10)), 36)
}

// run steps the world at each tick until it ends.
func (w *World) run(tick <-chan time.Time) {
	if tick == nil {
		t := time.NewTicker(time.Second)
		defer t.Stop()
		tick = t.C
	}
	for {
		select {
		case <-w.ctx.Done():
			return
		case _, ok := <-tick:
			if !ok {
				return
			}
			w.Step()
		}
	}
}

// Step lets the controllers act once, at the clock's present time. It
// returns when they are through; watches then have what changed.
func (w *World) Step() {
	w.steps.Lock()
	defer w.steps.Unlock()
	w.sim.step()
	w.growLogs(w.now())
}

// Now is the world's time.
func (w *World) Now() time.Time { return w.now() }

// URL is where the API server listens.
func (w *World) URL() string { return "https://" + w.addr }

func (w *World) listen(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("demo address %q: %w", addr, err)
	}
	ip := net.ParseIP(host)
	if ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("demo address %q is not a loopback address: the demo serves this machine only", addr)
	}
	conf, err := w.tls.serverConfig(ip)
	if err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(w.ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("listen on %s for the demo: %w", addr, err)
	}
	w.addr = l.Addr().String()
	srv := &http.Server{
		Handler: w, TLSConfig: conf, ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:    discardLog(),
		BaseContext: func(net.Listener) context.Context { return w.ctx },
	}
	w.serve1.Lock()
	w.server = srv
	w.serve1.Unlock()
	w.done.Go(func() { _ = srv.ServeTLS(l, "", "") }) // always ErrServerClosed after StopServer
	return nil
}

// StopServer breaks every connection and refuses new ones, as when the API
// server's machine is gone. The world goes on.
func (w *World) StopServer() {
	w.serve1.Lock()
	defer w.serve1.Unlock()
	if w.server != nil {
		_ = w.server.Close()
		w.server = nil
	}
}

// StartServer listens again on the address from before StopServer.
func (w *World) StartServer() error {
	if w.ctx.Err() != nil {
		return errors.New("the demo world has ended")
	}
	return w.listen(w.addr)
}

// Close ends the world and waits for what it runs.
func (w *World) Close() error {
	w.cancel()
	w.StopServer()
	w.done.Wait()
	return nil
}

// Kubeconfig returns a kubeconfig for a user: "admin" and "viewer" come with
// a bearer token, "certificate" with an admin's client certificate, and
// "expired" with one that has expired.
func (w *World) Kubeconfig(name string) ([]byte, error) {
	auth, err := w.authInfo(name)
	if err != nil {
		return nil, err
	}
	cluster, contextName := "demo", "demo-"+string(w.scenario)
	c := clientcmdapi.NewConfig()
	c.Clusters[cluster] = &clientcmdapi.Cluster{Server: w.URL(), CertificateAuthorityData: w.tls.pem}
	c.AuthInfos[name] = auth
	c.Contexts[contextName] = &clientcmdapi.Context{Cluster: cluster, AuthInfo: name, Namespace: "default"}
	c.CurrentContext = contextName
	b, err := clientcmd.Write(*c)
	if err != nil {
		return nil, fmt.Errorf("write the demo's kubeconfig: %w", err)
	}
	return b, nil
}

func (w *World) authInfo(name string) (*clientcmdapi.AuthInfo, error) {
	now := time.Now()
	switch name {
	case "certificate":
		return w.certInfo(name, now.AddDate(0, 0, -345), now.AddDate(0, 0, 20))
	case "expired":
		return w.certInfo(name, now.AddDate(-1, 0, -3), now.AddDate(0, 0, -3))
	}
	for t, u := range w.users {
		if u.name == name {
			return &clientcmdapi.AuthInfo{Token: t}, nil
		}
	}
	return nil, fmt.Errorf("the demo has no user %q: use admin, viewer, certificate or expired", name)
}

func (w *World) certInfo(name string, from, to time.Time) (*clientcmdapi.AuthInfo, error) {
	cert, key, err := w.tls.issue(name, nil, from, to)
	if err != nil {
		return nil, err
	}
	return &clientcmdapi.AuthInfo{ClientCertificateData: cert, ClientKeyData: key}, nil
}

func (w *World) machine(name string) *machine { return w.byName[name] }
