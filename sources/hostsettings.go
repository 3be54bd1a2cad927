package sources

// SSHSettings is how the machines are reached. What is empty is what the
// user's ssh would do: ~/.ssh/config, then its defaults.
type SSHSettings struct {
	User         string
	Port         int
	IdentityFile string
	Jump         []string // [user@]host[:port], the first hop first
	KnownHosts   string
	Hosts        map[string]string // node → [user@]host[:port], or a Host of ~/.ssh/config
}

// Given reports whether anything is set.
func (s SSHSettings) Given() bool {
	return s.User != "" || s.Port != 0 || s.IdentityFile != "" || len(s.Jump) > 0 || s.KnownHosts != "" || len(s.Hosts) > 0
}
