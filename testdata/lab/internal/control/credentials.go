package control

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"

	"daytwolab/internal/pki"
	"daytwolab/internal/place"
)

// The viewer has the rights of the group that the cockpit's view role (docs/rbac/view.yaml)
// is bound to, and no others.
const (
	ViewerUser  = "viewer"
	ViewerGroup = "daytwo-viewers"
)

// Credentials makes certificates, keys, tokens and kubeconfigs, once for a lab.
func Credentials(p place.Place) error {
	dir := p.Path("pki")
	if _, err := os.Stat(filepath.Join(dir, "done")); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the credentials: %w", err)
	}
	ca, err := certificates(dir)
	if err != nil {
		return err
	}
	if err := users(p, ca); err != nil {
		return err
	}
	return write(filepath.Join(dir, "done"), "", 0o600)
}

func certificates(dir string) (pki.Pair, error) {
	ca, err := pki.NewCA("k3s-server-ca")
	if err != nil {
		return pki.Pair{}, fmt.Errorf("making the credentials: %w", err)
	}
	front, err := pki.NewCA("k3s-request-header-ca")
	if err != nil {
		return pki.Pair{}, fmt.Errorf("making the credentials: %w", err)
	}
	issued := []struct {
		file string
		from pki.Pair
		pki.Request
	}{
		{"apiserver", ca, pki.Request{
			CommonName: "kube-apiserver", Server: true,
			DNS: []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"},
			IPs: []string{"127.0.0.1", place.ControlIP, "10.43.0.1"},
		}},
		{"serviceaccount", ca, pki.Request{CommonName: "service-accounts"}},
		{"admin", ca, pki.Request{CommonName: "system:admin", Organization: []string{"system:masters"}, Client: true}},
		{"kubelet-client", ca, pki.Request{CommonName: "system:kube-apiserver", Client: true}},
		{"front-proxy", front, pki.Request{CommonName: "system:auth-proxy", Client: true}},
		{"metrics", ca, pki.Request{CommonName: "metrics-server", Server: true, IPs: []string{place.ControlIP}, DNS: []string{"metrics-server.kube-system.svc"}}},
	}
	for _, i := range issued {
		signed, err := i.from.Issue(i.Request)
		if err != nil {
			return pki.Pair{}, fmt.Errorf("making the credentials: %w", err)
		}
		if err := signed.Save(filepath.Join(dir, i.file)); err != nil {
			return pki.Pair{}, fmt.Errorf("making the credentials: %w", err)
		}
	}
	if err := front.Save(filepath.Join(dir, "front-ca")); err != nil {
		return pki.Pair{}, fmt.Errorf("making the credentials: %w", err)
	}
	return ca, ca.Save(filepath.Join(dir, "ca"))
}

// users writes the tokens that the API server knows, and the kubeconfigs.
func users(p place.Place, ca pki.Pair) error {
	secret := rand.Text
	joining := fmt.Sprintf("K10%x::server:%s", sha256.Sum256(ca.CertPEM), secret())
	admin, viewer := secret(), secret()
	tokens := fmt.Sprintf("%s,lab,lab,\"system:masters\"\n%s,%s,%s,\"%s\"\n%s,k3s-node,k3s-node,\"system:nodes\"\n",
		admin, viewer, ViewerUser, ViewerUser, ViewerGroup, joining)
	certPEM, err := os.ReadFile(p.Path("pki", "admin.crt"))
	if err != nil {
		return fmt.Errorf("making the kubeconfigs: %w", err)
	}
	keyPEM, err := os.ReadFile(p.Path("pki", "admin.key"))
	if err != nil {
		return fmt.Errorf("making the kubeconfigs: %w", err)
	}
	b64 := base64.StdEncoding.EncodeToString
	files := map[string]string{
		p.Path("pki", "tokens.csv"):  tokens,
		p.Path("pki", "node-token"):  joining,
		p.Path("pki", "admin-token"): admin,
		p.Path("admin.kubeconfig"): kubeconfig(ca, "admin",
			fmt.Sprintf("{client-certificate-data: %s, client-key-data: %s}", b64(certPEM), b64(keyPEM))),
		p.Path("viewer.kubeconfig"): kubeconfig(ca, ViewerUser, fmt.Sprintf("{token: %q}", viewer)),
	}
	for path, content := range files {
		if err := write(path, content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func kubeconfig(ca pki.Pair, user, credentials string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: Config
clusters:
- name: lab
  cluster: {server: "%s", certificate-authority-data: %s}
users:
- name: %s
  user: %s
contexts:
- name: lab
  context: {cluster: lab, user: %s}
current-context: lab
`, place.APIURL, base64.StdEncoding.EncodeToString(ca.CertPEM), user, credentials, user)
}

func write(path, content string, mode os.FileMode) error {
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}
