package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"daytwo/sources"
	"daytwo/sources/config"
	"daytwo/sources/history"
	"daytwo/sources/kube"

	"github.com/spf13/cobra"
)

func doctorCommand(f *flags, tty terminal) *cobra.Command {
	var timeout time.Duration
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Say what can be reached and read, and what to grant for the rest",
		Long: `Tries everything the cockpit uses: the kubeconfig, the API server, each
permission, the kubelets, the configuration, the state folder. Names each missing
permission with the line of RBAC that grants it and what lights up with it.
Exit code: 0 all is there, 1 something is missing or failed, 3 the API server
cannot be asked.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runDoctor(c.Context(), *f, timeout, tty) },
	}
	c.Flags().DurationVar(&timeout, "timeout", 20*time.Second, "how long to wait for answers")
	return c
}

// diagnosis prints one line a thing, and remembers whether all was well.
type diagnosis struct {
	w   *tabwriter.Writer
	bad bool
}

func (d *diagnosis) ok(what, detail string) { d.line("ok", what, detail) }

// lacks is for what is not granted, failed for what is and does not work.
func (d *diagnosis) lacks(what, detail string) {
	d.bad = true
	d.line("missing", what, detail)
}

func (d *diagnosis) failed(what, detail string) {
	d.bad = true
	d.line("failed", what, detail)
}

// unread is for what was asked for: refused, failed or not answered.
func (d *diagnosis) unread(what string, err error) {
	var denied *sources.AccessError
	switch {
	case errors.As(err, &denied):
		d.lacks(what, err.Error())
	default:
		d.failed(what, why(err))
	}
}

func (d *diagnosis) line(word, what, detail string) {
	for one := range strings.Lines(detail) { // a configuration may have many errors
		_, _ = fmt.Fprintf(d.w, "%s\t%s\t%s\n", word, what, strings.TrimRight(one, "\n"))
	}
}

func runDoctor(ctx context.Context, f flags, timeout time.Duration, tty terminal) error {
	d := &diagnosis{w: tabwriter.NewWriter(tty.out, 0, 8, 2, ' ', 0)}
	cfg := d.configuration(f)
	s, err := openSession(ctx, f, cfg, openLog)
	if err != nil {
		_ = d.w.Flush()
		return err
	}
	defer s.close(ctx)
	d.ok("kubeconfig", fmt.Sprintf("context %s, %s%s", sources.Clean(s.client.ContextName(), sources.MaxName), s.client.ServerURL(), certWords(s.client.ClientCertExpiry())))
	there := d.ask(ctx, s, timeout)
	if err := d.w.Flush(); err != nil {
		return fmt.Errorf("printing: %w", err)
	}
	switch {
	case !there:
		return errNoLook
	case d.bad:
		return errWarning
	}
	return nil
}

// ask looks at the cluster; it reports whether there is one.
func (d *diagnosis) ask(ctx context.Context, s *session, timeout time.Duration) bool {
	looking, stop := context.WithTimeout(ctx, timeout)
	defer stop()
	snap := settle(looking, s.store)
	d.state(s, snap)
	if !d.server(snap) {
		return false
	}
	asking, stop := context.WithTimeout(ctx, timeout) // looking may have used up its own
	defer stop()
	all := s.client.Permissions(asking)
	d.permissions(all)
	d.changes(s.client.ChangePermissions(asking))
	d.readings(snap, all)
	d.kubelets(snap)
	d.machines(asking, s, snap)
	d.optional(snap)
	return true
}

// configuration is what the flags and the file say. What is wrong there is
// told, and the rest is diagnosed with the defaults.
func (d *diagnosis) configuration(f flags) config.Config {
	cfg, err := f.settings()
	if err != nil {
		d.failed("configuration", err.Error())
		return config.Default()
	}
	d.ok("configuration", configWords(f))
	return cfg
}

func configWords(f flags) string {
	path, err := f.configPath()
	if err != nil {
		return err.Error()
	}
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return path + " is not there, which is fine: defaults are used; \"daytwo init\" writes one"
	}
	return path
}

func certWords(at time.Time) string {
	if at.IsZero() {
		return ", no client certificate"
	}
	return ", client certificate until " + at.UTC().Format(time.DateOnly)
}

// state says where history is kept, or why it is not.
func (d *diagnosis) state(s *session, snap *sources.Snapshot) {
	dir, err := history.Dir(s.client.ContextName(), s.client.Identity())
	if err == nil {
		err = s.hist.Trouble()
	}
	switch {
	case err != nil:
		d.failed("history", err.Error())
	case !snap.History.Usable():
		d.unread("history", snap.History.Err)
	default:
		d.ok("history", dir)
	}
}

// server reports whether the API server can be asked at all.
func (d *diagnosis) server(s *sources.Snapshot) bool {
	c := s.Cluster
	if !c.Usable() {
		d.unread("api server", c.Err)
		return false
	}
	d.ok("api server", fmt.Sprintf("%s, %s", c.Value.Version, c.Value.Latency.Round(time.Millisecond)))
	return true
}

func (d *diagnosis) permissions(all []kube.Permission) {
	for _, p := range all {
		what := "may " + p.Verb + " " + p.Resource
		if p.Group != "" {
			what += "." + p.Group
		}
		switch {
		case p.Err != nil:
			d.failed(what, "could not be asked: "+p.Err.Error())
		case p.Allowed:
			d.ok(what, p.Lights)
		default:
			d.lacks(what, fmt.Sprintf("for %s; add to a ClusterRole: - %s", p.Lights, p.Rule()))
		}
	}
}

// changes says what of the operator role is missing. Who only looks needs none
// of it, so that is no fault.
func (d *diagnosis) changes(all []kube.Permission) {
	var missing []string
	for _, p := range all {
		switch {
		case p.Err != nil:
			d.failed("changes", "could not be asked: "+p.Err.Error())
			return
		case !p.Allowed:
			missing = append(missing, p.Verb+" "+p.Resource+" ("+p.Lights+")")
		}
	}
	if len(missing) == 0 {
		d.ok("changes", "drain, cordon, upgrade and shells in containers are allowed")
		return
	}
	d.ok("changes", "looking needs no more; docs/rbac/operate.yaml would grant: "+strings.Join(missing, ", "))
}

// readings names what could not be read although it is allowed. A permission
// that is missing was told as such; nodes are told one by one.
func (d *diagnosis) readings(s *sources.Snapshot, all []kube.Permission) {
	told := func(err error) bool {
		var denied *sources.AccessError
		return errors.As(err, &denied) && slices.ContainsFunc(all, func(p kube.Permission) bool {
			return !p.Allowed && p.Err == nil && p.Verb == denied.Verb && p.Group == denied.Group && p.Resource == denied.Resource
		})
	}
	whole := *s
	whole.Nodes.Value = nil // leaves what is not of a single node
	for _, r := range whole.Readings() {
		if r.Name != "cluster" && r.Name != "history" && (r.Err != nil || r.Waiting()) && !told(r.Err) {
			d.unread(r.Name, r.Err)
		}
	}
}

// kubelets names the nodes whose kubelet did not answer.
func (d *diagnosis) kubelets(s *sources.Snapshot) {
	bad := 0
	for _, n := range s.Nodes.Value {
		stats, cfg := s.Stats[n.Name], s.Configs[n.Name]
		if stats.Usable() && cfg.Usable() {
			continue
		}
		bad++
		if !stats.Usable() {
			d.unread("kubelet of "+n.Name, stats.Err)
		} else {
			d.unread("configuration of "+n.Name, cfg.Err)
		}
	}
	if bad == 0 && len(s.Nodes.Value) > 0 {
		d.ok("kubelets", fmt.Sprintf("%d of %d answer", len(s.Nodes.Value), len(s.Nodes.Value)))
	}
}

// optional says what is simply not there; that is no fault.
func (d *diagnosis) optional(s *sources.Snapshot) {
	if errors.Is(s.Certificates.Err, sources.ErrNotInstalled) {
		d.ok("cert-manager", "not installed; certificates come from the Secrets of Ingresses")
	}
	// Backups that could not be looked for are named by the missing permission.
	if why := s.Judged.Missing["backup"]; why != "" && s.CronJobs.Usable() {
		d.ok("backups", why)
	}
}

func initCommand(f *flags, tty terminal) *cobra.Command {
	var show, force bool
	c := &cobra.Command{
		Use:   "init",
		Short: "Write a commented configuration from what is found",
		Long: `Looks at the cluster, and writes a configuration with the backups it found as
suggestions and every default as a comment. It does not overwrite a file.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runInit(c.Context(), *f, show, force, tty) },
	}
	c.Flags().BoolVar(&show, "print", false, "print it instead of writing the file")
	c.Flags().BoolVar(&force, "force", false, "overwrite the file that is there")
	return c
}

