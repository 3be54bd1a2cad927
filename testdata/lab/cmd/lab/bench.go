package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"daytwolab/internal/bench"
	"daytwolab/internal/kwok"
	"daytwolab/internal/place"
	"daytwolab/internal/proc"
)

// bench measures the cockpit on growing clusters and prints one table; with K9S=/path
// also that program on the same clusters.
func (t tools) bench(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	sizes := flags.String("nodes", "200,10,100,500", "numbers of KWOK nodes, by commas")
	pods := flags.Int("pods", 30, "pods of each node")
	keep := flags.Bool("keep", false, "measure on the cluster as it is")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("reading the arguments: %w", err)
	}
	lab, err := t.place.Load()
	if err != nil {
		return err
	}
	daytwo, err := t.daytwo(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "nodes\tpods\tprogram\tstart ms\twhole ms\tmemory MB\tCPU idle %\tidle B/min\tkey bytes\tkey ms p50\tp95\t")
	defer table.Flush()
	for size := range strings.SplitSeq(*sizes, ",") {
		n, err := strconv.Atoi(size)
		if err != nil {
			return fmt.Errorf("%q nodes: %w", size, err)
		}
		if !*keep {
			if err := kwok.Scale(ctx, t.place, t.build, lab.Version, n, *pods, t.log); err != nil {
				return err
			}
		}
		for _, p := range programs(t.place, lab, daytwo) {
			if err := t.measure(ctx, table, n, *pods, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// daytwo is the program DAYTWO names, or that of this checkout.
func (t tools) daytwo(ctx context.Context) (string, error) {
	if path := os.Getenv("DAYTWO"); path != "" {
		return path, nil
	}
	out := t.place.Cached("lab", "daytwo")
	if err := proc.Run(ctx, "env", "CGO_ENABLED=0", "go", "build", "-C", filepath.Join(t.place.Source, "..", ".."), "-trimpath", "-o", out, "."); err != nil {
		return "", fmt.Errorf("building daytwo: %w", err)
	}
	return out, nil
}

func (t tools) measure(ctx context.Context, table io.Writer, nodes, pods int, p bench.Program) error {
	home, err := os.MkdirTemp("", "lab-bench-")
	if err != nil {
		return fmt.Errorf("making a home for %s: %w", p.Name, err)
	}
	defer os.RemoveAll(home)
	p.Env = append(p.Env, "HOME="+home, "XDG_STATE_HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_CACHE_HOME="+home, "XDG_DATA_HOME="+home)
	t.log.Step("measuring %s on %d nodes with %d pods", p.Name, nodes, nodes*pods)
	f, err := bench.Measure(ctx, p)
	if err != nil {
		return fmt.Errorf("on %d nodes: %w", nodes, err)
	}
	fmt.Fprintf(table, "%d\t%d\t%s\t%d\t%d\t%.0f\t%.1f\t%.0f\t%d\t%.1f\t%.1f\t\n", nodes, nodes*pods, p.Name,
		f.Start.Milliseconds(), f.Whole.Milliseconds(), float64(f.RSS)/1e6, f.CPU, f.IdleBytes, f.KeyBytes,
		milliseconds(f.KeyTime50), milliseconds(f.KeyTime95))
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }

// programs are what is measured, each opened on the lab as its users open it.
func programs(p place.Place, lab place.Lab, daytwo string) []bench.Program {
	patterns := func(all ...string) []*regexp.Regexp {
		compiled := make([]*regexp.Regexp, 0, len(all))
		for _, one := range all {
			compiled = append(compiled, regexp.MustCompile(one))
		}
		return compiled
	}
	const node = `(kwok|master|worker)-\d`
	// The cockpit is useful with nodes and attention filled, and whole once the pods
	// are read too: the lab has two that restart.
	useful := []string{`● ` + node + `.*(agent|server)`, `[✖▲○] (node|cert|backup|disk) `}
	list := []bench.Program{{
		Name: "daytwo", Args: proc.Inside(p, daytwo, "--kubeconfig", lab.AdminKubeconfig),
		Useful: patterns(useful...), Whole: patterns(append(useful, `[▲●✖] shop/importer`)...),
		List: "1\r", Listed: regexp.MustCompile(`─ Nodes ─`),
	}}
	if k9s := os.Getenv("K9S"); k9s != "" {
		const pod = `fake-\d`
		list = append(list,
			bench.Program{
				Name: "k9s nodes", Args: proc.Inside(p, k9s, "--kubeconfig", lab.AdminKubeconfig, "-c", "nodes"),
				Useful: patterns(node), Whole: patterns(node), Listed: regexp.MustCompile(node),
			},
			bench.Program{
				Name: "k9s pods", Args: proc.Inside(p, k9s, "--kubeconfig", lab.AdminKubeconfig, "-A", "-c", "pods"),
				Useful: patterns(pod), Whole: patterns(pod), Listed: regexp.MustCompile(pod),
			},
		)
	}
	return list
}
