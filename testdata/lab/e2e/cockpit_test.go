//go:build lab

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"daytwolab/e2e/labenv"
	"daytwolab/term"
)

// patience bounds the wait for anything on the screen or in the cluster.
const patience = 150 * time.Second

// The terminal that the cockpit is looked at on.
const (
	width  = 160
	height = 50
)

// daytwo is the real program, built once by TestMain.
var daytwo string

func TestMain(m *testing.M) {
	code, err := buildAndRun(m)
	if err != nil {
		fmt.Fprintf(os.Stderr, "e2e: %v\n", err)
		code = 1
	}
	os.Exit(code)
}

func buildAndRun(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "daytwo-e2e-")
	if err != nil {
		return 0, fmt.Errorf("making a folder for daytwo: %w", err)
	}
	defer os.RemoveAll(dir)
	daytwo = filepath.Join(dir, "daytwo")
	build := exec.Command("go", "build", "-C", repository(), "-o", daytwo, ".")
	if out, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("building daytwo: %w\n%s", err, out)
	}
	return m.Run(), nil
}

// repository is a path in the root of the checkout that the tests are in.
func repository(elem ...string) string {
	return filepath.Join(append([]string{"..", "..", ".."}, elem...)...)
}

// folders give daytwo a home of its own, so that no history is there yet.
func folders(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	return []string{"XDG_STATE_HOME=" + dir + "/state", "XDG_CONFIG_HOME=" + dir + "/config", "HOME=" + dir}
}

// cockpit is the real program on a terminal inside the lab's network.
type cockpit struct {
	*term.Terminal
	t   *testing.T
	lab labenv.Env
}

func open(t *testing.T, lab labenv.Env, kubeconfig string) cockpit {
	t.Helper()
	argv := lab.Command(t.Context(), daytwo, "--kubeconfig", kubeconfig, "--theme", "dark").Args
	terminal, err := term.Start(t.Context(), width, height, folders(t), argv...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(terminal.Close)
	return cockpit{terminal, t, lab}
}

// openWhole opens it and waits until all that the lab has is read.
func openWhole(t *testing.T, lab labenv.Env, kubeconfig string) cockpit {
	t.Helper()
	c := open(t, lab, kubeconfig)
	c.see(allKubelets(lab), "shop/shop-tls", "shop/importer", "data/mariad")
	return c
}

// allKubelets is what the header says when every kubelet answers.
func allKubelets(lab labenv.Env) string {
	return fmt.Sprintf("● kubelets %d/%d", len(lab.Nodes), len(lab.Nodes))
}

// home goes back to the cockpit's own screen.
func (c cockpit) home() {
	c.t.Helper()
	for range 6 {
		if holdsAll(c.Screen(), []string{"5 Backups", "1 Nodes"}) {
			return
		}
		c.press("\x1b")
		if err := c.Quiet(c.t.Context(), 300*time.Millisecond); err != nil {
			c.t.Fatal(err)
		}
	}
	c.see("5 Backups", "1 Nodes")
}

// see waits until the screen holds all texts.
func (c cockpit) see(texts ...string) {
	c.t.Helper()
	c.until(strings.Join(texts, " and "), func(s string) bool { return holdsAll(s, texts) })
}

func holdsAll(s string, texts []string) bool {
	for _, text := range texts {
		if !strings.Contains(s, text) {
			return false
		}
	}
	return true
}

// match waits until the screen matches a pattern and returns its groups.
func (c cockpit) match(pattern string) []string {
	c.t.Helper()
	re := regexp.MustCompile(pattern)
	var groups []string
	c.until("a match of "+pattern, func(s string) bool {
		groups = re.FindStringSubmatch(s)
		return groups != nil
	})
	return groups
}

// until waits until a condition holds of the screen.
func (c cockpit) until(what string, holds func(string) bool) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	if err := c.Until(ctx, what, holds); err != nil {
		c.t.Fatal(err)
	}
}

// press types, and waits for what the keys lead to.
func (c cockpit) press(keys string, texts ...string) {
	c.t.Helper()
	if err := c.Keys(keys); err != nil {
		c.t.Fatal(err)
	}
	c.see(texts...)
}

// agrees asks the cluster and looks at the screen until both say the same: each of
// them moves on while the other is asked.
func (c cockpit) agrees(what string, ask func(context.Context) (pattern string, err error)) {
	c.t.Helper()
	labenv.Eventually(c.t, patience, what, func(ctx context.Context) error {
		pattern, err := ask(ctx)
		if err != nil {
			return err
		}
		if screen := c.Screen(); !regexp.MustCompile(pattern).MatchString(screen) {
			return fmt.Errorf("nothing on the screen is like %s:\n%s", pattern, screen)
		}
		return nil
	})
}

// ended is one run of daytwo without a screen.
type ended struct {
	code     int
	out, err string
}

func headless(t *testing.T, lab labenv.Env, args ...string) ended {
	t.Helper()
	return headlessBy(t, lab, nil, args...)
}

// headlessBy is headless through a program that prepares something first.
func headlessBy(t *testing.T, lab labenv.Env, by []string, args ...string) ended {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out, complaint strings.Builder
	cmd := lab.Command(ctx, slices.Concat(by, []string{daytwo}, args)...)
	cmd.Env = append(os.Environ(), folders(t)...)
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("daytwo %s: %v\n%s", strings.Join(args, " "), err, complaint.String())
	}
	return ended{cmd.ProcessState.ExitCode(), out.String(), complaint.String()}
}
