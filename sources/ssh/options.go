package ssh

import (
	"context"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"time"

	"daytwo/sources"
)

// Options says where keys, hops and known hosts are. FromUser fills it as
// the user's own ssh would see it.
type Options struct {
	// Settings are of the cluster; they go before ConfigFiles.
	Settings sources.SSHSettings
	// Nodes are looked at whenever an address is needed.
	Nodes func() []sources.Node
	// ConfigFiles are in the form of ssh_config(5); the first value wins.
	// Those that are not there are passed over.
	ConfigFiles []string
	// Home is what ~ stands for, and where .ssh/known_hosts and keys are.
	Home string
	// User is who logs in where nothing else is said.
	User string
	// AgentSocket is the agent's; "" is none.
	AgentSocket string
	// Passphrase is asked for a locked key that a machine would take. Where it
	// is nil, or in a Quiet context, the error is a *sources.LockedKeyError.
	Passphrase func(ctx context.Context, path string) ([]byte, error)
	// Dial opens the first hop; nil is TCP.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	Log  sources.Logger
}

// FromUser is what the user's own ssh has: files below the home folder, the
// agent of the environment.
func FromUser() Options {
	o := Options{AgentSocket: os.Getenv("SSH_AUTH_SOCK")}
	if me, err := user.Current(); err == nil {
		o.User, o.Home = me.Username, me.HomeDir
	}
	if home, err := os.UserHomeDir(); err == nil { // $HOME goes before the password file
		o.Home = home
	}
	if o.Home != "" {
		o.ConfigFiles = append(o.ConfigFiles, filepath.Join(o.Home, ".ssh", "config"))
	}
	o.ConfigFiles = append(o.ConfigFiles, "/etc/ssh/ssh_config")
	return o
}

// withDefaults fills what may be left out.
func (o Options) withDefaults() Options {
	if o.Nodes == nil {
		o.Nodes = func() []sources.Node { return nil }
	}
	if o.Dial == nil {
		o.Dial = (&net.Dialer{KeepAlive: 15 * time.Second}).DialContext
	}
	if o.Log == nil {
		o.Log = func(string, ...any) {}
	}
	if o.User == "" {
		o.User = "root"
	}
	return o
}

// How long a machine may take. A dead line is noticed after keepAlive and
// patience together.
const (
	dialTime  = 10 * time.Second
	greetTime = 15 * time.Second // key exchange and login, without a person's typing
	keepAlive = 5 * time.Second
	patience  = 10 * time.Second
	openTime  = 20 * time.Second // to open a session
	idleTime  = 5 * time.Minute  // a line that nobody used so long is closed
)

type quietKey struct{}

// Quiet marks work that nobody waits for: it never asks for a passphrase.
func Quiet(ctx context.Context) context.Context { return context.WithValue(ctx, quietKey{}, true) }

func quiet(ctx context.Context) bool { return ctx.Value(quietKey{}) != nil }
