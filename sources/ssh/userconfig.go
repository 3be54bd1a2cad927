package ssh

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	sshconfig "github.com/kevinburke/ssh_config"
)

// userConfig is what ssh_config(5) files say, the first value first.
type userConfig struct {
	files []*sshconfig.Config
	home  string
}

// foreignMatch finds Match blocks whose conditions only ssh itself can judge.
func foreignMatch() *regexp.Regexp {
	return regexp.MustCompile(`(?im)^[ \t]*match[ \t=]+(?:[^\n]*\b(?:exec|localnetwork|tagged|command|version|sessiontype|canonical|final|user|localuser|originalhost)\b)[^\n]*$`)
}

// readUserConfig reads files that may be absent. note is told what is in
// them and not heeded.
func readUserConfig(paths []string, home string, note func(string, ...any)) (userConfig, error) {
	c := userConfig{home: home}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return c, fmt.Errorf("reading the ssh configuration: %w", err)
		}
		if foreign := foreignMatch(); foreign.Match(text) {
			note("ssh: %s has Match blocks with conditions that only ssh can judge; they are passed over", path)
			text = foreign.ReplaceAll(text, []byte("Host !*"))
		}
		parsed, err := sshconfig.Decode(bytes.NewReader(text))
		if err != nil {
			return c, fmt.Errorf("reading the ssh configuration %s: %w; correct it, `ssh -G HOST` checks it", path, err)
		}
		c.files = append(c.files, parsed)
	}
	return c, nil
}

// get is the first value of a key under any of the names, "" if there is none.
func (c userConfig) get(key string, names ...string) string {
	for _, file := range c.files {
		for _, name := range names {
			if v, err := file.Get(name, key); err == nil && v != "" {
				return v
			}
		}
	}
	return ""
}

// all are the values of a key that may be given several times.
func (c userConfig) all(key string, names ...string) []string {
	var out []string
	for _, file := range c.files {
		for _, name := range names {
			values, err := file.GetAll(name, key)
			if err != nil {
				continue
			}
			for _, v := range values {
				if !slices.Contains(out, v) {
					out = append(out, v)
				}
			}
		}
	}
	return out
}

// names reports whether a Host line of the files is about a name by itself:
// one that matches everything is about nobody.
func (c userConfig) names(name string) bool {
	for _, file := range c.files {
		for _, host := range file.Hosts {
			if !host.Matches(name) {
				continue
			}
			for _, p := range host.Patterns {
				if text := p.String(); text != "*" && !strings.HasPrefix(text, "!") {
					return true
				}
			}
		}
	}
	return false
}

// path expands ~ and the tokens of ssh_config(5) in a file's name.
func (c userConfig) path(text string, h hop) string {
	text = expand(strings.Trim(text, `"`), map[byte]string{
		'%': "%", 'd': c.home, 'h': h.host, 'n': h.alias, 'p': h.port, 'r': h.user,
	})
	if rest, ok := strings.CutPrefix(text, "~/"); ok {
		return filepath.Join(c.home, rest)
	}
	if rest, ok := strings.CutPrefix(text, "${HOME}/"); ok {
		return filepath.Join(c.home, rest)
	}
	if !filepath.IsAbs(text) {
		return filepath.Join(c.home, text)
	}
	return text
}

// expand replaces %x by its value; what is not known stays.
func expand(text string, tokens map[byte]string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+1 < len(text) {
			if v, ok := tokens[text[i+1]]; ok {
				b.WriteString(v)
				i++
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}
