package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"daytwo/sources/demo"
)

// TestMain keeps the program out of the user's folders, and lets the tests that
// open a screen run beside each other: each world has an identity of its own,
// and so a state folder of its own.
func TestMain(m *testing.M) {
	if os.Getenv(crashAction) != "" { // a child works where its parent says
		m.Run()
		return
	}
	dir, err := os.MkdirTemp("", "daytwo-test-")
	if err != nil {
		panic(fmt.Errorf("making a folder for the tests: %w", err))
	}
	defer func() { _ = os.RemoveAll(dir) }()
	for name, value := range map[string]string{
		"HOME": dir, "XDG_CONFIG_HOME": filepath.Join(dir, "config"), "XDG_STATE_HOME": filepath.Join(dir, "state"), "KUBECONFIG": "", "NO_COLOR": "",
	} {
		if err := os.Setenv(name, value); err != nil {
			panic(fmt.Errorf("setting %s: %w", name, err))
		}
	}
	// They wait for worlds more than they compute: more of them than cores,
	// unless the race detector makes them compute.
	if f := flag.Lookup("test.parallel"); !racing && f.Value.String() == f.DefValue {
		if err := flag.Set("test.parallel", strconv.Itoa(2*runtime.GOMAXPROCS(0))); err != nil {
			panic(fmt.Errorf("letting more tests run at once: %w", err))
		}
	}
	m.Run()
}

// home gives the program folders of its own; tests that use it are not
// parallel, because folders come from the environment.
func home(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "config"))
	t.Setenv("XDG_STATE_HOME", filepath.Join(dir, "state"))
	t.Setenv("KUBECONFIG", "")
	t.Setenv("NO_COLOR", "")
	return dir
}

type result struct {
	code     int
	out, err string
}

// daytwo runs the program with arguments.
func daytwo(t *testing.T, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(t.Context(), args, terminal{in: strings.NewReader(""), out: &out, err: &errs})
	return result{code, out.String(), errs.String()}
}

// world starts a demo cluster and writes its kubeconfig.
func world(t *testing.T, scenario demo.Scenario, user string) (w *demo.World, kubeconfig string) {
	t.Helper()
	w, err := demo.Start(t.Context(), demo.Options{Scenario: scenario})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	data, err := w.Kubeconfig(user)
	if err != nil {
		t.Fatal(err)
	}
	kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(kubeconfig, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return w, kubeconfig
}

func (r result) says(t *testing.T, code int, texts ...string) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d", r.code, code)
	}
	for _, want := range texts {
		if !strings.Contains(r.out+r.err, want) {
			t.Errorf("nothing says %q", want)
		}
	}
	for _, bad := range []string{"panic", "goroutine ", "0x"} {
		if strings.Contains(r.err, bad) {
			t.Errorf("the error shows %q", bad)
		}
	}
	if t.Failed() {
		t.Logf("out:\n%s\nerr:\n%s", r.out, r.err)
	}
}

func TestWithoutKubeconfig(t *testing.T) {
	home(t)
	daytwo(t, "check").says(t, 3, "no kubeconfig", "--kubeconfig", "daytwo demo")
}

