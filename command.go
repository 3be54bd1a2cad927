package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"daytwo/sources/config"
	"daytwo/sources/demo"
	"daytwo/ui"

	"github.com/spf13/cobra"
)

// flags are what every command takes.
type flags struct {
	kubeconfig string
	context    string
	config     string
	readonly   bool
	ascii      bool
	noMouse    bool
	theme      string
}

const intro = `A cockpit for the day-2 operations of small k3s clusters.

daytwo opens on the current kubeconfig context and shows what is wrong, worst
first, with the evidence. No configuration is needed. Without a cluster at
hand, try "daytwo demo".`

func newRoot(tty terminal) *cobra.Command {
	var f flags
	root := &cobra.Command{
		Use:   "daytwo",
		Short: "A cockpit for the day-2 operations of small k3s clusters",
		Long:  intro,
		Example: `  daytwo                        the cockpit, on the current context
  daytwo --context prod-fsn1    on another one
  daytwo demo                   on a simulated cluster
  daytwo check -o json          the findings, without a screen`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(c *cobra.Command, _ []string) error { return cockpit(c.Context(), f, tty) },
	}
	p := root.PersistentFlags()
	p.StringVar(&f.kubeconfig, "kubeconfig", "", "kubeconfig `file` (default: $KUBECONFIG, then ~/.kube/config)")
	p.StringVar(&f.context, "context", "", "kubeconfig context (default: the current one)")
	p.StringVar(&f.config, "config", "", "daytwo's configuration `file` (default: $XDG_CONFIG_HOME/daytwo/config.yaml)")
	p.BoolVar(&f.readonly, "readonly", false, "refuse everything that changes the cluster")
	p.BoolVar(&f.ascii, "ascii", false, "draw with ASCII only")
	p.BoolVar(&f.noMouse, "no-mouse", false, "leave the mouse to the terminal")
	p.StringVar(&f.theme, "theme", "", "auto, dark, light or none (default: the configuration's, then auto)")
	_ = root.RegisterFlagCompletionFunc("theme", cobra.FixedCompletions([]string{"auto", "dark", "light", "none"}, cobra.ShellCompDirectiveNoFileComp))
	_ = root.RegisterFlagCompletionFunc("context", completeContexts(&f))
	root.AddCommand(demoCommand(&f, tty), checkCommand(&f, tty), doctorCommand(&f, tty), initCommand(&f, tty), versionCommand(tty))
	return root
}

func demoCommand(f *flags, tty terminal) *cobra.Command {
	var d demoFlags
	c := &cobra.Command{
		Use:   "demo",
		Short: "Open the cockpit on a simulated cluster",
		Long: `Starts a small simulated cluster inside this process, behind a real Kubernetes
API on loopback, and opens the cockpit on it. Nothing outside is touched.`,
		Example: `  daytwo demo
  daytwo demo --scenario healthy
  daytwo demo --print-kubeconfig > /tmp/demo.yaml   then: kubectl --kubeconfig /tmp/demo.yaml get nodes`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runDemo(c.Context(), *f, d, tty) },
	}
	c.Flags().StringVar(&d.scenario, "scenario", string(demo.Incident), strings.Join(demo.Scenarios(), ", "))
	c.Flags().BoolVar(&d.print, "print-kubeconfig", false, "print a kubeconfig for the simulated cluster and serve it until interrupted")
	_ = c.RegisterFlagCompletionFunc("scenario", cobra.FixedCompletions(demo.Scenarios(), cobra.ShellCompDirectiveNoFileComp))
	return c
}

func versionCommand(tty terminal) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return say(tty.out, "daytwo "+version()+"\n")
		},
	}
}

// version is the module's version, or the commit it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return "dev-" + s.Value[:min(12, len(s.Value))]
		}
	}
	return "dev"
}

// settings merges the configuration file with the flags, which win.
func (f flags) settings() (config.Config, error) {
	cfg, err := config.Load(f.config)
	if err != nil {
		return cfg, err
	}
	if f.theme != "" {
		cfg.UI.Theme = f.theme
	}
	if !slices.Contains([]string{"auto", "dark", "light", "none"}, cfg.UI.Theme) {
		return cfg, fmt.Errorf("no theme %q; there are auto, dark, light and none", cfg.UI.Theme)
	}
	if f.ascii {
		cfg.UI.ASCII = true
	}
	if f.noMouse {
		cfg.UI.Mouse = false
	}
	return cfg, nil
}

// configPath is the configuration file in use, whether it exists or not.
func (f flags) configPath() (string, error) {
	if f.config != "" {
		return f.config, nil
	}
	return config.DefaultPath()
}

// colourless reports whether the user asked for no colour (no-color.org) or
// the terminal cannot show any.
func colourless(theme string) bool {
	return theme == string(ui.None) || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb"
}
