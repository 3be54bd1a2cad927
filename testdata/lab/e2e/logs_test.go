//go:build lab

package e2e

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daytwolab/e2e/labenv"
)

// saidLines is what the talker says: less than the size at which the kubelet
// begins a new file.
const saidLines = 80_000

// talker is a pod that says much at once and then nothing.
var talker = strings.NewReplacer("roomy", "talker", `"name": "main",`,
	`"name": "main", "command": ["/bin/bash", "-c", "seq -f 'line %08.0f, as long as one that says that a request was served' 1 80000; exec sleep 3600"],`).Replace(roomy)

// TestLogsBesideKubectl follows one log with the cockpit and with the real
// kubectl: what the cockpit keeps in its file is what kubectl says, to the byte.
// How long each took is told.
func TestLogsBesideKubectl(t *testing.T) {
	lab := labenv.Find(t)
	file := filepath.Join(t.TempDir(), "talker.json")
	if err := os.WriteFile(file, []byte(talker), 0o600); err != nil {
		t.Fatal(err)
	}
	lab.Run(t, lab.AsAdmin("apply", "-f", file)...)
	t.Cleanup(func() {
		_, _ = lab.Try(context.WithoutCancel(t.Context()), lab.AsAdmin("delete", "-f", file, "--ignore-not-found", "--wait=false")...)
	})
	lab.Run(t, lab.AsAdmin("wait", "-n", "data", "pod/talker", "--for=jsonpath={.status.phase}=Running", "--timeout=60s")...)
	labenv.Eventually(t, time.Minute, "the talker's last line", func(ctx context.Context) error {
		last, err := lab.Try(ctx, lab.AsAdmin("logs", "-n", "data", "talker", "--tail=1")...)
		if err == nil && !strings.HasPrefix(last, "line 00080000") {
			err = io.ErrUnexpectedEOF
		}
		return err
	})
	theirs, tookTheirs := followed(t, lab)

	o := newOperator(t, lab)
	c := o.cockpit()
	c.press(":pod data/talker", "data/talker")
	c.press("\r", "l logs")
	c.press("l", "data/talker · last 200 lines", "200 lines · live, follows")
	c.press("sss", "last 1 h", "80,000 lines")
	began := time.Now()
	c.press("s", "all of it", "80,000 lines")
	tookOurs := time.Since(began)
	kept := o.files("logs", "*.log")
	ours, err := os.ReadFile(kept[len(kept)-1])
	if err != nil || !bytes.Equal(ours, theirs) {
		t.Errorf("%s has %d bytes, kubectl says %d (%v)", kept[len(kept)-1], len(ours), len(theirs), err)
	}
	t.Logf("%d lines: daytwo %v from the key to the last line on the screen, kubectl logs -f %v, ratio of lines a second %.2f",
		saidLines, tookOurs, tookTheirs, tookTheirs.Seconds()/tookOurs.Seconds())
}

// followed is the talker's log as kubectl logs -f says it, up to its last line.
func followed(t *testing.T, lab labenv.Env) (text []byte, took time.Duration) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cmd := lab.Command(ctx, lab.AsAdmin("logs", "-f", "-n", "data", "talker")...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 64<<10)
	for lines := 0; lines < saidLines; {
		n, err := out.Read(buf)
		text = append(text, buf[:n]...)
		lines += bytes.Count(buf[:n], []byte("\n"))
		if err != nil {
			t.Fatalf("kubectl ended after %d lines: %v", lines, err)
		}
	}
	took = time.Since(began)
	cancel()
	_ = cmd.Wait() // it was killed
	return text, took
}