func TestWrongWordsAreExplained(t *testing.T) {
	dir := home(t)
	_, kubeconfig := world(t, demo.Healthy, "admin")
	broken := filepath.Join(dir, "broken.yaml")
	if err := os.WriteFile(broken, []byte("thresholds:\n  disk_warnin: 80\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	daytwo(t, "check", "--kubeconfig", filepath.Join(dir, "absent")).says(t, 3, "absent")
	daytwo(t, "check", "--kubeconfig", kubeconfig, "--context", "nowhere").says(t, 3, `"nowhere"`, "demo")
	daytwo(t, "check", "--kubeconfig", kubeconfig, "-o", "yaml").says(t, 3, `no output format "yaml"`)
	daytwo(t, "check", "--kubeconfig", kubeconfig, "--fail-on", "sneeze").says(t, 3, `"sneeze"`)
	daytwo(t, "check", "--kubeconfig", kubeconfig, "--theme", "pink").says(t, 3, `no theme "pink"`)
	daytwo(t, "check", "--kubeconfig", kubeconfig, "--config", broken).says(t, 3, "broken.yaml:2", "disk_warning")
	daytwo(t, "check", "--kubeconfig", kubeconfig, "--config", dir).says(t, 3, "reading the configuration file: read "+dir+": is a directory\n")
	daytwo(t, "chekc").says(t, 3, `"daytwo chekc"; did you mean "check"?`)
	daytwo(t, "help", "chekc").says(t, 3, `"daytwo chekc"; did you mean "check"?`)
	daytwo(t, "nonsense").says(t, 3, `"daytwo nonsense"; "daytwo --help" lists what there is`)
	daytwo(t, "completion", "foo").says(t, 3, `"daytwo completion foo"`)
}

func TestCheckSpeaksItsExitCodes(t *testing.T) {
	home(t)
	_, incident := world(t, demo.Incident, "admin")
	daytwo(t, "check", "--kubeconfig", incident).says(t, 2, "critical", "worker-0", "disk")
	w, healthy := world(t, demo.Healthy, "admin")
	daytwo(t, "check", "--kubeconfig", healthy).says(t, 0, "ok, nothing needs attention")
	daytwo(t, "check", "--kubeconfig", healthy, "-o", "markdown").says(t, 0, "# demo")
	cordonNode(t, w, "worker-1")
	daytwo(t, "check", "--kubeconfig", healthy).says(t, 1, "worker-1", "cordoned")
	daytwo(t, "check", "--kubeconfig", healthy, "--fail-on", "critical").says(t, 0, "cordoned")
}

func TestCheckAsJSON(t *testing.T) {
	home(t)
	_, kubeconfig := world(t, demo.Incident, "admin")
	r := daytwo(t, "check", "--kubeconfig", kubeconfig, "-o", "json")
	var doc struct {
		Schema   string     `json:"schema"`
		Verdict  string     `json:"verdict"`
		Findings []struct{} `json:"findings"`
	}
	if err := json.Unmarshal([]byte(r.out), &doc); err != nil {
		t.Fatalf("%v in\n%s", err, r.out)
	}
	if r.code != 2 || doc.Schema != "daytwo.check/v1" || doc.Verdict != "critical" || len(doc.Findings) < 5 {
		t.Errorf("exit %d: %+v", r.code, doc)
	}
}

func TestCheckWhenTheServerIsGone(t *testing.T) {
	home(t)
	w, kubeconfig := world(t, demo.Healthy, "admin")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	daytwo(t, "check", "--kubeconfig", kubeconfig, "--timeout", "5s").says(t, 3, "refused the connection")
}

func TestCheckInterruptedIsNotAnAnswer(t *testing.T) {
	home(t)
	w, kubeconfig := world(t, demo.Healthy, "admin")
	defer w.Fault(demo.Fault{Hang: true})()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	var out bytes.Buffer
	if code := run(ctx, []string{"check", "--kubeconfig", kubeconfig}, terminal{in: strings.NewReader(""), out: &out, err: &out}); code != 3 {
		t.Errorf("exit %d:\n%s", code, out.String())
	}
}

func TestDoctorFindsNothingMissing(t *testing.T) {
	home(t)
	_, kubeconfig := world(t, demo.Healthy, "admin")
	daytwo(t, "doctor", "--kubeconfig", kubeconfig).says(t, 0, "api server", "may list pods", "kubelets", "5 of 5 answer")
}

func TestInitWritesWhatItFindsAndNeverOverwrites(t *testing.T) {
	dir := home(t)
	_, kubeconfig := world(t, demo.Incident, "admin")
	daytwo(t, "init", "--kubeconfig", kubeconfig).says(t, 0, "wrote ")
	path := filepath.Join(dir, "config", "daytwo", "config.yaml")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), "backup/mysql") {
		t.Errorf("the backup that was found is not in\n%s", data)
	}
	daytwo(t, "init", "--kubeconfig", kubeconfig).says(t, 3, "is there already")
	daytwo(t, "check", "--kubeconfig", kubeconfig).says(t, 2)
}

func TestHelpVersionAndManPage(t *testing.T) {
	home(t)
	r := daytwo(t, "--help")
	r.says(t, 0, "demo", "check", "doctor", "init", "--readonly", "# the cockpit on the current context", "Kubeconfig file (")
	if strings.Contains(r.out, "`") {
		t.Errorf("raw backticks in\n%s", r.out)
	}
	daytwo(t, "help", "check").says(t, 0, "--fail-on")
	daytwo(t, "help", "completion", "bash").says(t, 0, "bash")
	daytwo(t, "help").says(t, 0, "doctor")
	daytwo(t, "completion").says(t, 0, "zsh")
	daytwo(t, "version").says(t, 0, "daytwo ")
	daytwo(t, "man").says(t, 0, ".TH DAYTWO 1", "doctor")
	daytwo(t, "completion", "bash").says(t, 0, "daytwo")
}
