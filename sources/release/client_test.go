package release_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"daytwo/sources"
	"daytwo/sources/release"
)

const (
	tag = "v1.33.6+k3s1"
	sum = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

// server answers as k3s's do. paths collects what was asked, undecoded.
func server(t *testing.T, sums string) (*release.Client, *[]string) {
	t.Helper()
	var paths []string
	mux := http.NewServeMux()
	mux.HandleFunc("GET /channels", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"type":"collection","data":[{"id":"stable","name":"stable","latest":"v1.33.6+k3s1"},`+
			`{"id":"testing","name":"testing"},{"id":"v1.34","name":"v1.34","latest":"v1.34.2+k3s1"}]}`)
	})
	mux.HandleFunc("GET /channels/{name}", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("name") != "stable" {
			http.NotFound(w, r)
			return
		}
		http.Redirect(w, r, "https://elsewhere.invalid/releases/tag/v1.33.6%2Bk3s1", http.StatusFound)
	})
	mux.HandleFunc("GET /releases/download/{tag}/{file}", func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.URL.EscapedPath())
		switch {
		case r.PathValue("tag") != tag:
			http.NotFound(w, r)
		case strings.HasPrefix(r.PathValue("file"), "sha256sum-"):
			_, _ = fmt.Fprint(w, sums)
		default:
			http.ServeContent(w, r, "k3s", time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), strings.NewReader("binary"))
		}
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	c, err := release.New(sources.ReleaseServer{URL: s.URL + "/releases/", Channels: s.URL + "/channels"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c, &paths
}

func TestChannels(t *testing.T) {
	t.Parallel()
	c, _ := server(t, "")
	got, err := c.Channels(t.Context())
	if err != nil || len(got) != 2 || got[0] != (sources.Channel{Name: "stable", Latest: tag}) || got[1].Name != "v1.34" {
		t.Errorf("channels %v, %v; want stable and v1.34, and not the one that stands for nothing", got, err)
	}
	if v, err := c.Resolve(t.Context(), "stable"); err != nil || v != tag {
		t.Errorf("stable is %q, %v; want %s without a visit to where it redirects", v, err, tag)
	}
	if _, err := c.Resolve(t.Context(), "v9.99"); !errors.Is(err, sources.ErrNoRelease) {
		t.Errorf("a channel that does not exist: %v", err)
	}
}

func TestRelease(t *testing.T) {
	t.Parallel()
	c, paths := server(t, strings.Repeat("a", 64)+"  k3s-airgap-images-amd64.tar.zst\n"+sum+"  k3s\n"+sum+" *k3s-arm64\n")
	for _, arch := range []string{"amd64", "arm64"} {
		r, err := c.Release(t.Context(), tag, arch)
		if err != nil {
			t.Fatal(err)
		}
		if r.SHA256 != sum || r.Size != 6 || r.Built.Year() != 2026 || !strings.HasSuffix(r.Notes, "/releases/tag/v1.33.6%2Bk3s1") {
			t.Errorf("%s: %+v", arch, r)
		}
	}
	for _, p := range *paths {
		if !strings.Contains(p, "/v1.33.6%2Bk3s1/") {
			t.Errorf("asked for %s: some servers read a bare plus as a blank", p)
		}
	}
	if _, err := c.Release(t.Context(), "v1.33.7+k3s1", "amd64"); !errors.Is(err, sources.ErrNoRelease) {
		t.Errorf("a tag that does not exist: %v", err)
	}
	if _, err := c.Release(t.Context(), tag, "riscv64"); err == nil || errors.Is(err, sources.ErrNoRelease) {
		t.Errorf("an architecture that k3s is not published for: %v", err)
	}
}

func TestReleaseSumsThatSayNothing(t *testing.T) {
	t.Parallel()
	for _, sums := range []string{"", sum + "  k3s.txt\n", "abc  k3s\n", "<html>sign in</html>"} {
		c, _ := server(t, sums)
		if r, err := c.Release(t.Context(), tag, "amd64"); err == nil || errors.Is(err, sources.ErrNoRelease) {
			t.Errorf("sums %q gave %+v, %v; want an error that says the file is wrong", sums, r, err)
		}
	}
}

func TestServerThatIsAway(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.NotFoundHandler())
	c, err := release.New(sources.ReleaseServer{URL: s.URL, Channels: s.URL}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	_, err = c.Release(t.Context(), tag, "amd64")
	if err == nil || errors.Is(err, sources.ErrNoRelease) || strings.Count(err.Error(), s.URL) != 1 {
		t.Errorf("%v; want the address once, and not that the version is missing", err)
	}
}

func TestNewRefusesWhatIsNoAddress(t *testing.T) {
	t.Parallel()
	if _, err := release.New(sources.ReleaseServer{URL: "ftp://x/"}, nil); err == nil || !strings.Contains(err.Error(), "releases.url") {
		t.Errorf("%v; want the key named", err)
	}
	c, err := release.New(sources.ReleaseServer{}, nil)
	if err != nil || c.Server() != sources.DefaultReleaseServer() {
		t.Errorf("%+v, %v; want k3s's own", c.Server(), err)
	}
}
