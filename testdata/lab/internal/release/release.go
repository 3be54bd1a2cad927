// Package release is a server that plays where k3s is downloaded from: the binaries
// and their checksums, the channels, the installer; with faults on demand.
package release

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

//go:embed install.sh
var installer string

// Fault is what the server does wrong with the binaries.
type Fault string

// Faults of the binary's download. The installer, channels and checksums stay right,
// except that WrongChecksum is one of the checksum file.
const (
	None          Fault = "ok"
	NotFound      Fault = "404"
	Slow          Fault = "slow"
	WrongChecksum Fault = "wrong-checksum"
	Truncated     Fault = "truncated"
)

// Faults lists every fault, the absence of one included.
func Faults() []Fault { return []Fault{None, NotFound, Slow, WrongChecksum, Truncated} }

// Server serves the stand-ins that lie in Dir as VERSION/k3s. The order of Versions
// is that of k3s: the second is the newest patch, the last the next minor.
type Server struct {
	Dir      string
	Versions []string
	// Base is the URL by which clients reach the server.
	Base  string
	fault atomic.Value
}

// Handler answers as github.com, update.k3s.io and get.k3s.io do, by path:
// /releases/download/TAG/FILE, /v1-release/channels/NAME, /install.sh; and takes a
// fault by PUT /fault/NAME.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /releases/download/{tag}/{file}", s.download)
	mux.HandleFunc("GET /releases/tag/{tag}", s.tag)
	mux.HandleFunc("GET /v1-release/channels", s.channels)
	mux.HandleFunc("GET /v1-release/channels/{name}", s.channel)
	mux.HandleFunc("GET /install.sh", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, strings.ReplaceAll(installer, "@BASE@", s.Base))
	})
	mux.HandleFunc("GET /fault", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, s.current()) })
	mux.HandleFunc("PUT /fault/{name}", s.setFault)
	return mux
}

func (s *Server) current() Fault {
	if f, ok := s.fault.Load().(Fault); ok {
		return f
	}
	return None
}

func (s *Server) setFault(w http.ResponseWriter, r *http.Request) {
	f := Fault(r.PathValue("name"))
	if !slices.Contains(Faults(), f) {
		http.Error(w, fmt.Sprintf("fault %q: want one of %v", f, Faults()), http.StatusBadRequest)
		return
	}
	s.fault.Store(f)
	fmt.Fprintln(w, f)
}

// Channels of k3s by name: the version each stands for.
func (s *Server) heads() map[string]string {
	latest := s.Versions[len(s.Versions)-1]
	heads := map[string]string{"latest": latest, "stable": s.Versions[max(0, len(s.Versions)-2)]}
	for _, v := range s.Versions {
		heads[minor(v)] = v
	}
	return heads
}

// minor is v1.37 of v1.37.1+k3s1.
func minor(version string) string { return version[:strings.LastIndex(version, ".")] }

func (s *Server) channel(w http.ResponseWriter, r *http.Request) {
	head, ok := s.heads()[r.PathValue("name")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	http.Redirect(w, r, s.Base+"/releases/tag/"+head, http.StatusFound)
}

func (s *Server) channels(w http.ResponseWriter, _ *http.Request) {
	type channel struct {
		ID     string `json:"id"`
		Type   string `json:"type"`
		Name   string `json:"name"`
		Latest string `json:"latest"`
	}
	list := make([]channel, 0, len(s.Versions)+2)
	for name, head := range s.heads() {
		list = append(list, channel{name, "channel", name, head})
	}
	slices.SortFunc(list, func(a, b channel) int { return strings.Compare(a.ID, b.ID) })
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"type": "collection", "resourceType": "channel", "data": list})
}

func (s *Server) tag(w http.ResponseWriter, r *http.Request) {
	if !slices.Contains(s.Versions, r.PathValue("tag")) {
		http.NotFound(w, r)
		return
	}
	fmt.Fprintln(w, r.PathValue("tag"))
}

func (s *Server) download(w http.ResponseWriter, r *http.Request) {
	version, file := r.PathValue("tag"), r.PathValue("file")
	fault := s.current()
	if !slices.Contains(s.Versions, version) || fault == NotFound {
		http.NotFound(w, r)
		return
	}
	binary := filepath.Join(s.Dir, version, "k3s")
	switch file {
	case "sha256sum-amd64.txt", "sha256sum-arm64.txt":
		s.checksums(w, binary, fault)
	case "k3s", "k3s-arm64":
		if err := send(w, r, binary, fault); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	default:
		http.NotFound(w, r)
	}
}

func (s *Server) checksums(w http.ResponseWriter, binary string, fault Fault) {
	sum, err := checksum(binary)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if fault == WrongChecksum {
		sum = strings.Repeat("0", len(sum))
	}
	fmt.Fprintf(w, "%s  k3s\n%s  k3s-airgap-images-amd64.tar.zst\n", sum, strings.Repeat("a", len(sum)))
}

func checksum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("reading the binary: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("reading the binary: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// slowChunk a second is what Slow sends: a release takes minutes then.
const slowChunk = 256 << 10

func send(w http.ResponseWriter, r *http.Request, path string, fault Fault) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("reading the binary: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("reading the binary: %w", err)
	}
	switch fault {
	case Truncated:
		// A proxy that lost its line midway: the length is that of the part.
		http.ServeContent(w, r, "k3s", info.ModTime(), io.NewSectionReader(f, 0, info.Size()/2))
	case Slow:
		w.Header().Set("Content-Length", fmt.Sprint(info.Size()))
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			if _, err := io.CopyN(w, f, slowChunk); err != nil {
				if errors.Is(err, io.EOF) {
					return nil
				}
				return fmt.Errorf("sending the binary: %w", err)
			}
			_ = http.NewResponseController(w).Flush()
			select {
			case <-r.Context().Done():
				return nil
			case <-tick.C:
			}
		}
	case None, NotFound, WrongChecksum:
		http.ServeContent(w, r, "k3s", info.ModTime(), f)
	}
	return nil
}