func runInit(ctx context.Context, f flags, show, force bool, tty terminal) error {
	path, err := f.configPath()
	if err != nil {
		return err
	}
	if _, err := os.Stat(path); err == nil && !show && !force {
		return fmt.Errorf("%s is there already: it is left as it is; see what would be written with --print, or overwrite it with --force", path)
	}
	found, note := lookForInit(ctx, f)
	text := config.Example(found)
	if note != "" {
		_, _ = fmt.Fprintln(tty.err, "daytwo:", note)
	}
	if show {
		return say(tty.out, text)
	}
	if err := writeConfig(path, text); err != nil {
		return err
	}
	if !found.Looked {
		return say(tty.out, "wrote "+path+", with nothing in it of a cluster\n")
	}
	return say(tty.out, "wrote "+path+"\n")
}

// writeConfig writes the file whole or not at all.
func writeConfig(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("making the configuration's folder: %w", err)
	}
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("putting the configuration in place: %w", err)
	}
	return nil
}

func why(err error) string {
	if err == nil {
		return "no answer in time"
	}
	return err.Error()
}

// lookForInit asks the cluster what there is. Without one the file is written
// all the same, and the note says why it suggests nothing.
func lookForInit(ctx context.Context, f flags) (config.Found, string) {
	s, err := openSession(ctx, f, config.Default(), openLog)
	if err != nil {
		return config.Found{}, "no cluster looked at: " + err.Error()
	}
	defer s.close(ctx)
	ctx, stop := context.WithTimeout(ctx, 15*time.Second)
	defer stop()
	snap := settle(ctx, s.store)
	found := config.FoundIn(snap)
	switch {
	case !snap.Cluster.Usable():
		return config.Found{}, "no cluster looked at: " + why(snap.Cluster.Err)
	case !snap.CronJobs.Usable():
		return found, "no backups are suggested, the CronJobs could not be read: " + why(snap.CronJobs.Err)
	}
	return found, ""
}

// completeContexts completes --context from the kubeconfig.
func completeContexts(f *flags) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		var out []string
		for _, name := range kube.Contexts(f.kubeconfig) {
			if strings.HasPrefix(name, begun) {
				out = append(out, name)
			}
		}
		return out, cobra.ShellCompDirectiveNoFileComp
	}
}
