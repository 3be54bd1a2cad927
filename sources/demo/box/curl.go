package box

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path"
	"strconv"
	"strings"
)

// curl gets one URL.
func curl(ctx context.Context, p *process, args []string) int {
	f, words := parse(args, "o", "w", "H", "m", "output", "write-out", "header", "max-time", "connect-timeout", "retry", "retry-delay",
		"retry-max-time", "proto", "tlsv1.2", "C", "continue-at", "speed-limit", "speed-time", "max-redirs", "user-agent", "A")
	if len(words) == 0 {
		p.say("curl: (2) no URL specified")
		return 2
	}
	url := words[len(words)-1]
	silent := f.has("s", "silent") && !f.has("S", "show-error")
	fails := func(code int, format string, more ...any) int {
		if !silent {
			p.say("curl: (%d) "+format, append([]any{code}, more...)...)
		}
		return code
	}
	if p.box.o.Fetch == nil {
		return fails(7, "Failed to connect to %s: Connection refused", url)
	}
	got, err := p.box.o.Fetch(ctx, url, f.has("L", "location"))
	if err != nil {
		return fails(7, "Failed to connect: %v", err)
	}
	defer func() { _ = got.Body.Close() }()
	if f.has("f", "fail") && got.Status >= http.StatusBadRequest {
		return fails(22, "The requested URL returned error: %d", got.Status)
	}
	code := p.curlSave(ctx, f, url, got, fails)
	if code == 0 && f.has("w", "write-out") {
		p.print("%s", strings.NewReplacer("%{http_code}", strconv.Itoa(got.Status), "%{response_code}", strconv.Itoa(got.Status), "%{url_effective}", got.URL,
			"%{redirect_url}", got.Location, `\n`, "\n").Replace(f.get("w", "write-out")))
	}
	return code
}

func (p *process) curlSave(ctx context.Context, f flags, url string, got Fetched, fails func(int, string, ...any) int) int {
	to := p.out
	name := f.get("o", "output")
	if f.has("O", "remote-name") {
		name = path.Base(url)
	}
	if f.has("I", "head") {
		p.print("HTTP/1.1 %d %s\r\n", got.Status, http.StatusText(got.Status))
		if got.Location != "" {
			p.print("Location: %s\r\n", got.Location)
		}
		p.print("\r\n")
		return 0
	}
	if name != "" && name != "-" {
		file, err := p.box.disk.open(p.who, p.path(name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
		if err != nil {
			return fails(23, "Failure writing output to destination: %s", why(err))
		}
		defer func() { _ = file.Close() }()
		to = file
	}
	var n int64
	buf := make([]byte, 256<<10)
	for {
		k, err := got.Body.Read(buf)
		if k > 0 {
			n += int64(k)
			if _, werr := to.Write(buf[:k]); werr != nil {
				return fails(23, "Failure writing output to destination: %s", why(werr))
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			if got.Length > n {
				return fails(18, "transfer closed with %d bytes remaining to read", got.Length-n)
			}
			return 0
		case errors.Is(err, io.ErrUnexpectedEOF):
			return fails(18, "transfer closed with outstanding read data remaining")
		case ctx.Err() != nil:
			return 143
		case err != nil:
			return fails(56, "Recv failure: %v", err)
		}
	}
}
