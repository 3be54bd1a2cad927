//go:build lab

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"daytwolab/e2e/labenv"
)

func TestTheNodePaneSaysWhatKubectlSays(t *testing.T) {
	lab := labenv.Find(t)
	c := openWhole(t, lab, lab.ViewerKubeconfig)
	c.press("1\r", "─ Nodes ─", "address")
	for _, n := range lab.Nodes {
		c.agrees("the node pane and kubectl on "+n.Name, func(ctx context.Context) (string, error) {
			out, err := lab.Try(ctx, lab.AsAdmin("get", "node", n.Name, "-o",
				`jsonpath={.status.conditions[?(@.type=="Ready")].status} {.status.nodeInfo.kubeletVersion} {.status.addresses[?(@.type=="InternalIP")].address}`)...)
			if err != nil {
				return "", err
			}
			said := strings.Fields(out)
			if len(said) != 3 || said[0] != "True" {
				return "", fmt.Errorf("%s is not Ready: kubectl says %q", n.Name, out)
			}
			return fmt.Sprintf(`● %s +%s +Ready +%s .* %s `, n.Name, n.Role, regexp.QuoteMeta(said[1]), regexp.QuoteMeta(said[2])), nil
		})
	}
}

func TestTheDiskPaneSaysWhatDfSays(t *testing.T) {
	lab := labenv.Find(t)
	c := openWhole(t, lab, lab.ViewerKubeconfig)
	for _, n := range lab.Nodes {
		c.agrees("the disk pane and df on "+n.Name, func(ctx context.Context) (string, error) {
			percent, err := df(ctx, lab, n.Name)
			return fmt.Sprintf(`%s +[^ \d]+ +(%d|%d|%d)%%`, n.Name, percent-1, percent, percent+1), err
		})
	}
}

// df is the use of a server's disk in per cent, as df says on the server itself.
func df(ctx context.Context, lab labenv.Env, node string) (int, error) {
	out, err := lab.Try(ctx, lab.OnServer(node, "df", "--output=pcent", "/")...)
	if err != nil {
		return 0, err
	}
	_, value, _ := strings.Cut(out, "\n")
	percent, err := strconv.Atoi(strings.Trim(value, " %\n"))
	if err != nil {
		return 0, fmt.Errorf("reading df on %s: %w", node, err)
	}
	return percent, nil
}

func TestTheRestartPaneSaysWhatKubectlSays(t *testing.T) {
	lab := labenv.Find(t)
	c := openWhole(t, lab, lab.ViewerKubeconfig)
	c.press("3\r", "─ Restarts ─", "days in row")
	// The words for the reasons that kubectl calls Error and OOMKilled.
	for app, reason := range map[string]string{"importer": "exit 1", "indexer": "OOMKilled"} {
		c.agrees("the restart pane and kubectl on "+app, func(ctx context.Context) (string, error) {
			count, err := lab.Try(ctx, lab.AsAdmin("-n", "shop", "get", "pods", "-l", "app="+app, "-o",
				`jsonpath={.items[0].status.containerStatuses[0].restartCount}`)...)
			if count == "0" {
				return "", errors.Join(err, fmt.Errorf("%s has not restarted yet", app))
			}
			// Owner, kind, pods, in an hour, in a day, in all, days in a row, reason.
			return fmt.Sprintf(`shop/%s +Deployment +1 +\d+ +\d+ +%s +\d+ +%s `, app, count, reason), err
		})
	}
}

func TestTheCertificatePaneSaysWhatOpensslSays(t *testing.T) {
	lab := labenv.Find(t)
	c := openWhole(t, lab, lab.ViewerKubeconfig)
	c.press("4\r", "─ Certificates ─", "not after")
	names := strings.Fields(lab.Run(t, lab.AsAdmin("-n", "shop", "get", "ingresses", "-o", "jsonpath={.items[*].spec.tls[*].secretName}")...))
	if len(names) < 4 {
		t.Fatalf("the Ingresses name only the Secrets %v", names)
	}
	for _, name := range names {
		c.agrees("the certificate pane and openssl on "+name, func(ctx context.Context) (string, error) {
			end, err := notAfter(ctx, lab, name)
			if errors.Is(err, errNoSecret) {
				return `[○▲] shop/` + name + ` +\? `, nil
			}
			days := int(time.Until(end) / (24 * time.Hour))
			return fmt.Sprintf(`shop/%s +%d d .* %s `, name, days, end.UTC().Format(time.DateOnly)), err
		})
	}
	c.press("/shop-tls\r\r", "valid until")
	end, err := notAfter(t.Context(), lab, "shop-tls")
	if err != nil {
		t.Fatal(err)
	}
	c.see("valid until   " + end.UTC().Format("2006-01-02 15:04 UTC"))
}

var errNoSecret = errors.New("no such Secret")

// notAfter is when the certificate in a Secret ends, as openssl says.
func notAfter(ctx context.Context, lab labenv.Env, secret string) (time.Time, error) {
	pem, err := lab.Try(ctx, lab.AsAdmin("-n", "shop", "get", "secret", secret, "--ignore-not-found",
		"-o", `go-template={{index .data "tls.crt" | base64decode}}`)...)
	if err != nil {
		return time.Time{}, err
	}
	if pem == "" {
		return time.Time{}, errNoSecret
	}
	openssl := exec.CommandContext(ctx, "openssl", "x509", "-noout", "-enddate")
	openssl.Stdin = strings.NewReader(pem)
	out, err := openssl.Output()
	if err != nil {
		return time.Time{}, fmt.Errorf("asking openssl about %s: %w", secret, err)
	}
	end, err := time.Parse("notAfter=Jan _2 15:04:05 2006 MST", strings.TrimSpace(string(out)))
	if err != nil {
		return time.Time{}, fmt.Errorf("reading what openssl says of %s: %w", secret, err)
	}
	return end, nil
}

func TestTheBackupPaneSaysWhatKubectlSays(t *testing.T) {
	lab := labenv.Find(t)
	c := openWhole(t, lab, lab.ViewerKubeconfig)
	c.press("5\r", "─ Backups ─", "data/files-backup")
	if out, err := lastSuccess(t.Context(), lab, "files-backup"); out != "" || err != nil {
		t.Fatalf("files-backup fails by design and succeeded at %q: %v", out, err)
	}
	c.match(`[▲✖] data/files-backup +data/files-backup +\? `)
	c.press("/mariadb\r\r", "● ok", "cronjob data/mariadb-backup", "last success")
	c.agrees("the backup's detail and kubectl", func(ctx context.Context) (string, error) {
		out, err := lastSuccess(ctx, lab, "mariadb-backup")
		if err != nil {
			return "", err
		}
		at, err := time.Parse(time.RFC3339, out)
		return `last success .*, ` + at.UTC().Format("2006-01-02 15:04 UTC"), err
	})
}

func lastSuccess(ctx context.Context, lab labenv.Env, cronjob string) (string, error) {
	return lab.Try(ctx, lab.AsAdmin("-n", "data", "get", "cronjob", cronjob, "-o", "jsonpath={.status.lastSuccessfulTime}")...)
}
