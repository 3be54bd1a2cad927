package box

import (
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"strings"
)

func mktemp(_ context.Context, p *process, args []string) int {
	f, words := parse(args, "p", "tmpdir", "suffix")
	name := "tmp.XXXXXXXXXX"
	if len(words) > 0 {
		name = words[0]
	}
	dir := f.get("p", "tmpdir")
	if dir == "" && len(words) == 0 || f.has("t") {
		dir = "/tmp"
	}
	if dir != "" {
		name = path.Join(dir, name)
	}
	stem := strings.TrimRight(name, "X")
	name = stem + fmt.Sprintf("%0*d", max(3, len(name)-len(stem)), p.box.pid())
	var err error
	if f.has("d", "directory") {
		err = p.box.disk.mkdir(p.who, p.path(name), 0o700)
	} else {
		var file *file
		if file, err = p.box.disk.open(p.who, p.path(name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err == nil {
			err = file.Close()
		}
	}
	if err != nil {
		return p.say("mktemp: failed to create file via template '%s': %s", name, why(err))
	}
	p.print("%s\n", name)
	return 0
}

func touch(_ context.Context, p *process, args []string) int {
	_, words := parse(args, "d", "r", "t")
	code := 0
	for _, w := range words {
		f, err := p.box.disk.open(p.who, p.path(w), os.O_WRONLY|os.O_CREATE, 0o666)
		if err != nil {
			code = p.say("touch: cannot touch '%s': %s", w, why(err))
			continue
		}
		_ = f.Close()
	}
	return code
}

func truncate(_ context.Context, p *process, args []string) int {
	f, words := parse(args, "s", "size")
	n, ok := bytesOf(f.get("s", "size"))
	if !ok {
		return p.say("truncate: Invalid number: '%s'", f.get("s", "size"))
	}
	code := 0
	for _, w := range words {
		if err := p.box.disk.truncate(p.who, p.path(w), n); err != nil {
			code = p.say("truncate: cannot open '%s' for writing: %s", w, why(err))
		}
	}
	return code
}

func tee(ctx context.Context, p *process, args []string) int {
	f, words := parse(args)
	how := os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	if f.has("a", "append") {
		how = os.O_WRONLY | os.O_CREATE | os.O_APPEND
	}
	to, code := []io.Writer{p.out}, 0
	for _, w := range words {
		file, err := p.box.disk.open(p.who, p.path(w), how, 0o666)
		if err != nil {
			code = p.say("tee: %s: %s", w, why(err))
			continue
		}
		defer func() { _ = file.Close() }()
		to = append(to, file)
	}
	return max(code, p.pour(ctx, "tee", io.MultiWriter(to...), p.in))
}

func dd(_ context.Context, p *process, args []string) int {
	from, to, bs, count := "-", "", int64(512), int64(-1)
	for _, a := range args[1:] {
		k, v, _ := strings.Cut(a, "=")
		switch k {
		case "if":
			from = v
		case "of":
			to = v
		case "bs":
			bs, _ = bytesOf(v)
		case "count":
			count, _ = strconv.ParseInt(v, 10, 64)
		}
	}
	var data []byte
	var err error
	if from == "/dev/zero" {
		data = make([]byte, min(max(0, bs*count), 64<<20))
	} else if data, err = p.readAny(from); err != nil {
		return p.say("dd: failed to open '%s': %s", from, why(err))
	} else if count >= 0 {
		data = data[:min(int64(len(data)), bs*count)]
	}
	if to == "" {
		_, err = p.out.Write(data)
	} else {
		err = p.writeWhole(p.path(to), data, 0o666, false)
	}
	if err != nil {
		return p.say("dd: error writing '%s': %s", to, why(err))
	}
	p.say("%d bytes copied", len(data))
	return 0
}

func (d *disk) truncate(w who, name string, size int64) error {
	f, err := d.open(w, name, os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	d.mu.Lock()
	defer d.mu.Unlock()
	if size == 0 {
		d.set(f.n, []byte{})
		return nil
	}
	d.held -= f.n.fixed()
	f.n.data, f.n.size = nil, size
	d.held += f.n.fixed()
	return nil
}
