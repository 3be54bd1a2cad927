package kube

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"daytwo/sources"
)

// certPair is a self-signed certificate and its key, valid until notAfter.
func certPair(t *testing.T, notAfter time.Time) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "admin"}, DNSNames: []string{"shop.example"},
		NotBefore: notAfter.Add(-365 * 24 * time.Hour), NotAfter: notAfter,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
}

// kubeconfigOf writes a kubeconfig with one cluster and two contexts.
func kubeconfigOf(t *testing.T, cluster api.Cluster, user api.AuthInfo, edit func(*api.Config)) string {
	t.Helper()
	c := api.NewConfig()
	c.Clusters["prod"], c.AuthInfos["me"] = &cluster, &user
	c.Contexts["prod-fsn1"] = &api.Context{Cluster: "prod", AuthInfo: "me"}
	c.Contexts["prod-nbg1"] = &api.Context{Cluster: "prod", AuthInfo: "me"}
	c.CurrentContext = "prod-fsn1"
	if edit != nil {
		edit(c)
	}
	raw, err := clientcmd.Write(*c)
	if err != nil {
		t.Fatal(err)
	}
	return file(t, raw)
}

// TestConnectSaysWhatIsWrong: each line says what, where and what next.
func TestConnectSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)
	server := api.Cluster{Server: "https://203.0.113.7:6443"}
	oldCert, oldKey := certPair(t, now.Add(-50*time.Hour))
	for name, c := range map[string]struct {
		path, context string
		want          []string
	}{
		"no such file": {
			path: filepath.Join(t.TempDir(), "none"),
			want: []string{"no kubeconfig", "none", "--kubeconfig", "daytwo demo"},
		},
		"empty file":   {path: file(t, nil), want: []string{"no kubeconfig", "daytwo demo"}},
		"not YAML":     {path: file(t, []byte("\tx: [")), want: []string{"is not valid"}},
		"other schema": {path: file(t, []byte("kind: Pod\napiVersion: v1\n")), want: []string{"is not valid"}},
		"no such context": {
			path: kubeconfigOf(t, server, api.AuthInfo{}, nil), context: "prod-hel1",
			want: []string{`context "prod-hel1"`, "prod-fsn1, prod-nbg1"},
		},
		"no current context": {
			path: kubeconfigOf(t, server, api.AuthInfo{}, func(c *api.Config) { c.CurrentContext = "" }),
			want: []string{"no current context", "--context", "prod-fsn1, prod-nbg1"},
		},
		"context without a cluster": {
			path: kubeconfigOf(t, server, api.AuthInfo{}, func(c *api.Config) { delete(c.Clusters, "prod") }),
			want: []string{`context "prod-fsn1"`, "cannot be used"},
		},
		"expired certificate": {
			path: kubeconfigOf(t, server, api.AuthInfo{ClientCertificateData: oldCert, ClientKeyData: oldKey}, nil),
			want: []string{"client certificate", "expired 2 d ago", "2026-11-20", "get a new kubeconfig"},
		},
		"certificate file is gone": {
			path: kubeconfigOf(t, server, api.AuthInfo{ClientCertificate: "/nowhere/c.pem", ClientKey: "/nowhere/k.pem"}, nil),
			want: []string{"/nowhere/c.pem", "no such file"},
		},
		"authority is not PEM": {
			path: kubeconfigOf(t, api.Cluster{Server: server.Server, CertificateAuthorityData: []byte("x")}, api.AuthInfo{}, nil),
			want: []string{"certificate-authority is not a PEM certificate"},
		},
	} {
		_, err := Connect(Options{Kubeconfig: c.path, Context: c.context, Clock: func() time.Time { return now }})
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %q does not say %q", name, err, w)
			}
		}
		if strings.ContainsAny(err.Error(), "\n\t") {
			t.Errorf("%s: more than a line: %q", name, err)
		}
	}
}

// TestNoKubeconfigAtAll: client-go takes an absent file for an empty one.
// Not parallel: folders come from the environment.
func TestNoKubeconfigAtAll(t *testing.T) {
	absent := filepath.Join(t.TempDir(), "absent")
	t.Setenv("KUBECONFIG", absent)
	if exists(k3sKubeconfig) {
		t.Skip("this is a k3s server: its kubeconfig is taken")
	}
	if _, err := Connect(Options{}); err == nil || !strings.Contains(err.Error(), "there is no file "+absent) {
		t.Errorf("said %v", err)
	}
	empty := file(t, nil)
	t.Setenv("KUBECONFIG", empty)
	if _, err := Connect(Options{}); err == nil || !strings.Contains(err.Error(), empty+" has no cluster in it") {
		t.Errorf("said %v", err)
	}
}

// TestIdentity: the authority tells clusters of one context name apart,
// wherever it is written; without one the address does.
func TestIdentity(t *testing.T) {
	t.Parallel()
	of := func(c api.Cluster) string {
		client, err := Connect(Options{Kubeconfig: kubeconfigOf(t, c, api.AuthInfo{}, nil)})
		if err != nil {
			t.Fatal(err)
		}
		return client.Identity()
	}
	one, _ := certPair(t, time.Now().Add(time.Hour))
	two, _ := certPair(t, time.Now().Add(time.Hour))
	const home, away = "https://127.0.0.1:6443", "https://203.0.113.7:6443"
	id := of(api.Cluster{Server: home, CertificateAuthorityData: one})
	if id != of(api.Cluster{Server: away, CertificateAuthorityData: one}) || id != of(api.Cluster{Server: home, CertificateAuthority: file(t, one)}) {
		t.Error("one cluster has two identities")
	}
	if id == of(api.Cluster{Server: home, CertificateAuthorityData: two}) || of(api.Cluster{Server: home}) == of(api.Cluster{Server: away}) {
		t.Error("two clusters have one identity")
	}
}

