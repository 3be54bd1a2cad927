package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"daytwo/sources/config"
	"daytwo/sources/demo"
)

// withPlugIn is a kubeconfig whose credential plug-in only complains.
func withPlugIn(t *testing.T, kubeconfig string) string {
	t.Helper()
	cfg, err := clientcmd.LoadFromFile(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	user := api.NewAuthInfo()
	user.Exec = &api.ExecConfig{
		APIVersion: "client.authentication.k8s.io/v1", InteractiveMode: api.IfAvailableExecInteractiveMode,
		Command: "/bin/sh", Args: []string{"-c", "echo open https://login.example in your browser >&2; exit 1"},
	}
	cfg.AuthInfos[cfg.Contexts[cfg.CurrentContext].AuthInfo] = user
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*cfg, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestPlugInsDoNotWriteOnTheScreen: what a credential plug-in writes to
// standard error is logged, also on the first day, when there is no folder for
// logs yet. Not parallel: standard error is the process's.
func TestPlugInsDoNotWriteOnTheScreen(t *testing.T) {
	dir := home(t)
	_, kubeconfig := world(t, demo.Healthy, "admin")
	screen, err := os.Create(filepath.Join(dir, "screen"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = screen.Close() }()
	before := os.Stderr
	os.Stderr = screen
	defer func() { os.Stderr = before }()

	s, err := openSession(t.Context(), flags{kubeconfig: withPlugIn(t, kubeconfig)}, config.Default(), openScreenLog)
	if err != nil {
		t.Fatal(err)
	}
	for s.store.Snapshot().Cluster.Err == nil {
		<-s.store.Changed()
	}
	s.close(t.Context())
	if os.Stderr != screen {
		t.Error("standard error is not given back")
	}
	logged, err := os.ReadFile(filepath.Join(dir, "state", "daytwo", "daytwo.log"))
	if err != nil || !strings.Contains(string(logged), "login.example") {
		t.Errorf("logged %q, %v", logged, err)
	}
	if shown, err := os.ReadFile(screen.Name()); err != nil || len(shown) > 0 {
		t.Errorf("on the screen: %q, %v", shown, err)
	}
}
