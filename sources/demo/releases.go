package demo

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"daytwo/sources/demo/box"
)

// ReleaseFault is what the release server does wrong with the binaries. It
// has the lab's names.
type ReleaseFault string

// The faults of a download. WrongChecksum is one of the checksum file,
// WrongArch a binary that is as published and runs nowhere.
const (
	ReleaseOK     ReleaseFault = "ok"
	NotFound      ReleaseFault = "404"
	Slow          ReleaseFault = "slow"
	WrongChecksum ReleaseFault = "wrong-checksum"
	Truncated     ReleaseFault = "truncated"
	WrongArch     ReleaseFault = "wrong-arch"
)

// releases is the server from which k3s is downloaded.
type releases struct {
	w    *World
	mu   sync.Mutex
	at   ReleaseFault
	base string
	sums map[string]string
}

// releaseVersions are what is published, in the order of the versions: the
// cluster's, newer patches, and two minors more.
func releaseVersions() []string {
	return []string{
		"v1.32.8+k3s1", "v1.32.9+k3s1", gitVersion, "v1.33.5+k3s1", "v1.33.6+k3s1",
		"v1.34.1+k3s1", "v1.34.2+k3s1", "v1.35.0+k3s1",
	}
}

// ReleaseURL is where the demo's releases of k3s are, below which there are
// /v1-release/channels and /releases/download as at update.k3s.io and GitHub.
func (w *World) ReleaseURL() string { return w.releases.base }

// ReleaseFault puts a fault in force until lifted.
func (w *World) ReleaseFault(f ReleaseFault) (lift func()) {
	w.releases.set(f)
	return sync.OnceFunc(func() { w.releases.set(ReleaseOK) })
}

func (r *releases) set(f ReleaseFault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at = f
}

func (r *releases) fault() ReleaseFault {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at
}

// publish serves the releases on a free port of the loopback.
func (w *World) publish() error {
	l, err := (&net.ListenConfig{}).Listen(w.ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for the demo's releases: %w", err)
	}
	r := &releases{w: w, at: ReleaseOK, base: "http://" + l.Addr().String(), sums: map[string]string{}}
	w.releases = r
	mux := http.NewServeMux()
	mux.HandleFunc("GET /releases/download/{tag}/{file}", r.download)
	mux.HandleFunc("GET /releases/tag/{tag}", r.tag)
	mux.HandleFunc("GET /v1-release/channels", r.channels)
	mux.HandleFunc("GET /v1-release/channels/{name}", r.channel)
	mux.HandleFunc("GET /install.sh", func(rw http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(rw, installScript) })
	mux.HandleFunc("PUT /fault/{name}", func(rw http.ResponseWriter, q *http.Request) {
		r.set(ReleaseFault(q.PathValue("name")))
		_, _ = fmt.Fprintln(rw, r.fault())
	})
	srv := &http.Server{
		Handler: mux, ReadHeaderTimeout: 10 * time.Second, ErrorLog: discardLog(),
	}
	w.done.Go(func() { _ = srv.Serve(l) }) // always ErrServerClosed after the world's end
	w.done.Go(func() {
		<-w.ctx.Done()
		_ = srv.Close()
	})
	return nil
}

// installScript does of k3s's own what is left of it when it downloads
// nothing: it starts the unit anew.
const installScript = `#!/bin/sh
set -e
case ${1:-} in server) unit=k3s ;; *) unit=k3s-agent ;; esac
echo "[INFO]  Skipping k3s download and verify"
echo "[INFO]  systemd: Starting $unit"
systemctl restart $unit
`

// heads are the channels' versions by name.
func (r *releases) heads() map[string]string {
	vs := releaseVersions()
	heads := map[string]string{"latest": vs[len(vs)-1], "testing": vs[len(vs)-1], "stable": "v1.33.6+k3s1"}
	for _, v := range vs {
		heads[v[:strings.LastIndex(v, ".")]] = v
	}
	return heads
}

func (r *releases) channel(rw http.ResponseWriter, q *http.Request) {
	head, ok := r.heads()[q.PathValue("name")]
	if !ok {
		http.NotFound(rw, q)
		return
	}
	http.Redirect(rw, q, r.base+"/releases/tag/"+head, http.StatusFound)
}

func (r *releases) channels(rw http.ResponseWriter, _ *http.Request) {
	type channel struct {
		ID     string `json:"id"`
		Type   string `json:"type"`
		Name   string `json:"name"`
		Latest string `json:"latest"`
	}
	var list []channel
	for name, head := range r.heads() {
		list = append(list, channel{name, "channel", name, head})
	}
	slices.SortFunc(list, func(a, b channel) int { return strings.Compare(a.ID, b.ID) })
	rw.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(rw).Encode(map[string]any{"type": "collection", "resourceType": "channel", "data": list}) // the client may be gone
}

func (r *releases) tag(rw http.ResponseWriter, q *http.Request) {
	if !slices.Contains(releaseVersions(), q.PathValue("tag")) {
		http.NotFound(rw, q)
		return
	}
	_, _ = fmt.Fprintln(rw, q.PathValue("tag"))
}

func (r *releases) download(rw http.ResponseWriter, q *http.Request) {
	version, file, fault := q.PathValue("tag"), q.PathValue("file"), r.fault()
	if !slices.Contains(releaseVersions(), version) || fault == NotFound {
		http.NotFound(rw, q)
		return
	}
	switch file {
	case "sha256sum-amd64.txt", "sha256sum-arm64.txt", "sha256sum-arm.txt":
		sum := r.sum(version, fault == WrongArch)
		if fault == WrongChecksum {
			sum = strings.Repeat("0", len(sum))
		}
		_, _ = fmt.Fprintf(rw, "%s  k3s\n%s  k3s-airgap-images-amd64.tar.zst\n", sum, strings.Repeat("a", len(sum)))
	case "k3s", "k3s-arm64", "k3s-armhf":
		r.send(rw, q, box.Binary(version, fault == WrongArch || file != "k3s"), fault)
	default:
		http.NotFound(rw, q)
	}
}

func (r *releases) sum(version string, wrongArch bool) string {
	key := version + strconv.FormatBool(wrongArch)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sums[key] == "" {
		sum := sha256.Sum256(box.Binary(version, wrongArch))
		r.sums[key] = hex.EncodeToString(sum[:])
	}
	return r.sums[key]
}

func (r *releases) send(rw http.ResponseWriter, q *http.Request, data []byte, fault ReleaseFault) {
	if fault == Truncated {
		data = data[:len(data)/2] // a proxy that lost its line midway: the length is that of the part
	}
	rw.Header().Set("Content-Type", "application/octet-stream")
	rw.Header().Set("Content-Length", strconv.Itoa(len(data)))
	if fault != Slow {
		_, _ = rw.Write(data)
		return
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for part := range slices.Chunk(data, len(data)/64) {
		if _, err := rw.Write(part); err != nil {
			return
		}
		_ = http.NewResponseController(rw).Flush()
		select {
		case <-q.Context().Done():
			return
		case <-r.w.ctx.Done():
			return
		case <-tick.C:
		}
	}
}
