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

	mango "github.com/muesli/mango-cobra"
	"github.com/muesli/roff"
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
		Example: `  # the cockpit on the current context
  daytwo
  # on another one
  daytwo --context prod-fsn1
  # on a simulated cluster
  daytwo demo
  # the findings without a screen
  daytwo check -o json`,
		Args:          noSuch,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(c *cobra.Command, _ []string) error { return cockpit(c.Context(), f, tty) },
	}
	f.addTo(root)
	root.AddCommand(demoCommand(&f, tty), checkCommand(&f, tty), doctorCommand(&f, tty), initCommand(&f, tty),
		runsCommand(&f, tty), resumeCommand(&f, tty), versionCommand(tty), manCommand(tty))
	root.SetIn(tty.in)
	root.SetOut(tty.out)
	root.SetErr(tty.err)
	root.SetHelpCommand(helpCommand())
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" { // cobra's own says nothing to a shell it does not know
			c.Args, c.RunE = noSuch, func(c *cobra.Command, _ []string) error { return c.Help() }
		}
	}
	return root
}

// addTo adds the flags to a command and all below it.
func (f *flags) addTo(root *cobra.Command) {
	p := root.PersistentFlags()
	p.StringVar(&f.kubeconfig, "kubeconfig", "", "kubeconfig file (default: $KUBECONFIG, then ~/.kube/config)")
	p.StringVar(&f.context, "context", "", "kubeconfig context (default: the current one)")
	p.StringVar(&f.config, "config", "", "configuration file (default: $XDG_CONFIG_HOME/daytwo/config.yaml)")
	p.BoolVar(&f.readonly, "readonly", false, "refuse everything that changes the cluster")
	p.BoolVar(&f.ascii, "ascii", false, "draw with ASCII only")
	p.BoolVar(&f.noMouse, "no-mouse", false, "leave the mouse to the terminal")
	p.StringVar(&f.theme, "theme", "", "auto, dark, light or none (default: the configuration's, then auto)")
	_ = root.RegisterFlagCompletionFunc("theme", cobra.FixedCompletions([]string{"auto", "dark", "light", "none"}, cobra.ShellCompDirectiveNoFileComp))
	_ = root.RegisterFlagCompletionFunc("context", completeContexts(f))
}

// noSuch refuses arguments where only commands may follow, and names the
// command that was perhaps meant; cobra does so only for a root that does
// nothing by itself.
func noSuch(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	text := fmt.Sprintf("there is no command %q", c.CommandPath()+" "+args[0])
	c.SuggestionsMinimumDistance = 2
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		return fmt.Errorf("%s; did you mean %q?", text, strings.Join(near, " or "))
	}
	return fmt.Errorf("%s; %q lists what there is", text, c.CommandPath()+" --help")
}

// helpCommand is cobra's, but a topic that does not exist is an error.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [command]",
		Short: "Help about any command",
		RunE: func(c *cobra.Command, args []string) error {
			about, rest, err := c.Root().Find(args)
			if err != nil {
				return fmt.Errorf("looking for the command: %w", err)
			}
			if len(rest) > 0 {
				return noSuch(about, rest)
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
		ValidArgsFunction: func(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			var names []string
			if about, rest, err := c.Root().Find(args); err == nil && len(rest) == 0 {
				for _, sub := range about.Commands() {
					if sub.IsAvailableCommand() {
						names = append(names, sub.Name())
					}
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
	}
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
  # for kubectl, while this runs
  daytwo demo --print-kubeconfig > /tmp/demo.yaml
  # in another terminal
  kubectl --kubeconfig /tmp/demo.yaml get nodes`,
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

// manCommand prints the manual page; fang's own would write beside tty.
func manCommand(tty terminal) *cobra.Command {
	return &cobra.Command{
		Use: "man", Short: "Print the manual page", Hidden: true, Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			page, err := mango.NewManPage(1, c.Root())
			if err != nil {
				return fmt.Errorf("writing the manual page: %w", err)
			}
			return say(tty.out, page.Build(roff.NewDocument()))
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
