package kube

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"daytwo/sources"
)

// k3sKubeconfig is where k3s writes the administrator's kubeconfig.
const k3sKubeconfig = "/etc/rancher/k3s/k3s.yaml"

// kubeconfig is what was found: which file, which context, how to connect.
type kubeconfig struct {
	path       string
	context    string
	rest       *rest.Config
	clientCert time.Time
}

// load finds the kubeconfig and checks what can be checked without asking the
// server.
func load(o Options) (kubeconfig, error) {
	rules, err := rulesFor(o.Kubeconfig)
	if err != nil {
		return kubeconfig{}, err
	}
	k := kubeconfig{path: pathOf(rules)}
	raw, err := rules.Load()
	if err != nil {
		return k, unreadable(k.path, err)
	}
	if len(raw.Contexts) == 0 && len(raw.Clusters) == 0 {
		return k, noKubeconfig(k.path, o.Kubeconfig != "" || slices.ContainsFunc(rules.Precedence, exists))
	}
	if k.context, err = pick(raw, k.path, o.Context); err != nil {
		return k, err
	}
	k.rest, err = clientcmd.NewNonInteractiveClientConfig(*raw, k.context, &clientcmd.ConfigOverrides{}, rules).ClientConfig()
	if err != nil {
		return k, fmt.Errorf("context %q of %s cannot be used: %s", k.context, k.path, oneLine(err))
	}
	k.clientCert, err = checkCredentials(k, o.Clock())
	return k, err
}

// rulesFor are kubectl's loading rules, and k3s's own file where there is
// nothing else.
func rulesFor(path string) (*clientcmd.ClientConfigLoadingRules, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.WarnIfAllMissing = false
	rules.ExplicitPath = path
	if path != "" || slices.ContainsFunc(rules.Precedence, exists) {
		return rules, nil
	}
	switch f, err := os.Open(k3sKubeconfig); {
	case err == nil:
		_ = f.Close()
		rules.Precedence = []string{k3sKubeconfig}
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%s may not be read by you: copy it to %s with sudo, or name another with --kubeconfig",
			k3sKubeconfig, clientcmd.RecommendedHomeFile)
	}
	return rules, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil || !errors.Is(err, fs.ErrNotExist)
}

// pathOf names the file or files that are read, for messages.
func pathOf(rules *clientcmd.ClientConfigLoadingRules) string {
	if rules.ExplicitPath != "" {
		return rules.ExplicitPath
	}
	var there []string
	for _, p := range rules.Precedence {
		if exists(p) {
			there = append(there, p)
		}
	}
	if len(there) == 0 {
		there = rules.Precedence
	}
	return strings.Join(there, string(filepath.ListSeparator))
}

// noKubeconfig is for what client-go takes for an empty kubeconfig: one that
// is empty, and also none at all.
func noKubeconfig(path string, there bool) error {
	what := "there is no file " + path
	if there {
		what = path + " has no cluster in it"
	}
	return fmt.Errorf("no kubeconfig: %s. Name one with --kubeconfig or $KUBECONFIG "+
		"(on a k3s server it is %s), or look at a made-up cluster with: daytwo demo", what, k3sKubeconfig)
}

func unreadable(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("no kubeconfig: there is no file %s. Name one with --kubeconfig or $KUBECONFIG, "+
			"or look at a made-up cluster with: daytwo demo", path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("kubeconfig %s may not be read by you: check its owner and mode", path)
	}
	return fmt.Errorf("kubeconfig %s is not valid: %s", path, oneLine(err))
}

// pick returns the name of the context to use.
func pick(raw *api.Config, path, want string) (string, error) {
	names := make([]string, 0, len(raw.Contexts))
	for n := range raw.Contexts {
		names = append(names, n)
	}
	slices.SortFunc(names, sources.CompareNames)
	list := sources.Clean(strings.Join(names, ", "), 300)
	if want == "" {
		want = raw.CurrentContext
	}
	switch {
	case len(names) == 0:
		return "", fmt.Errorf("kubeconfig %s has no contexts", path)
	case want == "" && len(names) == 1:
		return names[0], nil
	case want == "":
		return "", fmt.Errorf("kubeconfig %s has no current context: choose one with --context: %s", path, list)
	case raw.Contexts[want] == nil:
		return "", fmt.Errorf("context %q is not in %s; there are: %s", want, path, list)
	}
	return want, nil
}

// checkCredentials reads the certificates the kubeconfig names and returns
// when the client's own one ends. One that has ended is an error: the server
// would only say "unauthorized".
func checkCredentials(k kubeconfig, now time.Time) (time.Time, error) {
	cfg := rest.CopyConfig(k.rest)
	if err := rest.LoadTLSFiles(cfg); err != nil {
		return time.Time{}, fmt.Errorf("context %q of %s: %s", k.context, k.path, oneLine(err))
	}
	if len(cfg.CAData) > 0 && leaf(cfg.CAData) == nil {
		return time.Time{}, fmt.Errorf("context %q of %s: the certificate-authority is not a PEM certificate", k.context, k.path)
	}
	if len(cfg.CertData) == 0 {
		return time.Time{}, nil
	}
	cert := leaf(cfg.CertData)
	if cert == nil {
		return time.Time{}, fmt.Errorf("context %q of %s: the client certificate is not a PEM certificate", k.context, k.path)
	}
	if now.After(cert.NotAfter) {
		return cert.NotAfter, fmt.Errorf("the client certificate of context %q in %s expired %s (%s): get a new kubeconfig, "+
			"on a k3s server from %s after k3s was restarted", k.context, k.path,
			sources.Ago(cert.NotAfter, now), cert.NotAfter.UTC().Format(time.DateOnly), k3sKubeconfig)
	}
	return cert.NotAfter, nil
}

// identity is what stays the same of a cluster whatever it is called: its
// certificate authority, else its address.
func identity(cfg *rest.Config, server string) string {
	loaded := rest.CopyConfig(cfg)
	if err := rest.LoadTLSFiles(loaded); err == nil && len(loaded.CAData) > 0 {
		return string(loaded.CAData)
	}
	return server
}

// leaf is the first certificate in PEM data; nil if there is none.
func leaf(data []byte) *x509.Certificate {
	for {
		var block *pem.Block
		block, data = pem.Decode(data)
		if block == nil {
			return nil
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil
		}
		return cert
	}
}
