package box

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

func sha256sum(ctx context.Context, p *process, args []string) int {
	f, words := parse(args)
	if f.has("c", "check") {
		bad := 0
		code := p.lines(ctx, "sha256sum", words, func(l string) bool {
			sum, name, ok := strings.Cut(l, " ")
			name = strings.TrimLeft(name, " *")
			if !ok || len(sum) != 64 {
				return true
			}
			data, err := p.box.disk.read(p.who, p.path(name))
			word := "OK"
			switch {
			case err != nil:
				if f.has("ignore-missing") {
					return true
				}
				p.say("sha256sum: %s: %s", name, why(err))
				word = "FAILED open or read"
				bad++
			case hexSum(data) != sum:
				word = "FAILED"
				bad++
			}
			if !f.has("status") && (word != "OK" || !f.has("quiet")) {
				p.print("%s: %s\n", name, word)
			}
			return true
		})
		if bad > 0 {
			return p.say("sha256sum: WARNING: %d computed checksum did NOT match", bad)
		}
		return code
	}
	if len(words) == 0 {
		words = []string{"-"}
	}
	return p.inputs("sha256sum", words, func(name string, in readCloser) int {
		h := sha256.New()
		if code := p.pour(ctx, "sha256sum", h, in); code != 0 {
			return code
		}
		p.print("%s  %s\n", hex.EncodeToString(h.Sum(nil)), name)
		return 0
	})
}

func hexSum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
