package actions

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSecretsAreTakenOut(t *testing.T) {
	t.Parallel()
	token := "K10" + strings.Repeat("0a", 32) + "::server:deadbeefcafe"
	hcloud := "aB3" + strings.Repeat("xY9z", 15) + "Q"
	r := newRedactor([]string{"my own value", "abc"})
	for in, want := range map[string]string{
		"K3S_TOKEN=" + token + " k3s agent":                    "K3S_TOKEN=[redacted] k3s agent",
		"joined with " + token:                                 "joined with [redacted]",
		"K3S_TOKEN='a b c' x":                                  "K3S_TOKEN=[redacted] x",
		`export K3S_AGENT_TOKEN="secret thing"`:                "export K3S_AGENT_TOKEN=[redacted]",
		"k3s server --token abcdef --tls-san x":                "k3s server --token [redacted] --tls-san x",
		"k3s server --agent-token=abcdef":                      "k3s server --agent-token=[redacted]",
		"mysql://root:hunter2@db:3306/shop":                    "mysql://root:[redacted]@db:3306/shop",
		"https://:hunter2@host/":                               "https://:[redacted]@host/",
		"Authorization: Bearer abcdefgh.ijkl":                  "Authorization: Bearer [redacted]",
		"authorization: Basic dXNlcjpwYXNz":                    "authorization: Basic [redacted]",
		`{"token":"abc def","node":"x"}`:                       `{"token":[redacted],"node":"x"}`,
		`["server","--token","abcdef","--tls-san","x"]`:        `["server","--token","[redacted]","--tls-san","x"]`,
		`MYSQL_ROOT_PASSWORD: hunter2`:                         `MYSQL_ROOT_PASSWORD: [redacted]`,
		"mysqldump -u root -phunter2 shop":                     "mysqldump -u root -p[redacted] shop",
		"RESTIC_PASSWORD=hunter2; AWS_SECRET_ACCESS_KEY=x/y+z": "RESTIC_PASSWORD=[redacted]; AWS_SECRET_ACCESS_KEY=[redacted]",
		"key AKIAIOSFODNN7EXAMPLE used":                        "key [redacted] used",
		"HCLOUD " + hcloud + " here":                           "HCLOUD [redacted] here",
		"it is my own value, indeed":                           "it is [redacted], indeed",
		"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln":            "[redacted]",
		"client-key-data: LS0tLS1CRUdJTg==":                    "client-key-data: [redacted]",
	} {
		if got := r.text(in); got != want {
			t.Errorf("%q\n becomes %q\n    want %q", in, got, want)
		}
	}
}

func TestWhatIsNoSecretStays(t *testing.T) {
	t.Parallel()
	r := newRedactor(nil)
	for _, s := range []string{
		"node/worker-0 drained",
		"pod/api-7c5f9d evicted",
		"sha256 " + strings.Repeat("0a", 32) + "  k3s",
		"containerd://" + strings.Repeat("b7", 32),
		`["server","--token","********","--disable","traefik"]`,
		"K3S_TOKEN=$K3S_TOKEN", `K3S_TOKEN="$(cat /var/lib/rancher/k3s/server/token)"`,
		"--token-file /var/lib/rancher/k3s/server/token",
		"secret/shop-tls created", "secretName: shop-tls", "imagePullSecrets: []",
		"copying /var/lib/rancher/k3s/server/token", "https://get.k3s.io/?x=1", "tokens left: 4",
		"kubectl -n shop get secret shop-tls -o yaml",
		"error: no key with name api", "curl https://github.com/k3s-io/k3s/releases/download/v1.33.6%2Bk3s1/k3s",
	} {
		if got := r.text(s); got != s {
			t.Errorf("%q becomes %q", s, got)
		}
	}
}

// TestOutputIsCleanedOnItsWay to the disk and to the screen, also where it
// comes in pieces.
func TestOutputIsCleanedOnItsWay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o, err := openOutput(dir, newRedactor(nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, piece := range []string{
		"K3S_TO", "KEN=hun", "ter2 x\nplain \x1b[31mred\x1b[0m \x1b[2J\x1b]0;title\x07end\r\n",
		"10%\r", "20%\r", "100%\n", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNz", "aC1rZXk\n-----END OPENSSH PRIVATE KEY-----\nafter\nno end: password=hun", "ter2",
	} {
		if n, err := fmt.Fprint(o, piece); n != len(piece) || err != nil {
			t.Fatalf("wrote %d of %d: %v", n, len(piece), err)
		}
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(filepath.Join(dir, outputName))
	if err != nil {
		t.Fatal(err)
	}
	want := "K3S_TOKEN=[redacted] x\nplain \x1b[31mred\x1b[0m end\r\n10%\r20%\r100%\n[redacted]\nafter\nno end: password=[redacted]\n"
	if string(log) != want {
		t.Errorf("log is\n%q, want\n%q", log, want)
	}
	if _, lines := o.tape.After(0); strings.Join(lines, "|") != "K3S_TOKEN=[redacted] x|plain \x1b[31mred\x1b[0m end|100%|[redacted]|after|no end: password=[redacted]" {
		t.Errorf("screen has %q", lines)
	}
}

// BenchmarkOutput writes lines like those of a journal; 50,000 a second must
// go through.
func BenchmarkOutput(b *testing.B) {
	o, err := openOutput(b.TempDir(), newRedactor(nil))
	if err != nil {
		b.Fatal(err)
	}
	line := []byte("Nov 22 15:08:12 worker-0 k3s[4242]: I1122 15:08:12.123456 4242 kubelet.go:1234] \"SyncLoop UPDATE\" source=\"api\" pods=[\"shop/api-7c5f9d\"]\n")
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		_, _ = o.Write(line)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}