// TestAContextWithAnUnsafeName is found by the name it has, offered to no
// shell, and shown clean.
func TestAContextWithAnUnsafeName(t *testing.T) {
	t.Parallel()
	const name = "prod\x1b[31m"
	path := kubeconfigOf(t, api.Cluster{Server: "https://203.0.113.7"}, api.AuthInfo{}, func(c *api.Config) {
		c.Contexts[name], c.CurrentContext = c.Contexts["prod-fsn1"], ""
		delete(c.Contexts, "prod-fsn1")
		delete(c.Contexts, "prod-nbg1")
	})
	if c, err := Connect(Options{Kubeconfig: path}); err != nil || c.ContextName() != name {
		t.Errorf("the only context is not found: %v", err)
	}
	if got := Contexts(path); len(got) != 0 {
		t.Errorf("a shell is offered %q", got)
	}
	_, err := Connect(Options{Kubeconfig: path, Context: "none"})
	if err == nil || strings.Contains(err.Error(), "\x1b") || !strings.Contains(err.Error(), "there are: prod") {
		t.Errorf("said %q", err)
	}
}

func TestUnreadableKubeconfig(t *testing.T) {
	t.Parallel()
	path := kubeconfigOf(t, api.Cluster{Server: "https://203.0.113.7:6443"}, api.AuthInfo{}, nil)
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	if f, err := os.Open(path); err == nil { // root reads everything: then ask the sentence alone
		_ = f.Close()
		if got := unreadable(path, os.ErrPermission).Error(); !strings.Contains(got, "may not be read by you") {
			t.Errorf("said %q", got)
		}
		return
	}
	_, err := Connect(Options{Kubeconfig: path})
	if err == nil || !strings.Contains(err.Error(), "may not be read by you") {
		t.Errorf("said %v", err)
	}
}

func TestClientCertificateIsKnown(t *testing.T) {
	t.Parallel()
	until := time.Now().Add(200 * 24 * time.Hour).UTC().Truncate(time.Second)
	cert, key := certPair(t, until)
	path := kubeconfigOf(t, api.Cluster{Server: "https://203.0.113.7"}, api.AuthInfo{ClientCertificateData: cert, ClientKeyData: key}, nil)
	c, err := Connect(Options{Kubeconfig: path, Context: "prod-nbg1"})
	if err != nil {
		t.Fatal(err)
	}
	if !c.ClientCertExpiry().Equal(until) || c.ContextName() != "prod-nbg1" || c.host != "203.0.113.7:443" {
		t.Errorf("%v %q %q", c.ClientCertExpiry(), c.ContextName(), c.host)
	}
}

// TestAddressesAreShownWithoutPasswords: a server's address ends up on the
// screen and in reports.
func TestAddressesAreShownWithoutPasswords(t *testing.T) {
	t.Parallel()
	c, err := Connect(Options{Kubeconfig: kubeconfigOf(t, api.Cluster{Server: "https://me:geheim@203.0.113.7:6443/prod"}, api.AuthInfo{}, nil)})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.ServerURL(); !strings.HasPrefix(got, "https://203.0.113.7:6443/prod") {
		t.Errorf("shown as %q", got)
	}
}

// TestUnusableServers: what can only be known by asking.
func TestUnusableServers(t *testing.T) {
	t.Parallel()
	answer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	secure, plain := httptest.NewTLSServer(answer), httptest.NewServer(answer)
	defer secure.Close()
	defer plain.Close()
	other := httptest.NewTLSServer(http.NotFoundHandler())
	defer other.Close()
	closed := httptest.NewServer(answer)
	closed.Close()
	wrongCA, _ := certPair(t, time.Now().Add(time.Hour))
	for name, c := range map[string]struct {
		cluster api.Cluster
		want    string
	}{
		"another authority": {
			api.Cluster{Server: secure.URL, CertificateAuthorityData: wrongCA},
			"certificate signed by an unknown authority: the kubeconfig's certificate-authority does not match",
		},
		"plain HTTP": {api.Cluster{Server: "https://" + plain.Listener.Addr().String()}, "answers without TLS"},
		"refused":    {api.Cluster{Server: closed.URL}, "refused the connection"},
		"no API":     {api.Cluster{Server: other.URL + "/grafana", InsecureSkipTLSVerify: true}, "there is no Kubernetes API at this address"},
		"teapot":     {api.Cluster{Server: secure.URL, InsecureSkipTLSVerify: true}, "api server answered 418"},
	} {
		client, err := Connect(Options{Kubeconfig: kubeconfigOf(t, c.cluster, api.AuthInfo{}, nil)})
		if err != nil {
			t.Fatal(err)
		}
		client.pace = quick()
		store := look(t, client)
		s := until(t, store, name, func(s *sources.Snapshot) bool { return s.Cluster.Err != nil && s.Nodes.Err != nil })
		for _, err := range []error{s.Cluster.Err, s.Nodes.Err, s.Sources[Name].Err} {
			if !strings.Contains(err.Error(), c.want) || strings.ContainsAny(err.Error(), "\n") {
				t.Errorf("%s: said %q, want %q", name, err, c.want)
			}
		}
	}
}
