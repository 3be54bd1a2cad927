package release

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"daytwo/sources"
)

// Bounds of an answer: what is longer is not what was asked for.
const (
	longestAnswer = 1 << 20
	patience      = 15 * time.Second
)

// Client asks one release server. All methods may be called at once.
type Client struct {
	at   sources.ReleaseServer
	http *http.Client // follows redirects
	once *http.Client // does not
}

// New makes a client; empty addresses are k3s's own. transport may be nil.
func New(at sources.ReleaseServer, transport http.RoundTripper) (*Client, error) {
	own := sources.DefaultReleaseServer()
	for _, a := range []struct {
		key     string
		value   *string
		instead string
	}{{"releases.url", &at.URL, own.URL}, {"releases.channels", &at.Channels, own.Channels}, {"releases.install", &at.Install, own.Install}} {
		if *a.value == "" {
			*a.value = a.instead
		}
		*a.value = strings.TrimRight(*a.value, "/")
		if u, err := url.Parse(*a.value); err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
			return nil, fmt.Errorf("%s: %q is no http or https address", a.key, *a.value)
		}
	}
	return &Client{
		at:   at,
		http: &http.Client{Transport: transport, Timeout: patience},
		once: &http.Client{Transport: transport, Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}},
	}, nil
}

// Server says which addresses are asked.
func (c *Client) Server() sources.ReleaseServer { return c.at }

// Channels lists what each channel stands for now, in the server's order.
func (c *Client) Channels(ctx context.Context) ([]sources.Channel, error) {
	res, err := c.get(ctx, c.http, http.MethodGet, c.at.Channels)
	if err != nil {
		return nil, fmt.Errorf("listing the channels: %w", err)
	}
	defer res.Body.Close() //nolint:errcheck // it was read
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("listing the channels: %s answered %s", c.at.Channels, res.Status)
	}
	var list struct {
		Data []struct {
			ID     string `json:"id"`
			Name   string `json:"name"`
			Latest string `json:"latest"`
		} `json:"data"`
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, longestAnswer)).Decode(&list); err != nil {
		return nil, fmt.Errorf("listing the channels: %s did not answer with a list: %w", c.at.Channels, err)
	}
	var out []sources.Channel
	for _, d := range list.Data {
		name := d.Name
		if name == "" {
			name = d.ID
		}
		if name != "" && d.Latest != "" { // testing has none at times
			out = append(out, sources.Channel{Name: sources.Clean(name, sources.MaxName), Latest: sources.Clean(d.Latest, sources.MaxName)})
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("listing the channels: %s lists none that stands for a version; type an exact version", c.at.Channels)
	}
	return out, nil
}

// Resolve says which tag a channel stands for now: the last part of where it
// redirects to, as the install script reads it.
func (c *Client) Resolve(ctx context.Context, channel string) (string, error) {
	at := c.at.Channels + "/" + url.PathEscape(channel)
	res, err := c.get(ctx, c.once, http.MethodGet, at)
	if err != nil {
		return "", fmt.Errorf("asking for the channel %s: %w", channel, err)
	}
	defer res.Body.Close() //nolint:errcheck // not read
	switch {
	case res.StatusCode == http.StatusNotFound:
		return "", fmt.Errorf("asking for the channel %s: %w", channel, sources.ErrNoRelease)
	case res.StatusCode/100 != 3:
		return "", fmt.Errorf("asking for the channel %s: %s answered %s instead of redirecting to a version", channel, at, res.Status)
	}
	to, err := res.Location()
	if err != nil {
		return "", fmt.Errorf("asking for the channel %s: %s redirects nowhere: %w", channel, at, err)
	}
	return sources.Clean(path.Base(to.Path), sources.MaxName), nil
}

// Release looks an exact tag up for an architecture. ErrNoRelease says that
// the server has none; other errors, that it could not be asked.
func (c *Client) Release(ctx context.Context, tag, arch string) (sources.Release, error) {
	file, sums, err := files(arch)
	if err != nil {
		return sources.Release{}, err
	}
	below := c.at.URL + "/download/" + escape(tag) + "/"
	r := sources.Release{
		Tag: tag, Arch: arch, File: file,
		Notes: c.at.URL + "/tag/" + escape(tag), Binary: below + file, Sums: below + sums,
	}
	if r.SHA256, err = c.sum(ctx, r); err != nil {
		return r, fmt.Errorf("looking for %s for %s: %w", tag, arch, err)
	}
	res, err := c.get(ctx, c.http, http.MethodHead, r.Binary)
	if err != nil {
		return r, fmt.Errorf("looking for %s: %w", r.Binary, err)
	}
	defer res.Body.Close() //nolint:errcheck // a HEAD has no body
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return r, fmt.Errorf("looking for %s: %w", r.Binary, sources.ErrNoRelease)
	default:
		return r, fmt.Errorf("looking for %s: the server answered %s", r.Binary, res.Status)
	}
	r.Size = max(res.ContentLength, 0)
	if at, err := http.ParseTime(res.Header.Get("Last-Modified")); err == nil {
		r.Built = at
	}
	return r, nil
}

// sum reads the checksum of a release's binary.
func (c *Client) sum(ctx context.Context, r sources.Release) (string, error) {
	res, err := c.get(ctx, c.http, http.MethodGet, r.Sums)
	if err != nil {
		return "", err
	}
	defer res.Body.Close() //nolint:errcheck // it was read
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return "", sources.ErrNoRelease
	default:
		return "", fmt.Errorf("%s answered %s", r.Sums, res.Status)
	}
	lines := bufio.NewScanner(io.LimitReader(res.Body, longestAnswer))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) != 2 || strings.TrimPrefix(fields[1], "*") != r.File {
			continue
		}
		if raw, err := hex.DecodeString(fields[0]); err != nil || len(raw) != 32 {
			return "", fmt.Errorf("%s has no SHA-256 for %s", r.Sums, r.File)
		}
		return strings.ToLower(fields[0]), nil
	}
	if err := lines.Err(); err != nil {
		return "", fmt.Errorf("reading %s: %w", r.Sums, err)
	}
	return "", fmt.Errorf("%s does not name the file %s", r.Sums, r.File)
}

func (c *Client) get(ctx context.Context, with *http.Client, method, at string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, at, nil)
	if err != nil {
		return nil, fmt.Errorf("asking %s: %w", at, err)
	}
	req.Header.Set("User-Agent", "daytwo")
	res, err := with.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // the address is in the text once
		}
		return nil, fmt.Errorf("asking %s: %w; check releases.url and releases.channels, and whether this machine may go out", at, err)
	}
	return res, nil
}

// files are the names of the binary and of the checksums for an architecture
// (k3s's install script, setup_verify_arch).
func files(arch string) (binary, sums string, err error) {
	switch arch {
	case "amd64":
		return "k3s", "sha256sum-amd64.txt", nil
	case "arm64":
		return "k3s-arm64", "sha256sum-arm64.txt", nil
	case "arm":
		return "k3s-armhf", "sha256sum-arm.txt", nil
	}
	return "", "", fmt.Errorf("k3s is not published for the architecture %q", arch)
}

// escape writes a tag for an address: its plus would be read as a blank by
// some servers.
func escape(tag string) string { return strings.ReplaceAll(url.PathEscape(tag), "+", "%2B") }
